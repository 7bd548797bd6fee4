package registry

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/consent"
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

func TestProjects(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		theme := Subject{Extension: "acme.theme"}
		p, k, err := h.CreateProject(ctx, who, Project{Subject: theme, Name: "Theme", Policy: consent.Policy{
			Tiers: []eco.Tier{eco.TierCrash}, Text: "We would like to know about crashes.", AskedBy: "host"}})
		if err != nil || p.ID != 1 || p.Policy.Version != 1 || k.Project != 1 {
			t.Fatalf("CreateProject = %+v, %+v, %v", p, k, err)
		}
		host, _, err := h.CreateProject(ctx, who, Project{Subject: Subject{Host: "studio"}, Name: "Studio"})
		if err != nil || host.ID != 2 {
			t.Fatalf("CreateProject = %+v, %v", host, err)
		}
		for what, c := range map[string]struct {
			p    Project
			code fault.Code
		}{
			"no subject":    {Project{Name: "x"}, fault.Invalid},
			"two subjects":  {Project{Name: "x", Subject: Subject{Extension: "acme.theme", Host: "studio"}}, fault.Invalid},
			"no such":       {Project{Name: "x", Subject: Subject{Extension: "acme.none"}}, fault.NotFound},
			"no name":       {Project{Subject: theme}, fault.Invalid},
			"silent policy": {Project{Name: "x", Subject: theme, Policy: consent.Policy{Tiers: []eco.Tier{eco.Usage}}}, fault.Invalid},
			"odd threshold": {Project{Name: "x", Subject: theme, Quarantine: Quarantine{InstallsBelow: 2}}, fault.Invalid},
		} {
			_, _, err := h.CreateProject(ctx, who, c.p)
			wantCode(t, what, err, c.code)
		}
		edit := p
		edit.Name, edit.Quarantine.All, edit.Subject = "Theme 2", true, Subject{Host: "studio"}
		edit, err = h.UpdateProject(ctx, who, edit)
		if err != nil || edit.Name != "Theme 2" || edit.Subject != theme || edit.Version != 2 {
			t.Errorf("UpdateProject = %+v, %v", edit, err)
		}
		if v, ok := h.ProjectByID(1); !ok || !v.Quarantine.All || v.Kind != VSCode {
			t.Errorf("ProjectByID = %+v", v)
		}
		_, err = h.UpdateProject(ctx, who, p)
		wantCode(t, "an edit of an old version", err, fault.Conflict)
		pol := consent.Policy{Tiers: []eco.Tier{eco.Usage, eco.TierCrash}, Text: "And usage.", AskedBy: "host", Version: 77}
		edit, err = h.SetPolicy(ctx, who, 1, edit.Version, pol)
		if err != nil || edit.Policy.Version != 2 || !slices.Equal(edit.Policy.Tiers, []eco.Tier{eco.TierCrash, eco.Usage}) {
			t.Errorf("SetPolicy = %+v, %v", edit, err)
		}
		n := h.entries()
		if again, err := h.SetPolicy(ctx, who, 1, edit.Version, pol); err != nil || again.Policy.Version != 2 || h.entries() != n {
			t.Errorf("the same policy again: %+v, %v", again.Policy, err)
		}
		list, next, err := h.Projects(ctx, ProjectFilter{Page: Page{Limit: 1}})
		if err != nil || len(list) != 1 || list[0].ID != 1 || next != "1" {
			t.Errorf("first page %+v, %q, %v", list, next, err)
		}
		list, next, _ = h.Projects(ctx, ProjectFilter{Page: Page{Limit: 1, After: next}})
		if len(list) != 1 || list[0].ID != 2 || next != "" {
			t.Errorf("second page %+v, %q", list, next)
		}
		if got := h.ProjectsOf(theme); len(got) != 1 || got[0].ID != 1 {
			t.Errorf("ProjectsOf = %v", got)
		}
		wantCode(t, "removing an extension with a project", h.RemoveExtension(ctx, who, "acme.theme"), fault.Conflict)
		if err := h.RemoveExtension(ctx, who, "acme.git"); err != nil {
			t.Errorf("removing one without: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		h.seed()
		_, first, err := h.CreateProject(ctx, who, Project{Subject: Subject{Extension: "acme.theme"}, Name: "Theme"})
		if err != nil {
			t.Fatal(err)
		}
		if pub, ok := ParseKey(first.Public); !ok || pub != first.Public || first.RatePerMinute != 6000 || first.Burst != 600 || first.Status != KeyActive {
			t.Errorf("first key %+v", first)
		}
		v, ok := h.KeyByPublic(first.Public)
		if !ok || v.Project.ID != first.Project {
			t.Fatalf("KeyByPublic = %+v, %v", v, ok)
		}
		if _, ok := h.KeyByPublic(strings.Repeat("0", 32)); ok {
			t.Error("a made-up key is found")
		}
		fresh, err := h.RotateKey(ctx, who, first.Public, h.now.Add(24*time.Hour))
		if err != nil || fresh.Replaces != first.Public || !fresh.Expires.IsZero() {
			t.Fatalf("RotateKey = %+v, %v", fresh, err)
		}
		old, _ := h.KeyByPublic(first.Public)
		if ok, _ := old.Usable(h.now.Add(24*time.Hour - 1)); !ok {
			t.Error("the old key ends early")
		}
		if ok, why := old.Usable(h.now.Add(24 * time.Hour)); ok || why != "key:expired" {
			t.Errorf("the old key after its end: %v %s", ok, why)
		}
		if k, err := h.RevokeKey(ctx, who, fresh.Public); err != nil || k.Status != KeyRevoked {
			t.Fatalf("RevokeKey = %+v, %v", k, err)
		}
		v, _ = h.KeyByPublic(fresh.Public)
		if ok, why := v.Usable(h.now); ok || why != "key:revoked" {
			t.Errorf("a revoked key: %v %s", ok, why)
		}
		_, err = h.RotateKey(ctx, who, fresh.Public, time.Time{})
		wantCode(t, "rotating a revoked key", err, fault.Conflict)
		n := h.entries()
		if _, err := h.RevokeKey(ctx, who, fresh.Public); err != nil || h.entries() != n {
			t.Errorf("revoking twice: %v", err)
		}
		k, err := h.CreateKey(ctx, who, Key{Project: 1, Label: "web", Origins: []string{"https://*.Example.org/"}, RatePerMinute: 60, DailyQuota: 1000})
		if err != nil || k.Burst != 10 || !slices.Equal(k.Origins, []string{"https://*.example.org"}) {
			t.Fatalf("CreateKey = %+v, %v", k, err)
		}
		k.Label = "website"
		if k, err = h.UpdateKey(ctx, who, k); err != nil || k.Version != 2 {
			t.Errorf("UpdateKey = %+v, %v", k, err)
		}
		k.Version = 1
		_, err = h.UpdateKey(ctx, who, k)
		wantCode(t, "an edit of an old version", err, fault.Conflict)
		for what, bad := range map[string]Key{
			"origin with a path": {Project: 1, Origins: []string{"https://example.org/x"}},
			"origin of nothing":  {Project: 1, Origins: []string{"*"}},
			"rate":               {Project: 1, RatePerMinute: -1},
			"quota":              {Project: 1, DailyQuota: -1},
			"past end":           {Project: 1, Expires: h.now},
		} {
			_, err := h.CreateKey(ctx, who, bad)
			wantCode(t, what, err, fault.Invalid)
		}
		_, err = h.CreateKey(ctx, who, Key{Project: 9})
		wantCode(t, "a key of no project", err, fault.NotFound)
		keys, err := h.Keys(ctx, 1)
		if err != nil || len(keys) != 3 {
			t.Errorf("Keys = %d, %v", len(keys), err)
		}
		for len(keys) < MaxKeys {
			if _, err := h.CreateKey(ctx, who, Key{Project: 1}); err != nil {
				t.Fatal(err)
			}
			keys, _ = h.Keys(ctx, 1)
		}
		_, err = h.CreateKey(ctx, who, Key{Project: 1})
		wantCode(t, "one key too many", err, fault.TooLarge)
	})
}

