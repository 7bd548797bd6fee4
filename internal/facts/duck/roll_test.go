//go:build cgo

package duck

import (
	"math/rand/v2"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

// eager makes and keeps every rollup after every batch.
func eager(s *Store) { s.pace = pace{after: 1, most: 1, any: true} }

func put(t *testing.T, position int, fs []eco.Fact, stores ...facts.Store) {
	t.Helper()
	for _, s := range stores {
		if err := s.Insert(t.Context(), facts.Batch{Position: uint64(position), Facts: fs}); err != nil {
			t.Fatal(err)
		}
	}
}

// Rollups change no answer: with all rows in them, with rows after them, after an
// erasure, after closing the days, and after late rows.
func TestRollupsAnswerAsFacts(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	dir := t.TempDir()
	s := openIn(t, dir)
	eager(s)
	want := facts.NewMem()
	fs := factstest.Facts(r, 0, 700)
	for i := range 4 {
		put(t, i+1, fs[i*100:(i+1)*100], want, s)
	}
	factstest.Compare(t, want, s, r, fs, 150)
	s.pace = usualPace()
	put(t, 5, fs[400:500], want, s)
	factstest.Compare(t, want, s, r, fs, 150)
	for _, st := range []facts.Store{want, s} {
		if rec, err := st.Erase(t.Context(), facts.Subject{Project: 1, Install: 2}); err != nil || rec.Rows == 0 {
			t.Fatalf("%+v, %v", rec, err)
		}
	}
	factstest.Compare(t, want, s, r, fs, 150)
	eager(s)
	if n, err := s.Compact(t.Context(), 20261122); err != nil || n != 9 {
		t.Fatalf("closed %d files, %v; want 9", n, err)
	}
	factstest.Compare(t, want, s, r, fs, 150)
	s.pace = usualPace()
	put(t, 6, fs[500:600], want, s)
	factstest.Compare(t, want, s, r, fs, 100)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	eager(s)
	put(t, 7, fs[600:], want, s)
	factstest.Compare(t, want, s, r, fs, 150)
	if n := rolledAnswers(t, s, r, fs); n < 50 {
		t.Errorf("rollups answered only %d of 300 questions: the comparison proves little", n)
	}
}

// rolledAnswers counts the questions for which each file is read from a rollup.
func rolledAnswers(t *testing.T, s *Store, r *rand.Rand, fs []eco.Fact) (n int) {
	t.Helper()
	for range 300 {
		q := factstest.Question(r, fs)
		if err := q.Check(); err != nil {
			t.Fatal(err)
		}
		pl, err := newPlan(&q)
		if err != nil {
			t.Fatal(err)
		}
		rolled := 0
		for _, p := range s.all() {
			if pl.wants(p) && pl.rollup(p.info.Load()) != nil {
				rolled++
			}
		}
		if rolled > 0 {
			n++
		}
	}
	return n
}

// Which rollup answers what; the question's time must cover the file's.
func TestRollupIsChosen(t *testing.T) {
	full := &info{rolled: 1, kept: 7, lo: day(20).UnixMilli() + 5, hi: day(21).UnixMilli() - 1}
	count := []facts.Measure{{Fn: facts.Count}}
	for _, c := range []struct {
		name string
		q    facts.Query
		in   info
		want string
	}{
		{"page", facts.Query{Group: []facts.Column{facts.SubjectExt, facts.Date}, Measures: count}, *full, "roll_page"},
		{"error", facts.Query{Group: []facts.Column{facts.SubjectVer}, Measures: []facts.Measure{{Fn: facts.StdErr}}}, *full, "roll_unit"},
		{"hour", facts.Query{Group: []facts.Column{facts.Hour}, Measures: count}, *full, "roll_hour"},
		{"name", facts.Query{Group: []facts.Column{facts.Name}, Measures: count}, *full, "roll_hour"},
		{"family", facts.Query{Group: []facts.Column{facts.Family}, Measures: count}, *full, ""},
		{"installs", facts.Query{Measures: []facts.Measure{{Fn: facts.Installs}}}, *full, ""},
		{"quarantined", facts.Query{Measures: count, Where: []facts.Cond{{Col: facts.Quarantined, Op: facts.In, Values: []string{"0"}}}}, *full, ""},
		{"error by hour", facts.Query{Group: []facts.Column{facts.Hour}, Measures: []facts.Measure{{Fn: facts.StdErr}}}, *full, ""},
		{"the whole day", facts.Query{Measures: count, From: day(20), To: day(21)}, *full, "roll_page"},
		{"whole hours", facts.Query{Measures: count, From: day(20).Add(3 * hour), To: day(21)}, *full, "roll_hour"},
		{"part of an hour", facts.Query{Measures: count, From: day(20).Add(3*hour + 1), To: day(21)}, *full, ""},
		{"page not kept", facts.Query{Measures: count}, info{rolled: 1, kept: 4, lo: 1, hi: 2}, "roll_hour"},
		{"nothing rolled", facts.Query{Measures: count}, info{kept: 7, lo: 1, hi: 2}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Scope = facts.Everything()
			if err := c.q.Check(); err != nil {
				t.Fatal(err)
			}
			pl, err := newPlan(&c.q)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if l := pl.rollup(&c.in); l != nil {
				got = l.table
			}
			if got != c.want {
				t.Errorf("answered from %q, want %q", got, c.want)
			}
		})
	}
}

// A rollup that saves nothing is dropped, and is looked at again when the day is closed.
func TestRollupsThatDoNotPay(t *testing.T) {
	s := openIn(t, t.TempDir())
	s.pace = pace{after: 100, most: 100, least: 100}
	var fs []eco.Fact
	for i, f := range factstest.Facts(rand.New(rand.NewPCG(5, 5)), 0, 2000) {
		f.Received, f.Class, f.Quarantined = day(20).UnixMilli()+int64(i), eco.Standard, false
		f.Origin = eco.Origin{Project: 1, Extension: "a.x", HostVersion: string(rune('a' + i%26)), OS: string(rune('a' + i%23)), Install: eco.Install(i % 8)}
		f.Blame, f.BlameVer, f.Kind = "", "", eco.KindEvent
		fs = append(fs, f)
	}
	put(t, 1, fs, s)
	p := s.all()[0]
	if got := p.info.Load(); got.kept != 0b011 || got.tail != 0 {
		t.Fatalf("kept %b, tail %d; want the page and unit rollups only", got.kept, got.tail)
	}
	var n int
	if err := s.db.QueryRow("SELECT count(*) FROM " + p.alias + ".roll_hour").Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d rows left of the rollup that was dropped, %v", n, err)
	}
	if _, err := s.Compact(t.Context(), 20261121); err != nil {
		t.Fatal(err)
	}
	if got := s.all()[0].info.Load(); got.kept != 0b011 || !got.sorted {
		t.Fatalf("after closing: %+v", got)
	}
}
