//go:build cgo

package app

import (
	"bytes"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/stack/minidump/dumptest"
)

// dump is a minidump of a real Chromium; extra bytes behind it make it another one.
func dump(t *testing.T, extra string) []byte {
	t.Helper()
	return append(dumptest.Chromium(t, "renderer-sigsegv"), extra...)
}

// TestErasedDumps: a kept dump goes with its crash and with its install, bytes and
// row, and never another's.
func TestErasedDumps(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, options(dir))
	ctx := t.Context()
	if err := h.dumps.SetDays(ctx, "test", h.key.Project, 3); err != nil {
		t.Fatal(err)
	}
	send := func(extra, guid string) eco.ID {
		t.Helper()
		r, _ := http.NewRequestWithContext(ctx, "POST", h.URL()+"/api/v1/intake/minidump/"+h.key.Public+"?guid="+guid, bytes.NewReader(dump(t, extra)))
		r.Header.Set("Content-Type", "application/octet-stream")
		a := h.do(r)
		id, err := eco.ParseID(a.body)
		if a.StatusCode != 200 || err != nil {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		h.crash(a.body)
		return id
	}
	kept := func(id eco.ID) bool {
		t.Helper()
		_, ok, err := h.dumps.Of(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		stored := false
		err = filepath.WalkDir(filepath.Join(dir, "data", "dumps"), func(p string, _ fs.DirEntry, err error) error {
			stored = stored || strings.Contains(p, id.String())
			return err
		})
		if err != nil || stored != ok {
			t.Fatalf("%s: row %v, bytes %v, %v", id, ok, stored, err)
		}
		return ok
	}
	one, two, other := send("", "install-1"), send("x", "install-2"), send("xy", "install-3")
	if !kept(one) || !kept(two) || !kept(other) {
		t.Fatal("not kept")
	}
	if _, err := h.facts.Erase(ctx, facts.Subject{Crash: one}); err != nil || kept(one) || !kept(two) {
		t.Errorf("the crash: %v", err)
	}
	install := h.crash(two.String()).Origin.Install
	if install == 0 {
		t.Fatal("no pseudonym")
	}
	if _, err := h.facts.Erase(ctx, facts.Subject{Project: h.key.Project, Install: install}); err != nil || kept(two) || !kept(other) {
		t.Errorf("the install: %v", err)
	}
}
