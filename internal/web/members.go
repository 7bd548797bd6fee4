package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// membersPage lists people and open invitations.
type membersPage struct {
	settingsShell
	Rows    []memberRow
	Invited []invitedRow
	Next    string
	CanEdit bool
	Form    inviteForm
}

type memberRow struct {
	account.Account
	Roles string
	Seen  stamp
	Me    bool
}

type invitedRow struct {
	account.Invitation
	Roles string
	Until stamp
	Mail  string // what became of its mail; "" = there was none
}

type inviteForm struct {
	Email, Name string
	Roles       roleForm
	Link        string // of the invitation just made; shown once
	Mailed      string // the address that the link went to; "" = it is to be handed over
	Errors      []string
}

// roleForm are the boxes of grants, in an invitation and on a member's page.
type roleForm struct {
	Boxes      []roleBox
	Publishers []option
	Teams      []option
}

type roleBox struct {
	Role, About string
	Checked     bool
}

func (s *Server) roleForm(gs []account.Grant) roleForm {
	var f roleForm
	for _, r := range account.Roles {
		f.Boxes = append(f.Boxes, roleBox{string(r), r.About(), slices.ContainsFunc(gs, func(g account.Grant) bool { return g.Role == r })})
	}
	if snap := s.o.Registry.Snapshot(); snap != nil {
		for id, p := range snap.Publishers {
			f.Publishers = append(f.Publishers, option{id, p.Name, slices.ContainsFunc(gs, func(g account.Grant) bool { return g.Publisher == id })})
		}
		for id, t := range snap.Teams {
			f.Teams = append(f.Teams, option{id, t.Name, slices.ContainsFunc(gs, func(g account.Grant) bool { return g.Team == id })})
		}
	}
	byLabel := func(a, b option) int { return strings.Compare(a.Label, b.Label) }
	slices.SortFunc(f.Publishers, byLabel)
	slices.SortFunc(f.Teams, byLabel)
	return f
}

// grantsOf reads the boxes. The publisher goes with author, the team with triager and support.
func grantsOf(r *http.Request) []account.Grant {
	if r.ParseForm() != nil {
		return nil
	}
	var out []account.Grant
	for _, role := range r.PostForm["role"] {
		switch g := (account.Grant{Role: account.Role(role)}); g.Role {
		case account.Author:
			for _, p := range r.PostForm["publisher"] {
				if p != "" {
					out = append(out, account.Grant{Role: g.Role, Publisher: p})
				}
			}
			if len(r.PostForm["publisher"]) == 0 || r.PostForm["publisher"][0] == "" {
				out = append(out, g)
			}
		case account.Triager, account.Support:
			g.Team = r.PostFormValue("team")
			out = append(out, g)
		default:
			out = append(out, g)
		}
	}
	return out
}

func (s *Server) members(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showMembers(w, r, v, inviteForm{Roles: s.roleForm(nil)}, http.StatusOK)
}

const membersPerPage = 100

func (s *Server) showMembers(w http.ResponseWriter, r *http.Request, v viewer, f inviteForm, status int) error {
	if err := s.check(v, account.AccountRead, account.OfServer("account", "")); err != nil {
		return err
	}
	p := membersPage{settingsShell: s.settings(r, v, "Members", "Members"), Form: f, CanEdit: s.may(v, account.AccountEdit, account.OfServer("account", ""))}
	list, next, err := s.o.Accounts.Members(r.Context(), r.URL.Query().Get("after"), membersPerPage)
	if err != nil {
		return err
	}
	for _, a := range list {
		p.Rows = append(p.Rows, memberRow{Account: a, Roles: rolesText(a.Grants), Seen: v.at(a.LastSeen), Me: a.ID == v.p.ID})
	}
	if next != "" {
		p.Next = "/settings/members?after=" + next
	}
	if p.CanEdit {
		open, err := s.o.Accounts.Invitations(r.Context())
		if err != nil {
			return err
		}
		for _, i := range open {
			mail, err := s.mailState(r, i.ID)
			if err != nil {
				return err
			}
			p.Invited = append(p.Invited, invitedRow{i, rolesText(i.Grants), v.at(i.Expires), mail})
		}
	}
	return s.render(w, r, status, "members", p)
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.check(v, account.AccountEdit, account.OfServer("account", "")); err != nil {
		return err
	}
	grants := grantsOf(r)
	f := inviteForm{Email: clip(r.PostFormValue("email"), 254), Name: clip(r.PostFormValue("name"), 100), Roles: s.roleForm(grants)}
	inv, token, err := s.o.Accounts.Invite(r.Context(), v.p, f.Email, f.Name, grants)
	if err != nil {
		switch fault.CodeOf(err) {
		case fault.Invalid, fault.Conflict, fault.Forbidden:
			f.Errors = []string{fault.TextOf(err)}
			return s.showMembers(w, r, v, f, http.StatusUnprocessableEntity)
		}
		return err
	}
	return s.invited(w, r, v, inv, token)
}

