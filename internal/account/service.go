package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// New opens the service: it migrates its tables and loads the policies.
func New(ctx context.Context, d *db.DB, log *audit.Log, o Options) (*Service, error) {
	const op = "account.New"
	if o.Now == nil || o.Rand == nil {
		return nil, fault.E(op, fault.Internal, "", errors.New("a clock and a source of randomness are required"))
	}
	if o.Idle == 0 {
		o.Idle = 24 * time.Hour
	}
	if o.Absolute == 0 {
		o.Absolute = 14 * 24 * time.Hour
	}
	if o.PasswordMemory == 0 {
		o.PasswordMemory = argonMemory
	}
	if o.MaxHashing == 0 {
		o.MaxHashing = 2
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if err := d.Migrate(ctx, "account", files); err != nil {
		return nil, fault.Wrap(op, err)
	}
	rules, err := loadPolicies(policyFiles)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	s := &Service{db: d, audit: log, opts: o, rules: rules, limit: newLimiter(), slots: make(chan struct{}, o.MaxHashing)}
	if s.dummy, err = s.hash(ctx, "nobody has this password"); err != nil {
		return nil, err
	}
	return s, nil
}

// secret makes 256 random bits as text, and their hash for the table.
func (s *Service) secret() (token, hash string, err error) {
	var b [32]byte
	if _, err := io.ReadFull(s.opts.Rand, b[:]); err != nil {
		return "", "", fault.E("account.secret", fault.Internal, "", err)
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, hashOf(token), nil
}

// hashOf is how secrets are kept. Theirs are 256 random bits: a plain hash does.
func hashOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// id makes a public id such as "a-…": 80 random bits.
func (s *Service) id(prefix string) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(s.opts.Rand, b[:]); err != nil {
		return "", fault.E("account.id", fault.Internal, "", err)
	}
	return prefix + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:])), nil
}

func (s *Service) nowMs() int64 { return s.opts.Now().UnixMilli() }

// dayMs is the start of the UTC day, as sightings are kept.
func (s *Service) dayMs() int64 { return eco.DayOf(s.opts.Now()).Time().UnixMilli() }

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// log writes an audit entry about an account, session, token or link.
func (s *Service) log(ctx context.Context, tx *sql.Tx, by Principal, action, kind, id, note string) error {
	return s.audit.Append(ctx, tx, audit.Entry{Actor: by.Actor(), Action: action, Ref: eco.Ref{Kind: kind, ID: id}, Note: note})
}

// checkEmail brings an address to the form it is kept in.
func checkEmail(op, email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || a.Name != "" || len(email) > 254 || eco.Clean(email, 254) != email {
		return "", fault.E(op, fault.Invalid, "email: It needs the form name@example.org.", nil)
	}
	return email, nil
}

func checkName(op, name string) (string, error) {
	name = strings.Join(strings.Fields(eco.Clean(name, 200)), " ")
	if name == "" || len(name) > 100 {
		return "", fault.E(op, fault.Invalid, "name: It needs 1 to 100 bytes.", nil)
	}
	return name, nil
}

// maxGrants bounds the grants of one account.
const maxGrants = 64

// checkGrants brings grants to their form: valid, sorted, each once.
func (s *Service) checkGrants(op string, grants []Grant) ([]Grant, error) {
	if len(grants) > maxGrants {
		return nil, fault.E(op, fault.TooLarge, "grants: An account has at most 64.", nil)
	}
	out := make([]Grant, 0, len(grants))
	for _, g := range grants {
		text := ""
		switch {
		case !slices.Contains(Roles, g.Role):
			text = "The roles are operator, author, triager, support, steward and auditor."
		case g.Role == Author && g.Publisher == "":
			text = "An author needs a publisher."
		case g.Role != Author && g.Publisher != "":
			text = "Only an author has a publisher."
		case g.Team != "" && g.Role != Triager && g.Role != Support:
			text = "Only triager and support can be of a team."
		case s.opts.Known != nil && (g.Publisher != "" || g.Team != "") && !s.opts.Known(g.Publisher, g.Team):
			text = "There is no such publisher or team."
		}
		if text != "" {
			return nil, fault.E(op, fault.Invalid, "grants: "+text, nil)
		}
		for _, id := range []*string{&g.Publisher, &g.Team} {
			if *id == "" {
				continue
			}
			slug, err := eco.ParseSlug(*id)
			if err != nil {
				return nil, fault.E(op, fault.Invalid, "grants: "+fault.TextOf(err), nil)
			}
			*id = slug
		}
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Grant) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// grantsOf reads the grants of one account, in their order.
func grantsOf(ctx context.Context, q querier, account string) ([]Grant, error) {
	rows, err := q.QueryContext(ctx, `SELECT role, publisher, team FROM account_grant WHERE account = $1 ORDER BY role, publisher, team`, account)
	if err != nil {
		return nil, fault.Wrap("account.grantsOf", err)
	}
	defer rows.Close()
	var out []Grant
	for rows.Next() {
		var g Grant
		if err := rows.Scan(&g.Role, &g.Publisher, &g.Team); err != nil {
			return nil, fault.Wrap("account.grantsOf", err)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

func putGrants(ctx context.Context, tx *sql.Tx, account string, grants []Grant) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM account_grant WHERE account = $1`, account); err != nil {
		return fault.Wrap("account.putGrants", err)
	}
	for _, g := range grants {
		if _, err := tx.ExecContext(ctx, `INSERT INTO account_grant (account, role, publisher, team) VALUES ($1, $2, $3, $4)`,
			account, string(g.Role), g.Publisher, g.Team); err != nil {
			return fault.Wrap("account.putGrants", err)
		}
	}
	return nil
}

// describe writes grants for the audit log: roles and tenants, no person.
func describe(grants []Grant) string {
	if len(grants) == 0 {
		return "no grants"
	}
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = g.String()
	}
	return strings.Join(words, ", ")
}
