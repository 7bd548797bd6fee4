package blame

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// RoleAssociated is a candidate of step 6: many crashes of the family had it
// active. It is an association, never a cause.
const RoleAssociated = "associated"

// Sure is the confidence from which on a candidate leads.
const Sure = .55

// Associate adds candidates of step 6 (see package blame/evidence) to the blame of
// one crash. They speak only where no extension is blamed, and one of them leads
// only when it is sure. What b holds is not changed.
func Associate(b eco.Blame, list []eco.Candidate) eco.Blame {
	if b.Extension != "" || len(list) == 0 {
		return b
	}
	b.Candidates = slices.Clone(b.Candidates)
	for i, c := range list {
		if len(b.Candidates) < maxCandidates {
			b.Candidates = slices.Insert(b.Candidates, i, c)
		}
	}
	if first := list[0]; first.Confidence >= Sure {
		b.Extension, b.Version, b.Confidence, b.Target = first.Extension, first.Version, first.Confidence, TargetExtension
	}
	return b
}