func (s *Server) withdraw(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.check(v, account.AccountEdit, account.OfServer("account", "")); err != nil {
		return err
	}
	if r.PostFormValue("do") == "renew" {
		inv, token, err := s.o.Accounts.Renew(r.Context(), v.p, r.PathValue("id"))
		if err != nil {
			return err
		}
		return s.invited(w, r, v, inv, token)
	}
	if err := s.o.Accounts.Withdraw(r.Context(), v.p, r.PathValue("id")); err != nil {
		return err
	}
	return redirect(w, r, "/settings/members?done=withdrawn")
}

// memberPage is one account as an operator sees it.
type memberPage struct {
	settingsShell
	A       account.Account
	Roles   roleForm
	Seen    stamp
	Made    stamp
	Me      bool
	CanEdit bool
	Link    string // a reset link just made; shown once
	Mailed  string // the address that it went to; "" = it is to be handed over
	Mail    string // what became of the last mail with such a link
	Errors  []string
	Given   given
}

func (s *Server) member(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showMember(w, r, v, memberPage{}, http.StatusOK)
}

func (s *Server) showMember(w http.ResponseWriter, r *http.Request, v viewer, p memberPage, status int) error {
	if err := s.check(v, account.AccountRead, account.OfServer("account", r.PathValue("id"))); err != nil {
		return err
	}
	a, err := s.o.Accounts.Member(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	p.settingsShell = s.settings(r, v, "Members", a.Name)
	p.Shell.Crumbs = []crumb{{"Settings", "/settings"}, {"Members", "/settings/members"}}
	p.A, p.Roles, p.Seen, p.Made, p.Me = a, s.roleForm(a.Grants), v.at(a.LastSeen), v.at(a.Created), a.ID == v.p.ID
	p.CanEdit = s.may(v, account.AccountEdit, account.OfServer("account", a.ID))
	if p.CanEdit {
		if p.Mail, err = s.mailState(r, a.ID); err != nil {
			return err
		}
	}
	if p.Given, err = s.givenTo(r, v, a.ID); err != nil {
		return err
	}
	return s.render(w, r, status, "member", p)
}

func (s *Server) changeMember(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	if err := s.check(v, account.AccountEdit, account.OfServer("account", id)); err != nil {
		return err
	}
	var err error
	switch r.PostFormValue("do") {
	case "grants":
		err = s.o.Accounts.SetGrants(r.Context(), v.p, id, grantsOf(r))
	case "disable":
		err = s.o.Accounts.Disable(r.Context(), v.p, id, true)
	case "enable":
		err = s.o.Accounts.Disable(r.Context(), v.p, id, false)
	case "reset":
		token, rerr := s.o.Accounts.ResetLink(r.Context(), v.p, id)
		if rerr == nil {
			return s.resetMade(w, r, v, id, token)
		}
		err = rerr
	default:
		err = fault.E("web.member", fault.Invalid, "Choose what to change.", nil)
	}
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, "/settings/members/"+id+"?done=saved")
	case fault.Invalid, fault.Conflict, fault.Forbidden:
		return s.showMember(w, r, v, memberPage{Errors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	}
	return err
}
