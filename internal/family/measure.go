package family

import (
	"math"
	"slices"
	"strings"
)

const (
	maxTerms = 320 // of one crash; the rest is not read
	noID     = math.MaxUint32
)

// stack is a crash in numbers: its tokens in order, each once, with their weights
// and places. The similarity of two stacks depends on nothing else.
type stack struct {
	ids       []uint32 // of tokens; noID for one the block does not know
	w, pos    []float32
	own       []bool
	extras    int
	top       int     // index of the innermost in-app name, -1 when there is none
	file      int     // index of its file when the name counts in its own build only, -1 otherwise
	tell      int     // index of the telling message, -1 when there is none
	author    int     // index of the message that a programmer wrote, -1 when there is none
	sum, mine float64 // of all weights; of the in-app frames'
}

// weigh gives each token its weight w(t,p) = c(t) / p and its place. Only
// the first occurrence of a token counts, so that the depth of a recursion does not
// matter. A place counts what stands above it by weight, not by frames: the frames
// of a library or runtime do not push their caller away.
func weigh(in *Input, id func(string) uint32) stack {
	terms := in.Terms
	if len(terms) > maxTerms {
		terms = terms[:maxTerms]
	}
	n := len(terms)
	s := stack{ids: make([]uint32, 0, n), w: make([]float32, 0, n), pos: make([]float32, 0, n), own: make([]bool, 0, n), top: -1, file: -1, tell: -1, author: -1}
	at := 1.0
	for i := range terms {
		term := &terms[i]
		if repeated(terms, i) {
			continue
		}
		p := 1.0
		if term.Extra {
			s.extras++
		} else {
			p = at
			at += term.Weight
		}
		w := term.Weight / p
		switch {
		case !term.Own:
		case s.top < 0:
			s.top = len(s.ids)
		case s.top == len(s.ids)-1 && terms[i-1].Scoped && s.file < 0:
			s.file = len(s.ids)
		}
		if term.Author {
			s.author = len(s.ids)
		}
		if term.Telling {
			s.tell = len(s.ids)
		}
		s.ids = append(s.ids, id(term.Token))
		s.w, s.pos, s.own = append(s.w, float32(w)), append(s.pos, float32(p)), append(s.own, term.Own)
		s.total(float64(float32(w)), term.Own)
	}
	return s
}

func (s *stack) total(w float64, own bool) {
	s.sum += w
	if own {
		s.mine += w
	}
}

// repeated reports whether a token occurred before. Stacks are short; long ones
// are looked through at the same, bounded, price.
func repeated(terms []Term, i int) bool {
	for k := max(0, i-64); k < i; k++ {
		if len(terms[k].Token) == len(terms[i].Token) && terms[k].Token == terms[i].Token {
			return true
		}
	}
	return false
}

// similarity is FaST's, between -1 and 1, less what the gates take: stacks that
// share hardly any in-app frame are not alike by their type and message alone,
// unless the message itself names the place (told); and two messages that
// programmers wrote are two purposes. slots holds, by token, the index in q plus one.
func (t *tuning) similarity(q, r *stack, slots []int32) (sim float64, told bool) {
	m, mine := 0.0, 0.0
	for j, id := range r.ids {
		i := int(slots[id]) - 1
		if i < 0 {
			continue
		}
		m += t.match(q, r, i, j)
		if q.own[i] && r.own[j] {
			mine += float64(min(q.w[i], r.w[j]))
		}
		told = told || j == r.tell && i == q.tell
	}
	total := q.sum + r.sum
	if total == 0 {
		return -1, false
	}
	sim = (m - total) / total
	if least := t.gate * min(q.mine, r.mine); mine < least && !told {
		sim -= t.penalty * (1 - mine/least)
	}
	if q.author >= 0 && r.author >= 0 && int(slots[r.ids[r.author]])-1 != q.author {
		sim -= t.differ
	}
	return max(sim, -1), told
}

// far is the difference of places beyond which it no longer matters how far.
const far = 4

// match is what one shared token adds to M.
func (t *tuning) match(q, r *stack, i, j int) float64 {
	d := float64(q.pos[i] - r.pos[j])
	near := 0.0
	switch d = math.Abs(d); {
	case d == 0:
		near = 1
	case d < far:
		near = math.Exp(-t.gamma * d)
	}
	return float64(q.w[i]+r.w[j]) * (1 + near)
}

// Compare explains how alike two crashes are. It needs no index.
func Compare(a, b Input) Explanation {
	ids := map[string]uint32{}
	id := func(tok string) uint32 {
		v, ok := ids[tok]
		if !ok {
			v = uint32(len(ids))
			ids[tok] = v
		}
		return v
	}
	q, r := weigh(&a, id), weigh(&b, id)
	names := make([]string, len(ids))
	for tok, v := range ids {
		names[v] = tok
	}
	name := func(v uint32) string { return names[v] }
	return fam1.explain(&q, &r, len(ids), name, name)
}

// maxShares bounds each list of an explanation.
const maxShares = 12

func (t *tuning) explain(q, r *stack, tokens int, nameQ, nameR func(uint32) string) Explanation {
	slots := make([]int32, tokens)
	for i, id := range q.ids {
		if id != noID {
			slots[id] = int32(i) + 1
		}
	}
	var e Explanation
	e.Score, _ = t.similarity(q, r, slots)
	m := 0.0
	matched := make([]bool, len(q.ids))
	for j, id := range r.ids {
		i := int(slots[id]) - 1
		if i < 0 {
			e.Right = append(e.Right, Share{nameR(id), float64(r.w[j]) / r.sum})
			continue
		}
		matched[i] = true
		x := t.match(q, r, i, j)
		m += x
		e.Matched = append(e.Matched, Share{nameR(id), x})
	}
	for i, id := range q.ids {
		if !matched[i] {
			e.Left = append(e.Left, Share{nameQ(id), float64(q.w[i]) / q.sum})
		}
	}
	for i := range e.Matched {
		e.Matched[i].Share /= m
	}
	e.Matched, e.Left, e.Right = heaviest(e.Matched), heaviest(e.Left), heaviest(e.Right)
	return e
}

func heaviest(s []Share) []Share {
	slices.SortStableFunc(s, func(a, b Share) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return strings.Compare(a.Token, b.Token)
	})
	return s[:min(len(s), maxShares)]
}
