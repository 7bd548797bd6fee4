// Package alert tells people what is new about their crashes, once: a new family,
// one that came back, a spike, and what others did with a family they look at. It
// finds the news, decides who is concerned and when they want to be told, and puts
// messages into the outbox; when one is sent it is written anew, within its
// reader's scope, so that nobody is told what they may not see.
//
// Mail of accounts (invitations, new passwords) goes out here too.
//
// What it is not: the place where crashes are judged or states are changed, or a
// mail list for the public.
package alert

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/registry"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Kind is what a message tells of.
type Kind string

const (
	NewFamily Kind = "family.new"       // seen for the first time
	Regressed Kind = "family.regressed" // came back after it was resolved
	Spike     Kind = "family.spike"     // far more crashes and installs than to be expected
	Work      Kind = "family.work"      // assigned, mentioned, commented, decided
)

// Kinds lists what can be chosen, in the order it is shown.
var Kinds = []Kind{NewFamily, Regressed, Spike, Work}

// About says in a few words what a kind is.
func (k Kind) About() string {
	switch k {
	case NewFamily:
		return "A crash family is seen for the first time."
	case Regressed:
		return "A resolved family is seen again, or an ignored one came to what it waited for."
	case Spike:
		return "A family crashes far more often, and for far more people, than to be expected."
	case Work:
		return "You are assigned or mentioned, or a family you watch was commented on or decided."
	}
	return ""
}

// Window is how long a target hears nothing more of a family it was told of,
// unless it came back.
const Window = 24 * time.Hour

// Storm is how many new families, and how many that came back, a target is told of
// one by one in an hour; what is more comes in one message at the end of the hour.
const Storm = 5

// Options are what the service stands on.
type Options struct {
	Records  *db.DB
	Audit    *audit.Log
	Desk     *crash.Desk
	Triage   *triage.Desk // nil: nobody's work is told
	Accounts *account.Service
	Registry *registry.Registry
	Now      func() time.Time
	NewID    func() string
	Holder   string
	Log      *slog.Logger
	Base     *url.URL // of links; set by SetBase when it is known later
	// Mail sends mail; nil: none is configured, and people are told on pages only.
	Mail     notify.Sender
	MailFrom string // to be shown
	Policy   notify.Policy
	// Seal and Unseal keep addresses and secrets of channels, and links in mails.
	Seal   func([]byte) ([]byte, error)
	Unseal func([]byte) ([]byte, error)
	// Reporters lets senders of reports be told what becomes of them; nil: nobody is.
	Reporters *Reporters
	// Since is how far back news is news when the service starts for the first time;
	// zero: from now on. The demo world's history is news.
	Since time.Time
}

// Service finds news and tells it. It is safe for concurrent use.
type Service struct {
	o   Options
	out *outbox.Outbox

	reporters *follow.Service

	mu      sync.Mutex
	settled map[string]time.Time // news that needs no looking at before a time, or (zero) ever again, by item key; bounded by maxSettled
	base    *url.URL
	tested  map[string]time.Time // by target
}

const maxSettled = 50_000

// New opens the service and makes its tables when they are missing.
func New(ctx context.Context, o Options) (*Service, error) {
	const op = "alert.New"
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = o.Records.Migrate(ctx, "alert", files)
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, settled: map[string]time.Time{}, tested: map[string]time.Time{}, base: o.Base}
	if s.out, err = outbox.New(ctx, outbox.Options{DB: o.Records, Now: o.Now, NewID: o.NewID, Holder: o.Holder, Log: o.Log, Prepare: s.prepare, After: s.after}); err != nil {
		return nil, err
	}
	if err := s.openReporters(ctx); err != nil {
		return nil, err
	}
	o.Accounts.OnForget(s.forget)
	return s, s.begin(ctx)
}

// begin notes the first start, and since when there is mail: what happened before
// is no news.
func (s *Service) begin(ctx context.Context) error {
	now := s.o.Now()
	since := now
	if !s.o.Since.IsZero() {
		since = s.o.Since
	}
	head := int64(0)
	if s.o.Triage != nil {
		var err error
		if head, err = s.o.Triage.Head(ctx); err != nil {
			return err
		}
	}
	return fault.Wrap("alert.New", s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for name, value := range map[string]int64{"started": since.UnixMilli(), "work": head, "mail": since.UnixMilli()} {
			if name == "mail" && s.o.Mail == nil {
				if _, err := tx.ExecContext(ctx, `DELETE FROM alert_mark WHERE name = 'mail'`); err != nil {
					return err
				}
				continue
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO alert_mark (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (s *Service) mark(ctx context.Context, q outbox.Querier, name string) (v int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM alert_mark WHERE name = $1`, name).Scan(&v)
	if err == db.ErrNoRows {
		err = nil
	}
	return v, err
}

// forget drops what is kept of a person: how they want to be told, and what they
// were (mail servers repeat addresses in what they answer).
func (s *Service) forget(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM alert_preferences WHERE account = $1`, id); err != nil {
		return fault.Wrap("alert.forget", err)
	}
	return s.out.Forget(ctx, tx, "account:"+id, "link:"+id)
}

// SetBase says where people reach the server, once it listens.
func (s *Service) SetBase(u *url.URL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = u
}

// link is the address of a page.
func (s *Service) link(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base == nil {
		return ""
	}
	path, query, _ := strings.Cut(path, "?")
	u := s.base.JoinPath(path)
	u.RawQuery = query
	return u.String()
}

// listID names the list of mails to List-Id.
func (s *Service) listID(kind Kind) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base == nil {
		return ""
	}
	return strings.ReplaceAll(string(kind), ".", "-") + "." + s.base.Hostname()
}

// HasMail reports whether mail is configured, and from whom it comes.
func (s *Service) HasMail() (from string, ok bool) { return s.o.MailFrom, s.o.Mail != nil }

// Deliver is a job: it sends what is due.
func (s *Service) Deliver(ctx context.Context) (string, error) {
	_, err := s.out.Deliver(ctx)
	return "", err
}

// Tidy is a job: it forgets old messages.
func (s *Service) Tidy(ctx context.Context) (int64, error) { return s.out.Tidy(ctx) }

// record writes the audit entry of a change.
func (s *Service) record(ctx context.Context, tx *sql.Tx, by account.Principal, action, kind, id, note string) error {
	return s.o.Audit.Append(ctx, tx, audit.Entry{Actor: by.Actor(), Action: action, Ref: eco.Ref{Kind: kind, ID: id}, Note: note})
}
