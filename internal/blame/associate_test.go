package blame_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
)

func TestAssociate(t *testing.T) {
	host := eco.Blame{Target: blame.TargetHost, Confidence: .5, Candidates: []eco.Candidate{{Step: 7, Confidence: .5}}}
	weak := []eco.Candidate{{Extension: "a.git", Step: 6, Confidence: .5}, {Extension: "b.note", Step: 6, Confidence: .5}}
	b := blame.Associate(host, weak)
	if b.Extension != "" || b.Target != blame.TargetHost || len(b.Candidates) != 3 || b.Candidates[0].Extension != "a.git" || b.Candidates[2].Step != 7 {
		t.Errorf("%+v", b)
	}
	if len(host.Candidates) != 1 {
		t.Error("the blame it was given has changed")
	}
	sure := []eco.Candidate{{Extension: "a.git", Version: "2", Step: 6, Confidence: .6}}
	if b := blame.Associate(host, sure); b.Extension != "a.git" || b.Version != "2" || b.Target != blame.TargetExtension {
		t.Errorf("%+v", b)
	}
	blamed := eco.Blame{Extension: "c.draw", Target: blame.TargetExtension, Confidence: .9}
	if b := blame.Associate(blamed, sure); b.Extension != "c.draw" || len(b.Candidates) != 0 {
		t.Errorf("%+v", b)
	}
}
