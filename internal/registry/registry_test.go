package registry

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const who = "account:a-1"

type house struct {
	*Registry
	t   *testing.T
	now time.Time
	log *audit.Log
}

func open(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	var err error
	if h.log, err = audit.New(t.Context(), d, clock); err != nil {
		t.Fatal(err)
	}
	if h.Registry, err = New(t.Context(), d, h.log, Options{Now: clock, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	return h
}

// seed makes two publishers, a host and three extensions.
func (h *house) seed() {
	h.t.Helper()
	ctx := h.t.Context()
	for _, id := range []string{"acme", "zeta"} {
		if _, err := h.PutPublisher(ctx, who, Publisher{ID: id, Name: strings.ToUpper(id)}); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.PutHost(ctx, who, Host{ID: "studio", Name: "Studio", Kind: VSCode, Prefixes: []string{"com.studio."}}); err != nil {
		h.t.Fatal(err)
	}
	for _, id := range []eco.ExtensionID{"zeta.lint", "acme.theme", "acme.git"} {
		if _, err := h.PutExtension(ctx, who, Extension{ID: id, Kind: VSCode, Name: "The " + string(id), Host: "studio"}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) entries() int64 {
	h.t.Helper()
	n, _, err := h.log.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s: code %q (%v), want %q", what, got, err, want)
	}
}

func ids[T any](list []T, id func(T) string) (out []string) {
	for _, x := range list {
		out = append(out, id(x))
	}
	return out
}

func TestExtensions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		e, err := h.Extension(ctx, "acme.theme")
		if err != nil || e.Version != 1 || !e.Created.Equal(h.now) {
			t.Fatalf("Extension = %+v, %v", e, err)
		}
		before := h.entries()
		if same, err := h.PutExtension(ctx, who, e); err != nil || same.Version != 1 || h.entries() != before {
			t.Errorf("putting what is there: version %d, %v, %d new audit entries", same.Version, err, h.entries()-before)
		}
		h.now = h.now.Add(time.Hour)
		edited := e
		edited.Summary, edited.Prefixes = "Colours.", []string{" com.acme.theme ", "", "com.acme.theme"}
		edited, err = h.PutExtension(ctx, who, edited)
		if err != nil || edited.Version != 2 || !slices.Equal(edited.Prefixes, []string{"com.acme.theme"}) || h.entries() != before+1 {
			t.Errorf("edited to %+v, %v", edited, err)
		}
		if now, _ := h.Extension(ctx, "acme.theme"); !cmp.Equal(now, edited) {
			t.Errorf("read back:\n%s", cmp.Diff(edited, now))
		}
		_, err = h.PutExtension(ctx, who, e)
		wantCode(t, "an edit of an old version", err, fault.Conflict)
		e.Version = 0
		_, err = h.PutExtension(ctx, who, e)
		wantCode(t, "creating it twice", err, fault.Conflict)
		_, err = h.PutExtension(ctx, who, Extension{ID: "acme.none", Name: "x", Version: 3})
		wantCode(t, "editing what is not there", err, fault.NotFound)

		list, next, err := h.Extensions(ctx, ExtensionFilter{Page: Page{Limit: 2}})
		name := func(e Extension) string { return string(e.ID) }
		if got := ids(list, name); err != nil || !slices.Equal(got, []string{"acme.git", "acme.theme"}) || next != "acme.theme" {
			t.Errorf("first page %v, next %q, %v", got, next, err)
		}
		list, next, _ = h.Extensions(ctx, ExtensionFilter{Page: Page{Limit: 2, After: next}})
		if got := ids(list, name); !slices.Equal(got, []string{"zeta.lint"}) || next != "" {
			t.Errorf("second page %v, next %q", got, next)
		}
		list, _, _ = h.Extensions(ctx, ExtensionFilter{Publisher: "acme", Page: Page{Q: "COLOUR"}})
		if got := ids(list, name); !slices.Equal(got, []string{"acme.theme"}) {
			t.Errorf("search found %v", got)
		}
		list, next, _ = h.Extensions(ctx, ExtensionFilter{Page: Page{Limit: 1}, Visible: func(id eco.ExtensionID) bool { return id.Publisher() == "zeta" }})
		if got := ids(list, name); !slices.Equal(got, []string{"zeta.lint"}) || next != "" {
			t.Errorf("only zeta's: %v, next %q", got, next)
		}
		if got := h.ExtensionsOf("acme"); !slices.Equal(got, []eco.ExtensionID{"acme.git", "acme.theme"}) {
			t.Errorf("ExtensionsOf(acme) = %v", got)
		}
	})
}

func TestExtensionMistakesNameTheField(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	h.seed()
	long := strings.Repeat("x", 600)
	for field, e := range map[string]Extension{
		"id":         {ID: "nodot", Name: "x"},
		"id:":        {ID: "ghost.ext", Name: "x"}, // its publisher is not there
		"kind":       {ID: "acme.x", Name: "x", Kind: "emacs"},
		"name":       {ID: "acme.x"},
		"summary":    {ID: "acme.x", Name: "x", Summary: long},
		"repository": {ID: "acme.x", Name: "x", Repository: "javascript:alert(1)"},
		"contact":    {ID: "acme.x", Name: "x", Contact: "call me"},
		"host":       {ID: "acme.x", Name: "x", Host: "nowhere"},
		"prefixes":   {ID: "acme.x", Name: "x", Prefixes: []string{"a\nb"}},
		"locals":     {ID: "acme.x", Name: "x", Locals: strings.Split(strings.Repeat("a,b,", 30)+fmt.Sprint(rand51()), ",")},
	} {
		_, err := h.PutExtension(ctx, who, e)
		wantCode(t, field, err, fault.Invalid)
		if !strings.HasPrefix(fault.TextOf(err), strings.TrimSuffix(field, ":")+": ") {
			t.Errorf("%s: the text is %q", field, fault.TextOf(err))
		}
	}
	_, err := h.PutExtension(ctx, who, Extension{ID: "acme.x", Kind: "emacs", Repository: "ftp://x"})
	for _, field := range []string{"kind: ", "name: ", "repository: "} {
		if !strings.Contains(fault.TextOf(err), field) {
			t.Errorf("all mistakes together: %q lacks %s", fault.TextOf(err), field)
		}
	}
}

func rand51() string {
	var b strings.Builder
	for i := range 51 {
		fmt.Fprintf(&b, "id%d,", i)
	}
	return b.String()
}

func TestTeams(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		_, err := h.PutTeam(ctx, who, Team{ID: "red", Name: "Red", Extensions: []eco.ExtensionID{"acme.none"}})
		wantCode(t, "owning what is not there", err, fault.Invalid)
		team, err := h.PutTeam(ctx, who, Team{ID: "red", Name: "Red", Extensions: []eco.ExtensionID{"zeta.lint", "acme.git", "acme.git"}, Hosts: []string{"studio"}})
		if err != nil {
			t.Fatal(err)
		}
		exts, hosts := h.TeamOwns("red")
		if !slices.Equal(exts, []eco.ExtensionID{"acme.git", "zeta.lint"}) || !slices.Equal(hosts, []string{"studio"}) {
			t.Errorf("TeamOwns = %v, %v", exts, hosts)
		}
		team.Extensions = team.Extensions[:1]
		if _, err := h.PutTeam(ctx, who, team); err != nil {
			t.Fatal(err)
		}
		list, _ := h.log.List(ctx, 0, 1)
		if len(list) != 1 || list[0].Action != "team.edit" || !strings.Contains(list[0].Note, "-zeta.lint") || list[0].Actor != who {
			t.Errorf("the log says %+v", list)
		}
		if !h.Known("acme", "") || !h.Known("", "red") || h.Known("nobody", "") || h.Known("", "blue") {
			t.Error("Known is wrong")
		}
		if err := h.RemoveExtension(ctx, who, "acme.git"); err != nil {
			t.Fatal(err)
		}
		if exts, hosts := h.TeamOwns("red"); len(exts) != 0 || len(hosts) != 1 {
			t.Errorf("after its extension went the team owns %v, %v", exts, hosts)
		}
		if err := h.RemoveTeam(ctx, who, "red"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "removing it twice", h.RemoveTeam(ctx, who, "red"), fault.NotFound)
		if exts, _ := h.TeamOwns("red"); exts != nil {
			t.Errorf("a removed team owns %v", exts)
		}
	})
}

