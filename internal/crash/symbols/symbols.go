// Package symbols keeps the symbol files that people upload, once by content, and
// finds the one that a frame of a crash asks for; it notes which ones are missing
// and whom they would help. A crash that came before its symbols is named when they
// arrive (Late). It never fetches anything from the network.
//
// A file belongs to one extension or one host and names frames of that one's
// crashes only (see owners).
//
// What it is not: a reader of formats; that is package symbol.
package symbols

import (
	"context"
	"embed"
	"io/fs"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The bounds of what is kept.
const (
	MaxFiles   = 5000      // of one extension or host; the least recently used go first
	MaxBytes   = 2 << 30   // of one extension or host, likewise
	MaxUpload  = 100 << 20 // bytes of one request
	maxMissing = 1000      // different files that one extension or host misses
	maxWanted  = 1000      // crashes remembered for each of them, the newest
	maxPending = 10_000    // crashes waiting to be noted
	maxUploads = 2         // at a time
	undoFor    = 7 * 24 * time.Hour
	keptParsed = 128 << 20 // bytes of parsed files in memory
)

// Subject is whose a file is: an extension or a host.
type Subject = registry.Subject

// File is a symbol file that is kept.
type File struct {
	ID       string      `json:"id"`
	Subject  Subject     `json:"subject"`
	Kind     symbol.Kind `json:"kind"`
	DebugID  string      `json:"debug_id,omitempty"`
	Release  string      `json:"release,omitempty"`
	File     string      `json:"file,omitempty"` // that it is for: "~/dist/extension.js", or a binary's name
	Name     string      `json:"name"`           // as it was uploaded
	SHA256   string      `json:"sha256"`
	Size     int64       `json:"size"`
	Uploaded time.Time   `json:"uploaded"`
	By       string      `json:"by"`
	Used     time.Time   `json:"used,omitzero"`    // a frame was named by it; zero: never
	Deleted  time.Time   `json:"deleted,omitzero"` // it can be brought back for seven days
}

// Missing is a symbol file that crashes asked for in vain.
type Missing struct {
	ID       string      `json:"id"`
	Subject  Subject     `json:"subject"`
	Kind     symbol.Kind `json:"kind"`
	DebugID  string      `json:"debug_id,omitempty"`
	Release  string      `json:"release,omitempty"`
	File     string      `json:"file,omitempty"`
	Crashes  int64       `json:"crashes"`
	Installs int64       `json:"installs"` // distinct ones among the newest of those crashes
	First    time.Time   `json:"first"`
	Last     time.Time   `json:"last"`
}

// Options are what the store stands on.
type Options struct {
	Records *db.DB
	Audit   *audit.Log
	Blobs   blob.Bucket
	Now     func() time.Time
	NewID   func() string
}

// Store keeps symbol files. It is safe for concurrent use.
type Store struct {
	o       Options
	parsed  *cache
	parse   sync.Mutex // one file is parsed at a time: it bounds memory
	uploads chan struct{}

	mu          sync.Mutex
	found       map[wish]hit    // answers of the table, for a little while
	having      map[string]bool // who has files; nil = not known
	havingUntil time.Time
	used        map[string]int64
	pending     []wanted
}

// New opens the store and makes its tables when they are missing.
func New(ctx context.Context, o Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E("symbols.New", fault.Internal, "", err)
	}
	if err := o.Records.Migrate(ctx, "crash_symbols", files); err != nil {
		return nil, fault.Wrap("symbols.New", err)
	}
	return &Store{o: o, uploads: make(chan struct{}, maxUploads), parsed: newCache(keptParsed), found: map[wish]hit{}, used: map[string]int64{}}, nil
}

func subjectText(s Subject) string {
	if s.Host != "" {
		return "host:" + s.Host
	}
	return "extension:" + string(s.Extension)
}

func subjectOf(text string) Subject {
	if len(text) > 5 && text[:5] == "host:" {
		return Subject{Host: text[5:]}
	}
	if len(text) > 10 {
		return Subject{Extension: eco.ExtensionID(text[10:])}
	}
	return Subject{}
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
