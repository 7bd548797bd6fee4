package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func problemOf(t *testing.T, body []byte) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return p
}

// One extension from its registration to a new version and back.
func TestEditing(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	var e struct {
		ID      string
		Name    string
		Version int64
	}
	w := h.want(201, &e, me, "POST", "/api/v1/extensions", `{"id":"Acme.New","name":"New","kind":"vscode","prefixes":["com.acme.new"]}`)
	if e.ID != "acme.new" || e.Version != 1 || w.Header().Get("ETag") != `"v1"` {
		t.Errorf("created %+v, ETag %s", e, w.Header().Get("ETag"))
	}
	h.want(409, nil, me, "POST", "/api/v1/extensions", `{"id":"acme.new","name":"New"}`)
	w = h.want(200, &e, me, "GET", "/api/v1/extensions/acme.new", "")
	tag := w.Header().Get("ETag")
	h.want(304, nil, me, "GET", "/api/v1/extensions/acme.new", "", "If-None-Match", tag)
	h.want(200, &e, me, "PUT", "/api/v1/extensions/acme.new", `{"name":"Newer"}`, "If-Match", tag)
	if e.Name != "Newer" || e.Version != 2 {
		t.Errorf("changed to %+v", e)
	}
	w = h.want(409, nil, me, "PUT", "/api/v1/extensions/acme.new", `{"name":"Older"}`, "If-Match", tag)
	if p := problemOf(t, w.Body.Bytes()); p.Code != fault.Conflict || p.Request == "" || w.Header().Get("Content-Type") != door.ProblemType {
		t.Errorf("problem %+v, %s", p, w.Header().Get("Content-Type"))
	}
	h.want(409, nil, me, "PUT", "/api/v1/extensions/acme.new", `{"name":"Older"}`)
	h.want(400, nil, me, "PUT", "/api/v1/extensions/acme.new", `{"name":"Older"}`, "If-Match", `"x"`)
	h.want(204, nil, me, "DELETE", "/api/v1/extensions/acme.new", "")
	h.want(404, nil, me, "GET", "/api/v1/extensions/acme.new", "")
	h.want(409, nil, me, "DELETE", "/api/v1/extensions/acme.theme", "")
}

func TestProjectsAndKeys(t *testing.T) {
	h := newHouse(t)
	me := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	var made created
	h.want(201, &made, me, "POST", "/api/v1/projects", `{"extension":"acme.theme","name":"Second","policy":{"tiers":["crash"],"text":"May we?","asked_by":"host"}}`)
	dsn := fmt.Sprintf("https://%s@bell.example.org/%d", made.Key.Public, made.Project.ID)
	if made.Key.Forms.DSN != dsn {
		t.Errorf("DSN %s, want %s", made.Key.Forms.DSN, dsn)
	}
	project := fmt.Sprintf("/api/v1/projects/%d", made.Project.ID)
	w := h.want(200, nil, me, "GET", project, "")
	w = h.want(200, nil, me, "PUT", project+"/policy", `{"tiers":["crash","usage"],"text":"And this?","asked_by":"host"}`, "If-Match", w.Header().Get("ETag"))
	h.want(200, nil, me, "PUT", project, `{"name":"Third","quarantine":{"all":true}}`, "If-Match", w.Header().Get("ETag"))
	if p, _ := h.o.Registry.ProjectByID(made.Project.ID); !p.Quarantine.All || p.Name != "Third" || p.Policy.Version != 2 {
		t.Errorf("the doors see %+v", p)
	}
	var k key
	h.want(201, &k, me, "POST", "/api/v1/keys/"+made.Key.Public+"/rotate", "")
	if k.Replaces != made.Key.Public {
		t.Errorf("rotated to %+v", k)
	}
	h.want(200, &k, me, "POST", "/api/v1/keys/"+k.Public+"/revoke", "")
	h.want(400, nil, me, "POST", project+"/keys", `{"origins":["not an origin"]}`)
	h.want(201, &k, me, "POST", project+"/keys", `{"origins":["https://*.acme.example"],"rate_per_minute":60}`)
	var keys list[key]
	h.want(200, &keys, me, "GET", project+"/keys", "")
	if len(keys.Items) != 3 || !slices.ContainsFunc(keys.Items, func(k key) bool { return slices.Equal(k.Origins, []string{"https://*.acme.example"}) }) {
		t.Errorf("keys %+v", keys)
	}
}

