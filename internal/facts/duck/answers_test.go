//go:build cgo

package duck

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

// An answer is given again only while every file it was read from is as it was.
func TestKeptAnswers(t *testing.T) {
	s := openIn(t, t.TempDir())
	fs := factstest.Facts(rand.New(rand.NewPCG(5, 5)), 0, 600)
	put(t, 1, fs[:300], s)
	ask := func(to int64) facts.Result {
		t.Helper()
		r, err := s.Query(t.Context(), facts.Query{Scope: facts.Everything(), To: time.UnixMilli(to),
			Measures: []facts.Measure{{Fn: facts.Rows}, {Fn: facts.Installs}}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var last int64
	for i := range fs {
		last = max(last, fs[i].Received)
	}
	first := ask(last + 1)
	kept := len(s.answers.known)
	again := ask(last + 60_000) // a minute later it is the same question
	if len(s.answers.known) != kept || !cmp.Equal(first, again) {
		t.Errorf("asked anew: %d answers kept, want %d; %v and %v", len(s.answers.known), kept, first, again)
	}
	again.Rows[0][0] = int64(-1)
	if r := ask(last + 1); !cmp.Equal(first, r) {
		t.Error("a caller changed what is kept")
	}
	put(t, 2, fs[300:], s)
	if r := ask(last + 1); r.Rows[0][0] == first.Rows[0][0] {
		t.Errorf("after a batch still %v rows", r.Rows[0][0])
	}
	before := ask(last + 1).Rows[0][0].(int64)
	i := slices.IndexFunc(fs, func(f eco.Fact) bool { return f.Origin.Install != 0 && !f.Quarantined })
	if _, err := s.Erase(t.Context(), facts.Subject{Project: fs[i].Origin.Project, Install: fs[i].Origin.Install}); err != nil {
		t.Fatal(err)
	}
	if r := ask(last + 1); r.Rows[0][0].(int64) >= before {
		t.Errorf("after an erasure %v rows, there were %d", r.Rows[0][0], before)
	}
}

func TestKeptAnswersAreBounded(t *testing.T) {
	a := answers{most: maxCells}
	row := slices.Repeat([]any{int64(1)}, 8)
	for i := range 200 {
		a.put(question{byte(i)}, nil, facts.Result{Rows: slices.Repeat([][]any{row}, mostOfOne/8-1)})
	}
	if a.cells > maxCells || len(a.known) != a.used.Len() || len(a.known) < 10 {
		t.Errorf("%d cells in %d answers", a.cells, len(a.known))
	}
	a.put(question{1}, nil, facts.Result{Rows: slices.Repeat([][]any{row}, mostOfOne)})
	if _, ok := a.get(question{1}, nil); ok {
		t.Error("an answer that is too long was kept")
	}
}

// Files of version 1 do not say whether they hold quarantined rows.
func TestOlderFilesAreAskedForQuarantined(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	fs := factstest.Facts(rand.New(rand.NewPCG(6, 6)), 0, 200)
	put(t, 1, fs, s)
	ask := func() any {
		t.Helper()
		r, err := s.Query(t.Context(), facts.Query{Scope: facts.Everything(), Where: []facts.Cond{{Col: facts.Quarantined, Op: facts.In, Values: []string{"1"}}}, Measures: []facts.Measure{{Fn: facts.Rows}}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return r.Rows[0][0]
	}
	want := ask()
	if want == int64(0) {
		t.Fatal("no quarantined facts to look for")
	}
	for _, p := range s.all() {
		if _, err := s.db.Exec("UPDATE " + p.alias + ".state SET version = 1; UPDATE " + p.alias + ".applied SET kinds = kinds & ~(1::BIGINT << 56)"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	if got := ask(); got != want {
		t.Errorf("%v rows, want %v", got, want)
	}
}