func TestReleases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		theme := Subject{Extension: "acme.theme"}
		for _, v := range []string{"1.9.0", "1.10.0", "1.10.0-beta.2", "0.1"} {
			if _, err := h.DeclareRelease(ctx, who, Release{Subject: theme, Version: v}); err != nil {
				t.Fatal(err)
			}
		}
		before := h.entries()
		if err := h.EnsureRelease(ctx, theme, "2.0.0", eco.Beta, h.now); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.EnsureRelease(ctx, theme, "1.9.0", eco.Stable, h.now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if h.entries() != before {
			t.Error("seen releases are in the audit log")
		}
		list, next, err := h.Releases(ctx, theme, "", 3)
		version := func(r Release) string { return r.Version }
		if got := ids(list, version); err != nil || !slices.Equal(got, []string{"2.0.0", "1.10.0", "1.10.0-beta.2"}) {
			t.Errorf("first page %v, %v", got, err)
		}
		if list[0].Declared || list[0].Channel != eco.Beta || !list[1].Declared {
			t.Errorf("releases %+v", list)
		}
		list, next, _ = h.Releases(ctx, theme, next, 3)
		if got := ids(list, version); !slices.Equal(got, []string{"1.9.0", "0.1"}) || next != "" {
			t.Errorf("second page %v, next %q", got, next)
		}
		if !list[0].FirstSeen.Equal(h.now.Add(time.Minute)) {
			t.Errorf("first seen %v", list[0].FirstSeen)
		}
		rel, err := h.DeclareRelease(ctx, who, Release{Subject: theme, Version: "2.0.0", Channel: eco.Stable})
		if err != nil || !rel.Declared || rel.FirstSeen.IsZero() {
			t.Errorf("declaring a seen one: %+v, %v", rel, err)
		}
		n := h.entries()
		if _, err := h.DeclareRelease(ctx, who, Release{Subject: theme, Version: "2.0.0", Channel: eco.Stable}); err != nil || h.entries() != n {
			t.Errorf("declaring it again: %v, %d new entries", err, h.entries()-n)
		}
		for what, c := range map[string]struct {
			rel  Release
			code fault.Code
		}{
			"no version":      {Release{Subject: theme}, fault.Invalid},
			"a path":          {Release{Subject: theme, Version: "1/2"}, fault.Invalid},
			"unknown channel": {Release{Subject: theme, Version: "1", Channel: "lts"}, fault.Invalid},
			"unknown subject": {Release{Subject: Subject{Extension: "acme.none"}, Version: "1"}, fault.NotFound},
			"two subjects":    {Release{Subject: Subject{Extension: "acme.theme", Host: "studio"}, Version: "1"}, fault.NotFound},
		} {
			_, err := h.DeclareRelease(ctx, who, c.rel)
			wantCode(t, what, err, c.code)
		}
		if err := h.EnsureRelease(ctx, Subject{Extension: "acme.none"}, "1.0", eco.Stable, h.now); err != nil {
			t.Errorf("a seen release of nobody: %v", err)
		}
		_, err = h.Release(ctx, theme, "9.9")
		wantCode(t, "an unknown release", err, fault.NotFound)
	})
}

