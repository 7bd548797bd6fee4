package crash

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxMatches bounds each list of a comparison.
const maxMatches = 20

// Together compares a crash with its family's representative, token by token, as
// the family rules see them (position and class of the code; how common a token
// is in its block is left out, because it changes from day to day).
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
	if !whole(scope, doc.Origin) || !whole(scope, there.Origin) {
		// Tokens of others' frames: what Redact takes out of either may not come back here.
		a, b := shown(Redact(doc, scope)), shown(Redact(there, scope))
		for _, list := range [][]Match{t.Matched, t.OnlyHere, t.OnlyThere} {
			for i := range list {
				if tok := list[i].Token; !a[tok] && !b[tok] {
					list[i].Token = Removed
				}
			}
		}
	}
	return t, nil
}

func describe(doc *Document) []family.Term {
	return family.Describe(&doc.Crash, doc.Signature, doc.Blame).Terms
}

// shown are the terms of a redacted document that hold nothing redacted.
func shown(doc Document) map[string]bool {
	out := map[string]bool{}
	for _, t := range describe(&doc) {
		if !strings.Contains(t.Token, Removed) {
			out[t.Token] = true
		}
	}
	return out
}

type placed struct {
	token  string
	weight float64
	pos    int
}

// weigh gives each term its weight at its place: extras stand at the first place,
// beside the stack.
func weigh(terms []family.Term) (out []placed, sum float64) {
	pos := 0
	for _, t := range terms {
		at := 1
		if !t.Extra {
			pos++
			at = pos
		}
		p := placed{t.Token, t.Weight / float64(at), at}
		out = append(out, p)
		sum += p.weight
	}
	return out, sum
}

// compare is the similarity of crash-grouping section 4 with its parts: the j-th
// occurrence of a token on one side is matched with the j-th on the other.
func (t *Together) compare(here, there []family.Term) {
	a, sumA := weigh(here)
	b, sumB := weigh(there)
	if sumA+sumB == 0 {
		t.Score = 0
		return
	}
	waiting := map[string][]int{}
	for i, p := range b {
		waiting[p.token] = append(waiting[p.token], i)
	}
	taken := make([]bool, len(b))
	parts := map[string]float64{}
	left := map[string]float64{}
	var m float64
	for _, p := range a {
		w := waiting[p.token]
		if len(w) == 0 {
			left[p.token] += p.weight / sumA
			continue
		}
		q := b[w[0]]
		taken[w[0]], waiting[p.token] = true, w[1:]
		part := (p.weight + q.weight) * (1 + math.Exp(-math.Abs(float64(p.pos-q.pos))))
		parts[p.token] += part
		m += part
	}
	right := map[string]float64{}
	for i, p := range b {
		if !taken[i] {
			right[p.token] += p.weight / sumB
		}
	}
	for token := range parts {
		parts[token] /= m
	}
	t.Score = (m - sumA - sumB) / (sumA + sumB)
	t.Matched, t.OnlyHere, t.OnlyThere = heaviest(parts), heaviest(left), heaviest(right)
}

func heaviest(parts map[string]float64) []Match {
	out := make([]Match, 0, len(parts))
	for token, part := range parts {
		out = append(out, Match{token, part})
	}
	slices.SortFunc(out, func(a, b Match) int { return cmp.Or(cmp.Compare(b.Part, a.Part), cmp.Compare(a.Token, b.Token)) })
	return out[:min(len(out), maxMatches)]
}
