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
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
)

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
}

// Publisher is the part of the id before the first dot.
func (e *Extension) Publisher() string { return e.ID.Publisher() }

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

// Release is one version of an extension or a host.
type Release struct {
	Subject   Subject     `json:"subject"`
	Version   string      `json:"version"`
	Channel   eco.Channel `json:"channel"`
	Published time.Time   `json:"published"`           // as declared; for a seen one, when it was first seen
	FirstSeen time.Time   `json:"first_seen,omitzero"` // first traffic of it
	Declared  bool        `json:"declared"`            // somebody declared it; else it was only seen in traffic
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
}

// New opens the register: it migrates its tables and takes the first snapshot.
func New(ctx context.Context, d *db.DB, log *audit.Log, o Options) (*Registry, error) { panic("later") }

// Page asks for part of a list: at most Limit (1 to 500; 0 = 100) entries after
// the cursor After ("" = from the start), whose id or name contains Q.
type Page struct {
	After string
	Limit int
	Q     string
}

// Snapshot returns the register as it is in memory now. It is immutable.
func (r *Registry) Snapshot() *Snapshot { return r.snap.Load() }

// Refresh takes a new snapshot when another process changed the register; jobs
// call it every few seconds in a cluster. Own changes refresh by themselves.
func (r *Registry) Refresh(ctx context.Context) error { panic("later") }

// Lists are sorted by id, and by id alone, so that cursors hold.

func (r *Registry) Publishers(ctx context.Context, p Page) ([]Publisher, string, error) {
	panic("later")
}
func (r *Registry) Publisher(ctx context.Context, id string) (Publisher, error) { panic("later") }
func (r *Registry) PutPublisher(ctx context.Context, actor string, p Publisher) (Publisher, error) {
	panic("later")
}
func (r *Registry) Hosts(ctx context.Context, p Page) ([]Host, string, error)       { panic("later") }
func (r *Registry) Host(ctx context.Context, id string) (Host, error)               { panic("later") }
func (r *Registry) PutHost(ctx context.Context, actor string, h Host) (Host, error) { panic("later") }
func (r *Registry) Teams(ctx context.Context, p Page) ([]Team, string, error)       { panic("later") }
func (r *Registry) Team(ctx context.Context, id string) (Team, error)               { panic("later") }
func (r *Registry) PutTeam(ctx context.Context, actor string, t Team) (Team, error) { panic("later") }

// ExtensionFilter narrows a list of extensions. Only, when not nil, keeps those
// the caller may see.
type ExtensionFilter struct {
	Page
	Publisher string
	Host      string
	Kind      ExtKind
	Only      func(eco.ExtensionID) bool
}

func (r *Registry) Extensions(ctx context.Context, f ExtensionFilter) ([]Extension, string, error) {
	panic("later")
}
func (r *Registry) Extension(ctx context.Context, id eco.ExtensionID) (Extension, error) {
	panic("later")
}

// PutExtension creates (Version 0) or changes an extension; its publisher is
// created when missing only by imports, never here. A Version other than the
// stored one is a conflict.
func (r *Registry) PutExtension(ctx context.Context, actor string, e Extension) (Extension, error) {
	panic("later")
}

// Releases lists the releases of a subject, newest version first
// (eco.CompareVersions), at most limit after the cursor.
func (r *Registry) Releases(ctx context.Context, s Subject, after string, limit int) ([]Release, string, error) {
	panic("later")
}

// Release returns one release; not_found when nobody declared or saw it.
func (r *Registry) Release(ctx context.Context, s Subject, version string) (Release, error) {
	panic("later")
}

// DeclareRelease adds or changes a release that somebody published.
func (r *Registry) DeclareRelease(ctx context.Context, actor string, rel Release) (Release, error) {
	panic("later")
}

// EnsureRelease makes sure that a release seen in traffic is known: idempotent,
// and without a database call when it is. Unknown subjects are ignored. A seen
// release writes no audit entry: it is intake, not somebody's change.
func (r *Registry) EnsureRelease(ctx context.Context, s Subject, version string, ch eco.Channel, seen time.Time) error {
	panic("later")
}
