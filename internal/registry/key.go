package registry

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

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

// checkOrigin checks one rule, as the doors read them: scheme://host[:port], where
// the host may begin with "*." for all of its subdomains; or "null", which pages
// in sandboxes and files send.
func checkOrigin(s string) error {
	if s == "null" {
		return nil
	}
	bad := fault.E("registry.checkOrigin", fault.Invalid, "An origin has the form https://*.example.org, without a path.", nil)
	scheme, host, ok := strings.Cut(s, "://")
	host = strings.TrimPrefix(host, "*.")
	if !ok || host == "" || scheme == "" || s != strings.ToLower(s) {
		return bad
	}
	for i := range len(scheme) {
		if c := scheme[i]; !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.')) {
			return bad
		}
	}
	for i := range len(host) {
		if c := host[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._:[]", c) >= 0) {
			return bad
		}
	}
	return nil
}

// fill puts the defaults in place of zeros.
func (k *Key) fill() {
	if k.RatePerMinute == 0 {
		k.RatePerMinute = 6000
	}
	if k.Burst == 0 {
		k.Burst = max(10, k.RatePerMinute/10)
	}
}

func (k *Key) check(now time.Time) (m mistakes) {
	m.line("label", &k.Label, 0, MaxName)
	for i := range k.Origins {
		k.Origins[i] = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(k.Origins[i]), "/"))
	}
	m.words("origins", &k.Origins, checkOrigin)
	k.fill()
	if k.RatePerMinute < 1 || k.RatePerMinute > MaxRate {
		m.add("rate_per_minute", fmt.Sprintf("It lies between 1 and %d.", MaxRate))
	}
	if k.Burst < 1 || k.Burst > MaxRate {
		m.add("burst", fmt.Sprintf("It lies between 1 and %d.", MaxRate))
	}
	if k.DailyQuota < 0 || k.DailyQuota > MaxDailyQuota {
		m.add("daily_quota", fmt.Sprintf("It lies between 0 (none) and %d.", int64(MaxDailyQuota)))
	}
	if !k.Expires.IsZero() && k.Expires.After(now.AddDate(100, 0, 0)) {
		m.add("expires", "It lies within a century.")
	}
	k.Expires = timeOf(ms(k.Expires))
	return m
}

const keyCols = `public, project, label, origins, rate, burst, quota, status, created, expires, replaces, version`

func scanKey(row *sql.Rows) (k Key, err error) {
	var origins string
	var created, expires int64
	if err = row.Scan(&k.Public, &k.Project, &k.Label, &origins, &k.RatePerMinute, &k.Burst, &k.DailyQuota, &k.Status, &created, &expires, &k.Replaces, &k.Version); err != nil {
		return k, err
	}
	k.Created, k.Expires = timeOf(created), timeOf(expires)
	return k, json.Unmarshal([]byte(origins), &k.Origins)
}

func keyIn(ctx context.Context, q querier, public string) (k Key, found bool, err error) {
	found, err = one(ctx, q, `SELECT `+keyCols+` FROM registry_key WHERE public = $1`, []any{public}, func(row *sql.Rows) (err error) {
		k, err = scanKey(row)
		return err
	})
	return k, found, err
}

func putKey(ctx context.Context, tx *sql.Tx, k Key) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO registry_key (`+keyCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (public) DO UPDATE SET label = excluded.label, origins = excluded.origins, rate = excluded.rate, burst = excluded.burst,
		quota = excluded.quota, status = excluded.status, expires = excluded.expires, version = excluded.version`,
		k.Public, k.Project, k.Label, text(k.Origins), k.RatePerMinute, k.Burst, k.DailyQuota, string(k.Status), ms(k.Created), ms(k.Expires), k.Replaces, k.Version)
	return err
}

// keyRef names a key in the audit log: it is public.
func keyRef(public string) eco.Ref { return eco.Ref{Kind: "key", ID: public} }

// Keys lists a project's keys, oldest first. A project has at most MaxKeys.
func (r *Registry) Keys(_ context.Context, project int64) ([]Key, error) {
	s := r.Snapshot()
	if s.Projects[project] == nil {
		return nil, gone("registry.Keys")
	}
	return s.keysOf[project], nil
}

// Key returns one key.
func (r *Registry) Key(_ context.Context, public string) (Key, error) {
	if k, ok := r.Snapshot().Keys[public]; ok {
		return k.Key, nil
	}
	return Key{}, gone("registry.Key")
}

// CreateKey makes a key of a project; Public, Status, Created, Replaces and
// Version are ours.
func (r *Registry) CreateKey(ctx context.Context, actor string, k Key) (Key, error) {
	const op = "registry.CreateKey"
	now := r.opts.Now()
	m := k.check(now)
	if !k.Expires.IsZero() && !k.Expires.After(now) {
		m.add("expires", "It lies in the past.")
	}
	if err := m.err(op); err != nil {
		return k, err
	}
	err := r.change(ctx, func(tx *sql.Tx) (bool, error) {
		if ok, err := exists(ctx, tx, `SELECT 1 FROM registry_project WHERE id = $1`, k.Project); err != nil {
			return false, fault.Wrap(op, err)
		} else if !ok {
			return false, gone(op)
		}
		return true, r.addKey(ctx, tx, actor, &k, "")
	})
	return k, err
}

