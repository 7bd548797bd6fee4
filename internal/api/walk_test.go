package api

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/registry"
)

var update = flag.Bool("update", false, "rewrite testdata")

// The test walks every route as every role, about a thing of one's own tenant
// (acme) and about another's (zeta), and keeps the answers in a table: y allowed,
// f forbidden, h hidden (not_found), u please sign in. A new route is a new line;
// a changed letter is a changed promise.

// askers are who asks, in the order of the table. Those of one tenant are acme's,
// but for the two that are there to see nothing of it.
var askers = []struct {
	name   string
	grants []account.Grant
}{
	{"public", nil},
	{"nobody", []account.Grant{}},
	{"operator", []account.Grant{{Role: account.Operator}}},
	{"acme", []account.Grant{{Role: account.Author, Publisher: "acme"}}},
	{"zeta", []account.Grant{{Role: account.Author, Publisher: "zeta"}}},
	{"red", []account.Grant{{Role: account.Triager, Team: "red"}}},
	{"blue", []account.Grant{{Role: account.Support, Team: "blue"}}},
	{"triager", []account.Grant{{Role: account.Triager}}},
	{"support", []account.Grant{{Role: account.Support}}},
	{"steward", []account.Grant{{Role: account.Steward}}},
	{"auditor", []account.Grant{{Role: account.Auditor}}},
	{"token", []account.Grant{{Role: account.Author, Publisher: "acme"}}}, // with the scope read only
}

var tenants = []string{"acme", "zeta"}

// ownOf says which tenant an asker belongs to; "" = none.
var ownOf = map[string]string{"acme": "acme", "red": "acme", "token": "acme", "zeta": "zeta", "blue": "zeta"}

func extensionOf(tenant string) string {
	return map[string]string{"acme": "acme.theme", "zeta": "zeta.lint"}[tenant]
}
func teamOf(tenant string) string { return map[string]string{"acme": "red", "zeta": "blue"}[tenant] }

// enter signs an asker in.
func (h *house) enter(name string) string {
	h.t.Helper()
	for _, a := range askers {
		if a.name != name || a.grants == nil {
			continue
		}
		session := h.as(name, a.grants...)
		if name != "token" {
			return session
		}
		if h.secret == "" {
			_, secret, err := h.o.Accounts.CreateToken(h.t.Context(), h.people[name].Principal, "reader", []account.Scope{account.ScopeRead}, h.now.AddDate(0, 0, 30))
			if err != nil {
				h.t.Fatal(err)
			}
			h.secret = secret
		}
		return h.secret
	}
	return ""
}

// tenanted are the beginnings of routes about a thing that belongs to a tenant.
var tenanted = []string{"/extensions/{id}", "/publishers/{id}", "/teams/{id}", "/projects/{id}", "/keys/{key}", "/families/{id}", "/crashes/{id}", "/channels/{id}", "/settings/channels/{id}", "/intake/letters/{id}", "/symbols/{id}"}

func isTenanted(pattern string) bool {
	for _, t := range tenanted {
		if strings.HasPrefix(pattern, t) && pattern != "/extensions/import" {
			return true
		}
	}
	return false
}

// path fills the wildcards of a pattern (below the prefix) with a tenant's things.
func (h *house) path(pattern, tenant, asker string) string {
	h.t.Helper()
	ctx := h.t.Context()
	first, _, _ := strings.Cut(strings.TrimPrefix(pattern, "/"), "/{")
	id := ""
	switch first {
	case "extensions", "crashes", "families", "intake/letters", "publishers", "teams", "projects", "hosts":
		id = map[string]string{"extensions": extensionOf(tenant), "crashes": h.crash[tenant], "families": h.family[tenant], "intake/letters": h.letter[tenant],
			"publishers": tenant, "teams": teamOf(tenant), "projects": fmt.Sprint(h.project[tenant]), "hosts": "studio"}[first]
	case "members", "settings/members":
		h.as("victim")
		id = h.people["victim"].Principal.ID
	case "invitations", "settings/invitations":
		inv, _, err := h.o.Accounts.Invite(ctx, account.System("test"), "invited@example.org", "", nil)
		if err != nil {
			h.t.Fatal(err)
		}
		id = inv.ID
	case "me/sessions", "settings/profile/sessions", "me/tokens", "settings/tokens":
		id = h.mineOrNot(first, tenant, asker)
	case "settings/register":
		id = "publisher"
	case "claims":
		id = h.claim(tenant, asker)
	case "symbols":
		id = h.symbolOf(tenant, strings.HasSuffix(pattern, "/restore"))
	case "channels", "settings/channels":
		id = h.aChannel(tenant)
	case "deliveries", "settings/deliveries", "comments", "filters", "crashes/filters":
		id = "none"
	case "labels", "settings/labels":
		id = h.aLabel(tenant)
	case "receipts", "fixed":
		id = "0"
	}
	return strings.NewReplacer("{id}", id, "{key}", h.key[tenant], "{version}", "1.0.0", "{n}", "0", "{other}", h.family[tenant], "{name}", "sweep", "{kind}", id, "{$}", "", "{file}", "none.css").Replace(pattern)
}

