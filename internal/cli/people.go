package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/fault"
)

type userCmd struct {
	List   userListCmd   `cmd:"" help:"List accounts."`
	Invite userInviteCmd `cmd:"" help:"Make a one-time link for a new account."`
	Add    userAddCmd    `cmd:"" help:"Make an account at once, with a password from standard input (data folder only)."`
	Reset  userResetCmd  `cmd:"" help:"Make a one-time link that sets a new password."`
}

// member is an account as the API shows it.
type member struct {
	ID       string          `json:"id"`
	Email    string          `json:"email"`
	Name     string          `json:"name"`
	Grants   []account.Grant `json:"grants"`
	Disabled bool            `json:"disabled"`
}

type userListCmd struct{ target }

func (u *userListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return u.with(ctx, k, c, func(cl *client) error {
		list, err := every[member](ctx, cl, "/members")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range list {
			state := ""
			if m.Disabled {
				state = "disabled"
			}
			rows = append(rows, []string{m.ID, m.Email, m.Name, grantWords(m.Grants), state})
		}
		return cl.table("ACCOUNT\tE-MAIL\tNAME\tROLES\tSTATE", rows, "No account yet. Start the server and open its set-up link, or `bellwether user add`.")
	})
}

func grantWords(list []account.Grant) string {
	words := make([]string, len(list))
	for i, g := range list {
		words[i] = g.String()
	}
	return strings.Join(words, ", ")
}

// parseGrants reads ROLE, author:PUBLISHER, triager:TEAM and support:TEAM.
func parseGrants(list []string) []account.Grant {
	grants := make([]account.Grant, 0, len(list))
	for _, s := range list {
		role, of, _ := strings.Cut(s, ":")
		g := account.Grant{Role: account.Role(role)}
		if g.Role == account.Author {
			g.Publisher = of
		} else {
			g.Team = of
		}
		grants = append(grants, g)
	}
	return grants
}

// publishersExist finds a publisher that is misspelt before somebody is made its author.
func publishersExist(grants []account.Grant, look func(id string) error) error {
	for _, g := range grants {
		if g.Publisher == "" {
			continue
		}
		if err := look(g.Publisher); fault.CodeOf(err) == fault.NotFound {
			return fault.E("cli", fault.NotFound, "There is no publisher "+g.Publisher+". `bellwether publisher list` names them.", nil)
		} else if err != nil {
			return err
		}
	}
	return nil
}

type userInviteCmd struct {
	target
	Email string   `arg:"" help:"E-mail address."`
	Name  string   `help:"Name."`
	Role  []string `help:"operator, author:PUBLISHER, triager[:TEAM], support[:TEAM], steward, auditor." required:""`
}

func (u *userInviteCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	grants := parseGrants(u.Role)
	return u.with(ctx, k, c, func(cl *client) error {
		var out struct {
			Link    string    `json:"link"`
			Expires time.Time `json:"expires"`
		}
		if err := publishersExist(grants, func(id string) error {
			return cl.quiet().call(ctx, http.MethodGet, "/publishers/"+url.PathEscape(id), nil, nil)
		}); err != nil {
			return err
		}
		in := map[string]any{"email": u.Email, "name": u.Name, "grants": grants}
		if err := cl.call(ctx, http.MethodPost, "/invitations", in, &out); err != nil {
			return err
		}
		cl.say("Hand this link over; it works once, until %s:\n  %s", out.Expires.UTC().Format(time.RFC3339), out.Link)
		return nil
	})
}

type userAddCmd struct {
	settings
	Email string   `arg:"" help:"E-mail address."`
	Name  string   `help:"Name; default: the address."`
	Role  []string `help:"As for invite; the first account holds every role." default:"operator"`
}

func (u *userAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	o, err := u.resolve(k)
	if err != nil {
		return err
	}
	r, err := app.OpenRecords(ctx, o, c.logger(o))
	if err != nil {
		return err
	}
	defer r.Close()
	grants := parseGrants(u.Role)
	if err := publishersExist(grants, func(id string) error { _, err := r.Registry.Publisher(ctx, id); return err }); err != nil {
		return err
	}
	password, err := firstLine(c.in)
	if err != nil {
		return err
	}
	n := account.NewAccount{Email: u.Email, Name: orElse(u.Name, u.Email), Password: password, Agent: "command line"}
	token, first, err := r.Accounts.SetupLink(ctx)
	if err != nil {
		return err
	}
	made := account.SignedIn{}
	if first {
		made, err = r.Accounts.SetUp(ctx, token, n)
	} else if _, token, err = r.Accounts.Invite(ctx, account.System("cli"), u.Email, n.Name, grants); err == nil {
		made, err = r.Accounts.Accept(ctx, token, n)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Account %s is made: %s\n", made.Principal.ID, grantWords(made.Principal.Grants))
	return r.Accounts.SignOut(ctx, made.Token)
}

// firstLine reads a password from standard input.
func firstLine(in io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(in, 1024))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fault.E("cli", fault.Invalid, "The password is read from standard input: echo … | bellwether user add …", nil)
	}
	return line, nil
}

