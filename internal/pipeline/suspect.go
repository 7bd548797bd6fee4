package pipeline

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// suspect adds what the evidence says of the family (step 6 of blame) to a crash
// that no extension stands on. Crashes stored before are not touched.
func (w *Worker) suspect(it *item, now time.Time) {
	c := it.env.Crash
	if w.o.Suspects == nil || it.blame.Extension != "" || len(c.Active) == 0 || it.env.Origin.Extension != "" {
		return
	}
	list := w.o.Suspects(it.place.Family, c.Active)
	if len(list) == 0 {
		return
	}
	it.blame = blame.Associate(it.blame, list)
	it.associated = it.blame.Extension != ""
	note := "shown"
	if it.associated {
		note = string(it.blame.Extension)
	}
	it.step("evidence", "evidence/1", note, now.UnixMilli())
}

// blamedVersion is the version of what is blamed. The release of a crash is that of
// the host where only the evidence blames: by it the family's releases are told.
func (it *item) blamedVersion() string {
	if it.associated {
		return it.blame.Version
	}
	return it.release
}

// recallAssociated restores a blame by evidence, from the recorded decision.
func (it *item) recallAssociated(id eco.ExtensionID) {
	for _, a := range it.env.Crash.Active {
		if a.ID == id {
			it.blame = eco.Blame{Extension: id, Version: a.Version, Target: blame.TargetExtension, Confidence: blame.Sure,
				Candidates: []eco.Candidate{{Extension: id, Version: a.Version, Role: blame.RoleAssociated, Step: 6, Confidence: blame.Sure, Reason: "Associated with this family when it came in."}}}
			it.associated = true
			return
		}
	}
}
