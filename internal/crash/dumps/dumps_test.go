package dumps

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/keyring"
)

type house struct {
	*Store
	t     *testing.T
	blobs *blob.Mem
	keys  *keyring.Ring
	log   *audit.Log
	now   time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, blobs: new(blob.Mem), now: time.UnixMilli(1795218900000)}
	clock := func() time.Time { return h.now }
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "r.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if h.log, err = audit.New(t.Context(), d, clock); err != nil {
		t.Fatal(err)
	}
	if h.keys, err = keyring.Open(filepath.Join(t.TempDir(), "keys")); err != nil {
		t.Fatal(err)
	}
	if h.Store, err = New(t.Context(), Options{Records: d, Audit: h.log, Blobs: h.blobs, Keys: h.keys, Now: clock}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) keep(id byte, install eco.Install, days int, raw []byte) eco.ID {
	h.t.Helper()
	crash := eco.ID{1, 15: id}
	if err := h.Keep(h.t.Context(), crash, 7, "host:editor", install, days, raw); err != nil {
		h.t.Fatal(err)
	}
	return crash
}

func (h *house) has(id eco.ID) bool {
	h.t.Helper()
	_, ok, err := h.Of(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	_, err = h.blobs.Get(h.t.Context(), key(id))
	if stored := err == nil; ok && !stored {
		h.t.Errorf("%s: a row without bytes", id)
	}
	return ok
}

var secret = bytes.Repeat([]byte("MDMP the memory of somebody's process "), 5000)

func TestKeep(t *testing.T) {
	h := newHouse(t)
	for name, raw := range map[string][]byte{"many chunks": secret, "one": []byte("MDMP"), "a chunk to the byte": make([]byte, chunkSize), "nothing": {}} {
		id := h.keep(byte(len(name)), 9, 3, raw)
		got, err := h.Read(t.Context(), "a-1", id)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		r, err := h.blobs.Get(t.Context(), key(id))
		if err != nil {
			t.Fatal(err)
		}
		stored, _ := io.ReadAll(r)
		if bytes.Contains(stored, []byte("memory of")) || bytes.Contains(stored, []byte("MDMP")) {
			t.Errorf("%s: stored in the clear", name)
		}
	}
	if d, ok, err := h.Of(t.Context(), eco.ID{1, 15: 3}); err != nil || !ok || !d.Until.Equal(h.now.Add(72*time.Hour).UTC()) || d.Size != 4 {
		t.Errorf("%+v %v %v", d, ok, err)
	}
	if _, err := h.Read(t.Context(), "a-1", eco.ID{99}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a dump that is not there: %v", err)
	}
}

func TestDamage(t *testing.T) {
	h := newHouse(t)
	id, other := h.keep(1, 9, 3, secret), h.keep(2, 9, 3, secret)
	load := func(id eco.ID) []byte {
		r, err := h.blobs.Get(t.Context(), key(id))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r)
		return b
	}
	good := load(id)
	chunk := 4 + chunkHead + chunkSize + 29
	for name, b := range map[string][]byte{
		"another's":   load(other),
		"cut":         good[:len(good)-1],
		"last gone":   good[:chunk],
		"first gone":  good[chunk:],
		"swapped":     append(append(append([]byte(nil), good[chunk:2*chunk]...), good[:chunk]...), good[2*chunk:]...),
		"a bit":       append(append([]byte(nil), good[:50]...), append([]byte{good[50] ^ 1}, good[51:]...)...),
		"nothing":     {},
		"huge length": {0xff, 0xff, 0xff, 0xff},
	} {
		if err := h.blobs.Put(t.Context(), key(id), bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Open(t.Context(), id); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := h.keys.Destroy("host:editor"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(t.Context(), other); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("without its key: %v", err)
	}
}

func TestEnds(t *testing.T) {
	h := newHouse(t)
	short, long := h.keep(1, 5, 1, secret), h.keep(2, 6, 10, secret)
	mine, withdrawn := h.keep(3, 5, 10, secret), h.keep(4, 0, 10, secret)
	h.now = h.now.Add(25 * time.Hour)
	if h.has(short) {
		t.Error("shown past its day")
	}
	if n, err := h.Purge(t.Context()); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := h.Erase(t.Context(), facts.Subject{Project: 7, Install: 5}); n != 1 || err != nil || h.has(mine) || !h.has(long) {
		t.Error("the install", n, err)
	}
	if n, err := h.Erase(t.Context(), facts.Subject{Project: 8, Install: 6}); n != 0 || err != nil {
		t.Error("another project", n, err)
	}
	if n, err := h.Erase(t.Context(), facts.Subject{Crash: withdrawn}); n != 1 || err != nil || h.has(withdrawn) {
		t.Error("the crash", n, err)
	}
	if err := h.SetDays(t.Context(), "a-1", 7, 1); err != nil || h.has(long) {
		t.Error("fewer days do not end what is older", err)
	}
	left := 0
	_ = h.blobs.List(t.Context(), "", func(blob.Info) error { left++; return nil })
	if left != 0 {
		t.Errorf("%d objects left", left)
	}
}

func TestSetDays(t *testing.T) {
	h := newHouse(t)
	for _, bad := range []int{-1, MaxDays + 1} {
		if err := h.SetDays(t.Context(), "a-1", 7, bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%d: %v", bad, err)
		}
	}
	if h.Days(7) != 0 {
		t.Error("kept by default")
	}
	if err := h.SetDays(t.Context(), "a-1", 7, 14); err != nil || h.Days(7) != 14 || h.Days(8) != 0 {
		t.Error(err, h.Days(7))
	}
	h.Store.of = nil
	if err := h.Refresh(t.Context()); err != nil || h.Days(7) != 14 {
		t.Error("not read again", err)
	}
	if err := h.Keep(t.Context(), eco.ID{1}, 7, "host:editor", 0, 0, nil); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("kept for no days: %v", err)
	}
}
