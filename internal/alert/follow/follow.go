// Package follow tells the senders of reports, when they asked for it, that
// something changed: somebody works on it, there is a workaround, it is fixed, it
// will not be. By mail, after the address was confirmed by a link, or by web push.
// Addresses and subscriptions lie sealed, and are forgotten with the last message.
//
// What it is not: a list of readers. It knows of no other message than these four,
// each once, and of nobody's name.
package follow

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"net/netip"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Bounds, each of which keeps the form from being used against somebody.
const (
	Unconfirmed = 72 * time.Hour       // how long an address waits to be confirmed, then it is forgotten
	refusal     = 365 * 24 * time.Hour // how long an address that wants no such mail is remembered, as a hash
	perReport   = 4                    // addresses and browsers of one report
	asksReport  = 3                    // mails for one report within a day, which ask for confirmation
	asksAddress = 2                    // such mails to one address within a day, whatever the report
	asksServer  = 500                  // such mails within an hour, of the whole server
	asksNetwork = 6                    // tries of one network within an hour
	maxNetworks = 20_000               // networks whose tries are counted
	maxFollowed = 20_000               // addresses and browsers in all
	maxAddress  = 254
)

// Options are what the service stands on.
type Options struct {
	Records *db.DB
	Answers *answers.Desk
	Out     *outbox.Outbox
	Now     func() time.Time
	NewID   func() string
	Link    func(path string) string // the address of a page
	Host    func() string            // of the server, for List-Id
	Mail    notify.Sender            // nil: nobody is told by mail
	Push    *hook.PushKey            // nil: nobody is told by web push
	Contact func() string            // whom push services may write to: mailto: or https:
	// Policy says where push services may be. Subscriptions come from strangers: the
	// networks that an operator opened for channels have no business in it.
	Policy notify.Policy
	Seal   func([]byte) ([]byte, error)
	Unseal func([]byte) ([]byte, error)
	// Hash is a keyed hash; 0 when the key cannot be read.
	Hash func(purpose, raw string) uint64
}

// Service is safe for concurrent use.
type Service struct {
	o Options

	mu      sync.Mutex
	tries   map[netip.Addr][]time.Time
	checked time.Time // when reports were looked for last
}

// New makes the tables when they are missing, and takes part in withdrawals.
func New(ctx context.Context, o Options) (*Service, error) {
	const op = "follow.New"
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = o.Records.Migrate(ctx, "follow", files)
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	s := &Service{o: o, tries: map[netip.Addr][]time.Time{}}
	o.Answers.OnWithdraw(s.forget)
	return s, nil
}

// Ways are the ways in which somebody can be told here.
type Ways struct {
	Mail bool   `json:"mail"`
	Push string `json:"push_key,omitempty"` // applicationServerKey of web push; "" = there is none
}

// Ways says how one can be told.
func (s *Service) Ways() Ways {
	w := Ways{Mail: s.o.Mail != nil}
	if s.o.Push != nil {
		w.Push = s.o.Push.Public()
	}
	return w
}

// Followed is how many are told of a report: it says nothing about anybody else's.
type Followed struct {
	Asked int `json:"unconfirmed"` // addresses that were not confirmed yet
	Mail  int `json:"mail"`
	Push  int `json:"push"`
}

// Any reports whether somebody is told, or was asked.
func (f Followed) Any() bool { return f != Followed{} }

// Followed counts who is told of a report.
func (s *Service) Followed(ctx context.Context, v *answers.View) (f Followed, err error) {
	const op = "follow.Followed"
	id, _, _ := v.Crash()
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT way, state, count(*) FROM follow WHERE crash = $1 AND ends_ms > $2 GROUP BY way, state`, id.String(), s.o.Now().UnixMilli())
	if err != nil {
		return f, fault.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var way, state string
		var n int
		if err := rows.Scan(&way, &state, &n); err != nil {
			return f, fault.Wrap(op, err)
		}
		switch {
		case state == "asked":
			f.Asked += n
		case way == "mail":
			f.Mail += n
		default:
			f.Push += n
		}
	}
	return f, fault.Wrap(op, rows.Err())
}

// StopAll ends every message about a report; whoever holds its receipt may.
func (s *Service) StopAll(ctx context.Context, v *answers.View) error {
	id, _, _ := v.Crash()
	return fault.Wrap("follow.StopAll", s.o.Records.Tx(ctx, func(tx *sql.Tx) error { return s.forget(ctx, tx, id) }))
}

// forget forgets everybody who follows a report.
func (s *Service) forget(ctx context.Context, tx *sql.Tx, crash eco.ID) error {
	for _, q := range []string{`DELETE FROM follow WHERE crash = $1`, `DELETE FROM follow_ask WHERE crash = $1`} {
		if _, err := tx.ExecContext(ctx, q, crash.String()); err != nil {
			return err
		}
	}
	return nil
}
