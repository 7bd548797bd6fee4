package account

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

var update = flag.Bool("update", false, "rewrite testdata")

func person(grants ...Grant) Principal {
	return Principal{Kind: KindAccount, ID: "a-1", Grants: grants}
}

// TestDecisions keeps the whole table of who may do what: each action, asked by
// each role, about one's own thing and about another tenant's. y = allowed,
// f = forbidden, h = hidden (not_found), u = please sign in.
func TestDecisions(t *testing.T) {
	h := open(t, dbtest.Open(t))
	who := []struct {
		name string
		p    Principal
	}{
		{"public", Public()},
		{"none", person()},
		{"operator", person(Grant{Role: Operator})},
		{"author", person(Grant{Role: Author, Publisher: "acme"})},
		{"triager", person(Grant{Role: Triager})},
		{"triager/red", person(Grant{Role: Triager, Team: "red"})},
		{"support", person(Grant{Role: Support})},
		{"support/red", person(Grant{Role: Support, Team: "red"})},
		{"steward", person(Grant{Role: Steward})},
		{"auditor", person(Grant{Role: Auditor})},
		{"author+read-token", Principal{Kind: KindToken, ID: "a-1", TokenID: "t-1", Grants: []Grant{{Role: Author, Publisher: "acme"}}, Scopes: []Scope{ScopeRead}}},
		{"console", System("cli")},
	}
	things := []struct {
		name string
		r    Resource
	}{
		{"list", List("x")},
		{"own", OfExtension("x", "1", "acme.one")},
		{"other", OfExtension("x", "2", "zeta.one")},
		{"host", OfHost("x", "3", "studio")},
		{"server", OfServer("x", "4")},
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Who may do what: about a list / an own extension's thing (publisher acme, team red) / another tenant's /\n# a host's (team red) / the server's. y allowed, f forbidden, h hidden (not_found), u please sign in.\n")
	fmt.Fprintf(&out, "%-18s", "action")
	for _, w := range who {
		fmt.Fprintf(&out, " %s", w.name)
	}
	out.WriteByte('\n')
	for _, a := range ActionList {
		fmt.Fprintf(&out, "%-18s", a.Action)
		for _, w := range who {
			var cell strings.Builder
			for _, th := range things {
				switch err := h.Check("test", w.p, a.Action, th.r); fault.CodeOf(err) {
				case "":
					cell.WriteByte('y')
				case fault.Forbidden:
					cell.WriteByte('f')
				case fault.NotFound:
					cell.WriteByte('h')
				case fault.Unauthenticated:
					cell.WriteByte('u')
				default:
					t.Errorf("%s by %s about %s: %v", a.Action, w.name, th.name, err)
				}
			}
			fmt.Fprintf(&out, " %-*s", len(w.name), cell.String())
		}
		out.WriteByte('\n')
	}
	text := strings.Join(func() (lines []string) {
		for l := range strings.Lines(out.String()) {
			lines = append(lines, strings.TrimRight(l, " \n"))
		}
		return
	}(), "\n") + "\n"
	const file = "testdata/decisions.txt"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text); d != "" {
		t.Errorf("decisions changed (-update writes them):\n%s", d)
	}
}

// Some answers that must hold whatever the table says.
func TestTenantsAreHidden(t *testing.T) {
	h := open(t, dbtest.Open(t))
	author := person(Grant{Role: Author, Publisher: "acme"})
	red := person(Grant{Role: Triager, Team: "red"})
	for _, a := range ActionList {
		if a.Noun == "host" || a.Noun == "me" || a.Noun == "token" || a.Noun == "claim" || a.Noun == "public" || a.Noun == "playbook" {
			continue
		}
		for name, p := range map[string]Principal{"author": author, "team": red} {
			if err := h.Check("test", p, a.Action, OfExtension("x", "1", "zeta.one")); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%s of another tenant's thing by %s: %v, want not_found", a.Action, name, err)
			}
		}
	}
	both := Resource{Kind: "crash", ID: "1", Extensions: []eco.ExtensionID{"zeta.one", "acme.two"}}
	if err := h.Check("test", author, CrashRead, both); err != nil {
		t.Errorf("a shared crash: %v", err)
	}
	operator := person(Grant{Role: Operator})
	for _, a := range []Action{FamilyRead, CrashRead, FactsQuery, TicketRead, ReceiptRead, AuditRead} {
		if err := h.Check("test", operator, a, List("x")); err == nil {
			t.Errorf("an operator alone may %s", a)
		}
	}
	mine := Resource{Kind: "session", ID: "s", Account: "a-1"}
	if err := h.Check("test", author, MeEdit, mine); err != nil {
		t.Errorf("own session: %v", err)
	}
	mine.Account = "a-2"
	wantCode(t, "another account's session", h.Check("test", author, MeEdit, mine), fault.NotFound)
}

