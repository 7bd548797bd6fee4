package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
)

type member struct {
	ID       string          `json:"id"`
	Email    string          `json:"email"`
	Name     string          `json:"name"`
	Grants   []account.Grant `json:"grants"`
	Disabled bool            `json:"disabled,omitempty"`
	Created  time.Time       `json:"created"`
	LastSeen time.Time       `json:"last_seen,omitzero" doc:"Day of the last sign-in."`
}

func memberOf(a account.Account) member {
	m := member{a.ID, a.Email, a.Name, a.Grants, a.Disabled, a.Created, a.LastSeen}
	if m.Grants == nil {
		m.Grants = []account.Grant{}
	}
	return m
}

type invitation struct {
	ID      string          `json:"id"`
	Email   string          `json:"email"`
	Name    string          `json:"name,omitempty"`
	Grants  []account.Grant `json:"grants"`
	Created time.Time       `json:"created"`
	Expires time.Time       `json:"expires"`
	Link    string          `json:"link,omitempty" doc:"The one-time link to hand over; shown once."`
	Mailed  bool            `json:"mailed,omitempty" doc:"A mail with the link is on its way."`
}

// link is a one-time link to hand over.
type link struct {
	Link    string    `json:"link" doc:"Shown once."`
	Mailed  bool      `json:"mailed,omitempty" doc:"A mail with the link is on its way."`
	Expires time.Time `json:"expires"`
}

type grantsBody struct {
	Grants []account.Grant `json:"grants" maxItems:"64"`
}

type newInvitation struct {
	Email  string          `json:"email" maxLength:"254"`
	Name   string          `json:"name,omitempty" maxLength:"100"`
	Grants []account.Grant `json:"grants" maxItems:"64"`
}

// oneTime writes a one-time link of the pages.
func (s *Server) oneTime(c *call, page, token string) string {
	base := s.o.Base
	if base == nil {
		base, _ = c.ctx.Value(baseKey{}).(*url.URL)
	}
	if base == nil {
		return page + "?token=" + token
	}
	return base.JoinPath(page).String() + "?token=" + token
}

// ByMember names an account in the path.
type ByMember struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) memberRoutes() {
	a := s.o.Accounts
	add(s, op{Method: "GET", Path: "/members", ID: "members.list", Action: account.AccountRead, Doc: "Accounts with their grants."}, server[Paging]("account"),
		func(c *call, in *Paging) (list[member], error) {
			items, next, err := a.Members(c.ctx, in.Cursor, in.Limit)
			var out []member
			for _, m := range items {
				out = append(out, memberOf(m))
			}
			return listOf(out, next), err
		})
	get := func(c *call, in *ByMember) (member, error) {
		m, err := a.Member(c.ctx, in.ID)
		return memberOf(m), err
	}
	add(s, op{Method: "GET", Path: "/members/{id}", ID: "members.get", Action: account.AccountRead, Doc: "One account."}, server[ByMember]("account"), get)
	type grants struct {
		ByMember
		Body grantsBody
	}
	add(s, op{Method: "PUT", Path: "/members/{id}/grants", ID: "members.grants", Action: account.AccountEdit, Doc: "Replaces an account's grants."}, server[grants]("account"),
		func(c *call, in *grants) (member, error) {
			if err := a.SetGrants(c.ctx, c.p, in.ID, in.Body.Grants); err != nil {
				return member{}, err
			}
			return get(c, &in.ByMember)
		})
	for _, x := range []struct {
		word string
		off  bool
		doc  string
	}{{"disable", true, "Ends an account's sessions and keeps it and its tokens from being used."}, {"enable", false, "Lets a disabled account sign in again."}} {
		add(s, op{Method: "POST", Path: "/members/{id}/" + x.word, ID: "members." + x.word, Action: account.AccountEdit, Doc: x.doc}, server[ByMember]("account"),
			func(c *call, in *ByMember) (member, error) {
				if err := a.Disable(c.ctx, c.p, in.ID, x.off); err != nil {
					return member{}, err
				}
				return get(c, in)
			})
	}
	add(s, op{Method: "POST", Path: "/members/{id}/reset-link", ID: "members.reset", Action: account.AccountEdit, Status: http.StatusCreated, Secret: true, Doc: "Makes a one-time link that sets a new password."}, server[ByMember]("account"),
		func(c *call, in *ByMember) (link, error) {
			token, err := a.ResetLink(c.ctx, c.p, in.ID)
			if err != nil {
				return link{}, err
			}
			return s.resetMade(c, in.ID, token)
		})
	addNone(s, op{Method: "DELETE", Path: "/members/{id}", ID: "members.forget", Action: account.AccountEdit, Doc: "Takes a person out of an account for good; the id stays for the log."}, server[ByMember]("account"),
		func(c *call, in *ByMember) error { return a.Forget(c.ctx, c.p, in.ID) })
	s.invitationRoutes()
}

func (s *Server) invitationRoutes() {
	a := s.o.Accounts
	viewOf := func(i account.Invitation, link string) invitation {
		v := invitation{i.ID, i.Email, i.Name, i.Grants, i.Created, i.Expires, link, false}
		if v.Grants == nil {
			v.Grants = []account.Grant{}
		}
		return v
	}
	add(s, op{Method: "GET", Path: "/invitations", ID: "invitations.list", Action: account.AccountRead, Doc: "Open invitations, newest first."}, server[struct{}]("account"),
		func(c *call, _ *struct{}) (list[invitation], error) {
			items, err := a.Invitations(c.ctx)
			var out []invitation
			for _, i := range items {
				out = append(out, viewOf(i, ""))
			}
			return listOf(out, ""), err
		})
	type invite struct {
		Body newInvitation
	}
	add(s, op{Method: "POST", Path: "/invitations", ID: "invitations.create", Action: account.AccountEdit, Status: http.StatusCreated, Secret: true, Doc: "Invites a person; the link is shown once, to be handed over."}, server[invite]("account"),
		func(c *call, in *invite) (invitation, error) {
			i, token, err := a.Invite(c.ctx, c.p, in.Body.Email, in.Body.Name, in.Body.Grants)
			if err != nil {
				return invitation{}, err
			}
			return s.invited(c, viewOf(i, s.oneTime(c, "/invitation", token)), token)
		})
	add(s, op{Method: "POST", Path: "/invitations/{id}/renew", ID: "invitations.renew", Action: account.AccountEdit, Status: http.StatusCreated, Secret: true, Doc: "Makes a new link for an open invitation, and mails it when mail is configured; the one before ends."}, server[ByMember]("account"),
		func(c *call, in *ByMember) (invitation, error) {
			i, token, err := a.Renew(c.ctx, c.p, in.ID)
			if err != nil {
				return invitation{}, err
			}
			return s.invited(c, viewOf(i, s.oneTime(c, "/invitation", token)), token)
		})
	addNone(s, op{Method: "DELETE", Path: "/invitations/{id}", ID: "invitations.withdraw", Action: account.AccountEdit, Doc: "Ends an open invitation."}, server[ByMember]("account"),
		func(c *call, in *ByMember) error { return a.Withdraw(c.ctx, c.p, in.ID) })
}
