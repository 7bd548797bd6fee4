// Package triage is what people do with crash families: which team and person looks
// at one (by the rules of package route, or by hand), labels, comments, watchers,
// saved filters of the list, and the feed of changes that notices are made of.
//
// It is not the state of a family (crash.SetState), and it sends nothing: who is
// to be told reads Since. Every method asks the policies itself, within the
// caller's scope; a family that is only seen because some of one's crashes are in
// it shows none of this. Every change is one transaction with its audit entry.
package triage

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/route"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are what the desk stands on; all but Log are required.
type Options struct {
	Records  *db.DB
	Audit    *audit.Log
	Desk     *crash.Desk
	Accounts *account.Service
	Registry *registry.Registry
	Now      func() time.Time
	NewID    func() string
	Log      *slog.Logger
}

// Desk is where people work on families. It is safe for concurrent use.
type Desk struct {
	o      Options
	engine *route.Engine[route.Crash]

	mu      sync.Mutex
	rules   *compiled
	waiting map[string]int      // families that may be new, and how often they were looked at
	known   map[string]struct{} // families that surely were routed
}

// New opens the desk, makes its tables when they are missing, and listens to the
// crash desk.
func New(ctx context.Context, o Options) (*Desk, error) {
	const op = "triage.New"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if err := o.Records.Migrate(ctx, "crash_triage", files); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{o: o, waiting: map[string]int{}, known: map[string]struct{}{}}
	if d.engine, err = route.For[route.Crash](); err != nil {
		return nil, fault.Wrap(op, err)
	}
	o.Desk.Listen(crash.Hooks{Recorded: d.recorded, Changed: d.changed, Regrouped: d.regrouped, Along: d.along})
	return d, nil
}

// record writes the audit entry of a change to a family.
func (d *Desk) record(ctx context.Context, tx *sql.Tx, actor, action, family, note string) error {
	return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Ref: eco.Ref{Kind: "family", ID: family}, Note: note})
}

func (d *Desk) nowMs() int64 { return d.o.Now().UnixMilli() }

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// text writes a value of ours as JSON; they cannot fail.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("triage: " + err.Error())
	}
	return string(b)
}

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// scan calls f for every row of a query.
func scan(ctx context.Context, q querier, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
