package crash

import (
	"context"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What the register lists goes by its order, whatever the names look like; what it
// does not list goes by version numbers.
func TestOrder(t *testing.T) {
	o := Order{"2024.3", "zebra", "apple", "3.0.0"} // a new scheme, and names
	for _, c := range []struct {
		in   string
		seen []string
		want bool
	}{
		{"zebra", []string{"apple"}, true},
		{"apple", []string{"zebra"}, false},
		{"3.0.0", []string{"2024.3"}, false}, // the register: older, though the number is larger
		{"2024.3", []string{"3.0.0"}, true},  // and the other way round
		{">2024.3", []string{"2024.3"}, false},
		{">2024.3", []string{"3.0.0"}, true},
		{"3.0.0", []string{"3.0.1"}, true}, // not registered: by its number
		{"3.0.0", []string{"2.9.9"}, false},
		{"", []string{"2.9.9"}, true},
	} {
		if got := Regressed(o, c.in, c.seen); got != c.want {
			t.Errorf("Regressed(%q, %q) = %v", c.in, c.seen, got)
		}
	}
	if got := o.Newest([]string{"", "2024.3", "3.0.0", "zebra"}); got != "3.0.0" {
		t.Errorf("newest %q", got)
	}
	if got := Order(nil).Newest([]string{"1.9", "1.10", ""}); got != "1.10" {
		t.Errorf("newest by number %q", got)
	}
}

func TestUntil(t *testing.T) {
	day := noon.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		u    Until
		p    Progress
		want string
	}{
		"nothing":           {Until{}, Progress{Now: day, Crashes: 9, Installs: 9, Releases: []string{"9"}}, ""},
		"the same release":  {Until{Release: "1.2"}, Progress{Releases: []string{"1.2", "1.1", ""}}, ""},
		"a later one":       {Until{Release: "1.2"}, Progress{Releases: []string{"1.3", "1.10"}}, "Ignored until a release after 1.2: seen in 1.10."},
		"few crashes":       {Until{Crashes: 100}, Progress{Crashes: 99}, ""},
		"enough":            {Until{Crashes: 100}, Progress{Crashes: 100}, "Ignored until 100 more crashes: 100 since."},
		"installs":          {Until{Installs: 3}, Progress{Crashes: 50, Installs: 3}, "Ignored until it hit 3 installs: 3 since."},
		"before its time":   {Until{Time: day}, Progress{Now: day.Add(-time.Second)}, ""},
		"its time":          {Until{Time: day}, Progress{Now: day}, "Ignored until 2026-11-22 12:00 UTC."},
		"whatever is first": {Until{Crashes: 10, Time: day}, Progress{Now: day, Crashes: 1}, "Ignored until 2026-11-22 12:00 UTC."},
	} {
		if got, over := c.u.Over(nil, c.p); got != c.want || over != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", name, got, over, c.want)
		}
		if back := untilOf(c.u.text()); back != c.u {
			t.Errorf("%s: kept as %+v", name, back)
		}
	}
	if got := (Until{Release: "1.2", Crashes: 5}).String(); got != "a release after 1.2 or 5 more crashes" {
		t.Errorf("said as %q", got)
	}
}

// An ignored family opens when what it waits for comes; taking that back ignores
// it as before.
func TestIgnoredUntil(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		ctx := t.Context()
		r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0", install: 1}
		x.add(r)
		ignore := func(u Until) {
			t.Helper()
			x.now = x.now.Add(time.Hour)
			if _, err := x.SetState(ctx, themes, Decision{Family: "F-A", To: Ignored, Until: u, Actor: "a-1"}); err != nil {
				t.Fatal(err)
			}
			x.now = x.now.Add(time.Minute)
		}
		is := func(state State, note string) Detail {
			t.Helper()
			if _, _, err := x.Wake(ctx); err != nil {
				t.Fatal(err)
			}
			f, err := x.Family(ctx, themes, "F-A", Period{})
			if err != nil || f.State != state || f.Regressed {
				t.Fatalf("%s regressed=%v (%v), want %s", f.State, f.Regressed, err, state)
			}
			if state == Open && (f.History[0].Actor != System || f.History[0].Note != note) {
				t.Fatalf("opened by %s: %q, want %q", f.History[0].Actor, f.History[0].Note, note)
			}
			return f
		}
		ignore(Until{Release: NextRelease})
		x.add(r)
		if f := is(Ignored, ""); f.Until.Release != "1.2.0" || f.Waited == nil {
			t.Errorf("waits for %+v, %+v", f.Until, f.Waited)
		}
		r.version = "1.3.0"
		x.add(r)
		f := is(Open, "Ignored until a release after 1.2.0: seen in 1.3.0.")
		if _, err := x.Undo(ctx, themes, "F-A", f.History[0].ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		if f := is(Ignored, ""); f.Until.Release != "1.2.0" {
			t.Errorf("after the undo it waits for %+v", f.Until)
		}

		ignore(Until{Crashes: 3, Installs: 5})
		x.add(r, r)
		if f := is(Ignored, ""); f.Waited.Crashes != 2 || f.Waited.Installs != 1 {
			t.Errorf("waited %+v", f.Waited)
		}
		x.add(r)
		is(Open, "Ignored until 3 more crashes: 3 since.")

		ignore(Until{Installs: 2})
		x.add(r, r, r, r)
		is(Ignored, "")
		r.install = 2
		x.add(r)
		is(Open, "Ignored until it hit 2 installs: 2 since.")

		until := x.now.Add(48 * time.Hour).Truncate(time.Second)
		ignore(Until{Time: until})
		is(Ignored, "")
		x.now = until
		is(Open, "Ignored until "+until.Format("2006-01-02 15:04")+" UTC.")

		for _, bad := range []Until{{Crashes: -1}, {Time: x.now}, {Time: x.now.AddDate(10, 0, 0)}} {
			if _, err := x.SetState(ctx, themes, Decision{Family: "F-A", To: Ignored, Until: bad, Actor: "a-1"}); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

// A family resolved in a release comes back by the register's order.
func TestRegressionByTheRegister(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	x.o.Order = func(_ context.Context, ext eco.ExtensionID, host string) ([]string, error) {
		if ext != "acme.theme" {
			t.Errorf("asked for %q %q", ext, host)
		}
		return []string{"2024.9", "1.0.0", "1.1.0"}, nil
	}
	r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "2024.9"}
	x.add(r)
	r.version = "1.0.0"
	x.add(r)
	if _, err := x.SetState(t.Context(), themes, Decision{Family: "F-A", To: Resolved, ResolvedIn: NextRelease, Actor: "a"}); err != nil {
		t.Fatal(err)
	}
	state := func() Family {
		f, err := x.Family(t.Context(), themes, "F-A", Period{})
		if err != nil {
			t.Fatal(err)
		}
		return f.Family
	}
	if f := state(); f.ResolvedIn != ">1.0.0" {
		t.Errorf("resolved in %s, want after 1.0.0, the newest of the register that was seen", f.ResolvedIn)
	}
	r.version = "2024.9"
	x.add(r)
	if f := state(); f.State != Resolved {
		t.Error("an old release with a large number reopened it")
	}
	r.version = "1.1.0"
	x.add(r)
	if f := state(); f.State != Open || !f.Regressed {
		t.Errorf("%s: the next release did not reopen it", f.State)
	}
}
