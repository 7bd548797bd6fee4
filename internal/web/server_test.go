package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
)

// visited are the pages of a furnished house, by the ids found on the way.
func visited(t *testing.T, b *browser) []string {
	t.Helper()
	family := first(t, b.get("/crashes").is(200).body, `href="(/families/[^"]+)"`)
	report := first(t, b.get(family).is(200).body, `href="(/crashes/[0-9a-f]{32})"`)
	return []string{"/", "/?days=90", "/search", "/search?q=paint", "/search?q=theme", "/search?q=zzz", "/extensions", "/extensions?q=nothing", "/extensions/new", "/extensions/acme.theme", "/extensions/acme.theme?days=7", "/extensions/acme.theme/setup", "/extensions/acme.theme/setup?client=otlp", "/extensions/acme.theme/edit",
		"/hosts/studio/setup", "/crashes", "/crashes?state=all&sort=installs", "/crashes?q=paint&os=linux", "/crashes?new=1", "/crashes?extension=acme.theme&release=9", "/crashes/list?family=" + strings.TrimPrefix(family, "/families/"), family, report,
		"/intake", "/intake/letters", "/settings/profile", "/settings/tokens", "/settings/members", "/settings/register", "/settings/register?edit=host:studio", "/settings/permissions", "/settings/audit"}
}

func first(t *testing.T, body, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("nothing fits %s", pattern)
	}
	return m[1]
}

func TestEveryPage(t *testing.T) {
	h := newHouse(t)
	empty := h.setUp()
	for _, path := range []string{"/", "/extensions", "/crashes", "/intake", "/intake/letters", "/settings/register", "/settings/audit"} {
		empty.get(path).is(200).well()
	}
	empty.get("/").has("Nothing has come in yet")
	h.furnish()
	for _, path := range visited(t, empty) {
		a := empty.get(path).is(200).well()
		for _, head := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			if a.Header.Get(head) == "" {
				t.Errorf("%s: no %s", path, head)
			}
		}
		if got := a.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		a.hasNot("cannot read <b>") // what clients send is text, never markup
	}
}

func TestStrangersAreLedToTheSignIn(t *testing.T) {
	h := newHouse(t)
	h.browser().get("/sign-in").is(303)
	h.setUp()
	h.furnish()
	for _, r := range h.server.Routes() {
		if r.Public {
			continue
		}
		path := strings.NewReplacer("{$}", "", "{id}", "1", "{key}", "1", "{name}", "x", "{kind}", "hosts").Replace(r.Pattern)
		b := h.browser()
		if r.Method == http.MethodGet {
			a := b.get(path).is(303)
			if to := a.Header.Get("Location"); !strings.HasPrefix(to, "/sign-in") {
				t.Errorf("%s leads to %s", path, to)
			}
			continue
		}
		b.post(path).is(401).well()
	}
}

func TestSignIn(t *testing.T) {
	h := newHouse(t)
	h.setUp()
	b := h.browser()
	b.post("/sign-in", "email", "ada@example.org", "password", "wrong").is(422).well().has("ada@example.org", `role="alert"`)
	a := b.post("/sign-in", "email", "ada@example.org", "password", password, "next", "/crashes?q=1").is(303)
	if to := a.Header.Get("Location"); to != "/crashes?q=1" {
		t.Errorf("went on to %s", to)
	}
	c := a.Cookies()[0]
	if c.Name != "bellwether" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Errorf("cookie %+v", c)
	}
	for _, bad := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"} {
		if got := safeNext(bad); got != "/" {
			t.Errorf("safeNext(%q) = %q", bad, got)
		}
	}
	b.post("/sign-out").is(303)
	b.get("/").is(303)
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/sign-out", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.send(r).is(403)
	b.get("/").is(200)
}

