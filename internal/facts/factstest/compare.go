package factstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// columns lists every column of the contract.
var columns = []facts.Column{
	facts.Hour, facts.Date, facts.ID, facts.Class, facts.Kind, facts.Project, facts.Extension, facts.ExtVersion, facts.Host, facts.HostVersion,
	facts.Channel, facts.OS, facts.OSVersion, facts.Arch, facts.Runtime, facts.Environment, facts.Country, facts.SDK, facts.Name, facts.Signature,
	facts.Family, facts.Blame, facts.BlameVer, facts.SubjectExt, facts.SubjectVer, facts.Level, facts.Handled, facts.Counted, facts.Quarantined, facts.Dedup,
	facts.Session, facts.Install, facts.ClientID, facts.Received,
}

// likely are the columns pages ask by; rollups answer for them.
var likely = []facts.Column{facts.Hour, facts.Date, facts.Class, facts.Kind, facts.Project, facts.Extension, facts.ExtVersion, facts.Host, facts.HostVersion,
	facts.Channel, facts.OS, facts.Name, facts.Blame, facts.BlameVer, facts.SubjectExt, facts.SubjectVer}

var additive = []facts.Fn{facts.Count, facts.Rows, facts.Weighted, facts.WeightSq, facts.StdErr, facts.Errored, facts.Crashed, facts.Abnormal, facts.Sum, facts.Mean}

var others = []facts.Fn{facts.Installs, facts.Repeated, facts.Unnamed, facts.CrashedBy, facts.Quantile, facts.First, facts.Last}

// Facts makes n facts of the three days up to Now, from small sets of values, so
// that groups fill. Their numbers are binary fractions: sums are exact in any order.
func Facts(r *rand.Rand, first, n int) []eco.Fact {
	pick := func(vs ...string) string { return vs[r.IntN(len(vs))] }
	var fs []eco.Fact
	for i := range n {
		when := at(0).AddDate(0, 0, -r.IntN(3)).Add(time.Duration(r.IntN(24*2)) * 30 * time.Minute)
		if r.IntN(3) == 0 {
			when = when.Add(time.Duration(r.IntN(1_800_000)) * time.Millisecond)
		}
		f := eco.Fact{
			ID: idAt(when, r.Uint64()<<32|uint64(first+i)), Class: eco.Class(pick("standard", "crash", "short")), Kind: eco.Kind(pick("crash", "session", "event", "span", "future")),
			Received: when.UnixMilli(), Time: when.UnixMilli() - r.Int64N(1e6), Name: pick("run", "stop", "it's", ""), Value: float64(r.IntN(4000)-1000) / 4,
			Weight: []float64{1, 1, 2, 4, 10}[r.IntN(5)], Assumed: r.IntN(2) == 0, Count: int64(r.IntN(4)), Errored: int64(r.IntN(2)), Crashed: int64(r.IntN(3) / 2), Abnormal: int64(r.IntN(2)),
			Signature: pick("", "00ff", "11ee"), Family: pick("", "F-1", "F-2"), Blame: eco.ExtensionID(pick("", "", "a.x", "b.y")), BlameVer: pick("", "1.0", "2.0"),
			Level: pick("error", "fatal"), Handled: r.IntN(2) == 0, Quarantined: r.IntN(10) == 0, Dedup: uint64(r.IntN(3)) << 62, Session: uint64(r.IntN(4)),
			ClientID: pick("", "c1", "c2"), Attrs: pick("", `{"a":"b"}`),
			Origin: eco.Origin{
				Project: int64(r.IntN(3)), Extension: eco.ExtensionID(pick("", "a.x", "b.y", "c.z")), ExtVersion: pick("1.0", "1.1", "2.0"), Host: pick("", "vscode", "obsidian"),
				HostVersion: pick("1.98", "1.97"), Channel: eco.Channel(pick("stable", "beta")), OS: pick("linux", "macos"), OSVersion: pick("1", "2"), Arch: pick("x64", "arm64"),
				Runtime: pick("", "node"), Environment: pick("production", "test"), Country: pick("", "NZ"), SDK: pick("ts", "go"), Install: eco.Install(r.IntN(6)) << uint(r.IntN(3)),
			},
		}
		fs = append(fs, f)
	}
	return fs
}

// random compares the store with Mem over many questions, before and after an erasure.
func random(t *testing.T, open Open) {
	for seed := range uint64(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			s, reopen := open(t)
			want := facts.NewMem()
			fs := Facts(r, 0, 400)
			for i := 0; i < len(fs); i += 40 {
				for _, st := range []facts.Store{want, s} {
					insert(t, st, uint64(i+1), fs[i:i+40]...)
				}
			}
			Compare(t, want, s, r, fs, 120)
			for _, st := range []facts.Store{want, s} {
				if _, err := st.Erase(t.Context(), facts.Subject{Project: 1, Install: 2}); err != nil {
					t.Fatal(err)
				}
			}
			Compare(t, want, s, r, fs, 60)
			if _, err := s.Rewrite(t.Context()); err != nil {
				t.Fatal(err)
			}
			Compare(t, want, reopen(), r, fs, 60)
		})
	}
}

