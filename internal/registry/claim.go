package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// A claim is how an author comes to own an extension: by a proof that only its
// owner can give. The register says where the proof has to stand; package
// door/proof looks. A proven claim changes the extension's owner, which takes the
// access of everybody who had it through the former one.

// Way is how a claim can be proven.
type Way string

const (
	ByFile Way = "file" // a file in the extension's repository
	ByDNS  Way = "dns"  // a TXT record of a domain of the extension's entry
	ByList Way = "list" // the marketplace's list names the e-mail address of the account
)

// ClaimState is where a claim stands.
type ClaimState string

const (
	ClaimOpen      ClaimState = "open"
	ClaimProven    ClaimState = "proven"
	ClaimWithdrawn ClaimState = "withdrawn"
	ClaimExpired   ClaimState = "expired"
)

// Claim is one person's claim to one extension.
type Claim struct {
	ID        string          `json:"id"`
	Extension eco.ExtensionID `json:"extension"`
	Publisher string          `json:"publisher"` // that is to own it; made when it does not exist
	Account   string          `json:"account"`
	Method    Way             `json:"method"`
	Place     string          `json:"place"` // an address, or the name of a TXT record; "" for the list
	Token     string          `json:"token"`
	State     ClaimState      `json:"state"`
	Why       string          `json:"why,omitempty"` // what the last look found
	Created   time.Time       `json:"created"`
	Checked   time.Time       `json:"checked,omitzero"`
	Expires   time.Time       `json:"expires"`
}

// Proof is what has to stand at the place.
func (c Claim) Proof() string { return "bellwether-claim=" + c.Token }

// Bounds of claims.
const (
	claimLife     = 14 * 24 * time.Hour
	maxOpenClaims = 20 // of one account
	claimFile     = ".bellwether-claim"
)

// Place says how a claim to an extension can be proven, and where.
type Place struct {
	Method Way    `json:"method"`
	Place  string `json:"place"`
}

