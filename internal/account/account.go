// Package account knows who asks and what they may do: accounts, their grants,
// sessions, API tokens and one-time links, and the policies that decide.
//
// It is not an identity provider for others, and it knows nothing of HTTP: a
// door takes the token out of a cookie or a header and hands it in. E-mail
// addresses are personal data; they stand in records only, never in the audit
// log, in errors or in logs. Secrets (session tokens, API tokens, links) have 256
// random bits and are kept as their SHA-256; passwords are kept as argon2id.
//
// Decisions are made by the Cedar policies in policies/, which are embedded,
// checked against policies/schema.cedarschema when they are loaded, and shown to
// people with their descriptions.
package account

import (
	"context"
	"database/sql"
	"io"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// Role is what an account does here. Roles add up.
type Role string

const (
	Operator Role = "operator" // runs the box; alone it shows no data rows
	Author   Role = "author"   // the extensions of one publisher
	Triager  Role = "triager"  // sorts crashes, of a team or of the whole ecosystem
	Support  Role = "support"  // answers people, of a team or of the whole ecosystem
	Steward  Role = "steward"  // privacy: consent, erasure, retention
	Auditor  Role = "auditor"  // reads the audit log only
)

// Roles lists every role in the order it is shown.
var Roles = []Role{Operator, Author, Triager, Support, Steward, Auditor}

// About says in one sentence what a role is for.
func (r Role) About() string {
	switch r {
	case Operator:
		return "Runs the server and its register. Alone it shows no data rows."
	case Author:
		return "Sees and steers the extensions of one publisher."
	case Triager:
		return "Sorts crashes, of one team or of the whole ecosystem."
	case Support:
		return "Answers people, for one team or for the whole ecosystem."
	case Steward:
		return "Looks after privacy: consent, erasure and retention."
	case Auditor:
		return "Reads and verifies the audit log, and nothing else."
	}
	return ""
}

// Grant gives an account a role. Author needs a publisher; triager and support
// may name a team (none: the whole ecosystem); the others name neither.
type Grant struct {
	Role      Role   `json:"role"`
	Publisher string `json:"publisher,omitempty"`
	Team      string `json:"team,omitempty"`
}

func (g Grant) String() string {
	switch {
	case g.Publisher != "":
		return string(g.Role) + " of publisher " + g.Publisher
	case g.Team != "":
		return string(g.Role) + " of team " + g.Team
	}
	return string(g.Role)
}

// Kinds of principals.
const (
	KindPublic  = "public"  // nobody we know
	KindAccount = "account" // a person with a session
	KindToken   = "token"   // a program with an API token; it has its owner's grants, narrowed by its scopes
	KindSystem  = "system"  // the server itself, or somebody at its console
)

// Principal is who asks. The zero value is the public.
type Principal struct {
	Kind    string  // one of the kinds; "" is public
	ID      string  // of the account; for system its part ("cli", "jobs")
	Name    string  // for pages; personal data, never logged
	TokenID string  // for tokens: the id of the token
	Session string  // for accounts: the public id of the session
	Grants  []Grant // of the account
	Scopes  []Scope // for tokens
}

// Public is nobody we know.
func Public() Principal { return Principal{Kind: KindPublic} }

// System is the server itself or somebody at its console.
func System(part string) Principal { return Principal{Kind: KindSystem, ID: part} }

// Actor is the principal as the audit log names it: no name, no address.
func (p Principal) Actor() string {
	switch p.Kind {
	case KindAccount:
		return "account:" + p.ID
	case KindToken:
		return "token:" + p.TokenID
	case KindSystem:
		return "system:" + p.ID
	}
	return "public"
}

// Known reports whether we know who asks.
func (p Principal) Known() bool { return p.Kind != "" && p.Kind != KindPublic }

// Has reports whether one of the principal's grants gives the role, wherever it
// holds. It is for pages (which rail to show); decisions are Authorize's.
func (p Principal) Has(r Role) bool {
	return slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.Role == r })
}

// Publishers lists the publishers the principal is an author of.
func (p Principal) Publishers() []string {
	var out []string
	for _, g := range p.Grants {
		if g.Role == Author && g.Publisher != "" && !slices.Contains(out, g.Publisher) {
			out = append(out, g.Publisher)
		}
	}
	slices.Sort(out)
	return out
}

// Options are what the service needs beside its database.
type Options struct {
	Now  func() time.Time // required
	Rand io.Reader        // required: a cryptographic source
	// OwnerOf says which publisher owns an extension; nil: the one its id names.
	OwnerOf func(eco.ExtensionID) string
	// ExtensionsOf lists a publisher's extensions, TeamOwns what a team owns. Both
	// come from the registry's snapshot in memory and are called often.
	ExtensionsOf func(publisher string) []eco.ExtensionID
	TeamOwns     func(team string) (extensions []eco.ExtensionID, hosts []string)
	// Known, when set, reports whether a grant's publisher or team exists (one of
	// both is ""): a mistyped grant is then an error instead of an empty one.
	Known func(publisher, team string) bool
	// Alarm is told when a policy could not be evaluated; the request was denied.
	// Default: one slog line at level error.
	Alarm func(action Action, policies []string)
	// Idle and Absolute end a session; defaults 24 hours and 14 days.
	Idle, Absolute time.Duration
	// PasswordMemory is argon2id's memory in KiB; default 19456 (19 MiB, with t=2
	// and p=1). Only tests lower it.
	PasswordMemory uint32
	// MaxHashing bounds how many passwords are hashed at the same time (each takes
	// PasswordMemory); default 2. Others wait for their turn or their context.
	MaxHashing int
}

// Service answers for accounts. Its methods are safe for concurrent use.
type Service struct {
	db    *db.DB
	audit *audit.Log
	opts  Options
	rules *policies
	slots chan struct{} // semaphore of password hashing
	limit *limiter
	leave []func(ctx context.Context, tx *sql.Tx, account string) error // see OnForget
	dummy string                                                        // a hash nobody has the password of: sign-ins of unknown accounts cost the same
}