// addKey stores a checked key under a fresh public name.
func (r *Registry) addKey(ctx context.Context, tx *sql.Tx, actor string, k *Key, replaces string) error {
	const op = "registry.addKey"
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM registry_key WHERE project = $1`, k.Project).Scan(&n); err != nil {
		return fault.Wrap(op, err)
	}
	if n >= MaxKeys {
		return fault.E(op, fault.TooLarge, fmt.Sprintf("A project has at most %d keys.", MaxKeys), nil)
	}
	var b [16]byte
	if _, err := io.ReadFull(r.opts.Rand, b[:]); err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	// A UUID of version 4, so that clients that check theirs are content.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	k.Public, k.Status, k.Created, k.Replaces, k.Version = hex.EncodeToString(b[:]), KeyActive, timeOf(r.nowMs()), replaces, 1
	if err := putKey(ctx, tx, *k); err != nil {
		return fault.Wrap(op, err)
	}
	note := fmt.Sprintf("project %d", k.Project)
	if replaces != "" {
		note += "; replaces " + replaces
	}
	return r.record(ctx, tx, actor, "key.create", keyRef(k.Public), note)
}

// UpdateKey changes label, origins, limits and expiry; the rest of k is ignored.
func (r *Registry) UpdateKey(ctx context.Context, actor string, k Key) (Key, error) {
	const op = "registry.UpdateKey"
	if err := k.check(r.opts.Now()).err(op); err != nil {
		return k, err
	}
	return r.editKey(ctx, op, k.Public, func(tx *sql.Tx, now *Key) (bool, error) {
		if now.Version != k.Version {
			return false, stale(op, true, now.Version, max(k.Version, -1))
		}
		if now.Status != KeyActive {
			return false, fault.E(op, fault.Conflict, "The key is revoked.", nil)
		}
		k.Project, k.Status, k.Created, k.Replaces = now.Project, now.Status, now.Created, now.Replaces
		if reflect.DeepEqual(k, *now) {
			return false, nil
		}
		*now = k
		return true, r.record(ctx, tx, actor, "key.edit", keyRef(k.Public), "")
	})
}

// editKey reads a key, lets f change it, and stores it.
func (r *Registry) editKey(ctx context.Context, op, public string, f func(*sql.Tx, *Key) (bool, error)) (k Key, err error) {
	err = r.change(ctx, func(tx *sql.Tx) (bool, error) {
		var found bool
		if k, found, err = keyIn(ctx, tx, public); err != nil {
			return false, fault.Wrap(op, err)
		}
		if !found {
			return false, gone(op)
		}
		changed, err := f(tx, &k)
		if err != nil || !changed {
			return false, err
		}
		k.Version++
		return true, fault.Wrap(op, putKey(ctx, tx, k))
	})
	return k, err
}

// MaxOverlap is how long an old key may live on after its rotation.
const MaxOverlap = 366 * 24 * time.Hour

// RotateKey makes a new key like the old one, which ends at the given time (zero:
// in 30 days), so that clients in the field have time to change.
func (r *Registry) RotateKey(ctx context.Context, actor, public string, oldEnds time.Time) (Key, error) {
	const op = "registry.RotateKey"
	now := r.opts.Now()
	if oldEnds.IsZero() {
		oldEnds = now.Add(30 * 24 * time.Hour)
	}
	if oldEnds.Before(now) || oldEnds.Sub(now) > MaxOverlap {
		return Key{}, fault.E(op, fault.Invalid, "old_ends: The old key ends within a year from now.", nil)
	}
	var fresh Key
	_, err := r.editKey(ctx, op, public, func(tx *sql.Tx, old *Key) (bool, error) {
		if ok, _ := (KeyView{Key: *old}).Usable(now); !ok {
			return false, fault.E(op, fault.Conflict, "The key is revoked or has ended; create a new one.", nil)
		}
		fresh = *old
		fresh.Expires = time.Time{}
		if err := r.addKey(ctx, tx, actor, &fresh, old.Public); err != nil {
			return false, err
		}
		if old.Expires.IsZero() || old.Expires.After(oldEnds) {
			old.Expires = timeOf(ms(oldEnds))
		}
		return true, r.record(ctx, tx, actor, "key.rotate", keyRef(old.Public), "ends "+old.Expires.Format(time.RFC3339))
	})
	return fresh, err
}

// RevokeKey ends a key at once and for ever. Revoking it twice changes nothing.
func (r *Registry) RevokeKey(ctx context.Context, actor, public string) (Key, error) {
	return r.editKey(ctx, "registry.RevokeKey", public, func(tx *sql.Tx, now *Key) (bool, error) {
		if now.Status == KeyRevoked {
			return false, nil
		}
		now.Status = KeyRevoked
		return true, r.record(ctx, tx, actor, "key.revoke", keyRef(public), "")
	})
}
