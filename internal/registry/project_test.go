package registry

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

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
	for rule, want := range map[string]bool{
		"https://example.org":       true,
		"https://*.example.org":     true,
		"http://localhost:3000":     true,
		"http://[::1]:3000":         true,
		"chrome-extension://abcdef": true,
		"null":                      true,
		"*":                         false,
		"https://":                  false,
		"https://a b":               false,
		"https://example.org/path":  false,
		"https://exa*mple.org":      false,
		"://example.org":            false,
		"example.org":               false,
	} {
		if err := checkOrigin(rule); (err == nil) != want {
			t.Errorf("%q: %v", rule, err)
		}
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
