package suspect_test

import (
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// counts adds crashes of which only the signature came, of the installs from first on.
func (h *house) counts(family string, first, n uint64, active []eco.Active) {
	h.t.Helper()
	var rows []eco.Fact
	var docs []any
	for i := range n {
		id := h.id()
		f := eco.Fact{ID: id, Class: eco.ClassCrash, Kind: eco.KindCrash, Received: id.Time().UnixMilli(), Name: "Error", Value: 1, Weight: 1, Count: 1, Family: family, Signature: "s", Origin: h.origin(first + i)}
		rows = append(rows, f)
		docs = append(docs, crash.Document{Version: 1, ID: id, Origin: f.Origin, Crash: eco.Crash{Counted: "s", Active: active}})
	}
	h.add(rows, docs)
}

// Newer counts, which say nothing of what was active, do not take the place of what
// the same installations said with a stack; those with an active set speak.
func TestCountsBesideStacks(t *testing.T) {
	h := open(t)
	h.sessions(600)
	for i := range uint64(40) {
		h.crashes("F-pair", "", 1, 1000+i, "acme.git", "north.note")
	}
	h.crashes("F-other", "", 40, 0)
	h.now = h.now.Add(time.Minute)
	h.counts("F-pair", 1000, 40, nil)
	h.run()
	if r := h.of(everything, famPair); named(r) != "acme.git north.note" && named(r) != "north.note acme.git" {
		t.Errorf("beside stacks: %q, %+v", named(r), r.Answer)
	}
	h.now = h.now.Add(2 * time.Hour)
	h.counts("F-quiet", 5000, 40, nil)
	h.counts("F-loud", 6000, 40, []eco.Active{{ID: "acme.git", Version: "1.0.0"}, {ID: "acme.lint", Version: "1.0.0"}, {ID: "north.note", Version: "1.0.0"}})
	h.run()
	if r := h.of(everything, crash.Family{ID: "F-quiet", Host: "studio"}); named(r) != "" {
		t.Errorf("without an active set: %q", named(r))
	}
	if r := h.of(everything, crash.Family{ID: "F-loud", Host: "studio"}); named(r) == "" {
		t.Errorf("with an active set: nothing is named: %+v", r.Answer)
	}
}
