//go:build cgo

package duck

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/bellwether-project/bellwether/internal/facts"
)

// answers keeps answers for as long as the files that they were read from stay as
// they are. Every change of a file (a commit, an erasure, a rollup, a rewrite)
// replaces its info, so that an answer is never older than its files: days that
// are over are read once, and a store that nothing comes in to answers from here.
type answers struct {
	mu    sync.Mutex
	known map[question]*list.Element // of *answer
	used  list.List                  // the last used first
	cells int
	most  int // cells
}

const (
	maxCells  = 256 << 10 // values kept, some 40 bytes each
	mostOfOne = 16 << 10  // values of one answer that is kept
)

// question names all that is asked, and which part of each file's time.
type question [sha256.Size]byte

func (pl *plan) question(infos []*info) question {
	q := pl.q
	h := sha256.New()
	fmt.Fprintf(h, "%q %v %q %v %d %d %q %s", q.Group, q.Measures, q.Where, q.Order, q.Limit, q.Offset, q.Relabel, (*lists)(nil).visible(q.Scope))
	for _, in := range infos {
		from, to := pl.from, pl.to
		if in.lo >= from { // a question that moves with the clock is the same one to most files
			from = math.MinInt64
		}
		if in.hi < to {
			to = math.MaxInt64
		}
		fmt.Fprintf(h, " %d %d", from, to)
	}
	return question(h.Sum(nil))
}

type answer struct {
	q     question
	infos []*info
	r     facts.Result
	cells int
}

// get returns a copy of what is kept for a question, when the files are the same.
func (a *answers) get(q question, infos []*info) (facts.Result, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.known[q]
	if e == nil || !slices.Equal(e.Value.(*answer).infos, infos) {
		return facts.Result{}, false
	}
	a.used.MoveToFront(e)
	return copyOf(e.Value.(*answer).r), true
}

func (a *answers) put(q question, infos []*info, r facts.Result) {
	cells := 1 // an empty answer takes some room too
	for _, row := range r.Rows {
		cells += len(row)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.known[q]; e != nil {
		a.drop(e)
	}
	if cells > min(mostOfOne, a.most) {
		return
	}
	if a.known == nil {
		a.known = make(map[question]*list.Element)
	}
	a.known[q] = a.used.PushFront(&answer{q, infos, copyOf(r), cells})
	for a.cells += cells; a.cells > a.most; {
		a.drop(a.used.Back())
	}
}

func (a *answers) drop(e *list.Element) {
	old := a.used.Remove(e).(*answer)
	delete(a.known, old.q)
	a.cells -= old.cells
}

// copyOf lets callers change what they get.
func copyOf(r facts.Result) facts.Result {
	r.Cols = slices.Clone(r.Cols)
	r.Rows = slices.Clone(r.Rows)
	for i := range r.Rows {
		r.Rows[i] = slices.Clone(r.Rows[i])
	}
	return r
}
