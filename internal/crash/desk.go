package crash

import (
	"context"
	"embed"
	"io/fs"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// Options are what a desk stands on.
type Options struct {
	Flow    *db.DB // pipeline.db: what the flow knows of families
	Records *db.DB // records.db: what people decided, beside the audit log
	Audit   *audit.Log
	Facts   facts.Store
	Now     func() time.Time
	NewID   func() string // of changes: distinct, short, [0-9a-z-]
	// Pseudonym is what an install's own id is called in a scope ("ext:…", "host:…").
	// nil: nobody can be looked for by it.
	Pseudonym func(scope, raw string) eco.Install
	// Order lists the declared releases of an extension, or (without one) of a host,
	// oldest first. nil: none is known, and releases are compared as version numbers.
	Order func(context.Context, eco.ExtensionID, string) ([]string, error)
}

// Desk answers for crashes. It is safe for concurrent use.
type Desk struct {
	o     Options
	hooks Hooks

	mu   sync.Mutex
	sure map[sigKey]struct{} // signatures that surely are in the table; bounded by maxKnown

	linkedNow linked // what people merged and split, as it was read last
}

// New opens the desk and makes its tables when they are missing.
func New(ctx context.Context, o Options) (*Desk, error) {
	for name, d := range map[string]*db.DB{"flow": o.Flow, "records": o.Records} {
		files, err := fs.Sub(migrations, "migrations/"+name)
		if err != nil {
			return nil, fault.E("crash.New", fault.Internal, "", err)
		}
		if err := d.Migrate(ctx, "crash_"+name, files); err != nil {
			return nil, fault.Wrap("crash.New", err)
		}
	}
	return &Desk{o: o, sure: map[sigKey]struct{}{}, linkedNow: linkedOf(-1, nil)}, nil
}