func TestAnAuthorSeesOnlyWhatIsTheirs(t *testing.T) {
	h := newHouse(t)
	ada := h.setUp()
	h.furnish()
	author := h.member("jo@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	theirs := first(t, ada.get("/crashes?extension=rival.theme").is(200).body, `href="(/families/[^"]+)"`)
	report := first(t, ada.get(theirs).is(200).body, `href="(/crashes/[0-9a-f]{32})"`)
	for _, path := range []string{"/", "/extensions", "/crashes", "/search?q=theme", "/search?q=rival"} {
		author.get(path).is(200).well().hasNot("rival.theme")
	}
	for _, path := range []string{theirs, report, "/extensions/rival.theme", "/extensions/rival.theme/setup", "/extensions/rival.theme/edit"} {
		author.get(path).is(404).well()
	}
	author.post(theirs+"/state", "to", "ignored").is(404)
	if a := author.get("/settings/members"); a.StatusCode != 403 && a.StatusCode != 404 {
		t.Errorf("members: %d", a.StatusCode)
	}
	own := first(t, author.get("/crashes").is(200).body, `href="(/families/[^"]+)"`)
	author.get(own).is(200).well().has("acme.theme", "Why these crashes are together")
}

func TestStatesOfFamilies(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	family := first(t, b.get("/crashes").is(200).body, `href="(/families/[^"]+)"`)
	b.post(family+"/state", "to", "resolved", "in", "next", "note", "Guarded.").is(303)
	b.get(family+"?done=state").is(200).well().has("Resolved", "Guarded.", "The state was changed.", "Ada Operator", "Take the last change back")
	change := first(t, b.get(family).body, `name="change" value="([^"]+)"`)
	b.post(family+"/undo", "change", change).is(303)
	b.get(family).is(200).well().has("Open")
	b.post(family+"/state", "to", "nonsense").is(422).well().has(`role="alert"`)
	b.post(family+"/state", "to", "ignored", "note", strings.Repeat("x", 1001)).is(422).well()
	id := strings.TrimPrefix(family, "/families/")
	b.post("/crashes/state", "to", "ignored", "id", id, "back", "/crashes").is(303)
	b.get("/crashes?state=ignored").is(200).well().has(family)
	b.post("/crashes/state", "to", "ignored", "back", "/crashes").is(303)
	b.get("/crashes?done=none").has("Nothing was selected.")
	b.get("/families/F-nothing").is(404).well().has("Not here")
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	a := b.post("/settings/tokens", "label", "script", "scope", "read", "days", "30").is(201).well()
	secret := first(t, a.body, `<code>(bw_[^<]+)</code>`)
	b.get("/settings/tokens").is(200).hasNot(secret).has("script")
	b.post("/settings/tokens", "label", "none").is(422).well()
	a = b.post("/settings/members", "email", "mei@rival.example", "name", "Mei", "role", "author", "publisher", "rival").is(201).well()
	link := first(t, a.body, `<code>(http[^<]+/invitation\?token=[^<]+)</code>`)
	guest := h.browser()
	guest.get(strings.TrimPrefix(link, h.url)).is(200).well().has("mei@rival.example", "author of rival")
	token := link[strings.Index(link, "token=")+6:]
	guest.post("/invitation", "token", token, "name", "Mei", "password", password, "again", "other").is(422).well().has("differ")
	guest.post("/invitation", "token", token, "name", "Mei", "password", password, "again", password).is(303)
	guest.get("/extensions").is(200).has("rival.theme").hasNot("acme.theme")
	member := first(t, b.get("/settings/members").is(200).body, `href="(/settings/members/[^"]+)"[^>]*>Mei`)
	a = b.post(member, "do", "reset").is(201).well()
	reset := first(t, a.body, `/reset\?token=([^<]+)<`)
	guest.get("/reset?token=" + reset).is(200).well().has("Choose a new password")
	guest.get("/reset?token=x").is(404).has("This link was used already")
	guest.post("/reset", "token", reset, "password", "a wholly new password", "again", "a wholly new password").is(303)
	guest.get("/").is(303)
	b.post(member, "do", "disable").is(303)
	b.get(member + "?done=saved").is(200).well().has("disabled")
	b.post("/settings/register/hosts", "id", "shed", "name", "Shed", "kind", "generic", "version", "0").is(303)
	b.post("/settings/register/hosts", "id", "Not An Id", "name", "Shed", "kind", "generic").is(422).well()
	b.get("/settings/register").is(200).well().has("Shed")
	b.post("/settings/audit/verify").is(200).well().has("Verified just now")
	b.post("/settings/profile/password", "old", "wrong", "password", "another password", "again", "another password").is(422).well()
	b.post("/intake/jobs/tidy/run").is(303)
	for try := 0; try < 6000 && !strings.Contains(b.get("/intake").is(200).body, "tidied"); try++ {
		time.Sleep(10 * time.Millisecond) // the job runs beside the request
	}
	b.get("/intake").is(200).has("tidied")
}

func TestExtensionsAndTheirKeys(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	b.post("/extensions", "id", "no dot", "name", "X", "kind", "vscode").is(422).well().has("publisher.name")
	a := b.post("/extensions", "id", "acme.lint", "name", "Lint", "kind", "vscode", "host", "studio").is(303)
	setup := a.Header.Get("Location")
	page := b.get(setup).is(200).well().has("Waiting for the first event", "InstrumentationKey=")
	key := first(t, page.body, `action="/keys/([0-9a-f]{32})"`)
	b.post("/keys/"+key, "do", "rotate").is(303)
	b.post("/keys/"+key, "do", "revoke").is(303)
	b.get("/extensions/acme.lint/setup").is(200).well().has("revoked", "active")
	project := first(t, b.get("/extensions/acme.theme/setup").is(200).body, `action="/projects/([0-9]+)/policy"`)
	b.post("/projects/"+project+"/policy", "tier", "crash").is(422).well()
	b.post("/projects/"+project+"/policy", "tier", "crash", "asked_by", "host", "text", "May we?").is(303)
	a = b.post("/projects/" + project + "/test").is(303)
	if to := a.Header.Get("Location"); !strings.Contains(to, "done=tested") {
		t.Errorf("the test event led to %s", to)
	}
	b.get("/extensions/acme.theme/setup").is(200).well().has("consent:crash", "does not cover the tier crash")
}

func TestStaticFiles(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	js := 0
	for name, x := range h.server.assets.byName {
		a := b.get("/static/" + x.name).is(200)
		if got := a.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if strings.HasSuffix(name, ".js") {
			js += len(x.gz)
		}
	}
	if js > 40<<10 {
		t.Errorf("%d bytes of JavaScript, compressed; 40 KB is the most", js)
	}
	b.get("/static/app.css").is(404)
	b.get("/nowhere").is(404).well()
}

// What would let a reader follow one person is on no page: the stored report is
// shown without its pseudonym and its session, as the API gives it.
func TestAReportNamesNoInstall(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	family := first(t, b.get("/crashes").is(200).body, `href="(/families/[^"]+)"`)
	report := first(t, b.get(family).is(200).body, `href="(/crashes/[0-9a-f]{32})"`)
	b.get(report).is(200).has("&#34;origin&#34;").hasNot("&#34;install&#34;").hasNot("&#34;session_id&#34;")
}
