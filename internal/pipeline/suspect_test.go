package pipeline

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

func (h *house) hostCrash(function string, active ...eco.ExtensionID) *eco.Envelope {
	e := h.envelope(eco.KindCrash, eco.ClassCrash)
	e.Origin.Extension, e.Origin.ExtVersion = "", ""
	e.Crash = &eco.Crash{Platform: "javascript", Level: "fatal", Exceptions: []eco.Exception{{Type: "Error", Value: "gone", Parent: -1,
		Frames: []eco.Frame{{Function: function, File: "/usr/share/studio/resources/app/out/" + function + ".js", Line: 1}}}}}
	for _, id := range active {
		e.Crash.Active = append(e.Crash.Active, eco.Active{ID: id, Version: "3.1.0"})
	}
	return e
}

// What the evidence says of a family reaches new crashes of it as step 6: shown
// when it is likely, in the blame of the fact when it is sure, and the same after
// a batch had to be stored again.
func TestSuspects(t *testing.T) {
	for _, c := range []struct {
		name       string
		confidence float64
		blamed     eco.ExtensionID
		version    string
	}{{"likely", 0.5, "", ""}, {"sure", 0.6, "acme.git", "3.1.0"}} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, dbtest.Open(t))
			h.send(h.hostCrash("draw", "acme.git"), h.hostCrash("draw"))
			w := h.worker()
			w.o.Suspects = func(family string, active []eco.Active) []eco.Candidate {
				if family == "" || len(active) == 0 {
					t.Errorf("asked for %q with %v", family, active)
				}
				return []eco.Candidate{{Extension: "acme.git", Version: active[0].Version, Step: 6, Role: "associated", Confidence: c.confidence, Reason: "Associated."}}
			}
			broken := false
			w.trip = func(step string, done bool) error {
				if step == "facts" && !done && !broken {
					broken = true
					return errors.New("the disk is full")
				}
				return nil
			}
			h.run(w)
			rows := h.rows()
			if len(rows) != 2 || rows[0].Blame != c.blamed || rows[0].BlameVer != c.version || rows[1].Blame != "" || rows[0].Family != rows[1].Family {
				t.Fatalf("%+v", rows)
			}
			docs, err := h.mem.Documents(t.Context(), facts.Everything(), []eco.ID{rows[0].ID})
			if err != nil || len(docs) != 1 {
				t.Fatal(err)
			}
			var doc crash.Document
			if err := json.Unmarshal(docs[0].Body, &doc); err != nil {
				t.Fatal(err)
			}
			if len(doc.Blame.Candidates) == 0 || doc.Blame.Candidates[0].Step != 6 {
				t.Errorf("%+v", doc.Blame)
			}
			f, err := h.desk.Family(t.Context(), facts.Everything(), rows[0].Family, crash.Period{})
			if err != nil || f.Blame != "" || f.LastRelease != "5.0" {
				t.Errorf("the family changed: %+v, %v", f.Family, err)
			}
		})
	}
}

// A replay recalls a blame by evidence though the evidence is not there.
func TestSuspectRecalled(t *testing.T) {
	it := &item{env: &eco.Envelope{Kind: eco.KindCrash, Crash: &eco.Crash{Active: []eco.Active{{ID: "acme.git", Version: "3.1.0"}}}}, crashPart: &crashPart{blame: eco.Blame{Target: "host"}}}
	it.recall(decision{family: "F-1", blame: "acme.git", release: "5.0"})
	if f := it.fact(); f.Blame != "acme.git" || f.BlameVer != "3.1.0" || it.release != "5.0" {
		t.Errorf("%+v", f)
	}
}