// mineOrNot makes a session or token: the asker's own for acme, somebody else's for zeta.
func (h *house) mineOrNot(what, tenant, asker string) string {
	h.t.Helper()
	name := asker
	if tenant == "zeta" || h.people[name].Token == "" {
		name = "victim"
		h.as(name)
	}
	if strings.HasSuffix(what, "tokens") {
		info, _, err := h.o.Accounts.CreateToken(h.t.Context(), h.people[name].Principal, "x", []account.Scope{account.ScopeRead}, h.now.AddDate(0, 0, 1))
		if err != nil {
			h.t.Fatal(err)
		}
		return info.ID
	}
	in, err := h.o.Accounts.SignIn(h.t.Context(), account.SignInRequest{Email: name + "@example.org", Password: password})
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Principal.Session
}

// aLabel is a label of a tenant, made when it is not there.
func (h *house) aLabel(tenant string) string {
	h.t.Helper()
	h.as("keeper", account.Grant{Role: account.Author, Publisher: "acme"}, account.Grant{Role: account.Author, Publisher: "zeta"})
	p := h.people["keeper"].Principal
	list, err := h.o.Triage.Labels(h.t.Context(), p)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range list {
		if l.Owner == tenant {
			return l.ID
		}
	}
	l, err := h.o.Triage.PutLabel(h.t.Context(), p, triage.Label{Owner: tenant, Name: "walked"})
	if err != nil {
		h.t.Fatal(err)
	}
	return l.ID
}

