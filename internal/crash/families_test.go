package crash

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func ids(p Page) string {
	var out []string
	for _, f := range p.Families {
		out = append(out, f.ID)
	}
	return strings.Join(out, " ")
}

func TestFamilies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		a := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0", os: "linux", hostVersion: "5.0",
			title: "TypeError in gutter", text: "drawGutter gutter.ts"}
		b := report{family: "F-B", sig: "bbbbbbbbbbbbbbbb", ext: "acme.theme", blame: "acme.theme", version: "1.10.0", os: "windows", hostVersion: "5.1", install: 3}
		c := report{family: "F-C", sig: "cccccccccccccccc", blame: "other.thing", version: "2.0", os: "linux", install: 4} // a host project's
		old := b
		old.at = x.now.AddDate(0, 0, -40)
		x.add(old)
		withInstall := a
		withInstall.install, withInstall.client = 1, "0123456789abcdef0123456789abcdef"
		got := x.add(a, withInstall, withInstall, b, c)
		later := a
		later.at, later.version = x.now.Add(time.Hour), "1.9.0"
		x.now = x.now.Add(2 * time.Hour)
		x.add(later)

		list := func(scope facts.Scope, f Filter) Page {
			t.Helper()
			p, err := x.Families(t.Context(), scope, f)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := list(everything, Filter{})
		if ids(p) != "F-A F-B F-C" || p.Total != 3 || p.Crashes != 6 || p.Next != "" {
			t.Errorf("all: %s %+v", ids(p), p)
		}
		f := p.Families[0]
		if f.Crashes != 4 || f.Installs != 1 || f.Unknown != 2 || f.FirstRelease != "1.2.0" || f.LastRelease != "1.9.0" || f.State != Open ||
			f.Title != "TypeError in gutter" || f.Representative != got[0] || f.Signatures != 1 || len(f.Days) != 31 || f.Days[30] != 4 {
			t.Errorf("F-A: %+v", f)
		}
		for name, c := range map[string]struct {
			scope facts.Scope
			f     Filter
			want  string
		}{
			"an author sees the own":     {themes, Filter{}, "F-A F-B"},
			"a stranger sees the other":  {stranger, Filter{}, "F-C"},
			"the host sees its projects": {studio, Filter{}, "F-C"},
			"extension":                  {everything, Filter{Extension: "other.thing"}, "F-C"},
			"publisher":                  {everything, Filter{Publisher: "acme"}, "F-A F-B"},
			"half a publisher":           {everything, Filter{Publisher: "acm"}, ""},
			"release":                    {everything, Filter{Release: "1.9.0"}, "F-A"},
			"os":                         {everything, Filter{OS: "windows"}, "F-B"},
			"host version":               {everything, Filter{Host: "studio", HostVersion: "5.1"}, "F-B"},
			"new in the period":          {everything, Filter{New: true}, "F-A F-C"},
			"last seen":                  {everything, Filter{Sort: ByLastSeen}, "F-A F-B F-C"},
			"first seen":                 {everything, Filter{Sort: ByFirstSeen}, "F-A F-C F-B"},
			"installs":                   {everything, Filter{Sort: ByInstalls}, "F-A F-B F-C"},
			"period":                     {everything, Filter{Period: Period{To: x.now.AddDate(0, 0, -35)}}, "F-B"},
			"words":                      {everything, Filter{Query: "typeerror drawgutter"}, "F-A"},
			"words of others":            {stranger, Filter{Query: "gutter"}, ""},
			"family id":                  {everything, Filter{Query: "F-B"}, "F-B"},
			"another's family id":        {stranger, Filter{Query: "F-B"}, ""},
			"signature":                  {everything, Filter{Query: "cccccccccccccccc"}, "F-C"},
			"crash id":                   {everything, Filter{Query: got[3].String()}, "F-B"},
			"client id":                  {themes, Filter{Query: "01234567-89AB-CDEF-0123-456789abcdef"}, "F-A"},
			"another's client id":        {stranger, Filter{Query: "0123456789abcdef0123456789abcdef"}, ""},
			"no such words":              {everything, Filter{Query: "zebra"}, ""},
			"quotes and operators":       {everything, Filter{Query: `" OR 1=1; --`}, ""},
			"key":                        {everything, Filter{Query: "extension:other.thing"}, "F-C"},
			"key in capitals":            {everything, Filter{Query: "Extension:Other.Thing"}, "F-C"},
			"not a key":                  {everything, Filter{Query: "!extension:other.thing"}, "F-A F-B"},
			"list":                       {everything, Filter{Query: "extension:[other.thing, acme.theme]"}, "F-A F-B F-C"},
			"star":                       {everything, Filter{Query: "extension:acme.*"}, "F-A F-B"},
			"star that nothing fits":     {everything, Filter{Query: "extension:zzz.*"}, ""},
			"not what nothing fits":      {everything, Filter{Query: "!extension:zzz.*"}, "F-A F-B F-C"},
			"publisher by key":           {everything, Filter{Query: "publisher:acme"}, "F-A F-B"},
			"release at least":           {everything, Filter{Query: "release:>1.10"}, "F-C"},
			"release below":              {everything, Filter{Query: "release:<1.9 extension:acme.theme"}, "F-A"},
			"os by key":                  {everything, Filter{Query: "os:Windows"}, "F-B"},
			"nobody is blamed":           {everything, Filter{Query: "blame:none"}, ""},
			"somebody is blamed":         {everything, Filter{Query: "!blame:none blame:other.thing"}, "F-C"},
			"type in any case":           {everything, Filter{Query: "type:typeerror"}, "F-A F-B F-C"},
			"is new":                     {everything, Filter{Query: "is:new"}, "F-A F-C"},
			"is not new":                 {everything, Filter{Query: "!is:new"}, "F-B"},
			"is open":                    {everything, Filter{Query: "is:open", State: Resolved}, "F-A F-B F-C"},
			"is resolved":                {everything, Filter{Query: "is:resolved"}, ""},
			"is not resolved":            {everything, Filter{Query: "!is:[resolved, ignored]"}, "F-A F-B F-C"},
			"frame":                      {everything, Filter{Query: "frame:drawgutter"}, "F-A"},
			"frame is no message":        {everything, Filter{Query: "message:drawgutter"}, ""},
			"without a frame":            {everything, Filter{Query: "!frame:drawgutter"}, "F-B F-C"},
			"family by key":              {everything, Filter{Query: "family:[F-B, f-c]"}, "F-B F-C"},
			"not a family":               {everything, Filter{Query: "!family:F-B"}, "F-A F-C"},
			"signature by key":           {everything, Filter{Query: "signature:cccccccccccccccc"}, "F-C"},
			"crash by key":               {everything, Filter{Query: "id:" + got[3].String()}, "F-B"},
			"another's crash":            {stranger, Filter{Query: "id:" + got[3].String()}, ""},
			"no crash by that id":        {everything, Filter{Query: "id:nonsense"}, ""},
			"many crashes":               {everything, Filter{Query: "crashes:>=2"}, "F-A"},
			"not many crashes":           {everything, Filter{Query: "!crashes:>=2"}, "F-B F-C"},
			"first seen lately":          {everything, Filter{Query: "first:<30d"}, "F-A F-C"},
			"first seen long ago":        {everything, Filter{Query: "first:>30d"}, "F-B"},
			"time":                       {everything, Filter{Query: "time:<2026-10-25", Period: Period{From: x.now.AddDate(0, 0, -90)}}, "F-B"},
			"install":                    {everything, Filter{Query: "install:ext:acme.theme/3 extension:acme.theme"}, "F-B"},
			"an install elsewhere":       {everything, Filter{Query: "install:ext:acme.theme/3 extension:other.thing"}, ""},
			"what an author asks":        {stranger, Filter{Query: "extension:acme.*"}, ""},
		} {
			if got := ids(list(c.scope, c.f)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		if _, err := x.Families(t.Context(), facts.Scope{}, Filter{}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("no scope: %v", err)
		}
		for _, bad := range []Filter{{Sort: "x"}, {State: "x"}, {Cursor: "x"}, {Query: "is:broken"}, {Query: "extention:x"}, {Query: "!time:7d"}, {Query: "install:abc"}} {
			if _, err := x.Families(t.Context(), everything, bad); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestFamiliesPages(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("F-%02d", i)
		want = append(want, id)
		for range 1 + (25-i)/3 {
			x.add(report{family: id, sig: fmt.Sprintf("%016d", i), blame: "acme.theme", ext: "acme.theme"})
		}
	}
	var got []string
	f := Filter{Limit: 7}
	for range 10 {
		p, err := x.Families(t.Context(), everything, f)
		if err != nil {
			t.Fatal(err)
		}
		if p.Total != 25 {
			t.Fatalf("total %d", p.Total)
		}
		for _, fam := range p.Families {
			got = append(got, fam.ID)
		}
		if f.Cursor = p.Next; f.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFamilyPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d)
		r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.2.0", os: "linux", hostVersion: "5.0", install: 1}
		s := r
		s.sig, s.version, s.os, s.install, s.at = "dddddddddddddddd", "1.10.0", "windows", 0, x.now.AddDate(0, 0, -2)
		x.add(r, r, s)
		f, err := x.Family(t.Context(), themes, "F-A", Period{From: x.now.AddDate(0, 0, -3)})
		if err != nil {
			t.Fatal(err)
		}
		if f.Crashes != 3 || f.Installs != 1 || f.Unknown != 1 {
			t.Errorf("counts: %+v", f.Family)
		}
		want := []DayCount{{20261118, 0, 0}, {20261119, 1, 0}, {20261120, 0, 0}, {20261121, 2, 1}}
		if diff := cmp.Diff(want, f.Trend); diff != "" {
			t.Error(diff)
		}
		if len(f.Releases) != 2 || f.Releases[0].Value != "1.10.0" || f.Releases[1].Crashes != 2 || f.Releases[1].Part != 2.0/3 {
			t.Errorf("releases: %+v", f.Releases)
		}
		if len(f.OSes) != 2 || f.OSes[0].Value != "linux" || len(f.HostVersions) != 1 {
			t.Errorf("shares: %+v %+v", f.OSes, f.HostVersions)
		}
		if len(f.List) != 2 || f.List[0].Hash != "aaaaaaaaaaaaaaaa" || f.List[0].Crashes != 2 || f.List[0].Key != "key aaaaaaaaaaaaaaaa" {
			t.Errorf("signatures: %+v", f.List)
		}
		for _, id := range []string{"F-A", "F-none", ""} {
			if _, err := x.Family(t.Context(), stranger, id, Period{}); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%q for a stranger: %v", id, err)
			}
		}
		p, err := x.Crashes(t.Context(), themes, CrashFilter{Family: "F-A", Limit: 2})
		if err != nil || len(p.Crashes) != 2 || p.Next == "" || p.Crashes[0].Release != "1.2.0" {
			t.Fatalf("crashes: %+v %v", p, err)
		}
		if p, err = x.Crashes(t.Context(), themes, CrashFilter{Family: "F-A", Limit: 2, Cursor: p.Next}); err != nil || len(p.Crashes) != 1 || p.Next != "" || p.Crashes[0].Release != "1.10.0" {
			t.Fatalf("crashes: %+v %v", p, err)
		}
	})
}