type userResetCmd struct {
	target
	Who string `arg:"" help:"E-mail address or account id."`
}

func (u *userResetCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return u.with(ctx, k, c, func(cl *client) error {
		list, err := every[member](ctx, cl.quiet(), "/members")
		if err != nil {
			return err
		}
		for _, m := range list {
			if m.ID != u.Who && !strings.EqualFold(m.Email, u.Who) {
				continue
			}
			var out struct {
				Link string `json:"link"`
			}
			if err := cl.call(ctx, http.MethodPost, "/members/"+url.PathEscape(m.ID)+"/reset-link", nil, &out); err != nil {
				return err
			}
			cl.say("Hand this link over; it works once, within a day:\n  %s", out.Link)
			return nil
		}
		return fault.E("cli", fault.NotFound, "There is no such account.", nil)
	})
}

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an API token for an account (data folder only); its secret is printed once."`
	List   tokenListCmd   `cmd:"" help:"List your own tokens (with --server)."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke one of your own tokens (with --server)."`
}

type tokenCreateCmd struct {
	settings
	Email string        `arg:"" help:"The account's e-mail address."`
	Label string        `help:"What it is for." default:"command line"`
	Scope []string      `help:"read, families:write, registry:write … or all." default:"read"`
	For   time.Duration `help:"How long it holds." default:"2160h"`
}

func (t *tokenCreateCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	o, err := t.resolve(k)
	if err != nil {
		return err
	}
	r, err := app.OpenRecords(ctx, o, c.logger(o))
	if err != nil {
		return err
	}
	defer r.Close()
	scopes := make([]account.Scope, len(t.Scope))
	for i, s := range t.Scope {
		scopes[i] = account.Scope(s)
	}
	if len(scopes) == 1 && scopes[0] == "all" {
		scopes = account.Scopes
	}
	for after := ""; ; {
		list, next, err := r.Accounts.Members(ctx, after, 200)
		if err != nil {
			return err
		}
		for _, m := range list {
			if strings.EqualFold(m.Email, t.Email) {
				as := account.Principal{Kind: account.KindAccount, ID: m.ID, Name: m.Name, Grants: m.Grants}
				_, secret, err := r.Accounts.CreateToken(ctx, as, t.Label, scopes, time.Now().Add(t.For))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.out, secret)
				return err
			}
		}
		if after = next; next == "" {
			return fault.E("cli", fault.NotFound, "There is no such account.", nil)
		}
	}
}

// errOwnTokens: a folder is nobody, and has no tokens of its own.
var errOwnTokens = fault.E("cli", fault.Invalid, "Tokens are listed and revoked by their owner: name the server with --server, and one of your tokens with --token.", nil)

// ownToken is a token as the API shows it to its owner.
type ownToken struct {
	ID      string    `json:"id"`
	Label   string    `json:"label"`
	Scopes  []string  `json:"scopes"`
	Expires time.Time `json:"expires"`
	Revoked bool      `json:"revoked"`
}

type tokenListCmd struct{ target }

func (t *tokenListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	if t.Server == "" {
		return errOwnTokens
	}
	return t.with(ctx, k, c, func(cl *client) error {
		list, err := every[ownToken](ctx, cl, "/me/tokens")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list {
			state := "until " + x.Expires.UTC().Format(time.DateOnly)
			if x.Revoked {
				state = "revoked"
			}
			rows = append(rows, []string{x.ID, x.Label, strings.Join(x.Scopes, " "), state})
		}
		return cl.table("TOKEN\tLABEL\tSCOPES\tSTATE", rows, "No token yet.")
	})
}

type tokenRevokeCmd struct {
	target
	ID string `arg:"" help:"The token's id."`
}

func (t *tokenRevokeCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	if t.Server == "" {
		return errOwnTokens
	}
	return t.with(ctx, k, c, func(cl *client) error {
		if err := cl.call(ctx, http.MethodDelete, "/me/tokens/"+url.PathEscape(t.ID), nil, nil); err != nil {
			return err
		}
		cl.say("Token %s is revoked.", t.ID)
		return nil
	})
}
