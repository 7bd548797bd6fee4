package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/web"
)

// pages puts the page door before the same house.
func (h *house) pages() *web.Server {
	h.t.Helper()
	o := h.o
	plain := false
	s, err := web.New(web.Options{Now: o.Now, Accounts: o.Accounts, Registry: o.Registry, Desk: o.Desk, Triage: o.Triage, Suspects: o.Suspects, Worker: o.Worker, Counts: o.Counts, Facts: o.Facts, Claims: o.Claims,
		Jobs: o.Jobs, Alerts: o.Alerts, Audit: o.Audit, Answers: o.Answers, AddNote: o.AddNote, Base: o.Base, Secure: &plain, Build: "test",
		Intake: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })})
	if err != nil {
		h.t.Fatal(err)
	}
	h.handler = door.Front(s.Handler(), door.FrontOptions{Log: h.o.Log, Now: h.o.Now, Random: func(b []byte) { _, _ = rand.Read(b) }})
	return s
}

// form is what a page's form would send, without what makes it valid where a
// valid one would change the house.
func (h *house) form(route, tenant string) url.Values {
	switch route {
	case "POST /extensions":
		return url.Values{"id": {extensionOf(tenant)}, "name": {"x"}}
	case "POST /extensions/{id}/edit":
		return url.Values{"name": {"x"}, "version": {"99"}}
	case "POST /settings/channels":
		return url.Values{"owner": {"publisher:" + tenant}, "form": {"webhook"}}
	case "POST /projects":
		return url.Values{"extension": {extensionOf(tenant)}}
	case "POST /crashes/state":
		return url.Values{"family": {h.family[tenant]}, "id": {h.family[tenant]}, "state": {"none"}}
	case "POST /families/{id}/apart":
		return url.Values{"other": {h.family[tenant]}}
	case "POST /settings/labels/{id}":
		return url.Values{"into": {"l-none"}, "name": {"x"}}
	case "POST /settings/labels":
		return url.Values{"owner": {tenant}}
	case "POST /settings/register/{kind}":
		return url.Values{"id": {tenant}}
	}
	return url.Values{}
}

// Every page, asked by everybody. People who are not signed in are led to the
// sign-in, which counts as u.
func TestPages(t *testing.T) {
	h := newHouse(t)
	s := h.pages()
	out := newTable(tableHead)
	for _, r := range s.Routes() {
		if r.Public {
			continue
		}
		if _, ok := account.Action(r.Action).Info(); !ok {
			t.Errorf("%s %s names no action of the list: %q", r.Method, r.Pattern, r.Action)
		}
		fmt.Fprintf(out, "%-58s", r.Method+" "+r.Pattern+" "+r.Action)
		for _, a := range askers {
			if a.name == "token" { // pages take cookies only
				fmt.Fprintf(out, " %-8s", "-")
				continue
			}
			who, cell := h.enter(a.name), ""
			for _, tenant := range tenants {
				path := h.path(r.Pattern, tenant, a.name)
				w := h.page(who, r.Method, path, h.form(r.Method+" "+r.Pattern, tenant))
				what := fmt.Sprintf("%s %s as %s", r.Method, path, a.name)
				code := w.Code
				if strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
					code = http.StatusUnauthorized
				}
				l := letterOfStatus(t, what, code, w.Body.String())
				cell += string(l)
				if own := ownOf[a.name]; own != "" && own != tenant && l == 'y' && isTenanted(r.Pattern) && r.Pattern != "/extensions/new" {
					t.Errorf("%s: allowed about another tenant", what)
				}
				if a.name == "public" && l != 'u' {
					t.Errorf("%s: %d for nobody we know", what, w.Code)
				}
				if own := ownOf[a.name]; own == tenant && r.Method == http.MethodGet && l == 'y' {
					other := tenants[0]
					if own == other {
						other = tenants[1]
					}
					for _, secret := range []string{extensionOf(other), h.key[other], h.family[other], h.crash[other], h.letter[other], h.key["studio"]} {
						if strings.Contains(w.Body.String(), secret) {
							t.Errorf("%s: the page names %s", what, secret)
						}
					}
				}
			}
			fmt.Fprintf(out, " %-8s", cell)
		}
		out.WriteByte('\n')
	}
	out.check(t, "testdata/pages.txt")
}

func (h *house) page(who, method, path string, form url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if who != "" {
		r.AddCookie(&http.Cookie{Name: "bellwether", Value: who})
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// Every door together on one mux: no two patterns get in each other's way, and
// each route either names an action or is public.
func TestDoorsFitTogether(t *testing.T) {
	h := newHouse(t)
	mux := http.NewServeMux()
	in := ingest.New(ingest.Options{Registry: h.o.Registry, Now: h.o.Now})
	for _, routes := range [][]door.Route{h.Routes(), h.pages().Routes(), in.Routes()} {
		door.Mount(mux, routes)
		for _, r := range routes {
			_, known := account.Action(r.Action).Info()
			if !known && !(r.Public && r.Action == "") {
				t.Errorf("%s %s: action %q, public %v", r.Method, r.Pattern, r.Action, r.Public)
			}
		}
	}
	for _, r := range in.Routes() {
		if !r.Public {
			t.Errorf("%s: clients have no account", r.Pattern)
		}
	}
	mux.Handle(prefix+"/", h.Server)
}