// Places lists the proofs that the entry of an extension allows. They follow from
// the entry alone: whoever claims cannot choose where to prove it.
func (e *Extension) Places() []Place {
	out := []Place{}
	repo, err := url.Parse(e.Repository)
	if err == nil && repo.Scheme == "https" && repo.Host != "" && repo.User == nil {
		path := strings.TrimSuffix(strings.TrimSuffix(repo.Path, "/"), ".git")
		raw := url.URL{Scheme: "https", Host: repo.Host}
		switch host := strings.ToLower(repo.Hostname()); {
		case host == "github.com":
			raw.Host, raw.Path = "raw.githubusercontent.com", path+"/HEAD/"+claimFile
		case host == "gitlab.com" || strings.HasPrefix(host, "gitlab."):
			raw.Path = path + "/-/raw/HEAD/" + claimFile
		case host == "bitbucket.org":
			raw.Path = path + "/raw/HEAD/" + claimFile
		default: // Gitea, Forgejo, and plain web servers
			raw.Path = path + "/raw/HEAD/" + claimFile
		}
		if strings.Count(strings.Trim(path, "/"), "/") >= 1 || !forge(repo.Hostname()) {
			out = append(out, Place{ByFile, raw.String()})
		}
	}
	var domains []string
	if err == nil && repo.Host != "" {
		domains = append(domains, repo.Hostname())
	}
	if _, domain, ok := strings.Cut(e.Contact, "@"); ok && !strings.Contains(e.Contact, "/") {
		domains = append(domains, domain)
	} else if u, err := url.Parse(e.Contact); err == nil && u.Host != "" {
		domains = append(domains, u.Hostname())
	}
	for _, d := range domains {
		d = strings.ToLower(strings.TrimSuffix(d, "."))
		if p := (Place{ByDNS, "_bellwether." + d}); strings.Contains(d, ".") && !forge(d) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return append(out, Place{Method: ByList})
}

// forge reports whether a domain belongs to everybody: who controls a record or a
// page of it controls none of the extensions that name it.
func forge(domain string) bool {
	domain = strings.TrimPrefix(strings.ToLower(domain), "www.")
	for _, d := range []string{"github.com", "github.io", "gitlab.com", "gitlab.io", "bitbucket.org", "codeberg.org", "codeberg.page", "sourceforge.net", "sr.ht", "gitee.com",
		"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "qq.com", "163.com", "mail.ru",
		"discord.gg", "discord.com", "twitter.com", "x.com", "t.me", "netlify.app", "vercel.app", "pages.dev", "herokuapp.com"} {
		if domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}

const claimCols = `id, extension, publisher, account, method, place, token, state, why, created, checked, expires`

func scanClaim(row *sql.Rows) (c Claim, err error) {
	var created, checked, expires int64
	err = row.Scan(&c.ID, &c.Extension, &c.Publisher, &c.Account, &c.Method, &c.Place, &c.Token, &c.State, &c.Why, &created, &checked, &expires)
	c.Created, c.Checked, c.Expires = timeOf(created), timeOf(checked), timeOf(expires)
	return c, err
}

// NewClaim opens a claim. Account, Extension, Publisher, Method and, where there
// are several, Place are given.
func (r *Registry) NewClaim(ctx context.Context, actor string, c Claim) (Claim, error) {
	const op = "registry.NewClaim"
	e, err := r.Extension(ctx, c.Extension)
	if err != nil {
		return c, err
	}
	var m mistakes
	places := e.Places()
	i := slices.IndexFunc(places, func(p Place) bool { return p.Method == c.Method && (c.Place == "" || p.Place == c.Place) })
	if i < 0 {
		m.add("method", "Its entry in the register allows no such proof.")
	} else {
		c.Place = places[i].Place
	}
	if m.slug("publisher", &c.Publisher); e.Publisher() == c.Publisher {
		m.add("publisher", "It owns this extension already.")
	}
	if err := m.err(op); err != nil {
		return c, err
	}
	var random [24]byte
	if _, err := io.ReadFull(r.opts.Rand, random[:]); err != nil {
		return c, fault.E(op, fault.Internal, "", err)
	}
	now := r.opts.Now()
	c.ID, c.Token = hex.EncodeToString(random[:8]), hex.EncodeToString(random[8:])
	c.State, c.Created, c.Expires = ClaimOpen, timeOf(now.UnixMilli()), timeOf(now.Add(claimLife).UnixMilli())
	return c, r.db.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM registry_claim WHERE account = $1 AND state = 'open' AND expires > $2`, c.Account, now.UnixMilli()).Scan(&n); err != nil {
			return fault.Wrap(op, err)
		}
		if n >= maxOpenClaims {
			return fault.E(op, fault.Conflict, "You have many open claims; withdraw some first.", nil)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO registry_claim (`+claimCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, 0, $10)`,
			c.ID, string(c.Extension), c.Publisher, c.Account, string(c.Method), c.Place, c.Token, string(c.State), ms(c.Created), ms(c.Expires)); err != nil {
			return fault.Wrap(op, err)
		}
		return r.record(ctx, tx, actor, "extension.claim", eco.Ref{Kind: "extension", ID: string(c.Extension)}, "for "+c.Publisher+", by "+string(c.Method))
	})
}

// Claims lists the claims of an account, the newest first, at most 100.
func (r *Registry) Claims(ctx context.Context, account string) ([]Claim, error) {
	list := []Claim{}
	err := scan(ctx, r.db.Read(), `SELECT `+claimCols+` FROM registry_claim WHERE account = $1 ORDER BY created DESC, id LIMIT 100`, []any{account}, into(&list, scanClaim))
	for i := range list {
		list[i].age(r.opts.Now())
	}
	return list, fault.Wrap("registry.Claims", err)
}

// Claim returns one claim of an account.
func (r *Registry) Claim(ctx context.Context, account, id string) (c Claim, err error) {
	const op = "registry.Claim"
	found, err := one(ctx, r.db.Read(), `SELECT `+claimCols+` FROM registry_claim WHERE account = $1 AND id = $2`, []any{account, id}, func(row *sql.Rows) (err error) {
		c, err = scanClaim(row)
		return err
	})
	if err == nil && !found {
		err = gone(op)
	}
	c.age(r.opts.Now())
	return c, fault.Wrap(op, err)
}

func (c *Claim) age(now time.Time) {
	if c.State == ClaimOpen && !now.Before(c.Expires) {
		c.State = ClaimExpired
	}
}

// Withdraw ends an open claim.
func (r *Registry) Withdraw(ctx context.Context, actor, account, id string) error {
	const op = "registry.Withdraw"
	return r.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE registry_claim SET state = 'withdrawn' WHERE account = $1 AND id = $2 AND state = 'open'`, account, id)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return gone(op)
		}
		return r.record(ctx, tx, actor, "extension.claim.withdraw", eco.Ref{Kind: "claim", ID: id}, "")
	})
}

// Looked records what a look for the proof found. A proof makes the claim's
// publisher (new ones are made) the owner of the extension, in the same
// transaction in which the log says so; every other open claim to it ends.
func (r *Registry) Looked(ctx context.Context, actor string, c Claim, proven bool, why string) (Claim, error) {
	const op = "registry.Looked"
	now := r.nowMs()
	c.Why, c.Checked = eco.Clean(why, 300), timeOf(now)
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		state := ClaimOpen
		if proven {
			state = ClaimProven
		}
		res, err := tx.ExecContext(ctx, `UPDATE registry_claim SET state = $1, why = $2, checked = $3 WHERE id = $4 AND account = $5 AND state = 'open' AND expires > $3`,
			string(state), c.Why, now, c.ID, c.Account)
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, fault.E(op, fault.Conflict, "This claim is not open any more.", err)
		}
		if !proven {
			return false, nil
		}
		c.State = ClaimProven
		return true, r.own(ctx, tx, actor, c)
	})
	return c, err
}

// proves reports whether the entry still names the place of a claim: who kept what
// the entry named before does not own the extension now.
func (e *Extension) proves(c Claim) bool {
	return e.Publisher() != c.Publisher && slices.Contains(e.Places(), Place{c.Method, c.Place})
}

