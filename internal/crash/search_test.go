package crash

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Every key finds single crashes, within the scope of whoever asks.
func TestSearchOfCrashes(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	a := theme("F-A", "aaaaaaaaaaaaaaaa", 3, "1.4.0")
	a.title, a.text, a.os, a.hostVersion, a.client = "cannot read property of gutter", "drawGutter gutter.js dispatch", "linux", "5.0", "0123456789abcdef0123456789abcdef"
	b := theme("F-B", "bbbbbbbbbbbbbbbb", 4, "1.10.0")
	b.title, b.text, b.os, b.hostVersion = "index out of range", "paintRow paint.js dispatch", "windows", "5.1"
	c := report{family: "F-C", sig: "cccccccccccccccc", host: "studio", version: "", install: 3, title: "lost connection", text: "dispatch"}
	ids := x.add(a, b, c)
	name := map[string]string{ids[0].String(): "a", ids[1].String(): "b", ids[2].String(): "c"}
	for _, q := range []struct {
		scope       facts.Scope
		query, want string
	}{
		{everything, "", "c b a"},
		{everything, "gutter", "a"},
		{everything, `"cannot read"`, "a"},
		{everything, `"read cannot"`, ""},
		{everything, "message:range", "b"},
		{everything, "frame:drawGutter", "a"},
		{everything, "frame:dispatch", "c b a"},
		{everything, "!frame:drawGutter", "c b"},
		{everything, "frame:range", ""},
		{everything, "signature:BBBBBBBBBBBBBBBB", "b"},
		{everything, "bbbbbbbbbbbbbbbb", "b"},
		{everything, "family:F-A", "a"},
		{everything, "F-A", "a"},
		{everything, "id:" + ids[1].String(), "b"},
		{everything, "!id:" + ids[1].String(), "c a"},
		{everything, ids[1].String(), "b"},
		{everything, "id:01234567-89ab-cdef-0123-456789abcdef", "a"},
		{everything, "extension:acme.theme", "b a"},
		{everything, "release:>=1.9", "b"},
		{everything, "release:1.4", ""},
		{everything, "release:1.4.*", "a"},
		{everything, "host:studio host_version:5.1", "b"},
		{everything, "os:[linux, macos]", "a"},
		{everything, "blame:none", "c"},
		{everything, "!blame:none", "b a"},
		{everything, "publisher:acme", "b a"},
		{everything, "is:open", "c b a"},
		{everything, "is:resolved", ""},
		{everything, "time:<1h", "c b a"},
		{everything, "time:>1h", ""},
		{everything, "type:typeerror", "c b a"},
		{everything, "handled:no", "c b a"},
		{everything, "handled:yes", ""},
		{everything, "install:ext:acme.theme/3 extension:acme.theme", "a"},
		{everything, "install:host:studio/3 host:studio", "c"},
		{everything, "install:ext:acme.theme/9 extension:acme.theme", ""},
		{everything, `extension:acme.theme release:>=1.4 !os:windows "cannot read"`, "a"},
		{themes, "", "b a"},
		{themes, "frame:dispatch", "b a"},
		{themes, "id:" + ids[2].String(), ""},
		{themes, "install:host:studio/3 host:studio", ""},
		{stranger, "frame:dispatch", ""},
		{stranger, "install:ext:acme.theme/3 extension:acme.theme", ""},
		{stranger, "release:>=1", ""},
	} {
		page, err := x.Crashes(t.Context(), q.scope, CrashFilter{Query: q.query})
		if err != nil {
			t.Errorf("%s: %v", q.query, err)
			continue
		}
		var got []string
		for _, r := range page.Crashes {
			got = append(got, name[r.ID.String()])
		}
		if s := strings.Join(got, " "); s != q.want {
			t.Errorf("%s: %q, want %q", q.query, s, q.want)
		}
	}
	for _, q := range []string{"crashes:>2", "install:3", "install:3 extension:acme.*", "install:3 extension:[acme.theme, other.thing]", "!install:3 extension:acme.theme", "install:3 !extension:acme.theme"} {
		if _, err := x.Crashes(t.Context(), everything, CrashFilter{Query: q}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// A frame that very many signatures hold can be searched for.
func TestSearchForACommonFrame(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	var list []report
	for i := range maxFound + 100 {
		r := theme(fmt.Sprintf("F-%04d", i), fmt.Sprintf("%016x", i+1), 1, "1.0.0")
		r.text = "dispatch"
		list = append(list, r)
	}
	x.add(list...)
	for _, q := range []string{"frame:dispatch", "dispatch", "!frame:elsewhere frame:dispatch"} {
		page, err := x.Crashes(t.Context(), everything, CrashFilter{Query: q, Limit: 50})
		if err != nil || len(page.Crashes) != 50 || page.Next == "" {
			t.Errorf("%s: %d crashes, %v", q, len(page.Crashes), err)
		}
		f, err := x.Families(t.Context(), everything, Filter{Query: q})
		if err != nil || f.Total != maxFound || !f.Partial {
			t.Errorf("%s: %d families, partial %v, %v", q, f.Total, f.Partial, err)
		}
	}
}

// Who sees a crash only because their extension is blamed for it learns neither
// which install sent it nor through which project: what the page leaves out, no
// search tells.
func TestSearchOfOthersProjects(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	// One through another author's project, one through the host's, both blamed on acme.theme; one of its own.
	x.add(report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "other.thing", blame: "acme.theme", version: "1.0.0", install: 5, environment: "others-canary"},
		report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", blame: "acme.theme", version: "1.0.0", install: 6, environment: "host-canary"},
		report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", ext: "acme.theme", blame: "acme.theme", version: "1.0.0", install: 7, environment: "mine"})
	hosts := facts.Only(nil, []string{"studio"})
	for _, q := range []struct {
		scope facts.Scope
		query string
		want  int
	}{
		{themes, "", 3},
		{themes, "install:ext:other.thing/5 extension:other.thing", 0},
		{themes, "install:host:studio/6 host:studio", 0},
		{themes, "install:ext:acme.theme/7 extension:acme.theme", 1},
		{themes, "environment:others-canary", 0},
		{themes, "environment:host*", 0},
		{themes, "!environment:mine", 0},
		{themes, "environment:mine", 1},
		{hosts, "environment:host-canary host:studio", 1},
		{hosts, "install:host:studio/6 host:studio", 1},
		{everything, "environment:*canary", 2},
		{everything, "install:host:studio/6 host:studio", 1},
	} {
		p, err := x.Crashes(t.Context(), q.scope, CrashFilter{Query: q.query})
		if err != nil || len(p.Crashes) != q.want {
			t.Errorf("%q finds %d crashes, want %d (%v)", q.query, len(p.Crashes), q.want, err)
		}
	}
	for _, q := range []struct {
		scope facts.Scope
		want  string
	}{{themes, "mine"}, {hosts, "host-canary"}, {everything, "host-canary mine others-canary"}} {
		_, _, list, err := x.Complete(t.Context(), q.scope, "environment:", 12)
		var got []string
		for _, s := range list {
			got = append(got, strings.TrimSpace(strings.TrimPrefix(s.Text, "environment:")))
		}
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != q.want {
			t.Errorf("completed with %q, want %q (%v)", got, q.want, err)
		}
	}
}
