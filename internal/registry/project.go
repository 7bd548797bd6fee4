package registry

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// Project is a place clients send to: of exactly one extension or one host.
type Project struct {
	ID         int64          `json:"id"`
	Subject    Subject        `json:"subject"`
	Name       string         `json:"name"`
	Policy     consent.Policy `json:"policy"`
	Sampling   string         `json:"sampling,omitempty"` // a note: what the client samples, for the pages
	Quarantine Quarantine     `json:"quarantine"`
	Created    time.Time      `json:"created"`
	Updated    time.Time      `json:"updated"`
	Version    int64          `json:"version"`
}

// Quarantine says when a burst looks forged. Such items are kept apart: not in
// counts, not in blame. The decision runs at the door; here is only the data.
type Quarantine struct {
	All           bool    `json:"all,omitempty"`            // everything of this project, until a person lifts it
	PerMinute     int     `json:"per_minute,omitempty"`     // crashes a minute above which a burst is suspect; 0 = 600
	FactorOfHour  float64 `json:"factor_of_hour,omitempty"` // and how many times the last hour's mean it must be; 0 = 20
	InstallsBelow float64 `json:"installs_below,omitempty"` // and fewer distinct installs per crash than this; 0 = 0.05
}

// WithDefaults fills in the numbers that are 0.
func (q Quarantine) WithDefaults() Quarantine {
	if q.PerMinute == 0 {
		q.PerMinute = 600
	}
	if q.FactorOfHour == 0 {
		q.FactorOfHour = 20
	}
	if q.InstallsBelow == 0 {
		q.InstallsBelow = 0.05
	}
	return q
}

// KeyStatus says whether a key is taken.
type KeyStatus string

const (
	KeyActive  KeyStatus = "active"  // taken until it expires
	KeyRevoked KeyStatus = "revoked" // refused for ever
)

// Key is a project's public key. It is no secret: clients carry it.
type Key struct {
	Public        string    `json:"public"` // 32 hex digits
	Project       int64     `json:"project"`
	Label         string    `json:"label,omitempty"`
	Origins       []string  `json:"origins,omitempty"` // browsers may send from these only, e.g. "https://*.example.org"; none = any
	RatePerMinute int       `json:"rate_per_minute"`   // requests; 0 = 6,000
	Burst         int       `json:"burst"`             // 0 = RatePerMinute/10, at least 10
	DailyQuota    int64     `json:"daily_quota"`       // items a UTC day; 0 = no quota
	Status        KeyStatus `json:"status"`
	Created       time.Time `json:"created"`
	Expires       time.Time `json:"expires,omitzero"` // zero = never
	Replaces      string    `json:"replaces,omitempty"`
	Version       int64     `json:"version"`
}

// KeyView is a key with its project, as the doors see it: from memory.
type KeyView struct {
	Key     Key
	Project *ProjectView
}

// Usable reports whether the key is taken at this time, and why not.
func (k KeyView) Usable(at time.Time) (bool, string) {
	switch {
	case k.Key.Status != KeyActive:
		return false, "key:revoked"
	case !k.Key.Expires.IsZero() && !at.Before(k.Key.Expires):
		return false, "key:expired"
	}
	return true, ""
}

// ProjectView is a project as the doors see it: shared, never changed.
type ProjectView struct {
	Project
	Kind ExtKind // of its extension or host
}

// ProjectFilter narrows a list of projects. Only, when not nil, keeps those of
// subjects the caller may see.
type ProjectFilter struct {
	Page
	Subject Subject // zero = all
	Only    func(Subject) bool
}

// Projects lists projects by number.
func (r *Registry) Projects(ctx context.Context, f ProjectFilter) ([]Project, string, error) {
	panic("later")
}

// Project returns one project.
func (r *Registry) Project(ctx context.Context, id int64) (Project, error) { panic("later") }

// CreateProject makes a project (its ID is given by us; Version, Created and
// Updated of p are ignored) and its first key.
func (r *Registry) CreateProject(ctx context.Context, actor string, p Project) (Project, Key, error) {
	panic("later")
}

// UpdateProject changes name, sampling note and quarantine.
func (r *Registry) UpdateProject(ctx context.Context, actor string, p Project) (Project, error) {
	panic("later")
}

// SetPolicy changes what the project's users were asked; the policy's version grows by one.
func (r *Registry) SetPolicy(ctx context.Context, actor string, project, version int64, pol consent.Policy) (Project, error) {
	panic("later")
}

// Keys lists a project's keys, oldest first.
func (r *Registry) Keys(ctx context.Context, project int64) ([]Key, error) { panic("later") }

// Key returns one key.
func (r *Registry) Key(ctx context.Context, public string) (Key, error) { panic("later") }

// CreateKey makes a key; Public, Status, Created, Replaces and Version are ours.
func (r *Registry) CreateKey(ctx context.Context, actor string, k Key) (Key, error) { panic("later") }

// UpdateKey changes label, origins, limits and expiry.
func (r *Registry) UpdateKey(ctx context.Context, actor string, k Key) (Key, error) { panic("later") }

// RotateKey makes a new key like the old one, which ends at the given time.
func (r *Registry) RotateKey(ctx context.Context, actor, public string, oldEnds time.Time) (Key, error) {
	panic("later")
}

// RevokeKey ends a key at once and for ever.
func (r *Registry) RevokeKey(ctx context.Context, actor, public string) (Key, error) { panic("later") }

// Snapshot is the register in memory. It is immutable.
type Snapshot struct {
	Version    int64
	Extensions map[eco.ExtensionID]*Extension
	Hosts      map[string]*Host
	Publishers map[string]*Publisher
	Teams      map[string]*Team
	Projects   map[int64]*ProjectView
	Keys       map[string]*KeyView
}

type seenSet struct{}