func TestFamilies(t *testing.T) {
	h := newHouse(t)
	me := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	var page families
	h.want(200, &page, me, "GET", "/api/v1/families?state=open&sort=last_seen", "")
	if len(page.Items) != 1 || page.Total != 1 || page.Items[0].ID != h.family["acme"] {
		t.Fatalf("families %+v", page)
	}
	path := "/api/v1/families/" + h.family["acme"]
	var change struct{ ID, To, Actor string }
	h.want(200, &change, me, "POST", path+"/state", `{"state":"resolved","resolved_in":"1.1.0","note":"Fixed."}`)
	if change.To != "resolved" || !strings.HasPrefix(change.Actor, "account:a-") {
		t.Errorf("change %+v", change)
	}
	h.want(200, &page, me, "GET", "/api/v1/families?state=open", "")
	if len(page.Items) != 0 || page.Items == nil {
		t.Errorf("still open: %+v", page)
	}
	h.want(200, nil, me, "POST", path+"/undo", `{"change":"`+change.ID+`"}`)
	h.want(400, nil, me, "POST", path+"/state", `{"state":"gone"}`)
	var crashes list[struct{ ID string }]
	h.want(200, &crashes, me, "GET", path+"/crashes", "")
	if len(crashes.Items) != 1 || crashes.Items[0].ID != h.crash["acme"] {
		t.Errorf("crashes %+v", crashes)
	}
	w := h.want(200, nil, me, "GET", "/api/v1/crashes/"+h.crash["acme"], "")
	for _, secret := range []string{"42424242", "5e55104e", "install"} {
		if strings.Contains(w.Body.String(), `"`+secret) || strings.Contains(w.Body.String(), ":"+secret) {
			t.Errorf("the document holds %s", secret)
		}
	}
}

// What was sent must not come back in an error, and unknown names neither.
func TestErrorsDoNotEcho(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/extensions", `{"id":"secret-word","name":"x"}`},
		{"POST", "/api/v1/extensions", `{"id":"acme.x","name":7}`},
		{"POST", "/api/v1/extensions", `{"id":"acme.x","name":"x","secret-word":1}`},
		{"POST", "/api/v1/extensions", `{"id":"acme.x","name":"x","kind":"secret-word"}`},
		{"POST", "/api/v1/extensions", `{"id":"acme.x","name":"x","repository":"secret-word"}`},
		{"POST", "/api/v1/extensions", `secret-word`},
		{"POST", "/api/v1/extensions", `{"id":"acme.x","name":"x","prefixes":"secret-word"}`},
		{"GET", "/api/v1/projects/secret-word", ""},
		{"GET", "/api/v1/families?from=secret-word", ""},
		{"GET", "/api/v1/families?sort=secret-word", ""},
		{"GET", "/api/v1/families?limit=9999", ""},
		{"GET", "/api/v1/families?cursor=secret-word", ""},
		{"GET", "/api/v1/facts/query?q=secret-word", ""},
		{"POST", "/api/v1/facts/query", `{"measures":[{"fn":"secret-word"}]}`},
		{"POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"group":["secret-word"]}`},
		{"POST", "/api/v1/me/tokens", `{"label":"x","scopes":["secret-word"]}`},
		{"GET", "/api/v1/secret-word", ""},
		{"GET", "/api/v1/extensions/secret-word", ""},
	} {
		w := h.ask(me, c.method, c.path, c.body)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s %s %s: %d", c.method, c.path, c.body, w.Code)
		}
		if strings.Contains(w.Body.String(), "secret-word") {
			t.Errorf("%s %s %s: echoed in %s", c.method, c.path, c.body, w.Body)
		}
		if p := problemOf(t, w.Body.Bytes()); p.Status != w.Code || p.Detail == "" || !slices.Contains(fault.Codes, p.Code) || w.Header().Get("Content-Type") != door.ProblemType {
			t.Errorf("%s %s %s: %+v as %s", c.method, c.path, c.body, p, w.Header().Get("Content-Type"))
		}
	}
	w := h.ask(me, "POST", "/api/v1/extensions", `{"id":"acme.x","name":7,"kind":"emacs"}`)
	if p := problemOf(t, w.Body.Bytes()); len(p.Errors) != 2 || p.Errors[0].Field == "" {
		t.Errorf("fields: %+v", p.Errors)
	}
}

