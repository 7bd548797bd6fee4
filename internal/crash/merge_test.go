package crash

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

var ecosystem = []eco.ExtensionID{"acme.theme", "acme.lint"}

func theme(family, sig string, install eco.Install, version string) report {
	return report{family: family, sig: sig, ext: "acme.theme", blame: "acme.theme", version: version, install: install, hostVersion: "5.0", os: "linux"}
}

// said is everything that people and the API read about families, as text.
func (x *desk) said(scope facts.Scope, families ...string) string {
	x.t.Helper()
	var b strings.Builder
	p, err := x.Families(x.t.Context(), scope, Filter{})
	if err != nil {
		x.t.Fatal(err)
	}
	fmt.Fprintf(&b, "total %d crashes %d installs %d\n", p.Total, p.Crashes, p.Installs)
	for _, f := range p.Families {
		fmt.Fprintf(&b, "%s %s crashes %d installs %d unknown %d signatures %d releases %s-%s days %v\n", f.ID, f.State, f.Crashes, f.Installs, f.Unknown, f.Signatures, f.FirstRelease, f.LastRelease, f.Days[len(f.Days)-1])
	}
	for _, id := range families {
		d, err := x.Family(x.t.Context(), scope, id, Period{})
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", id, fault.CodeOf(err))
			continue
		}
		fmt.Fprintf(&b, "%s is %s: crashes %d installs %d, releases %v, systems %v, signatures", id, d.ID, d.Crashes, d.Installs, d.Releases, d.OSes)
		for _, s := range d.List {
			fmt.Fprintf(&b, " %s %q %d/%d", s.Hash, s.Title, s.Crashes, s.Installs)
		}
		c, err := x.Crashes(x.t.Context(), scope, CrashFilter{Family: id})
		if err != nil {
			x.t.Fatal(err)
		}
		fmt.Fprintf(&b, ", listed")
		for _, r := range c.Crashes {
			doc, err := x.Crash(x.t.Context(), scope, r.ID.String())
			if err != nil {
				x.t.Fatal(err)
			}
			fmt.Fprintf(&b, " %s/%s", r.Family, doc.Placement.Family)
		}
		b.WriteString("\n")
	}
	for _, q := range []string{"F-A", "F-B", "a1a1a1a1a1a1a1a1", "b1b1b1b1b1b1b1b1", "gutter"} {
		p, err := x.Families(x.t.Context(), scope, Filter{Query: q})
		if err != nil {
			x.t.Fatal(err)
		}
		fmt.Fprintf(&b, "search %s: %s\n", q, ids(p))
	}
	for _, f := range []Filter{{New: true}, {Release: "1.3.0"}, {Publisher: "acme"}, {Sort: ByFirstSeen}, {State: Open}} {
		p, err := x.Families(x.t.Context(), scope, f)
		if err != nil {
			x.t.Fatal(err)
		}
		fmt.Fprintf(&b, "filter: %s (%d in %d)\n", ids(p), p.Crashes, p.Installs)
	}
	h, err := x.Extension(x.t.Context(), scope, "acme.theme", Period{})
	if err != nil {
		x.t.Fatal(err)
	}
	fmt.Fprintf(&b, "health: families %d new %d hit %d\n", h.Health.Families, h.Health.New, h.Health.Hit)
	return b.String()
}

