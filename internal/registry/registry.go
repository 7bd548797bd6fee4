// Package registry is the register of the ecosystem: publishers and their
// extensions, hosts, teams and what they own, releases, and the projects and
// keys by which clients reach us. It keeps a snapshot of all of it in memory, so
// that the doors and the pipeline never ask the database.
//
// It is not the place for what came in (crash, facts) nor for people (account).
// Every change is one transaction with its entry in the audit log; the actor is
// named by the caller (account.Principal.Actor). Validation errors name the field.
package registry

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Publisher owns extensions. Its members are accounts with the role author.
type Publisher struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Contact string    `json:"contact,omitempty"` // a public address of theirs
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Version int64     `json:"version"` // grows with each change; an update names the one it saw
}

// Host is an application that loads extensions.
type Host struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Kind     ExtKind   `json:"kind"`               // which embedded path patterns apply
	Paths    []string  `json:"paths,omitempty"`    // further path patterns of extensions
	Prefixes []string  `json:"prefixes,omitempty"` // class or module prefixes of the host's own code
	Files    []string  `json:"files,omitempty"`    // path parts of the host's own code
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	Version  int64     `json:"version"`
}

// Team owns extensions and hosts: the people who triage and support them.
type Team struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Extensions []eco.ExtensionID `json:"extensions,omitempty"`
	Hosts      []string          `json:"hosts,omitempty"`
	Created    time.Time         `json:"created"`
	Updated    time.Time         `json:"updated"`
	Version    int64             `json:"version"`
}

// ExtKind is the kind of application an extension is for.
type ExtKind string

const (
	VSCode    ExtKind = "vscode"
	Obsidian  ExtKind = "obsidian"
	JetBrains ExtKind = "jetbrains"
	Blender   ExtKind = "blender"
	QGIS      ExtKind = "qgis"
	Grafana   ExtKind = "grafana"
	Browser   ExtKind = "browser"
	Generic   ExtKind = "generic"
)

// Kinds lists every kind.
var Kinds = []ExtKind{VSCode, Obsidian, JetBrains, Blender, QGIS, Grafana, Browser, Generic}

// Extension is a third party's add-on.
type Extension struct {
	ID         eco.ExtensionID `json:"id"`
	Owner      string          `json:"owner,omitempty"` // the publisher that owns it; what a caller sends here changes nothing
	Kind       ExtKind         `json:"kind"`
	Name       string          `json:"name"`
	Summary    string          `json:"summary,omitempty"`
	Repository string          `json:"repository,omitempty"` // an http(s) address
	Contact    string          `json:"contact,omitempty"`    // a public address
	Host       string          `json:"host,omitempty"`       // the host it is for; "" = any of its kind
	Locals     []string        `json:"locals,omitempty"`     // ids by which its host knows it: folder name, browser id
	Prefixes   []string        `json:"prefixes,omitempty"`   // class or module prefixes of its own code
	Shaded     []string        `json:"shaded,omitempty"`     // prefixes of libraries relocated into it
	Libraries  []string        `json:"libraries,omitempty"`  // prefixes of libraries it carries under their public names
	Created    time.Time       `json:"created"`
	Updated    time.Time       `json:"updated"`
	Version    int64           `json:"version"`
	// Ignored are words above that do not count: they name others' code.
	Ignored []blame.Ignored `json:"ignored,omitempty"`

	Rule int `json:"-"` // by which its words were taken; the register writes it
}

// Publisher is who owns the extension.
func (e *Extension) Publisher() string { return cmp.Or(e.Owner, e.ID.Publisher()) }

// Subject is what a release or a project belongs to: exactly one of both is set.
type Subject struct {
	Extension eco.ExtensionID `json:"extension,omitempty"`
	Host      string          `json:"host,omitempty"`
}

// Ref is the subject as a reference.
func (s Subject) Ref() eco.Ref {
	if s.Extension != "" {
		return eco.Ref{Kind: "extension", ID: string(s.Extension)}
	}
	return eco.Ref{Kind: "host", ID: s.Host}
}

// Registry is the register. Its methods are safe for concurrent use.
type Registry struct {
	db    *db.DB
	audit *audit.Log
	opts  Options
	snap  atomic.Pointer[Snapshot]
	mu    sync.Mutex // one refresh at a time
	seen  seenSet
}

// Options are what the registry needs beside its database.
type Options struct {
	Now  func() time.Time // required
	Rand io.Reader        // required: a cryptographic source
	Log  *slog.Logger     // default: slog.Default()
}

// New opens the register: it migrates its tables and takes the first snapshot.
func New(ctx context.Context, d *db.DB, log *audit.Log, o Options) (*Registry, error) {
	const op = "registry.New"
	if o.Now == nil || o.Rand == nil {
		return nil, fault.E(op, fault.Internal, "", errors.New("a clock and a source of randomness are required"))
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	if err := d.Migrate(ctx, "registry", files); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Registry{db: d, audit: log, opts: o}
	if err := r.refresh(ctx, true); err != nil {
		return nil, fault.Wrap(op, err)
	}
	return r, nil
}

// Page asks for part of a list: at most Limit (1 to 500; 0 = 100) entries after
// the cursor After ("" = from the start), whose id or name contains Q. Only, when
// not nil, keeps the ids that the caller may see.
type Page struct {
	After string
	Limit int
	Q     string
	Only  func(id string) bool
}

// Snapshot returns the register as it is in memory now. It is immutable.
func (r *Registry) Snapshot() *Snapshot { return r.snap.Load() }

// Refresh takes a new snapshot when another process changed the register; jobs
// call it every few seconds in a cluster. Own changes refresh by themselves.
func (r *Registry) Refresh(ctx context.Context) error {
	return fault.Wrap("registry.Refresh", r.refresh(ctx, false))
}
