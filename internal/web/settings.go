package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// settingsShell is what every page of the settings has: its tabs.
type settingsShell struct {
	Shell
	Tabs []tab
}

func (s *Server) settings(r *http.Request, v viewer, at, title string) settingsShell {
	sh := settingsShell{Shell: s.shell(r, v, "settings", title)}
	for _, t := range []struct {
		label, href string
		show        bool
	}{
		{"Profile", "/settings/profile", true},
		{"Notifications", "/settings/notifications", true},
		{"API tokens", "/settings/tokens", s.may(v, account.TokenEdit, account.List("token"))},
		{"Members", "/settings/members", s.may(v, account.AccountRead, account.OfServer("account", ""))},
		{"Register", "/settings/register", s.may(v, account.PublisherRead, account.List("publisher"))},
		{"Routing rules", "/settings/routing", s.may(v, account.RuleRead, account.OfServer("rule", ""))},
		{"Labels", "/settings/labels", s.keepsLabels(v)},
		{"Who may do what", "/settings/permissions", s.may(v, account.PlaybookRead, account.List("playbook"))},
		{"Audit log", "/settings/audit", s.may(v, account.AuditRead, account.OfServer("audit", ""))},
	} {
		if t.show {
			sh.Tabs = append(sh.Tabs, tab{Label: t.label, Href: t.href, Current: t.label == at})
		}
	}
	return sh
}

// profilePage is one's own account.
type profilePage struct {
	settingsShell
	Email    string
	Roles    []string
	Sessions []sessionRow
	Errors   []string
	Build    string
	Given    given
}

type sessionRow struct {
	account.SessionInfo
	Seen, Ends stamp
	This       bool
}

func (s *Server) profile(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showProfile(w, r, v, nil, http.StatusOK)
}