// own makes the claim's publisher the owner.
func (r *Registry) own(ctx context.Context, tx *sql.Tx, actor string, c Claim) error {
	const op = "registry.own"
	e, found, err := extensionIn(ctx, tx, c.Extension)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if !found {
		return gone(op)
	}
	if !e.proves(c) {
		return fault.E(op, fault.Conflict, "Its entry in the register has changed; please open a new claim.", nil)
	}
	known, err := exists(ctx, tx, `SELECT 1 FROM registry_publisher WHERE id = $1`, c.Publisher)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if !known {
		if _, err := tx.ExecContext(ctx, `INSERT INTO registry_publisher (id, name, contact, created, updated, version) VALUES ($1, $1, '', $2, $2, 1)`, c.Publisher, ms(c.Checked)); err != nil {
			return fault.Wrap(op, err)
		}
		if err := r.record(ctx, tx, actor, "publisher.create", eco.Ref{Kind: "publisher", ID: c.Publisher}, ""); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE registry_extension SET publisher = $1, updated = $2, version = version + 1 WHERE id = $3`, c.Publisher, r.nowMs(), string(c.Extension)); err != nil {
		return fault.Wrap(op, err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE registry_claim SET state = 'withdrawn', why = 'Somebody else proved a claim to it.' WHERE extension = $1 AND state = 'open'`, string(c.Extension)); err != nil {
		return fault.Wrap(op, err)
	}
	place := c.Place
	if place == "" {
		place = "the marketplace's list"
	}
	return r.record(ctx, tx, actor, "extension.owner", eco.Ref{Kind: "extension", ID: string(c.Extension)}, eco.Clean("from "+e.Publisher()+" to "+c.Publisher+", proven by "+string(c.Method)+" at "+place, 400))
}

// SetListed replaces whom the marketplace's own list names as owners of an
// extension: e-mail addresses, of which only digests are kept. At most 50.
func (r *Registry) SetListed(ctx context.Context, actor string, ext eco.ExtensionID, emails []string) error {
	const op = "registry.SetListed"
	if err := checkListed(op, emails); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, found, err := extensionIn(ctx, tx, ext); err != nil {
			return fault.Wrap(op, err)
		} else if !found {
			return gone(op)
		}
		return r.setListed(ctx, tx, actor, ext, emails)
	})
}

const maxListed = 50

func checkListed(op string, emails []string) error {
	if len(emails) > maxListed {
		return fault.E(op, fault.TooLarge, "At most 50 owners.", nil)
	}
	for _, m := range emails {
		if !strings.Contains(m, "@") || len(m) > 254 {
			return fault.E(op, fault.Invalid, "An owner is an e-mail address.", nil)
		}
	}
	return nil
}

func (r *Registry) setListed(ctx context.Context, tx *sql.Tx, actor string, ext eco.ExtensionID, emails []string) error {
	const op = "registry.setListed"
	if _, err := tx.ExecContext(ctx, `DELETE FROM registry_listed WHERE extension = $1`, string(ext)); err != nil {
		return fault.Wrap(op, err)
	}
	for _, m := range emails {
		if _, err := tx.ExecContext(ctx, `INSERT INTO registry_listed (extension, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(ext), digest(ext, m)); err != nil {
			return fault.Wrap(op, err)
		}
	}
	return r.record(ctx, tx, actor, "extension.listed", eco.Ref{Kind: "extension", ID: string(ext)}, "")
}

// relists reports whether these are others than the owners that are kept.
func relists(ctx context.Context, tx *sql.Tx, ext eco.ExtensionID, emails []string) (bool, error) {
	var have, want []string
	for _, m := range emails {
		want = append(want, digest(ext, m))
	}
	slices.Sort(want)
	err := scan(ctx, tx, `SELECT digest FROM registry_listed WHERE extension = $1 ORDER BY digest`, []any{string(ext)}, func(row *sql.Rows) error {
		var d string
		err := row.Scan(&d)
		have = append(have, d)
		return err
	})
	return !slices.Equal(have, slices.Compact(want)), fault.Wrap("registry.relists", err)
}

// Listed reports whether the marketplace's list names an address.
func (r *Registry) Listed(ctx context.Context, ext eco.ExtensionID, email string) (bool, error) {
	ok, err := exists(ctx, r.db.Read(), `SELECT 1 FROM registry_listed WHERE extension = $1 AND digest = $2`, string(ext), digest(ext, email))
	return ok, fault.Wrap("registry.Listed", err)
}

func digest(ext eco.ExtensionID, email string) string {
	sum := sha256.Sum256([]byte(string(ext) + "\x00" + strings.ToLower(strings.TrimSpace(email))))
	return hex.EncodeToString(sum[:])
}

// OwnerOf is the publisher that owns an extension: the part of its id before the
// first dot, unless a claim to it was proven.
func (r *Registry) OwnerOf(ext eco.ExtensionID) string {
	if e := r.Snapshot().Extensions[ext]; e != nil {
		return e.Publisher()
	}
	return ext.Publisher()
}