func TestDecisionSaysWhy(t *testing.T) {
	h := open(t, dbtest.Open(t))
	d := h.Authorize(person(Grant{Role: Author, Publisher: "acme"}), FamilyRead, OfExtension("family", "F", "acme.one"))
	if !d.Allow || len(d.Reasons) != 1 || d.Reasons[0].Policy != "author-own" || !strings.Contains(d.Reasons[0].About, "own publisher") {
		t.Errorf("decision %+v", d)
	}
	token := Principal{Kind: KindToken, ID: "a-1", TokenID: "t-1", Grants: []Grant{{Role: Triager}}, Scopes: []Scope{ScopeRead}}
	d = h.Authorize(token, FamilyEdit, OfExtension("family", "F", "acme.one"))
	if d.Allow || !d.Visible || len(d.Reasons) != 1 || d.Reasons[0].Policy != "token-scope" {
		t.Errorf("a token without the scope: %+v", d)
	}
	if d = h.Authorize(System("x"), "no.such", List("x")); d.Allow {
		t.Error("an unknown action is allowed")
	}
}

// A policy that cannot be evaluated must deny: Cedar alone would skip a forbid.
func TestBrokenForbidDenies(t *testing.T) {
	h := open(t, dbtest.Open(t))
	files := fstest.MapFS{}
	for _, name := range []string{"policies/schema.cedarschema", "policies/everyone.cedar"} {
		b, _ := policyFiles.ReadFile(name)
		files[name] = &fstest.MapFile{Data: b}
	}
	files["policies/bad.cedar"] = &fstest.MapFile{Data: []byte(`@id("overflow") @description("Overflows.")
		forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };`)}
	rules, err := loadPolicies(files)
	if err != nil {
		t.Fatal(err)
	}
	h.rules = rules
	var alarms []string
	h.opts.Alarm = func(a Action, ids []string) { alarms = append(alarms, ids...) }
	if d := h.Authorize(System("cli"), FamilyRead, List("family")); d.Allow {
		t.Error("allowed although a forbid failed")
	}
	if len(alarms) == 0 || alarms[0] != "overflow" {
		t.Errorf("alarms: %v", alarms)
	}
}

func TestLoadPoliciesRefuses(t *testing.T) {
	sch, _ := policyFiles.ReadFile("policies/schema.cedarschema")
	for name, text := range map[string]string{
		"no id":            `@description("x") permit (principal, action, resource);`,
		"no description":   `@id("x") permit (principal, action, resource);`,
		"unknown action":   `@id("x") @description("x") permit (principal, action == Action::"king.crown", resource);`,
		"unknown field":    `@id("x") @description("x") permit (principal, action, resource) when { principal.crown };`,
		"scope unasked":    `@id("x") @description("x") permit (principal, action, resource) when { context.scope == "read" };`,
		"twice":            `@id("x") @description("x") permit (principal, action, resource); @id("x") @description("x") permit (principal, action, resource);`,
		"not cedar at all": `allow all`,
	} {
		_, err := loadPolicies(fstest.MapFS{"policies/schema.cedarschema": {Data: sch}, "policies/x.cedar": {Data: []byte(text)}})
		wantCode(t, name, err, fault.Invalid)
	}
}