func TestWhoAsks(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	w := h.want(401, nil, "", "GET", "/api/v1/extensions", "")
	if w.Header().Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	h.want(401, nil, "bw_nonsense", "GET", "/api/v1/extensions", "")
	h.want(401, nil, "nonsense", "GET", "/api/v1/extensions", "")
	h.want(401, nil, "", "GET", "/api/v1/extensions", "", "Authorization", "Basic abc")
	h.want(200, nil, "", "GET", "/api/v1/openapi.json", "")

	var made token
	h.want(201, &made, me, "POST", "/api/v1/me/tokens", `{"label":"reader","scopes":["read"]}`)
	h.want(200, nil, made.Secret, "GET", "/api/v1/extensions", "")
	h.want(403, nil, made.Secret, "POST", "/api/v1/extensions", `{"id":"acme.x","name":"x"}`)
	h.want(403, nil, made.Secret, "GET", "/api/v1/audit", "")
	h.want(403, nil, made.Secret, "POST", "/api/v1/me/tokens", `{"label":"more","scopes":["read"]}`)
	var who struct{ Kind, Token string }
	h.want(200, &who, made.Secret, "GET", "/api/v1/me", "")
	if who.Kind != "token" || who.Token != made.ID {
		t.Errorf("me is %+v", who)
	}
	var all list[token]
	h.want(200, &all, me, "GET", "/api/v1/me/tokens", "")
	if len(all.Items) != 1 || all.Items[0].Secret != "" {
		t.Errorf("tokens %+v", all)
	}
	h.want(204, nil, me, "DELETE", "/api/v1/me/tokens/"+made.ID, "")
	h.want(401, nil, made.Secret, "GET", "/api/v1/extensions", "")
}

// A cookie is only good for requests of our own pages.
func TestOtherSitesCannotUseTheCookie(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	body := `{"id":"acme.x","name":"x"}`
	h.want(403, nil, me, "POST", "/api/v1/extensions", body, "Sec-Fetch-Site", "cross-site")
	h.want(403, nil, me, "POST", "/api/v1/extensions", body, "Origin", "https://evil.example")
	h.want(201, nil, me, "POST", "/api/v1/extensions", body, "Sec-Fetch-Site", "same-origin")
}

