package web

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func TestKeyForm(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	acme := h.member("ann@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	projects, _, err := h.registry.Projects(t.Context(), registry.ProjectFilter{Subject: registry.Subject{Extension: "acme.theme"}})
	if err != nil {
		t.Fatal(err)
	}
	pr := projects[0].ID
	newest := func() registry.Key {
		keys, err := h.registry.Keys(t.Context(), pr)
		if err != nil {
			t.Fatal(err)
		}
		return keys[len(keys)-1]
	}
	k := newest()
	path := "/keys/" + k.Public
	acme.post(path, "do", "edit", "version", "1", "label", "nightly", "origins", "https://a.example\r\nhttps://*.b.example/", "rate", "1,200", "burst", "50", "quota", "10000", "until", "2030-03-31").is(303)
	got := newest()
	want := k
	want.Label, want.Origins, want.RatePerMinute, want.Burst, want.DailyQuota, want.Version = "nightly", []string{"https://a.example", "https://*.b.example"}, 1200, 50, 10000, 2
	want.Expires = time.Date(2030, 4, 1, 0, 0, 0, 0, time.UTC)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	page := acme.get("/extensions/acme.theme/setup").is(200).has("1,200 requests a minute, 50 at once; 10,000 items a day", `value="2030-03-31"`, "https://*.b.example").well()
	if !regexp.MustCompile(`name="version" value="2"`).MatchString(page.body) {
		t.Error("the form does not carry the version")
	}
	acme.post(path, "do", "edit", "version", "1", "label", "late").is(422).has("changed").well()
	for _, bad := range [][]string{{"rate", "fast"}, {"quota", "-1"}, {"burst", "99999999999"}, {"until", "tomorrow"}, {"origins", "example.org/path"}} {
		acme.post(path, "do", "edit", "version", "2", bad[0], bad[1]).is(422).well()
		acme.post("/projects/1/keys", bad...).is(422)
	}
	acme.post(path, "do", "nothing").is(400)
	if d := cmp.Diff(got, newest()); d != "" {
		t.Errorf("changed by a mistake: %s", d)
	}
	acme.post("/projects/1/keys", "label", "second", "quota", "5").is(303)
	if k := newest(); k.Label != "second" || k.DailyQuota != 5 || k.RatePerMinute != 6000 {
		t.Errorf("%+v", k)
	}
	acme.get("/extensions/acme.theme/setup").is(200).well()
	h.member("rob@rival.example", account.Grant{Role: account.Author, Publisher: "rival"}).post(path, "do", "edit", "version", "2").is(404)
}

// When the door refuses the test event, the page says what it said.
func TestRefusedTestEvent(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	acme := h.member("ann@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	acme.post("/projects/1/test").is(303)
	for status, want := range map[int]string{429: "The limits of the key are reached: 6000 requests a minute.", 503: "the page Intake says why", 403: "It answered 403 Forbidden"} {
		h.refuse = status
		acme.post("/projects/1/test").is(422).has("The door refused the test event", "the door &lt;is&gt; shut", "come back in 17 seconds", want).well()
	}
	keys, err := h.registry.Keys(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	acme.post("/keys/"+keys[0].Public, "do", "revoke").is(303)
	acme.post("/projects/1/test").is(422).has("Every key of this project has ended")
}

// A host's set-up shows the crashes that came in through its project, and no others.
func TestHostSetupShowsCrashes(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	op := h.setUp()
	pr, _, err := h.registry.CreateProject(t.Context(), "system:test", registry.Project{Subject: registry.Subject{Host: "studio"}, Name: "Studio"})
	if err != nil {
		t.Fatal(err)
	}
	c := h.crash("", "boot", 1)
	c.Origin.Project = pr.ID
	h.send(c)
	h.drain()
	op.get("/hosts/studio/setup").is(200).has("Newest crashes", "/crashes/"+c.ID.String()).well()
	page := op.get("/extensions/acme.theme/setup").is(200)
	page.hasNot(c.ID.String())
}

func TestBurstForm(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	acme := h.member("ann@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	acme.get("/extensions/acme.theme/setup").is(200).has("Hold every crash of this project").well()
	acme.post("/projects/1/quarantine", "version", "1", "all", "1", "per_minute", "1,000", "factor", "3.5").is(303)
	pr, err := h.registry.Project(t.Context(), 1)
	if err != nil || pr.Quarantine != (registry.Quarantine{All: true, PerMinute: 1000, FactorOfHour: 3.5}) || pr.Name != "Default" {
		t.Errorf("%+v, %v", pr, err)
	}
	acme.post("/projects/1/quarantine", "version", "1").is(422)
	acme.post("/projects/1/quarantine", "version", "2", "installs", "7").is(422)
	acme.post("/projects/1/quarantine", "version", "2", "factor", "NaN").is(422)
	h.member("rob@rival.example", account.Grant{Role: account.Author, Publisher: "rival"}).post("/projects/1/quarantine", "version", "2").is(404)
}