func TestOrigins(t *testing.T) {
	k := Key{Origins: []string{"https://*.example.org", "http://localhost:3000", "chrome-extension://abcdef"}}
	for origin, want := range map[string]bool{
		"":                           true, // no browser
		"https://a.example.org":      true,
		"https://a.b.Example.org":    true,
		"https://example.org":        false,
		"https://.example.org":       false,
		"https://evilexample.org":    false,
		"http://a.example.org":       false,
		"http://localhost:3000":      true,
		"http://localhost:3001":      false,
		"chrome-extension://abcdef":  true,
		"null":                       false,
		"https://a.example.org.evil": false,
	} {
		if got := k.AllowsOrigin(origin); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	if !(&Key{}).AllowsOrigin("https://anywhere.example") {
		t.Error("a key without rules refuses")
	}
}

func TestForms(t *testing.T) {
	k := Key{Public: "0123456789abcdef0123456789abcdef", Project: 42}
	base, _ := url.Parse("https://bell.example.org/x/")
	want := Forms{
		DSN:              "https://0123456789abcdef0123456789abcdef@bell.example.org/x/42",
		OTLPEndpoint:     "https://bell.example.org/x",
		OTLPHeaders:      "Authorization=Bearer%200123456789abcdef0123456789abcdef",
		ConnectionString: "InstrumentationKey=01234567-89ab-cdef-0123-456789abcdef;IngestionEndpoint=https://bell.example.org/x/",
		Glean:            "https://bell.example.org/x/g/0123456789abcdef0123456789abcdef",
		Reporting:        "https://bell.example.org/x/r/0123456789abcdef0123456789abcdef",
	}
	if d := cmp.Diff(want, FormsFor(base, k)); d != "" {
		t.Error(d)
	}
	for s, want := range map[string]string{
		k.Public:                               k.Public,
		"01234567-89AB-cdef-0123-456789abcdef": k.Public,
		strings.ToUpper(k.Public):              k.Public,
		k.Public[1:]:                           "",
		k.Public[:31] + "g":                    "",
		"":                                     "",
		"0123456789ab-cdef0123456789abcdef-1-": "",
	} {
		if got, ok := ParseKey(s); got != want || ok != (want != "") {
			t.Errorf("ParseKey(%q) = %q, %v", s, got, ok)
		}
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
