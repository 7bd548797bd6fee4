package symbols

import (
	"crypto/sha1"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// TestTenancy: nobody's crash is named, or unwound, by another tenant's file, not
// even when the debug ids agree.
func TestTenancy(t *testing.T) {
	for name, tt := range map[string]struct {
		whose  Subject
		owner  eco.ExtensionID // of the frame
		origin eco.Origin
		named  bool
	}{
		"their own":           {of("acme.linter"), "acme.linter", eco.Origin{Extension: "acme.linter"}, true},
		"another publisher's": {of("evil.twin"), "acme.linter", eco.Origin{Extension: "acme.linter"}, false},
		"of a frame's owner, in another's project":   {of("acme.theme"), "acme.theme", eco.Origin{Extension: "acme.linter"}, false},
		"the host's, in an extension's project":      {Subject{Host: "editor"}, "", eco.Origin{Extension: "acme.linter", Host: "editor"}, false},
		"the host's, in its own":                     {Subject{Host: "editor"}, "", eco.Origin{Host: "editor"}, true},
		"another host's":                             {Subject{Host: "other"}, "", eco.Origin{Host: "editor"}, false},
		"an extension's frame in the host's project": {of("acme.linter"), "acme.linter", eco.Origin{Host: "editor"}, true},
		"an extension's file for the host's frame":   {of("evil.twin"), "", eco.Origin{Host: "editor"}, false},
		"an extension's file for another's frame":    {of("evil.twin"), "acme.linter", eco.Origin{Host: "editor"}, false},
	} {
		h := newHouse(t)
		h.put(tt.whose, "engine.sym", engineSym)
		c := native(tt.owner)
		u := h.Unwinder(t.Context(), c, &tt.origin)
		_, rules := u.CFI(engineID, "/opt/x/engine.so", 0x1010)
		if u.Has(engineID, "/opt/x/engine.so") != tt.named || rules != tt.named {
			t.Errorf("%s: the walk knows the file: %v", name, !tt.named)
		}
		note, by := h.Name(t.Context(), c, &tt.origin)
		if got := c.Exceptions[0].Frames[0].Function == "Engine::draw(int)" && len(by) == 1 && note != ""; got != tt.named {
			t.Errorf("%s: %q %+v", name, note, c.Exceptions[0].Frames)
		}
	}
}

// TestELF: of a binary its symbol file is kept.
func TestELF(t *testing.T) {
	h := newHouse(t)
	raw, err := os.ReadFile("../../symbol/elfsym/testdata/tiny64.so")
	if err != nil {
		t.Fatal(err)
	}
	f := h.put(of("acme.linter"), "build/tiny64.so", string(raw))[0].Kept
	if f.Kind != symbol.Sym || f.DebugID == "" || f.File != "tiny64.so" || f.Name != "tiny64.so" {
		t.Errorf("%+v", f)
	}
	if text := read(t, h.blobs, blobKey(f.SHA256)); !strings.HasPrefix(text, "MODULE Linux x86_64 ") || !strings.Contains(text, " tiny\n") || int64(len(text)) != f.Size {
		t.Errorf("%.200s", text)
	}
	if _, err := h.Put(t.Context(), Upload{Subject: of("acme.linter"), Actor: "a", Name: "x"}, strings.NewReader("\x7fELF junk")); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

// TestOnce: the same bytes are stored once, whoever brings them and however often.
func TestOnce(t *testing.T) {
	h := newHouse(t)
	h.put(of("acme.linter"), "engine.sym", engineSym)
	if out := h.put(of("acme.linter"), "engine.sym", engineSym); !out[0].Known {
		t.Errorf("%+v", out)
	}
	h.put(of("acme.theme"), "engine.sym", engineSym)
	if n, rows := h.stored(), h.count("symbol_file"); n != 1 || rows != 2 {
		t.Errorf("%d objects, %d rows", n, rows)
	}
}

// TestRoom: past the bytes or files of an owner the least recently used go, never
// the new one and never another owner's.
func TestRoom(t *testing.T) {
	h := newHouse(t)
	for i := range 4 { // rows as large as a gigabyte; one of them was used today
		used := 0
		if i == 1 {
			used = int(h.now.UnixMilli())
		}
		who := "extension:acme.linter"
		if i == 3 {
			who = "extension:acme.theme"
		}
		err := h.db.Tx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO symbol_file (id, subject, kind, debug_id, release, file, base, name, sha256, size, by_actor, at_ms, used_ms, gone_ms)
			VALUES ($1, $2, 'breakpad', $1, '', 'f', 'f', 'f', $1, $3, 'a', $4, $5, 0)`, fmt.Sprintf("old%d", i), who, 900<<20, h.now.UnixMilli()-int64(1000*(i+1)), used)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := h.put(of("acme.linter"), "engine.sym", engineSym)[0].Kept
	for id, there := range map[string]bool{"old0": true, "old1": true, "old2": false, "old3": true, kept.ID: true} {
		if _, err := h.File(t.Context(), id); (err == nil) != there {
			t.Errorf("%s is there: %v", id, !there)
		}
	}
	if n := h.count("audit_entry WHERE body LIKE '%symbol.expire%'"); n != 1 {
		t.Errorf("%d entries of the audit log", n)
	}
}

// TestTidy: deleted files can be brought back for a week; then rows and bytes go.
// Bytes that another row names stay.
func TestTidy(t *testing.T) {
	h := newHouse(t)
	mine, theirs := h.put(of("acme.linter"), "engine.sym", engineSym)[0].Kept, h.put(of("acme.theme"), "engine.sym", engineSym)[0].Kept
	tidy := func() {
		t.Helper()
		if _, err := h.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Delete(t.Context(), "a", mine.ID); err != nil {
		t.Fatal(err)
	}
	c := native("acme.linter")
	if note, _ := h.Name(t.Context(), c, &eco.Origin{Extension: "acme.linter"}); note != "" {
		t.Error("a deleted file names")
	}
	h.now = h.now.Add(6 * 24 * time.Hour)
	tidy()
	if err := h.Restore(t.Context(), "a", mine.ID); err != nil {
		t.Errorf("within a week: %v", err)
	}
	if err := h.Delete(t.Context(), "a", mine.ID); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	tidy()
	if err := h.Restore(t.Context(), "a", mine.ID); fault.CodeOf(err) != fault.NotFound || h.stored() != 1 {
		t.Errorf("after a week: %v, %d objects", err, h.stored())
	}
	if err := h.Delete(t.Context(), "a", theirs.ID); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	if tidy(); h.stored() != 0 {
		t.Errorf("%d objects that nobody names", h.stored())
	}
}

// TestMissing: what crashes ask for in vain is counted, bounded, found when it
// comes, and forgotten.
func TestMissing(t *testing.T) {
	h := newHouse(t)
	o := eco.Origin{Extension: "acme.linter"}
	for i := range maxWanted + 50 {
		c := native("acme.linter")
		id := eco.NewID(h.now.Add(time.Duration(i)*time.Millisecond), [16]byte{15: byte(i), 14: byte(i >> 8)})
		h.Apply(t.Context(), id, c, &o, h.now.UnixMilli())
		if i%2 == 0 { // the same crash once more counts once
			h.Apply(t.Context(), id, c, &o, h.now.UnixMilli())
		}
	}
	if _, err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := h.Missing(t.Context(), []Subject{of("acme.linter")}, false)
	if err != nil || len(list) != 1 || list[0].Crashes != maxWanted+50 || list[0].DebugID != engineID {
		t.Fatalf("%+v %v", list, err)
	}
	if n := h.count("symbol_wanted"); n != maxWanted {
		t.Errorf("%d crashes are remembered", n)
	}
	if other, err := h.Missing(t.Context(), []Subject{of("acme.theme")}, false); err != nil || len(other) != 0 {
		t.Errorf("another tenant sees %+v %v", other, err)
	}
	if out := h.put(of("acme.linter"), "engine.sym", engineSym); out[0].Helps != maxWanted+50 {
		t.Errorf("%+v", out[0])
	}
	due, err := h.Due(t.Context())
	if err != nil || len(due) != 1 || len(due[0].Crashes) != maxWanted {
		t.Fatalf("%d due, %v", len(due), err)
	}
	if err := h.Settle(t.Context(), due[0].Missing.ID, true); err != nil || h.count("symbol_missing") != 0 || h.count("symbol_wanted") != 0 {
		t.Errorf("%v", err)
	}
}

// TestCache: parsed files take a bounded number of bytes, the least recently used
// go; one that is larger than all of it is kept alone.
func TestCache(t *testing.T) {
	c := newCache(100)
	for _, k := range []string{"a", "b", "c"} {
		c.put(&entry{key: k, size: 40})
		c.get("a")
	}
	for k, there := range map[string]bool{"a": true, "b": false, "c": true} {
		if _, ok := c.get(k); ok != there {
			t.Errorf("%s is there: %v", k, ok)
		}
	}
	c.put(&entry{key: "a", size: 50}) // instead of the old one
	if c.bytes != 90 {
		t.Errorf("%d bytes", c.bytes)
	}
	c.put(&entry{key: "huge", size: 1000})
	if _, ok := c.get("huge"); !ok || c.order.Len() != 1 || c.bytes != 1000 || len(c.by) != 1 {
		t.Errorf("%d entries, %d bytes", c.order.Len(), c.bytes)
	}
	if c.put(&entry{key: "d", size: 1}); c.order.Len() != 1 || c.bytes != 1 {
		t.Errorf("%d entries, %d bytes", c.order.Len(), c.bytes)
	}
}

// TestUploadsAtOnce: a third upload waits for none of the two.
func TestUploadsAtOnce(t *testing.T) {
	h := newHouse(t)
	for range maxUploads {
		h.uploads <- struct{}{}
	}
	if _, err := h.Put(t.Context(), Upload{Subject: of("acme.linter"), Name: "x"}, strings.NewReader(engineSym)); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	// Nor are pieces put together in memory while two others are; which are missing is said all the same.
	piece := []byte(engineSym)
	sum := fmt.Sprintf("%x", sha1.Sum(piece))
	if err := h.PutPart(t.Context(), "a-1", sum, piece); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.PutParts(t.Context(), Upload{Subject: of("acme.linter"), Name: "x"}, "a-1", sum, []string{sum, sum}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("pieces: %v", err)
	}
	if _, missing, err := h.PutParts(t.Context(), Upload{Subject: of("acme.linter"), Name: "x"}, "a-2", sum, []string{sum}); err != nil || len(missing) != 1 {
		t.Errorf("another's piece: %v %v", missing, err)
	}
}