func TestDataActionsAndSchemaAgree(t *testing.T) {
	rules, err := loadPolicies(policyFiles)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, a := range ActionList {
		listed[string(a.Action)] = true
		if a.About == "" || !strings.HasPrefix(string(a.Action), a.Noun+".") || a.Scope != "" && !slices.Contains(Scopes, a.Scope) {
			t.Errorf("%+v is not well described", a)
		}
	}
	if d := cmp.Diff(listed, rules.actions); d != "" {
		t.Errorf("ActionList and the schema differ:\n%s", d)
	}
	if len(rules.list) < 10 || !strings.Contains(rules.list[0].Text, "permit") {
		t.Errorf("policies to show: %+v", rules.list)
	}
}

// Every question we ask must fit the schema, or the validation of the policies
// proves nothing.
func TestQuestionsFitTheSchema(t *testing.T) {
	h := open(t, dbtest.Open(t))
	for _, p := range []Principal{{}, System("cli"), person(Grant{Role: Author, Publisher: "acme"}, Grant{Role: Support, Team: "red"})} {
		for _, r := range []Resource{{}, List("x"), OfHost("x", "y", "studio"), OfExtension("x", "y", "acme.one")} {
			q := h.question(p, r)
			if err := h.rules.validator.Entities(q.entities); err != nil {
				t.Errorf("%+v: %v", r, err)
			}
			for _, scope := range []Scope{"", ScopeRead} {
				if err := h.rules.validator.Request(cedar.Request(q.request(FamilyRead, scope))); err != nil {
					t.Errorf("%+v: %v", r, err)
				}
			}
		}
	}
}

func TestScope(t *testing.T) {
	h := open(t, dbtest.Open(t))
	acme := []eco.ExtensionID{"acme.one", "acme.two"}
	for _, c := range []struct {
		name  string
		p     Principal
		all   bool
		exts  []eco.ExtensionID
		hosts []string
	}{
		{"public", Public(), false, nil, nil},
		{"system", System("jobs"), true, nil, nil},
		{"operator", person(Grant{Role: Operator}), false, nil, nil},
		{"auditor", person(Grant{Role: Auditor}), false, nil, nil},
		{"steward", person(Grant{Role: Steward}), true, nil, nil},
		{"triager", person(Grant{Role: Triager}), true, nil, nil},
		{"support", person(Grant{Role: Support}), true, nil, nil},
		{"author", person(Grant{Role: Author, Publisher: "acme"}), false, acme, nil},
		{"team", person(Grant{Role: Triager, Team: "red"}), false, acme[:1], []string{"studio"}},
		{"empty team", person(Grant{Role: Support, Team: "blue"}), false, nil, nil},
		{"both", person(Grant{Role: Operator}, Grant{Role: Author, Publisher: "acme"}, Grant{Role: Support, Team: "red"}), false, acme, []string{"studio"}},
		{"grants of nobody", Principal{Grants: []Grant{{Role: Steward}}}, false, nil, nil},
	} {
		sc := h.Scope(c.p)
		if !sc.IsSet() || sc.All() != c.all || !slices.Equal(sc.Extensions(), c.exts) || !slices.Equal(sc.Hosts(), c.hosts) {
			t.Errorf("%s: set %v, all %v, %v, %v", c.name, sc.IsSet(), sc.All(), sc.Extensions(), sc.Hosts())
		}
	}
}

func TestLetterScope(t *testing.T) {
	h := open(t, dbtest.Open(t))
	for role, all := range map[Role]bool{Operator: true, Auditor: false, Triager: true, Author: false} {
		g := Grant{Role: role}
		if role == Author {
			g.Publisher = "acme"
		}
		if sc := h.LetterScope(person(g)); !sc.IsSet() || sc.All() != all {
			t.Errorf("%s: all letters %v", role, sc.All())
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	s := &Service{opts: Options{TeamOwns: func(string) ([]eco.ExtensionID, []string) { return []eco.ExtensionID{"acme.one"}, nil }}}
	s.rules, _ = loadPolicies(policyFiles)
	p, r := person(Grant{Role: Author, Publisher: "acme"}, Grant{Role: Triager, Team: "red"}), OfExtension("family", "F", "acme.one")
	for b.Loop() {
		if !s.Authorize(p, FamilyRead, r).Allow {
			b.Fatal("denied")
		}
	}
}