// claim opens a claim: the asker's own for acme, somebody else's for zeta.
func (h *house) claim(tenant, asker string) string {
	h.t.Helper()
	if tenant == "zeta" || h.people[asker].Principal.ID == "" {
		asker = "victim"
		h.as(asker)
	}
	if _, err := h.o.Registry.Extension(h.t.Context(), "free.thing"); err != nil { // neither tenant's
		if _, err := h.o.Registry.PutPublisher(h.t.Context(), "system:test", registry.Publisher{ID: "free", Name: "Free"}); err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.o.Registry.PutExtension(h.t.Context(), "system:test", registry.Extension{ID: "free.thing", Kind: registry.VSCode, Name: "Thing"}); err != nil {
			h.t.Fatal(err)
		}
	}
	id := h.people[asker].Principal.ID
	open, err := h.o.Registry.Claims(h.t.Context(), id)
	for _, c := range open {
		_ = h.o.Registry.Withdraw(h.t.Context(), "system:test", id, c.ID)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := h.o.Registry.NewClaim(h.t.Context(), "system:test", registry.Claim{Extension: "free.thing", Publisher: "newcomer", Account: id, Method: registry.ByList})
	if err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

// body is a request body that passes every check of form, so that the answer is
// that of the policies; most are refused afterwards, as out of date.
func (h *house) body(route, tenant string) string {
	ext := extensionOf(tenant)
	switch route {
	case "POST /extensions":
		return `{"id":"` + ext + `","name":"x"}`
	case "POST /extensions/import":
		return `[]`
	case "PUT /extensions/{id}", "PUT /publishers/{id}", "PUT /hosts/{id}", "PUT /teams/{id}":
		return `{"name":"x"}`
	case "POST /projects/{id}/held":
		return `{"do":"discard","before":"2001-01-01T00:00:00Z"}`
	case "PUT /families/{id}/answer":
		return `{"version":99}`
	case "POST /receipts/{id}/notes":
		return `{"message":"x","agree":true}`
	case "PUT /projects/{id}/dumps":
		return `{"days":3}`
	case "PUT /projects/{id}":
		return `{"name":"x"}`
	case "PUT /projects/{id}/policy":
		return `{"tiers":["crash"],"text":"May we?","asked_by":"host"}`
	case "PUT /extensions/{id}/releases/{version}", "PUT /hosts/{id}/releases/{version}", "POST /projects/{id}/keys", "PUT /keys/{key}":
		return `{}`
	case "POST /keys/{key}/rotate":
		return `{"old_ends":"2001-01-01T00:00:00Z"}`
	case "POST /projects":
		return `{"extension":"` + ext + `","name":"x","policy":{"tiers":["crash"]}}`
	case "POST /families/{id}/state":
		return `{"state":"open"}`
	case "POST /families/{id}/comments", "PUT /comments/{id}":
		return `{"text":"Look at this."}`
	case "POST /families/triage":
		return `{"families":["` + h.family[tenant] + `"],"watch":"on"}`
	case "POST /labels":
		return `{"name":"x","owner":"` + tenant + `"}`
	case "POST /labels/{id}/merge":
		return `{"into":"l-none"}`
	case "PUT /families/{id}/apart/{other}":
		return `{}`
	case "POST /families/{id}/merge":
		return `{"families":["` + h.family[tenant] + `"]}`
	case "POST /families/{id}/priority":
		return `{"priority":"P1","reason":"x"}`
	case "POST /families/{id}/split":
		return `{"containing":"zzzz"}`
	case "POST /families/{id}/undo":
		c, err := h.o.Desk.SetState(h.t.Context(), facts.Everything(), crash.Decision{Family: h.family[tenant], To: crash.Ignored, Actor: "system:test"})
		if err != nil {
			h.t.Fatal(err)
		}
		return `{"change":"` + c.ID + `"}`
	case "POST /facts/query":
		return `{"measures":[{"fn":"count"}],"where":[{"column":"extension","op":"in","values":["` + ext + `"]}]}`
	case "POST /me/password":
		return `{"old":"not this one","new":"` + password + `!"}`
	case "POST /me/tokens":
		return `{"label":"x","scopes":["read"]}`
	case "PUT /me/notifications":
		return `{"modes":{},"zone":"UTC","quiet_from":"00:00","quiet_to":"00:00","digest_at":"09:00","digest_day":1,"installs":1}`
	case "POST /channels":
		return `{"name":"x","form":"webhook","publisher":"` + tenant + `","url":"ftp://x","kinds":["family.new"]}`
	case "PUT /channels/{id}":
		return `{"name":"x","kinds":["family.new"]}`
	case "POST /claims":
		return `{"extension":"free.thing","publisher":"newcomer","method":"list"}`
	case "PUT /extensions/{id}/listed-owners":
		return `{"emails":[]}`
	case "POST /invitations":
		return `{"email":"another@example.org","grants":[]}`
	case "PUT /members/{id}/grants":
		return `{"grants":[]}`
	}
	return ""
}

func letterOfStatus(t *testing.T, what string, code int, body string) byte {
	t.Helper()
	switch {
	case code == http.StatusUnauthorized:
		return 'u'
	case code == http.StatusForbidden:
		return 'f'
	case code == http.StatusNotFound:
		return 'h'
	case code >= 500 || code == http.StatusTooManyRequests:
		t.Errorf("%s: %d %s", what, code, body)
		return '!'
	}
	return 'y'
}

// table writes and compares a table of letters.
type table struct{ bytes.Buffer }

func newTable(head string) *table {
	t := &table{}
	fmt.Fprintf(t, "%s\n%-58s", head, "route, action")
	for _, a := range askers {
		fmt.Fprintf(t, " %-8s", a.name)
	}
	t.WriteByte('\n')
	return t
}

func (tb *table) check(t *testing.T, file string) {
	t.Helper()
	var lines []string
	for l := range strings.Lines(tb.String()) {
		lines = append(lines, strings.TrimRight(l, " \n"))
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("the answers changed (-update writes them):\n%s", d)
	}
}

const tableHead = "# Who gets what: about a thing of acme (team red) and about one of zeta (team blue).\n# y allowed, f forbidden, h hidden (not_found), u please sign in. Asker token is an author of acme with the scope read."

func TestRoutes(t *testing.T) {
	h := newHouse(t)
	out := newTable(tableHead)
	for _, r := range h.Routes() {
		pattern := strings.TrimPrefix(r.Pattern, prefix)
		fmt.Fprintf(out, "%-58s", r.Method+" "+pattern+" "+r.Action)
		for _, a := range askers {
			who := h.enter(a.name)
			cell := ""
			for _, tenant := range tenants {
				path := prefix + h.path(pattern, tenant, a.name)
				w := h.ask(who, r.Method, path, h.body(r.Method+" "+pattern, tenant))
				what := fmt.Sprintf("%s %s as %s", r.Method, path, a.name)
				l := letterOfStatus(t, what, w.Code, w.Body.String())
				cell += string(l)
				if own := ownOf[a.name]; own != "" && own != tenant && isTenanted(pattern) && l == 'y' {
					t.Errorf("%s: allowed about another tenant", what)
				}
				if a.name == "public" && !r.Public && l != 'u' {
					t.Errorf("%s: %d for nobody we know", what, w.Code)
				}
				if r.Method == http.MethodDelete && w.Code < 300 {
					h.restore(pattern, tenant)
				}
			}
			fmt.Fprintf(out, " %-8s", cell)
		}
		out.WriteByte('\n')
		h.windows = newWindows()
	}
	out.check(t, "testdata/routes.txt")
}

// restore puts back what a DELETE took out.
func (h *house) restore(pattern, tenant string) {
	h.t.Helper()
	switch pattern {
	case "/teams/{id}":
		_, err := h.o.Registry.PutTeam(h.t.Context(), "system:test", registry.Team{ID: teamOf(tenant), Name: "Team", Extensions: []eco.ExtensionID{eco.ExtensionID(extensionOf(tenant))}})
		if err != nil {
			h.t.Fatal(err)
		}
	case "/intake/letters/{id}":
		h.spoil(tenant)
	}
}
