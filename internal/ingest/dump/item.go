package dump

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// Own names the unwinder of this house in lineage.
const Own = "bellwether"

// NoSymbols is what a page must say of a stack that was unwound without symbols.
const NoSymbols = "unwound here without symbols: low trust"

// Stack is the walk of a dump: who made it, and its frames.
type Stack struct {
	By     string // Own, or another program and its version
	Note   string // why not the other program, when one is there
	Frames []minidump.Frame
}

// Item makes an item of a dump and of all that was said beside it.
func Item(d *minidump.Dump, raw []byte, s Stack, f *Form, query url.Values) *item.Item {
	if s.By == "" {
		s = Stack{By: Own, Note: s.Note, Frames: d.Walk(d.Crashed, nil)}
	}
	c := d.Crash(s.Frames)
	it := &item.Item{Name: "minidump", Category: "error", Kind: eco.KindCrash, Crash: &c, Time: d.Time}
	sum := sha256.Sum256(raw)
	it.Repeat = hex.EncodeToString(sum[:16])
	it.Origin.OS, it.Origin.OSVersion, it.Origin.Arch = os(d.OS), item.Version(d.OSVersion), item.Arch(d.Arch)
	var n notes
	if f == nil {
		f = new(Form)
	}
	n.read(f, query, d.Notes)
	n.fill(it)
	if it.Install == "" {
		it.Install = item.Raw(d.Client)
	}
	note := minidump.Tally(c.Exceptions[0].Frames)
	if s.By == Own {
		note = NoSymbols + " (" + note + ")"
	}
	if s.Note != "" {
		note += "; " + s.Note
	}
	it.Walk = eco.Step{Stage: "walk", Version: s.By, Note: note}
	return it
}

func os(s string) string {
	if s == "fuchsia" {
		return "other"
	}
	return s
}
