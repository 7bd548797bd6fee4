package symbols

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// house is a store on a real database, with a clock.
type house struct {
	*Store
	t     *testing.T
	db    *db.DB
	blobs blob.Bucket
	now   time.Time
	ids   int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: time.Now().UTC().Truncate(time.Second)}
	clock := func() time.Time { return h.now }
	var err error
	if h.db, err = db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "r.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	log, err := audit.New(t.Context(), h.db, clock)
	if err != nil {
		t.Fatal(err)
	}
	if h.blobs, err = blob.OpenDir(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	h.Store, err = New(t.Context(), Options{Records: h.db, Audit: log, Blobs: h.blobs, Now: clock, NewID: func() string { h.ids++; return fmt.Sprintf("s%04d", h.ids) }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	engineID  = "01234567-89ab-cdef-0123-456789abcdef"
	engineSym = "MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 engine.so\nFUNC 1000 100 0 Engine::draw(int)\nSTACK CFI INIT 1000 100 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n"
)

func of(ext eco.ExtensionID) Subject { return Subject{Extension: ext} }

func (h *house) put(who Subject, name, text string) []Outcome {
	h.t.Helper()
	out, err := h.Put(h.t.Context(), Upload{Subject: who, Actor: "a-1", Name: name}, strings.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	h.now = h.now.Add(time.Second)
	return out
}

// native is a crash in a binary, as it came: module and offset.
func native(owner eco.ExtensionID) *eco.Crash {
	return &eco.Crash{Platform: "native", DebugImages: []eco.DebugImage{{Type: "elf", CodeFile: "/opt/x/engine.so", DebugID: engineID}},
		Exceptions: []eco.Exception{{Type: "SIGSEGV", Parent: -1, Frames: []eco.Frame{{Addr: "+0x1010", Package: "/opt/x/engine.so", Module: "engine.so", Owner: owner, Class: eco.FrameExtension}}}}}
}

func (h *house) stored() (n int) {
	h.t.Helper()
	err := h.blobs.List(h.t.Context(), "symbols/", func(blob.Info) error { n++; return nil })
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) count(where string) (n int) {
	h.t.Helper()
	if err := h.db.Read().QueryRowContext(h.t.Context(), `SELECT count(*) FROM `+where).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func read(t *testing.T, b blob.Bucket, key string) string {
	t.Helper()
	r, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	_, _ = out.ReadFrom(r)
	return out.String()
}