func (s *Server) showProfile(w http.ResponseWriter, r *http.Request, v viewer, errs []string, status int) error {
	p := profilePage{settingsShell: s.settings(r, v, "Profile", "Profile"), Errors: errs, Build: s.o.Build}
	for _, g := range v.p.Grants {
		p.Roles = append(p.Roles, g.String()+": "+g.Role.About())
	}
	me, err := s.o.Accounts.Member(r.Context(), v.p.ID)
	if err != nil {
		return err
	}
	p.Email = me.Email
	list, err := s.o.Accounts.Sessions(r.Context(), v.p)
	if err != nil {
		return err
	}
	for _, x := range list {
		p.Sessions = append(p.Sessions, sessionRow{SessionInfo: x, Seen: v.at(x.LastSeen), Ends: v.at(x.Expires), This: x.ID == v.p.Session})
	}
	if p.Given, err = s.givenTo(r, v, v.p.ID); err != nil {
		return err
	}
	return s.render(w, r, status, "profile", p)
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, v viewer) error {
	if r.PostFormValue("password") != r.PostFormValue("again") {
		return s.showProfile(w, r, v, []string{"The two new passwords differ."}, http.StatusUnprocessableEntity)
	}
	if err := s.o.Accounts.ChangePassword(r.Context(), v.p, r.PostFormValue("old"), r.PostFormValue("password")); err != nil {
		switch fault.CodeOf(err) {
		case fault.Invalid, fault.Forbidden, fault.Unauthenticated, fault.Conflict, fault.RateLimited:
			return s.showProfile(w, r, v, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
		}
		return err
	}
	return redirect(w, r, "/settings/profile?done=password")
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.o.Accounts.EndSession(r.Context(), v.p, r.PathValue("id")); err != nil {
		return err
	}
	return redirect(w, r, "/settings/profile?done=ended")
}

// tokensPage lists one's own API tokens; a new one's secret is shown once.
type tokensPage struct {
	settingsShell
	Rows   []tokenRow
	Scopes []scopeBox
	Label  string
	Secret string
	Errors []string
}

type tokenRow struct {
	account.TokenInfo
	Made, Ends, Used stamp
	Word, Class      string
	Scope            string
}

type scopeBox struct {
	Scope   string
	About   string
	Checked bool
}

var scopeAbout = map[account.Scope]string{
	account.ScopeRead: "whatever you may see", account.ScopeFamilies: "states of crash families", account.ScopeTickets: "answer and sort tickets", account.ScopeSymbols: "upload symbol files: what a build needs",
	account.ScopeRegistry: "extensions, releases, projects, keys", account.ScopeIntake: "replay or discard dead letters", account.ScopePrivacy: "erase and export",
	account.ScopeAudit: "read the audit log", account.ScopeTokens: "make further tokens", account.ScopeAdmin: "accounts and jobs",
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showTokens(w, r, v, tokensPage{}, []account.Scope{account.ScopeRead}, http.StatusOK)
}

func (s *Server) showTokens(w http.ResponseWriter, r *http.Request, v viewer, p tokensPage, ticked []account.Scope, status int) error {
	p.settingsShell = s.settings(r, v, "API tokens", "API tokens")
	list, err := s.o.Accounts.Tokens(r.Context(), v.p)
	if err != nil {
		return err
	}
	for _, t := range list {
		row := tokenRow{TokenInfo: t, Made: v.at(t.Created), Ends: v.at(t.Expires), Used: v.at(t.LastUsed), Word: "active", Class: "ok"}
		if t.Revoked {
			row.Word, row.Class = "revoked", ""
		} else if !t.Expires.IsZero() && t.Expires.Before(v.now) {
			row.Word, row.Class = "ended", ""
		}
		var scopes []string
		for _, x := range t.Scopes {
			scopes = append(scopes, string(x))
		}
		row.Scope = strings.Join(scopes, " ")
		p.Rows = append(p.Rows, row)
	}
	for _, x := range account.Scopes {
		p.Scopes = append(p.Scopes, scopeBox{string(x), scopeAbout[x], slices.Contains(ticked, x)})
	}
	return s.render(w, r, status, "tokens", p)
}

func (s *Server) createToken(w http.ResponseWriter, r *http.Request, v viewer) error {
	p := tokensPage{Label: clip(r.PostFormValue("label"), 64)}
	var scopes []account.Scope
	for _, x := range r.PostForm["scope"] {
		scopes = append(scopes, account.Scope(x))
	}
	_, secret, err := s.o.Accounts.CreateToken(r.Context(), v.p, p.Label, scopes, expiryOf(r, v.now))
	if err != nil {
		if fault.CodeOf(err) != fault.Invalid && fault.CodeOf(err) != fault.Forbidden {
			return err
		}
		p.Errors = []string{fault.TextOf(err)}
		return s.showTokens(w, r, v, p, scopes, http.StatusUnprocessableEntity)
	}
	// No redirect: the secret is shown in this very answer and nowhere else.
	return s.showTokens(w, r, v, tokensPage{Secret: secret}, []account.Scope{account.ScopeRead}, http.StatusCreated)
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.o.Accounts.RevokeToken(r.Context(), v.p, r.PathValue("id")); err != nil {
		return err
	}
	return redirect(w, r, "/settings/tokens?done=revoked")
}

// permissionsPage says who may do what, from the policies themselves.
type permissionsPage struct {
	settingsShell
	Roles    []roleColumn
	Rows     []permRow
	Policies []account.PolicyInfo
}

type roleColumn struct{ Name, About string }

type permRow struct {
	Action, About string
	Cells         []bool
}

func (s *Server) permissions(w http.ResponseWriter, r *http.Request, v viewer) error {
	p := permissionsPage{settingsShell: s.settings(r, v, "Who may do what", "Who may do what"), Policies: s.o.Accounts.Policies()}
	for _, role := range account.Roles {
		p.Roles = append(p.Roles, roleColumn{string(role), role.About()})
	}
	for _, a := range account.ActionList {
		row := permRow{Action: string(a.Action), About: a.About}
		for _, role := range account.Roles {
			g := account.Grant{Role: role}
			if role == account.Author {
				g.Publisher = "some-publisher"
			}
			pr := account.Principal{Kind: account.KindAccount, ID: "somebody", Grants: []account.Grant{g}}
			row.Cells = append(row.Cells, s.o.Accounts.Authorize(pr, a.Action, account.List(a.Noun)).Allow)
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(w, r, http.StatusOK, "permissions", p)
}

// auditPage is the log of who did what, and whether it is as it was written.
type auditPage struct {
	settingsShell
	Rows     []auditRow
	Size     int64
	Root     string
	Verified *verified
	Older    string
	Newest   bool
}

type auditRow struct {
	audit.Record
	When stamp
	Who  string
	Href string
}

type verified struct {
	OK   bool
	Size int64
	Bad  []audit.Bad
}

const auditPerPage = 50

func (s *Server) auditLog(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showAudit(w, r, v, nil)
}

// verifyAudit reads the whole log; it changes nothing, and is a form because it takes a while.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.check(v, account.AuditRead, account.OfServer("audit", "")); err != nil {
		return err
	}
	rep, err := s.o.Audit.Verify(r.Context())
	if err != nil {
		return err
	}
	return s.showAudit(w, r, v, &verified{OK: rep.OK(), Size: rep.Size, Bad: rep.Bad})
}

func (s *Server) showAudit(w http.ResponseWriter, r *http.Request, v viewer, done *verified) error {
	if err := s.check(v, account.AuditRead, account.OfServer("audit", "")); err != nil {
		return err
	}
	ctx := r.Context()
	p := auditPage{settingsShell: s.settings(r, v, "Audit log", "Audit log"), Verified: done}
	size, root, err := s.o.Audit.Head(ctx)
	if err != nil {
		return err
	}
	p.Size, p.Root = size, hexText(root[:])
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	p.Newest = before <= 0
	list, err := s.o.Audit.List(ctx, before, auditPerPage)
	if err != nil {
		return err
	}
	name := s.auditNames(ctx, v)
	for _, x := range list {
		p.Rows = append(p.Rows, auditRow{Record: x, When: v.at(x.At), Who: name(x.Actor), Href: refHref(x.Ref.Kind, x.Ref.ID)})
	}
	if n := len(p.Rows); n == auditPerPage && p.Rows[n-1].N > 0 {
		p.Older = "/settings/audit?before=" + strconv.FormatInt(p.Rows[n-1].N, 10)
	}
	return s.render(w, r, http.StatusOK, "audit", p)
}

// auditNames names actors only to people who may see accounts; an auditor reads ids.
func (s *Server) auditNames(ctx context.Context, v viewer) func(string) string {
	if !s.may(v, account.AccountRead, account.OfServer("account", "")) {
		return actorWord
	}
	name := s.names(ctx)
	return func(actor string) string {
		if strings.HasPrefix(actor, "account:") {
			return name(actor)
		}
		return actorWord(actor)
	}
}

// actorWord is whoever is not a person: a token, or a part of the server.
func actorWord(actor string) string {
	kind, id, _ := strings.Cut(actor, ":")
	switch {
	case kind == "token":
		return "API token " + id
	case kind == "system" && id == "":
		return "the server"
	case kind == "system":
		return "the server, " + id
	}
	return actor
}

func refHref(kind, id string) string {
	switch kind {
	case "family":
		return familyPath(id)
	case "extension":
		return "/extensions/" + id
	case "crash":
		return "/crashes/" + id
	case "account":
		return "/settings/members/" + id
	}
	return ""
}

func hexText(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(b)*2)
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