// Compare asks both stores n random questions about the facts.
func Compare(t *testing.T, want, got facts.Store, r *rand.Rand, fs []eco.Fact, n int) {
	t.Helper()
	for range n {
		q := Question(r, fs)
		w, err := want.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("%v\n%v\n%v", err, &q, q.Where)
		}
		g, err := got.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("%v\n%v\n%v", err, &q, q.Where)
		}
		if d := cmp.Diff(w, g, near(&q), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("-want +got\n%s\n%v\nwhere %v\nfrom %v to %v", d, &q, q.Where, q.From, q.To)
		}
	}
}

// near compares numbers to 1e-9; standard errors, differences of large sums, to
// 1e-6 of the whole.
func near(*facts.Query) cmp.Option {
	return cmp.Comparer(func(a, b float64) bool {
		return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) || math.Abs(a-b) < 1e-6
	})
}

// Question makes a valid query: half of them of the kind that pages ask.
func Question(r *rand.Rand, fs []eco.Fact) facts.Query {
	q := facts.Query{Scope: scope(r)}
	if r.IntN(3) == 0 {
		for range r.IntN(40) {
			q.Relabel = append(q.Relabel, facts.Relabel{Family: []string{"F-1", "F-2", "F-" + strconv.Itoa(r.IntN(60))}[r.IntN(3)],
				Signature: []string{"", "00ff", "11ee", "it's"}[r.IntN(4)], To: []string{"F-1", "F-2", "F-3", "F'4"}[r.IntN(4)]})
		}
		q.Relabel = distinct(q.Relabel)
	}
	cols, fns := columns, slices.Concat(additive, others)
	if r.IntN(2) == 0 {
		cols, fns = likely, additive
	}
	for range r.IntN(3) {
		q.Where = append(q.Where, condition(r, cols, fs))
	}
	edge := func() time.Time {
		d := at(0).AddDate(0, 0, 1-r.IntN(4))
		switch r.IntN(3) {
		case 0:
			return d.Add(time.Duration(r.IntN(24)) * time.Hour)
		case 1:
			return d.Add(time.Duration(r.Int64N(int64(24 * time.Hour))))
		}
		return d
	}
	if r.IntN(3) == 0 {
		q.From = edge()
	}
	if r.IntN(3) == 0 {
		q.To = edge()
	}
	if r.IntN(2) == 0 {
		q.Limit, q.Offset = 1+r.IntN(12), r.IntN(5)*r.IntN(3)
	}
	if r.IntN(5) == 0 {
		q.Rows = true
		for range r.IntN(3) {
			q.Order = append(q.Order, facts.Order{By: string(columns[r.IntN(len(columns))]), Desc: r.IntN(2) == 0})
		}
		return q
	}
	return groups(r, q, cols, fns)
}

func groups(r *rand.Rand, q facts.Query, cols []facts.Column, fns []facts.Fn) facts.Query {
	for range r.IntN(4) {
		if c := cols[r.IntN(len(cols))]; !slices.Contains(q.Group, c) && c != facts.Install && c != facts.Received {
			q.Group = append(q.Group, c)
		}
	}
	for i := range 1 + r.IntN(4) {
		q.Measures = append(q.Measures, facts.Measure{Fn: fns[r.IntN(len(fns))], Arg: []float64{0, .25, .5, .99, 1}[r.IntN(5)], As: fmt.Sprint("m", i)})
	}
	for _, i := range r.Perm(len(q.Group) + len(q.Measures))[:r.IntN(3)%(len(q.Group)+len(q.Measures)+1)] {
		by := q.Cols()[i]
		if i >= len(q.Group) {
			switch q.Measures[i-len(q.Group)].Fn {
			case facts.StdErr, facts.Quantile: // equal up to rounding: their order is not the contract's
				continue
			}
		}
		q.Order = append(q.Order, facts.Order{By: by, Desc: r.IntN(2) == 0})
	}
	return q
}

func scope(r *rand.Rand) facts.Scope {
	exts := []eco.ExtensionID{"a.x", "b.y", "c.z"}
	switch r.IntN(4) {
	case 0:
		return facts.Only(exts[:r.IntN(3)], []string{"vscode", "obsidian"}[:r.IntN(3)])
	case 1:
		return facts.Only(exts[r.IntN(3):], nil)
	}
	return facts.Everything()
}

func condition(r *rand.Rand, cols []facts.Column, fs []eco.Fact) facts.Cond {
	c := facts.Cond{Col: cols[r.IntN(len(cols))], Op: facts.In}
	value := func() string { return printed(facts.Value(&fs[r.IntN(len(fs))], c.Col)) }
	if c.Col.Type() != facts.TypeText && r.IntN(2) == 0 || c.Col == facts.Received {
		c.Op = []facts.Op{facts.Ge, facts.Lt}[r.IntN(2)]
		c.Values = []string{value()}
		return c
	}
	if r.IntN(3) == 0 {
		c.Op = facts.NotIn
	}
	for range r.IntN(4) {
		c.Values = append(c.Values, value())
	}
	return c
}

func printed(v any) string { return fmt.Sprint(v) }

// distinct keeps the first of relabels that begin alike.
func distinct(list []facts.Relabel) []facts.Relabel {
	return slices.DeleteFunc(list, func() func(facts.Relabel) bool {
		seen := map[[2]string]bool{}
		return func(r facts.Relabel) bool {
			k := [2]string{r.Family, r.Signature}
			was := seen[k]
			seen[k] = true
			return was
		}
	}())
}
