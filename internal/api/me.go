package api

import (
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
)

type me struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" doc:"account, or token."`
	Name       string          `json:"name"`
	Email      string          `json:"email"`
	Grants     []account.Grant `json:"grants"`
	Publishers []string        `json:"publishers,omitempty" doc:"The caller is an author of these."`
	Scopes     []account.Scope `json:"scopes,omitempty" doc:"Of the token."`
	Token      string          `json:"token,omitempty" doc:"Id of the token."`
}

type session struct {
	ID       string    `json:"id"`
	Agent    string    `json:"agent"`
	Current  bool      `json:"current,omitempty"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	Expires  time.Time `json:"expires"`
}

type token struct {
	ID       string          `json:"id"`
	Label    string          `json:"label"`
	Scopes   []account.Scope `json:"scopes"`
	Created  time.Time       `json:"created"`
	Expires  time.Time       `json:"expires"`
	LastUsed time.Time       `json:"last_used,omitzero" doc:"To the day."`
	Revoked  bool            `json:"revoked,omitempty"`
	Secret   string          `json:"secret,omitempty" doc:"Shown once, when the token is made."`
}

func tokenOf(t account.TokenInfo, secret string) token {
	return token{t.ID, t.Label, t.Scopes, t.Created, t.Expires, t.LastUsed, t.Revoked, secret}
}

// rights is who may do what, for documents and pages.
type rights struct {
	Roles    []role               `json:"roles"`
	Scopes   []account.Scope      `json:"scopes"`
	Actions  []account.ActionInfo `json:"actions"`
	Policies []account.PolicyInfo `json:"policies"`
}

type role struct {
	Role  account.Role `json:"role"`
	About string       `json:"about"`
}

// BySession names one of the caller's own sessions, tokens and so on in the path.
type BySession struct {
	ID string `path:"id" maxLength:"64"`
}

// mine is a thing of the caller's own account: that it is, the service makes sure.
func mine[I any](kind string) about[I] {
	return func(c *call, _ *I) (account.Resource, error) {
		return account.Resource{Kind: kind, Account: c.p.ID}, nil
	}
}

type passwordBody struct {
	Old string `json:"old" maxLength:"256"`
	New string `json:"new" maxLength:"256"`
}

type newToken struct {
	Label   string          `json:"label" minLength:"1" maxLength:"100" doc:"What it is for."`
	Scopes  []account.Scope `json:"scopes" minItems:"1" maxItems:"20"`
	Expires time.Time       `json:"expires,omitzero" doc:"Within a year; default: in 90 days."`
}

func (s *Server) meRoutes() {
	a := s.o.Accounts
	add(s, op{Method: "GET", Path: "/me", ID: "me.get", Action: account.MeRead, Doc: "Who asks, and with which grants."}, mine[struct{}]("account"),
		func(c *call, _ *struct{}) (me, error) {
			var m account.Account
			var err error
			if c.p.Kind != account.KindSystem {
				m, err = a.Member(c.ctx, c.p.ID)
			}
			out := me{ID: c.p.ID, Kind: c.p.Kind, Name: m.Name, Email: m.Email, Grants: c.p.Grants, Publishers: c.p.Publishers(), Scopes: c.p.Scopes, Token: c.p.TokenID}
			if out.Grants == nil {
				out.Grants = []account.Grant{}
			}
			return out, err
		})
	add(s, op{Method: "GET", Path: "/rights", ID: "rights.get", Action: account.PlaybookRead, Doc: "Who may do what: roles, actions, scopes and policies."}, server[struct{}]("playbook"),
		func(*call, *struct{}) (rights, error) {
			r := rights{Scopes: account.Scopes, Actions: account.ActionList, Policies: a.Policies()}
			for _, x := range account.Roles {
				r.Roles = append(r.Roles, role{x, x.About()})
			}
			return r, nil
		})
	add(s, op{Method: "GET", Path: "/me/sessions", ID: "sessions.list", Action: account.MeRead, Doc: "One's own open sessions."}, mine[struct{}]("session"),
		func(c *call, _ *struct{}) (list[session], error) {
			items, err := a.Sessions(c.ctx, c.p)
			var out []session
			for _, x := range items {
				out = append(out, session{x.ID, x.Agent, x.ID == c.p.Session, x.Created, x.LastSeen, x.Expires})
			}
			return listOf(out, ""), err
		})
	addNone(s, op{Method: "DELETE", Path: "/me/sessions/{id}", ID: "sessions.end", Action: account.MeEdit, Doc: "Ends one of one's own sessions."}, mine[BySession]("session"),
		func(c *call, in *BySession) error { return a.EndSession(c.ctx, c.p, in.ID) })
	type password struct {
		Body passwordBody
	}
	addNone(s, op{Method: "POST", Path: "/me/password", ID: "me.password", Action: account.MeEdit, Secret: true, Doc: "Changes one's own password; other sessions end. Not with a token."}, mine[password]("account"),
		func(c *call, in *password) error { return a.ChangePassword(c.ctx, c.p, in.Body.Old, in.Body.New) })
	s.tokenRoutes()
}

func (s *Server) tokenRoutes() {
	a := s.o.Accounts
	add(s, op{Method: "GET", Path: "/me/tokens", ID: "tokens.list", Action: account.TokenEdit, Doc: "One's own API tokens, newest first."}, mine[struct{}]("token"),
		func(c *call, _ *struct{}) (list[token], error) {
			items, err := a.Tokens(c.ctx, c.p)
			var out []token
			for _, t := range items {
				out = append(out, tokenOf(t, ""))
			}
			return listOf(out, ""), err
		})
	type create struct {
		Body newToken
	}
	add(s, op{Method: "POST", Path: "/me/tokens", ID: "tokens.create", Action: account.TokenEdit, Status: http.StatusCreated, Secret: true, Doc: "Makes an API token; its secret is shown once."}, mine[create]("token"),
		func(c *call, in *create) (token, error) {
			t, secret, err := a.CreateToken(c.ctx, c.p, in.Body.Label, in.Body.Scopes, in.Body.Expires)
			return tokenOf(t, secret), err
		})
	addNone(s, op{Method: "DELETE", Path: "/me/tokens/{id}", ID: "tokens.revoke", Action: account.TokenEdit, Doc: "Revokes one of one's own API tokens."}, mine[BySession]("token"),
		func(c *call, in *BySession) error { return a.RevokeToken(c.ctx, c.p, in.ID) })
}