// A family that nobody is blamed for holds crashes of two owners: neither may
// learn of the other from its record.
func TestSharedFamilyIsVeiled(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	first := report{family: "F-S", sig: "aaaaaaaaaaaaaaaa", ext: "other.thing", version: "9.9.9", title: "CANARY title", at: x.now.AddDate(0, 0, -20)}
	mine := report{family: "F-S", sig: "bbbbbbbbbbbbbbbb", ext: "acme.theme", version: "1.0.0"}
	x.add(first)
	x.add(mine)
	f, err := x.Family(t.Context(), themes, "F-S", Period{})
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%+v", f); strings.Contains(s, "CANARY") || strings.Contains(s, "9.9.9") || strings.Contains(s, "other.thing") || strings.Contains(s, "aaaaaaaa") {
		t.Errorf("it tells of others: %s", s)
	}
	if !f.FirstSeen.Equal(x.now) || f.Title != "title bbbbbbbbbbbbbbbb" || f.Signatures != 1 || !f.Representative.IsZero() || f.Crashes != 1 {
		t.Errorf("veiled: %+v", f.Family)
	}
	if _, err := x.SetState(t.Context(), themes, Decision{Family: "F-S", To: Ignored, Actor: "a-1"}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("an author decides for others: %v", err)
	}
	if _, err := x.SetState(t.Context(), studio, Decision{Family: "F-S", To: Ignored, Actor: "a-1"}); err != nil {
		t.Errorf("the host's people: %v", err)
	}
}

