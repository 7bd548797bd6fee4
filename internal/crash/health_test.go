package crash

import (
	"math"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestHealth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0", install: 1}
		before := r
		before.at = x.now.AddDate(0, 0, -40)
		x.add(before)
		anon, next := r, r
		anon.install = 0
		next.family, next.sig, next.version, next.install = "F-B", "bbbbbbbbbbbbbbbb", "1.10.0", 2
		host := report{family: "F-C", sig: "cccccccccccccccc", blame: "other.thing", version: "2.0", install: 9}
		x.add(r, anon, next, host)
		x.sessions("acme.theme", "1.2.0", 1, 90, 5, 2, 1)
		x.sessions("acme.theme", "1.10.0", 2, 10, 1, 1, 0)
		x.sessions("acme.theme", "1.10.0", 3, 100, 0, 0, 0)

		o, err := x.Extension(t.Context(), themes, "acme.theme", Period{})
		if err != nil {
			t.Fatal(err)
		}
		h := o.Health
		want := Health{Crashes: 3, Families: 2, New: 1, Hit: 2, Unknown: 1, Sessions: 200, Installs: 3, Errored: 2, Crashed: 3, Abnormal: 1,
			CrashFreeSessions: estimate.CrashFree(3, 200), CrashFreeInstalls: estimate.CrashFree(2, 3)}
		if math.Abs(h.CrashesErr-math.Sqrt(64./63*(3-9./64))) > 1e-9 { // three installs with one each
			t.Errorf("standard error of 3 crashes: %v", h.CrashesErr)
		}
		if h.CrashesErr = 0; h != want {
			t.Errorf("health\n got %+v\nwant %+v", h, want)
		}
		if c := o.Change; c.Value != 3 || c.N != 4 || c.Low > .5 || c.Rise || c.Fall {
			t.Errorf("3 crashes after 1: %+v", c)
		}
		if o.Before.Crashes != 1 || len(o.Trend) != 31 || o.Trend[30].Crashes != 3 || o.Trend[30].Sessions != 200 || o.Trend[30].Crashed != 3 {
			t.Errorf("overview: %+v", o)
		}
		if len(o.Releases) != 2 || o.Releases[0].Version != "1.10.0" || o.Releases[1].Version != "1.2.0" {
			t.Fatalf("releases: %+v", o.Releases)
		}
		if r := o.Releases[0]; r.Sessions != 110 || r.Crashed != 1 || r.Crashes != 1 || r.New != 1 || r.Families != 1 || r.Channel != "beta" || r.Installs != 2 {
			t.Errorf("1.10.0: %+v", r)
		}
		list, err := x.Extensions(t.Context(), everything, Period{})
		if err != nil || len(list) != 2 || list[0].Extension != "acme.theme" || list[0].Release != "1.10.0" || list[0].Before != 1 || list[0].Change != o.Change || list[0].Crashes != 3 || list[0].New != 1 ||
			list[1].Extension != "other.thing" || list[1].Sessions != 0 || list[1].CrashFreeSessions.Known() {
			t.Errorf("extensions: %+v %v", list, err)
		}
		if list, err = x.Extensions(t.Context(), themes, Period{}); err != nil || len(list) != 1 {
			t.Errorf("an author's list: %+v %v", list, err)
		}
		all, err := x.Ecosystem(t.Context(), everything, Period{})
		if err != nil || all.Health.Crashes != 4 || all.Health.Families != 3 || all.Releases != nil {
			t.Errorf("ecosystem: %+v %v", all, err)
		}
		if _, err := x.Extension(t.Context(), themes, "other.thing", Period{}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("another's extension: %v", err)
		}
		if _, err := x.Host(t.Context(), themes, "studio", Period{}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("another's host: %v", err)
		}
		if _, err := x.Extension(t.Context(), facts.Scope{}, "acme.theme", Period{}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("no scope: %v", err)
		}
	})
}

// An author's crash that blames somebody else is the author's own crash, not a
// number about that somebody.
func TestBlameOfOthersMakesNoPage(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	x.add(report{family: "F-X", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "other.thing", version: "9.9"})
	if list, err := x.Extensions(t.Context(), themes, Period{}); err != nil || len(list) != 0 {
		t.Errorf("extensions: %+v %v", list, err)
	}
	p, err := x.Families(t.Context(), themes, Filter{})
	if err != nil || ids(p) != "F-X" || p.Families[0].Blame != "" {
		t.Errorf("families: %+v %v", p, err)
	}
}