// Whoever sends made-up versions must not fill the register.
func TestSeenReleasesAreBounded(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	h.seed()
	theme := Subject{Extension: "acme.theme"}
	if _, err := h.DeclareRelease(ctx, who, Release{Subject: theme, Version: "1.0"}); err != nil {
		t.Fatal(err)
	}
	for i := range MaxSeen + 50 {
		if err := h.EnsureRelease(ctx, theme, fmt.Sprintf("0.%d", i), eco.Stable, h.now); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.EnsureRelease(ctx, theme, "1.0", eco.Stable, h.now); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := h.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM registry_release`).Scan(&n); err != nil || n != MaxSeen+1 {
		t.Errorf("%d releases, %v, want %d", n, err, MaxSeen+1)
	}
	if rel, _ := h.Release(ctx, theme, "1.0"); rel.FirstSeen.IsZero() {
		t.Error("a declared release was not marked as seen once the others were full")
	}
}

// Another process changes the register: Refresh sees it.
func TestRefresh(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		other, err := New(ctx, d, h.log, h.opts)
		if err != nil {
			t.Fatal(err)
		}
		h.seed()
		if len(other.Snapshot().Extensions) != 0 {
			t.Fatal("the other one knows already")
		}
		if err := other.Refresh(ctx); err != nil || len(other.Snapshot().Extensions) != 3 {
			t.Errorf("after Refresh: %d extensions, %v", len(other.Snapshot().Extensions), err)
		}
		same := other.Snapshot()
		if err := other.Refresh(ctx); err != nil || other.Snapshot() != same {
			t.Errorf("Refresh without a change took a new snapshot, %v", err)
		}
	})
}
