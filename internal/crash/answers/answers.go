// Package answers is what the crash desk tells outsiders: the owner's public words
// on a family, the receipts of reporters with their withdrawal, and the public
// log of what was fixed. It keeps the board of package receipt filled, so that
// the doors can answer without a disk.
//
// What it is not: the state of a family (the desk's), or a count of anything:
// counts come from facts, and leave by receipt.Outside only.
package answers

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are what the desk of answers stands on.
type Options struct {
	Desk    *crash.Desk
	Records *db.DB
	Audit   *audit.Log
	Facts   facts.Store
	Book    *receipt.Book
	Board   *receipt.Board
	Now     func() time.Time
	NewID   func() string // 32 random hex digits
	// Project tells whose a project is; false: there is none of this number.
	Project func(id int64) (receipt.Asker, bool)
	// KeyOf finds the project of a public key; false: it is not known.
	KeyOf func(public string) (project int64, ok bool)
	// Taken lists the families that somebody works on; nil: nobody says so.
	Taken func(context.Context) (map[string]bool, error)
	// Stored is the time of receipt up to which everything is stored, or zero.
	Stored func(context.Context) time.Time
}

// Desk answers outsiders. It is safe for concurrent use.
type Desk struct {
	o Options

	mu        sync.Mutex // of Refresh
	base      map[string]*known
	words     map[string]Words
	reach     map[string]int64
	counted   time.Time
	cost      time.Duration // of that
	upto      time.Time     // decisions and words before were read
	count     int64         // signatures that were learned
	learned   time.Time     // and when
	links     *family.Links // by which they were
	withdrawn withdrawn
	taken     map[string]bool // families that somebody works on
	leave     []func(ctx context.Context, tx *sql.Tx, crash eco.ID) error
}

// known is what the board needs of one beside the owner's words.
type known struct {
	blame      eco.ExtensionID
	host       string
	state      crash.State
	resolvedIn string
}

// New opens the desk, makes its tables when they are missing, and remembers the
// reports that were withdrawn lately. The board is filled by Refresh.
func New(ctx context.Context, o Options) (*Desk, error) {
	const op = "answers.New"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if err := o.Records.Migrate(ctx, "answers", files); err != nil {
		return nil, fault.Wrap(op, err)
	}
	d := &Desk{o: o, base: map[string]*known{}, words: map[string]Words{}, reach: map[string]int64{}}
	return d, fault.Wrap(op, d.loadWithdrawn(ctx))
}