// A host's people see whom their own crashes blame, and nothing that came in
// through the extension's own project.
func TestHostSeesWhomItsCrashesBlame(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	x.add(report{family: "F-E", sig: "aaaaaaaaaaaaaaaa", ext: "other.thing", blame: "other.thing", version: "9.9.9", title: "CANARY", at: x.now.AddDate(0, 0, -3)})
	x.add(report{family: "F-E", sig: "bbbbbbbbbbbbbbbb", blame: "other.thing", version: "2.0"})
	p, err := x.Families(t.Context(), studio, Filter{})
	if err != nil || len(p.Families) != 1 {
		t.Fatal(p, err)
	}
	f := p.Families[0]
	if f.Blame != "other.thing" || f.Host != "studio" || f.Crashes != 1 || f.FirstRelease != "2.0" || f.Title != "title bbbbbbbbbbbbbbbb" {
		t.Errorf("%+v", f)
	}
	if list, err := x.Extensions(t.Context(), studio, Period{}); err != nil || len(list) != 1 || list[0].Crashes != 1 {
		t.Errorf("%+v %v", list, err)
	}
}

// BenchmarkFamilies is the list at 10,000 families; facts are in memory, so it
// shows what the desk itself costs.
func BenchmarkFamilies(b *testing.B) {
	x := newDesk(b, dbtest.Open(b))
	for i := range 100 {
		var batch []report
		for j := range 100 {
			id := fmt.Sprintf("F-%05d", i*100+j)
			batch = append(batch, report{family: id, sig: fmt.Sprintf("%016x", i*100+j), blame: "acme.theme", ext: "acme.theme", version: "1.0", title: "TypeError in function " + id})
		}
		x.add(batch...)
	}
	for name, f := range map[string]Filter{"all": {}, "first-seen": {Sort: ByFirstSeen}, "words": {Query: "function typeerror"}, "open": {State: Open}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if p, err := x.Families(b.Context(), everything, f); err != nil || p.Total == 0 {
					b.Fatal(p.Total, err)
				}
			}
		})
	}
}