// A merge shows two families as one, distinct installs counted once; taking it
// back gives exactly what was before.
func TestMerge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		a, b := theme("F-A", "a1a1a1a1a1a1a1a1", 1, "1.2.0"), theme("F-B", "b1b1b1b1b1b1b1b1", 2, "1.3.0")
		a.title, b.title = "TypeError in gutter", "RangeError in paint"
		both := b
		both.install = 1 // the same install had both
		old := theme("F-B", "b1b1b1b1b1b1b1b1", 3, "1.1.0")
		old.at = x.now.AddDate(0, 0, -60)
		x.add(old)
		x.now = x.now.Add(time.Hour)
		x.add(a, a, b, both, theme("F-C", "c1c1c1c1c1c1c1c1", 9, "1.0.0"))
		if _, err := x.SetState(ctx, themes, Decision{Family: "F-B", To: Ignored, Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
		before := x.said(themes, "F-A", "F-B")

		m := Merge{Into: "F-A", Families: []string{"F-B"}, Actor: "a-1", Note: "one cause"}
		g, err := x.PreviewMerge(ctx, themes, m)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, x.said(themes, "F-A", "F-B")); diff != "" {
			t.Errorf("a preview changed something:\n%s", diff)
		}
		want := Regrouping{Kind: KindMerge, Family: "F-A", Parts: []string{"F-B"}, Note: "one cause",
			Before: []Group{{ID: "F-A", Title: "TypeError in gutter", Blame: "acme.theme", State: Open, Crashes: 2, Installs: 1, Signatures: 1, Releases: []string{"1.2.0"}},
				{ID: "F-B", Title: "TypeError in F-B", Blame: "acme.theme", State: Ignored, Crashes: 3, Installs: 3, Signatures: 1, Releases: []string{"1.1.0", "1.3.0"}}},
			After:     []Group{{ID: "F-A", Title: "TypeError in gutter", Blame: "acme.theme", State: Open, Crashes: 5, Installs: 3, Signatures: 2, Releases: []string{"1.1.0", "1.2.0", "1.3.0"}}},
			Conflicts: []string{"F-B is ignored, F-A is open: the merged family is open."}}
		g.Alike = nil
		if diff := cmp.Diff(want, g); diff != "" {
			t.Error(diff)
		}

		done, err := x.Merge(ctx, themes, m)
		if err != nil {
			t.Fatal(err)
		}
		p, err := x.Families(ctx, themes, Filter{})
		if err != nil || ids(p) != "F-A F-C" || p.Families[0].Crashes != 4 || p.Families[0].Installs != 2 || p.Installs != 3 || p.Families[0].Signatures != 2 ||
			p.Families[0].FirstRelease != "1.1.0" || p.Families[0].LastRelease != "1.3.0" || !p.Families[0].FirstSeen.Equal(old.at.Truncate(time.Millisecond)) {
			t.Fatalf("merged: %s %+v %v", ids(p), p.Families[0], err)
		}
		for _, q := range []string{"F-B", "b1b1b1b1b1b1b1b1", "a1a1a1a1a1a1a1a1"} {
			if p, err := x.Families(ctx, themes, Filter{Query: q}); err != nil || ids(p) != "F-A" {
				t.Errorf("search %s: %s %v", q, ids(p), err)
			}
		}
		if p, err := x.Families(ctx, themes, Filter{New: true}); err != nil || ids(p) != "F-C" {
			t.Errorf("new: %s %v; a part of F-A is old", ids(p), err)
		}
		if f, err := x.Family(ctx, themes, "F-B", Period{}); err != nil || f.ID != "F-A" || len(f.List) != 2 || len(f.Regrouped) != 1 || f.Regrouped[0].Note != "one cause" || len(f.Merged) != 1 {
			t.Errorf("by the old id: %s %+v %v", f.ID, f.Regrouped, err)
		}
		// What comes in now, and is kept under F-B, belongs to F-A at once, and reopens it.
		if _, err := x.SetState(ctx, themes, Decision{Family: "F-B", To: Resolved, ResolvedIn: "1.4.0", Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
		x.now = x.now.Add(time.Minute)
		fresh := theme("F-B", "b2b2b2b2b2b2b2b2", 4, "1.4.0")
		x.add(fresh)
		if f, err := x.Family(ctx, themes, "F-A", Period{}); err != nil || f.Crashes != 5 || f.Installs != 3 || !f.Regressed || f.Signatures != 3 {
			t.Errorf("after another crash: %+v %v", f.Family, err)
		}
		// Again and across: conflicts.
		if _, err := x.Merge(ctx, themes, m); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("merged twice: %v", err)
		}

		if _, err := x.Unmerge(ctx, themes, "F-A", done.ID, "a-2"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Unmerge(ctx, themes, "F-A", done.ID, "a-2"); fault.CodeOf(err) != fault.NotFound && fault.CodeOf(err) != fault.Conflict {
			t.Errorf("taken back twice: %v", err)
		}
		if f, err := x.Family(ctx, themes, "F-B", Period{}); err != nil || f.ID != "F-B" || f.Crashes != 3 || f.Installs != 3 || f.State != Ignored || f.Signatures != 2 {
			t.Errorf("what came in meanwhile goes home: %+v %v", f.Family, err)
		}
		if _, err := x.mem.Erase(ctx, facts.Subject{Project: 1, Install: 4}); err != nil { // but for the new crash …
			t.Fatal(err)
		}
		if c, err := x.Undo(ctx, themes, "F-A", mustHistory(t, x, "F-A")[0].ID, "a-1"); err != nil || c.To != Resolved {
			t.Fatal(c, err)
		}
		if _, err := x.Undo(ctx, themes, "F-A", mustHistory(t, x, "F-A")[2].ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		after := x.said(themes, "F-A", "F-B")
		after = strings.ReplaceAll(strings.ReplaceAll(after, "signatures 2 releases 1.1.0-1.4.0", "signatures 1 releases 1.1.0-1.3.0"), "", "")
		if diff := cmp.Diff(before, after); diff != "" { // … everything is as before
			t.Errorf("taken back (-before +after):\n%s", diff)
		}
		entries, err := x.audit.List(ctx, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		if got := strings.Join(actions, " "); !strings.Contains(got, "family.unmerge") || !strings.Contains(got, "family.merge") {
			t.Errorf("audit: %s", got)
		}
	})
}

func mustHistory(t *testing.T, x *desk, id string) []Change {
	t.Helper()
	f, err := x.Family(t.Context(), everything, id, Period{})
	if err != nil {
		t.Fatal(err)
	}
	return f.History
}

func TestSplit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		r := func(sig string, install eco.Install, version string) report {
			return theme("F-A", sig, install, version)
		}
		first := x.add(r("a1a1a1a1a1a1a1a1", 1, "1.0.0"), r("a2a2a2a2a2a2a2a2", 1, "1.1.0"), r("a2a2a2a2a2a2a2a2", 2, "1.2.0"), r("a3a3a3a3a3a3a3a3", 3, "1.3.0"))
		before := x.said(themes, "F-A")
		s := Split{Family: "F-A", Signatures: []string{"a1a1a1a1a1a1a1a1", "ffffffffffffffff"}, Containing: "KEY A2", Actor: "a-1", Note: "two things"}
		g, err := x.PreviewSplit(ctx, themes, s)
		if err != nil {
			t.Fatal(err)
		}
		want := Regrouping{Kind: KindSplit, Parts: []string{"F-A"}, Signatures: []string{"a1a1a1a1a1a1a1a1", "a2a2a2a2a2a2a2a2"}, Note: "two things",
			Before: []Group{{ID: "F-A", Title: "TypeError in F-A", Blame: "acme.theme", State: Open, Crashes: 4, Installs: 3, Signatures: 3, Releases: []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"}}},
			After: []Group{{ID: "F-A", Title: "TypeError in F-A", Blame: "acme.theme", State: Open, Crashes: 1, Installs: 1, Signatures: 1, Releases: []string{"1.3.0"}},
				{Title: "title a1a1a1a1a1a1a1a1", Blame: "acme.theme", State: Open, Crashes: 3, Installs: 2, Signatures: 2, Releases: []string{"1.0.0", "1.1.0", "1.2.0"}}}}
		if diff := cmp.Diff(want, g); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(before, x.said(themes, "F-A")); diff != "" {
			t.Errorf("a preview changed something:\n%s", diff)
		}
		done, err := x.Split(ctx, themes, s)
		if err != nil {
			t.Fatal(err)
		}
		f, err := x.Family(ctx, themes, done.Family, Period{})
		if err != nil || f.Crashes != 3 || f.Installs != 2 || f.Signatures != 2 || f.Title != "title a1a1a1a1a1a1a1a1" || f.Representative != first[0] ||
			f.FirstRelease != "1.0.0" || f.LastRelease != "1.2.0" || len(f.List) != 2 || f.List[0].Title == "" {
			t.Fatalf("the new family: %+v %v", f, err)
		}
		if a, err := x.Family(ctx, themes, "F-A", Period{}); err != nil || a.Crashes != 1 || a.Installs != 1 || a.Signatures != 1 || a.Representative != first[3] {
			t.Fatalf("the old one: %+v %v", a.Family, err)
		}
		// Kept under either, a crash with that signature is the new family's.
		x.add(r("a1a1a1a1a1a1a1a1", 7, "1.0.0"), theme(done.Family, "a2a2a2a2a2a2a2a2", 8, "1.0.0"))
		if f, err := x.Family(ctx, themes, done.Family, Period{}); err != nil || f.Crashes != 5 || f.Installs != 4 {
			t.Errorf("later crashes: %+v %v", f.Family, err)
		}
		// The split holds when the old family becomes part of another one.
		x.add(theme("F-B", "b1b1b1b1b1b1b1b1", 1, "1.0.0"))
		m, err := x.Merge(ctx, themes, Merge{Into: "F-B", Families: []string{"F-A"}, Actor: "a-1"})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := x.Family(ctx, themes, done.Family, Period{}); err != nil || f.Crashes != 5 {
			t.Errorf("after a merge: %+v %v", f.Family, err)
		}
		if _, err := x.Unmerge(ctx, themes, "F-B", m.ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		// Merging the two again is no circle, and taking that back splits them again.
		back, err := x.Merge(ctx, themes, Merge{Into: "F-A", Families: []string{done.Family}, Actor: "a-1"})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := x.Family(ctx, themes, done.Family, Period{}); err != nil || f.ID != "F-A" || f.Crashes != 6 || f.Signatures != 3 {
			t.Errorf("merged again: %+v %v", f.Family, err)
		}
		if _, err := x.Unmerge(ctx, themes, "F-A", done.ID, "a-1"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("a split below a merge was taken back: %v", err)
		}
		if _, err := x.Unmerge(ctx, themes, "F-A", back.ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		if f, err := x.Family(ctx, themes, done.Family, Period{}); err != nil || f.ID != done.Family || f.Crashes != 5 {
			t.Errorf("split again: %+v %v", f.Family, err)
		}

		if _, err := x.Unmerge(ctx, themes, done.Family, done.ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		if f, err := x.Family(ctx, themes, "F-A", Period{}); err != nil || f.Crashes != 6 || f.Installs != 5 || f.Signatures != 3 {
			t.Errorf("taken back: %+v %v", f.Family, err)
		}
		if f, err := x.Family(ctx, themes, done.Family, Period{}); err != nil || f.ID != "F-A" {
			t.Errorf("the family that was made leads home: %s %v", f.ID, err)
		}
		for name, bad := range map[string]Split{"none": {Family: "F-A"}, "strange": {Family: "F-A", Signatures: []string{"ffffffffffffffff"}}, "all": {Family: "F-A", Containing: "key"}} {
			if bad.Actor = "a"; true {
				if _, err := x.Split(ctx, themes, bad); fault.CodeOf(err) != fault.Invalid {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}

// Only who may edit every one of them; two publishers' families only who triages all.
func TestMergeTenancy(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	ctx := t.Context()
	other := report{family: "F-O", sig: "0000000000000001", ext: "other.thing", blame: "other.thing", version: "1"}
	lint := report{family: "F-L", sig: "0000000000000002", ext: "acme.lint", blame: "acme.lint", version: "1"}
	x.add(theme("F-A", "a1a1a1a1a1a1a1a1", 1, "1.0.0"), other, lint)
	try := func(scope facts.Scope, into string, parts ...string) fault.Code {
		_, err := x.Merge(ctx, scope, Merge{Into: into, Families: parts, Actor: "a"})
		_, err2 := x.PreviewMerge(ctx, scope, Merge{Into: into, Families: parts, Actor: "a"})
		if fault.CodeOf(err) != fault.CodeOf(err2) && err != nil {
			t.Errorf("preview %v, deed %v", err2, err)
		}
		return fault.CodeOf(err)
	}
	if got := try(themes, "F-A", "F-O"); got != fault.NotFound {
		t.Errorf("another tenant's family: %s", got)
	}
	if got := try(facts.Only([]eco.ExtensionID{"acme.theme", "other.thing"}, nil), "F-A", "F-O"); got != fault.Forbidden {
		t.Errorf("two publishers: %s", got)
	}
	if _, err := x.Merge(ctx, facts.Only(ecosystem, nil), Merge{Into: "F-A", Families: []string{"F-L"}, Actor: "a"}); err != nil {
		t.Errorf("two extensions of one publisher: %v", err)
	}
	g, err := x.Merge(ctx, everything, Merge{Into: "F-A", Families: []string{"F-O"}, Actor: "a"})
	if err != nil {
		t.Fatalf("ecosystem triage: %v", err)
	}
	// The other tenant sees its own crash in it and nothing of the others'.
	f, err := x.Family(ctx, stranger, "F-O", Period{})
	if err != nil || f.Crashes != 1 || f.Blame != "" || len(f.Releases) != 1 || len(f.Regrouped) != 0 || len(f.Merged) != 0 || f.Signatures != 1 || f.Title != "title 0000000000000001" {
		t.Errorf("the stranger sees %+v %v", f, err)
	}
	if _, err := x.SetState(ctx, stranger, Decision{Family: "F-O", To: Ignored, Actor: "s"}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("the stranger decides: %v", err)
	}
	if _, err := x.Unmerge(ctx, themes, "F-A", g.ID, "a"); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("one publisher parts two: %v", err)
	}
	if _, err := x.Unmerge(ctx, everything, "F-A", g.ID, "a"); err != nil {
		t.Error(err)
	}
}

// What a batch found close by is proposed for a merge, to whoever may do it.
func TestNearby(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	x.add(theme("F-A", "a1a1a1a1a1a1a1a1", 1, "1.0.0"), theme("F-B", "b1b1b1b1b1b1b1b1", 1, "1.0.0"),
		report{family: "F-O", sig: "0000000000000001", ext: "other.thing", blame: "other.thing", version: "1"})
	for range 2 { // telling it twice changes nothing
		x.record([]Seen{{Family: "F-A", Blame: "acme.theme", First: 1, Last: 2, Near: []Near{{"F-B", -.05}, {"F-O", -.01}, {"F-gone", .1}}}})
	}
	show := func(scope facts.Scope, id string) (out string) {
		f, err := x.Family(t.Context(), scope, id, Period{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range f.Nearby {
			out += fmt.Sprintf("%s %.2f ", n.Family, n.Score)
		}
		return out
	}
	if got := show(themes, "F-A") + "|" + show(themes, "F-B") + "|" + show(everything, "F-A"); got != "F-B -0.05 |F-A -0.05 |F-O -0.01 F-B -0.05 " {
		t.Error(got)
	}
	if _, err := x.Merge(t.Context(), themes, Merge{Into: "F-A", Families: []string{"F-B"}, Actor: "a"}); err != nil {
		t.Fatal(err)
	}
	if got := show(themes, "F-B"); got != "" {
		t.Errorf("one already: %s", got)
	}
}
