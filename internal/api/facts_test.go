package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
)

func TestFactsQuery(t *testing.T) {
	h := newHouse(t)
	owner := h.as("owner", everything()...)
	acme := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	question := `{"measures":[{"fn":"count"},{"fn":"installs"}],"group":["subject_ext"],"where":[{"column":"kind","op":"in","values":["crash"]}]}`
	var a answer
	h.want(200, &a, owner, "POST", "/api/v1/facts/query", question)
	if got, _ := json.Marshal(a); string(got) != `{"columns":["subject_ext","count","installs"],"rows":[["acme.theme",1,1],["zeta.lint",1,1]]}` {
		t.Errorf("the owner sees %s", got)
	}
	h.want(200, &a, acme, "GET", "/api/v1/facts/query?q="+url.QueryEscape(question), "")
	if got, _ := json.Marshal(a); string(got) != `{"columns":["subject_ext","count","installs"],"rows":[["acme.theme",1,1]]}` {
		t.Errorf("acme sees %s", got)
	}
	h.want(200, &a, acme, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"weighted","as":"about"},{"fn":"count"}],"where":[{"column":"kind","op":"in","values":["crash"]}]}`)
	if got, _ := json.Marshal(a); string(got) != `{"columns":["about","count"],"rows":[[1,1]],"intervals":{"about":[{"value":1,"low":0,"high":2.9983404408683687,"n":64}]}}` {
		t.Errorf("a weighted count comes with %s", got)
	}
	a = answer{}
	operator := h.as("operator", account.Grant{Role: account.Operator})
	h.want(403, nil, operator, "POST", "/api/v1/facts/query", question)
	// Nothing that singles out one installation, session or report can be asked.
	for _, column := range []string{"install", "session", "dedup", "id", "client_id", "received", "password"} {
		h.want(400, nil, owner, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"group":["`+column+`"]}`)
		h.want(400, nil, owner, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"where":[{"column":"`+column+`","op":"in","values":["1"]}]}`)
	}
	for _, bad := range []string{
		`{"measures":[]}`, `{}`, `{"measures":[{"fn":"count"}],"rows":true}`, `{"measures":[{"fn":"count"}],"limit":20000}`,
		`{"measures":[{"fn":"count"}],"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`,
		`{"measures":[{"fn":"count"}],"from":"2020-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}`,
		`{"measures":[{"fn":"count"}],"group":["day","host","os","arch","extension"]}`,
		`{"measures":[{"fn":"quantile","arg":2}]}`,
	} {
		h.want(400, nil, owner, "POST", "/api/v1/facts/query", bad)
		h.want(400, nil, owner, "GET", "/api/v1/facts/query?q="+url.QueryEscape(bad), "")
	}
}

// A crash that came in through zeta's project and is blamed on acme's extension:
// acme sees it, but not whose project it was.
func TestSharedCrashesTellNothingOfTheOther(t *testing.T) {
	h := newHouse(t)
	e := h.crashOf("acme.theme", h.project["zeta"], "")
	e.Origin.Extension, e.Origin.ExtVersion, e.Origin.Environment, e.Origin.SDK = "zeta.lint", "9.9.9", "zeta-staging", "zeta-sdk/1"
	h.send(e)
	h.drain()
	acme := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	zeta := h.as("zeta", account.Grant{Role: account.Author, Publisher: "zeta"})
	var a answer
	ask := func(who, group string) string {
		t.Helper()
		h.want(200, &a, who, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"group":[`+group+`]}`)
		b, _ := json.Marshal(a.Rows)
		return string(b)
	}
	if got := ask(acme, `"subject_ext"`); got != `[["acme.theme",2]]` {
		t.Fatalf("acme's crashes: %s; the shared one should be among them", got)
	}
	for _, private := range private {
		if got := ask(acme, `"`+string(private)+`"`); strings.Contains(got, "zeta") || strings.Contains(got, "9.9.9") || !strings.Contains(got, ",1]") || a.Note == "" {
			t.Errorf("by %s acme sees %s (%q)", private, got, a.Note)
		}
	}
	h.want(200, &a, acme, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"where":[{"column":"extension","op":"in","values":["zeta.lint"]}]}`)
	if b, _ := json.Marshal(a.Rows); strings.Contains(string(b), "1") {
		t.Errorf("acme can ask about zeta.lint: %s", b)
	}
	if got := ask(zeta, `"project","extension"`); !strings.Contains(got, fmt.Sprintf(`[%d,"zeta.lint",`, h.project["zeta"])) {
		t.Errorf("zeta sees its own project as %s", got)
	}
	for _, path := range []string{"/crashes/" + e.ID.String(), "/crashes", "/families", "/families/" + h.family["acme"] + "/crashes", "/extensions/acme.theme/health"} {
		if body := h.want(200, nil, acme, "GET", "/api/v1"+path, "").Body.String(); strings.Contains(body, "zeta") || strings.Contains(body, "9.9.9") {
			t.Errorf("%s tells acme of the other: %s", path, body)
		}
	}
	// Zeta owns the project and sees its report whole.
	if body := h.want(200, nil, zeta, "GET", "/api/v1/crashes/"+e.ID.String(), "").Body.String(); !strings.Contains(body, "zeta-staging") {
		t.Errorf("zeta's own report: %s", body)
	}
}

// A team with a host sees its host's own projects under the private columns too,
// once it says so.
func TestHostTeamsAskAboutTheirHosts(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	team, err := h.o.Registry.Team(ctx, "red")
	if err != nil {
		t.Fatal(err)
	}
	team.Hosts = []string{"studio"}
	if _, err := h.o.Registry.PutTeam(ctx, "system:test", team); err != nil {
		t.Fatal(err)
	}
	e := h.crashOf("acme.theme", h.project["studio"], "")
	e.Origin.Extension, e.Origin.ExtVersion = "", ""
	e.Crash.Exceptions[0].Frames = []eco.Frame{{Function: "main", File: "resources/app/out/main.js", Line: 3}}
	h.send(e)
	h.drain()
	red := h.as("red", account.Grant{Role: account.Triager, Team: "red"})
	var a answer
	h.want(200, &a, red, "POST", "/api/v1/facts/query", `{"measures":[{"fn":"count"}],"group":["project"],"where":[{"column":"host","op":"in","values":["studio"]},{"column":"extension","op":"in","values":[""]}]}`)
	if b, _ := json.Marshal(a.Rows); string(b) != `[[3,1]]` || a.Note != "" {
		t.Errorf("the host's project: %s %q", b, a.Note)
	}
}
