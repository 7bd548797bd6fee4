package account

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
)

// New opens the service: it migrates its tables and loads the policies.
func New(ctx context.Context, d *db.DB, log *audit.Log, o Options) (*Service, error) { panic("later") }

// Account is one account as the members page shows it.
type Account struct {
	ID       string
	Email    string // personal data
	Name     string // personal data
	Grants   []Grant
	Disabled bool
	Created  time.Time
	LastSeen time.Time // day precision; zero = never
}

// SignedIn is a fresh session. Token is the secret for the cookie, shown once.
type SignedIn struct {
	Token     string
	Expires   time.Time // absolute end
	Principal Principal
}

// SetupLink makes the one-time token of the set-up page while no account exists;
// it replaces the one made before. ok is false when there is an account.
func (s *Service) SetupLink(ctx context.Context) (token string, ok bool, err error) { panic("later") }

// NeedsSetup reports whether no account exists yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) { panic("later") }

// SetUp uses the set-up token: the first account, with every role.
func (s *Service) SetUp(ctx context.Context, token string, n NewAccount) (SignedIn, error) {
	panic("later")
}

// NewAccount is what a person says when an account is made. Agent is a short
// label of the session ("Firefox on Linux"), never a whole user agent.
type NewAccount struct{ Email, Name, Password, Agent string }

// SignIn checks a password and opens a session. IP is used for the rate limit
// only, in memory.
func (s *Service) SignIn(ctx context.Context, in SignInRequest) (SignedIn, error) { panic("later") }

// SignInRequest is one try. Previous is the session cookie the client had, if
// any: that session ends.
type SignInRequest struct{ Email, Password, IP, Agent, Previous string }

// SignOut ends the session of the token. An unknown one is no error.
func (s *Service) SignOut(ctx context.Context, token string) error { panic("later") }

// Session returns who the session token belongs to; unauthenticated when it is
// unknown, idle too long, past its end, or its account is disabled.
func (s *Service) Session(ctx context.Context, token string) (Principal, error) { panic("later") }

// SessionInfo is one open session of an account.
type SessionInfo struct {
	ID                         string // public id
	Agent                      string
	Created, LastSeen, Expires time.Time
}

// Sessions lists p's own open sessions, newest first.
func (s *Service) Sessions(ctx context.Context, p Principal) ([]SessionInfo, error) { panic("later") }

// EndSession ends one of p's own sessions.
func (s *Service) EndSession(ctx context.Context, p Principal, id string) error { panic("later") }

// ChangePassword changes p's own password and ends p's other sessions.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, new string) error {
	panic("later")
}

// Bearer returns who an API token ("bw_…") belongs to; unauthenticated otherwise.
func (s *Service) Bearer(ctx context.Context, token string) (Principal, error) { panic("later") }

// TokenInfo is an API token without its secret.
type TokenInfo struct {
	ID       string
	Label    string
	Scopes   []Scope
	Created  time.Time
	Expires  time.Time
	LastUsed time.Time // day precision; zero = never
	Revoked  bool
}

// CreateToken makes an API token for p's own account and returns its secret, once.
// A token may only make tokens with no more scopes and no later end than its own.
func (s *Service) CreateToken(ctx context.Context, p Principal, label string, scopes []Scope, expires time.Time) (TokenInfo, string, error) {
	panic("later")
}

// Tokens lists p's own tokens, newest first.
func (s *Service) Tokens(ctx context.Context, p Principal) ([]TokenInfo, error) { panic("later") }

// RevokeToken ends one of p's own tokens.
func (s *Service) RevokeToken(ctx context.Context, p Principal, id string) error { panic("later") }

// Members lists accounts by name, after the cursor (the last account's id of the
// page before, "" at first), at most limit (1 to 200).
func (s *Service) Members(ctx context.Context, after string, limit int) (list []Account, next string, err error) {
	panic("later")
}

// Member returns one account.
func (s *Service) Member(ctx context.Context, id string) (Account, error) { panic("later") }

// Invitation is an open invitation.
type Invitation struct {
	ID      string
	Email   string // personal data
	Name    string // personal data
	Grants  []Grant
	Created time.Time
	Expires time.Time
}

// Invite makes a one-time link for a new account, valid for seven days; the
// caller hands the token over.
func (s *Service) Invite(ctx context.Context, by Principal, email, name string, grants []Grant) (Invitation, string, error) {
	panic("later")
}

// Invitations lists the open ones, newest first.
func (s *Service) Invitations(ctx context.Context) ([]Invitation, error) { panic("later") }

// Withdraw ends an open invitation.
func (s *Service) Withdraw(ctx context.Context, by Principal, id string) error { panic("later") }

// Invited shows what an invitation's token is good for, without using it.
func (s *Service) Invited(ctx context.Context, token string) (Invitation, error) { panic("later") }

// Accept uses an invitation.
func (s *Service) Accept(ctx context.Context, token string, n NewAccount) (SignedIn, error) {
	panic("later")
}

// ResetLink makes a one-time link that sets a new password, valid for a day.
func (s *Service) ResetLink(ctx context.Context, by Principal, account string) (token string, err error) {
	panic("later")
}

// Reset uses a reset link: the new password holds and every session ends.
func (s *Service) Reset(ctx context.Context, token, password string) error { panic("later") }

// SetGrants replaces an account's grants. The last operator stays one.
func (s *Service) SetGrants(ctx context.Context, by Principal, account string, grants []Grant) error {
	panic("later")
}

// Disable ends an account's sessions and tokens and keeps it from signing in;
// enable undoes it (ended sessions stay ended).
func (s *Service) Disable(ctx context.Context, by Principal, account string, disabled bool) error {
	panic("later")
}

// Tidy removes sessions and links that ended; a job calls it. It returns how many.
func (s *Service) Tidy(ctx context.Context) (int64, error) { panic("later") }