func TestIdempotency(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	body := `{"extension":"acme.theme","name":"Second"}`
	one := h.want(201, nil, me, "POST", "/api/v1/projects", body, "Idempotency-Key", "k1")
	two := h.want(201, nil, me, "POST", "/api/v1/projects", body, "Idempotency-Key", "k1")
	if one.Body.String() != two.Body.String() || two.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second answer differs:\n%s\n%s", one.Body, two.Body)
	}
	h.want(400, nil, me, "POST", "/api/v1/projects", `{"extension":"acme.theme","name":"Third"}`, "Idempotency-Key", "k1")
	var all list[struct{ ID int64 }]
	h.want(200, &all, me, "GET", "/api/v1/projects?extension=acme.theme", "")
	if len(all.Items) != 2 {
		t.Errorf("%d projects", len(all.Items))
	}
	// A mistake is remembered too; a secret never is.
	h.want(400, nil, me, "POST", "/api/v1/projects", `{"extension":"acme.theme"}`, "Idempotency-Key", "k2")
	h.want(400, nil, me, "POST", "/api/v1/projects", `{"extension":"acme.theme"}`, "Idempotency-Key", "k2")
	w := h.want(201, nil, me, "POST", "/api/v1/me/tokens", `{"label":"x","scopes":["read"]}`, "Idempotency-Key", "k3")
	var made token
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	h.want(409, nil, me, "POST", "/api/v1/me/tokens", `{"label":"x","scopes":["read"]}`, "Idempotency-Key", "k3")
	var kept int
	if err := h.d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM account_once WHERE body LIKE '%bw_%'`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d secrets are kept, %v", kept, err)
	}
}

func TestRateLimit(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	w := h.want(200, nil, me, "GET", "/api/v1/me", "")
	if w.Header().Get("RateLimit-Limit") != "1200" || w.Header().Get("RateLimit-Remaining") != "1199" || w.Header().Get("RateLimit-Reset") != "60" {
		t.Errorf("headers %v", w.Header())
	}
	for range perAddress {
		h.want(401, nil, "bw_guess", "GET", "/api/v1/me", "")
	}
	w = h.want(429, nil, "bw_guess", "GET", "/api/v1/me", "")
	if w.Header().Get("Retry-After") != "60" || problemOf(t, w.Body.Bytes()).Code != fault.RateLimited {
		t.Errorf("%s, headers %v", w.Body, w.Header())
	}
	h.want(200, nil, me, "GET", "/api/v1/me", "")
	h.now = h.now.Add(time.Minute)
	h.want(401, nil, "bw_guess", "GET", "/api/v1/me", "")
}

func TestWindowsAreBounded(t *testing.T) {
	ws, now := newWindows(), time.Unix(1e9, 0)
	for i := range maxWindows + 1000 {
		ws.take(fmt.Sprint(i), 10, now)
	}
	if len(ws.m) > maxWindows {
		t.Errorf("%d windows", len(ws.m))
	}
}

func TestBoundsOfBodies(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	long := `{"id":"acme.x","name":"` + strings.Repeat("x", maxBody) + `"}`
	for _, header := range [][]string{nil, {"Idempotency-Key", "long"}} {
		if w := h.ask(me, "POST", "/api/v1/extensions", long, header...); w.Code != 413 || problemOf(t, w.Body.Bytes()).Code != fault.TooLarge {
			t.Errorf("%v: %d %s", header, w.Code, w.Body)
		}
	}
	h.want(415, nil, me, "POST", "/api/v1/extensions", "x", "Content-Encoding", "gzip")
	h.want(415, nil, me, "POST", "/api/v1/extensions", "id=x", "Content-Type", "application/x-www-form-urlencoded")
	w := h.want(405, nil, me, "DELETE", "/api/v1/extensions", "")
	if w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("Allow: %s", w.Header().Get("Allow"))
	}
	h.want(404, nil, me, "GET", "/api/v1/nothing", "")
}

func TestImport(t *testing.T) {
	h := newHouse(t)
	me := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	var rep struct {
		Created  int
		DryRun   bool `json:"dry_run"`
		Mistakes []struct{ Line int }
	}
	csv := "id,name\nacme.a,A\nacme.b,B\n"
	h.want(200, &rep, me, "POST", "/api/v1/extensions/import?dry_run=true", csv, "Content-Type", "text/csv")
	if rep.Created != 2 || !rep.DryRun {
		t.Errorf("dry run %+v", rep)
	}
	h.want(200, &rep, me, "POST", "/api/v1/extensions/import", csv+"zeta.new,Z\n", "Content-Type", "text/csv")
	if len(rep.Mistakes) != 1 || rep.Mistakes[0].Line != 4 {
		t.Errorf("another's extension: %+v", rep)
	}
	h.want(200, &rep, me, "POST", "/api/v1/extensions/import", `[{"id":"acme.a","name":"A"}]`)
	if rep.Created != 1 {
		t.Errorf("%+v", rep)
	}
}

func TestMembers(t *testing.T) {
	h := newHouse(t)
	me := h.as("owner", everything()...)
	var inv invitation
	h.want(201, &inv, me, "POST", "/api/v1/invitations", `{"email":"new@example.org","grants":[{"role":"author","publisher":"acme"}]}`)
	if !strings.HasPrefix(inv.Link, "https://bell.example.org/invitation?token=") {
		t.Errorf("link %s", inv.Link)
	}
	h.want(400, nil, me, "POST", "/api/v1/invitations", `{"email":"other@example.org","grants":[{"role":"author","publisher":"nobody"}]}`)
	h.want(204, nil, me, "DELETE", "/api/v1/invitations/"+inv.ID, "")
	victim := h.as("victim", account.Grant{Role: account.Triager})
	id := h.people["victim"].Principal.ID
	h.want(200, nil, me, "PUT", "/api/v1/members/"+id+"/grants", `{"grants":[{"role":"auditor"}]}`)
	h.want(200, nil, victim, "GET", "/api/v1/audit", "")
	h.want(403, nil, victim, "GET", "/api/v1/families", "")
	h.want(200, nil, me, "POST", "/api/v1/members/"+id+"/disable", "")
	h.want(401, nil, victim, "GET", "/api/v1/audit", "")
	h.want(409, nil, me, "PUT", "/api/v1/members/"+h.people["owner"].Principal.ID+"/grants", `{"grants":[]}`)
	var l link
	h.want(201, &l, me, "POST", "/api/v1/members/"+id+"/reset-link", "")
	if !strings.HasPrefix(l.Link, "https://bell.example.org/reset?token=") {
		t.Errorf("link %s", l.Link)
	}
}

func TestIntakeOfAnOperatorShowsNoRecord(t *testing.T) {
	h := newHouse(t)
	op := h.as("operator", account.Grant{Role: account.Operator})
	var l letter
	h.want(200, &l, op, "GET", "/api/v1/intake/letters/"+h.letter["acme"], "")
	if l.Record != nil || l.Reason == "" {
		t.Errorf("letter %+v", l)
	}
	h.want(200, &l, h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"}), "GET", "/api/v1/intake/letters/"+h.letter["acme"], "")
	if l.Record == nil || l.Record.Origin.Install != 0 {
		t.Errorf("the author's letter has record %+v", l.Record)
	}
	h.want(204, nil, op, "DELETE", "/api/v1/intake/letters/"+h.letter["acme"], "")
	h.want(404, nil, op, "GET", "/api/v1/intake/letters/"+h.letter["acme"], "")
}

func TestConsole(t *testing.T) {
	h := newHouse(t)
	as := account.System("cli")
	o := h.o
	o.As, o.Worker = &as, nil
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.handler = s
	h.want(200, nil, "", "PUT", "/api/v1/publishers/newco", `{"name":"New"}`)
	h.want(200, nil, "", "GET", "/api/v1/me", "")
	h.want(503, nil, "", "GET", "/api/v1/intake", "")
	list, _ := h.log.List(t.Context(), 0, 1)
	if list[0].Actor != "system:cli" || list[0].Action != "publisher.create" {
		t.Errorf("the log says %+v", list[0])
	}
}
