package crash

import (
	"context"
	"strings"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Together compares a crash with its family's representative, token by token, as
// the family rules see them.
func (d *Desk) Together(ctx context.Context, scope facts.Scope, id string) (Together, error) {
	const op = "crash.Together"
	doc, err := d.crash(ctx, scope, id)
	if err != nil {
		return Together{}, err
	}
	if doc.Placement.Family == "" {
		return Together{}, fault.E(op, fault.NotFound, "This crash is in no family.", nil)
	}
	f, err := d.visible(ctx, scope, doc.Placement.Family)
	if err != nil {
		return Together{}, err
	}
	t := Together{Family: f.ID, Representative: f.Representative, Score: 1, Matched: []Match{}, OnlyHere: []Match{}, OnlyThere: []Match{}}
	if doc.Crash.Counted != "" {
		t.Same, t.Counted = true, true
		return t, nil
	}
	if f.Representative == doc.ID {
		t.Same = true
		return t, nil
	}
	there, err := d.crash(ctx, scope, f.Representative.String())
	if fault.CodeOf(err) == fault.NotFound { // expired, erased, or somebody else's
		return t, fault.E(op, fault.NotFound, "The crash that stood for this family is gone.", err)
	}
	if err != nil {
		return Together{}, err
	}
	t.Same = there.Signature.Hash == doc.Signature.Hash
	t.compare(describe(&doc), describe(&there))
	t.redact(doc, there, scope)
	return t, nil
}

// redact takes out tokens of others' frames: what Redact takes out of either crash
// may not come back here.
func (t *Together) redact(here, there Document, scope facts.Scope) {
	if whole(scope, here.Origin) && whole(scope, there.Origin) {
		return
	}
	a, b := shown(Redact(here, scope)), shown(Redact(there, scope))
	for _, list := range [][]Match{t.Matched, t.OnlyHere, t.OnlyThere} {
		for i := range list {
			if tok := list[i].Token; !a[tok] && !b[tok] {
				list[i].Token = Removed
			}
		}
	}
}

func describe(doc *Document) family.Input {
	return family.Describe(&doc.Crash, doc.Signature, doc.Blame)
}

// shown are the terms of a redacted document that hold nothing redacted.
func shown(doc Document) map[string]bool {
	out := map[string]bool{}
	for _, t := range describe(&doc).Terms {
		if !strings.Contains(t.Token, Removed) {
			out[t.Token] = true
		}
	}
	return out
}

// compare asks the family rules themselves how alike two crashes are.
func (t *Together) compare(here, there family.Input) {
	e := family.Compare(here, there)
	t.Score, t.Matched, t.OnlyHere, t.OnlyThere = e.Score, matches(e.Matched), matches(e.Left), matches(e.Right)
}

func matches(shares []family.Share) []Match {
	out := make([]Match, len(shares))
	for i, s := range shares {
		out[i] = Match{s.Token, s.Share}
	}
	return out
}
