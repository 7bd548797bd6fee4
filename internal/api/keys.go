package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// ByKey names a project key in the path.
type ByKey struct {
	Key string `path:"key" maxLength:"36" doc:"32 hexadecimal digits."`
}

// key is a project key in every form that clients take.
type key struct {
	registry.Key
	Forms registry.Forms `json:"forms"`
}

type baseKey struct{}

type rotation struct {
	OldEnds time.Time `json:"old_ends,omitzero" doc:"When the old key ends; default: in 30 days."`
}

// keyOf adds the forms for the address clients reach us at.
func (s *Server) keyOf(c *call, k registry.Key) key {
	base := s.o.Base
	if base == nil {
		base = &url.URL{Scheme: "http", Host: "localhost"}
		if u, ok := c.ctx.Value(baseKey{}).(*url.URL); ok {
			base = u
		}
	}
	return key{k, registry.FormsFor(base, k)}
}

// withBase notes the address a request came to, for servers that were told none.
func withBase(ctx context.Context, r *http.Request) context.Context {
	u := &url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	return context.WithValue(ctx, baseKey{}, u)
}

// ofKey is a thing of a key's project.
func (s *Server) ofKey(public string) (account.Resource, error) {
	p, ok := registry.ParseKey(public)
	if ok {
		var k registry.KeyView
		if k, ok = s.o.Registry.KeyByPublic(p); ok {
			return s.ofProject("key", k.Key.Project)
		}
	}
	return account.Resource{}, fault.E("api.ofKey", fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
}

type keyBody struct {
	Label         string    `json:"label,omitempty" maxLength:"100"`
	Origins       []string  `json:"origins,omitempty" maxItems:"50" doc:"Browsers may send from these only, such as https://*.example.org; none = any."`
	RatePerMinute int       `json:"rate_per_minute,omitempty" minimum:"0" maximum:"10000000" doc:"Requests; 0 = 6,000."`
	Burst         int       `json:"burst,omitempty" minimum:"0" maximum:"10000000"`
	DailyQuota    int64     `json:"daily_quota,omitempty" minimum:"0" doc:"Items a UTC day; 0 = none."`
	Expires       time.Time `json:"expires,omitzero"`
}

func (b keyBody) key() registry.Key {
	return registry.Key{Label: b.Label, Origins: b.Origins, RatePerMinute: b.RatePerMinute, Burst: b.Burst, DailyQuota: b.DailyQuota, Expires: b.Expires}
}

func (s *Server) keyRoutes() {
	add(s, op{Method: "GET", Path: "/projects/{id}/keys", ID: "keys.list", Action: account.KeyRead, Doc: "A project's keys, oldest first."},
		func(_ *call, in *ByProject) (account.Resource, error) { return s.ofProject("key", in.ID) },
		func(c *call, in *ByProject) (list[key], error) {
			keys, err := s.o.Registry.Keys(c.ctx, in.ID)
			out := make([]key, 0, len(keys))
			for _, k := range keys {
				out = append(out, s.keyOf(c, k))
			}
			return listOf(out, ""), err
		})
	type create struct {
		ByProject
		Body keyBody
	}
	add(s, op{Method: "POST", Path: "/projects/{id}/keys", ID: "keys.create", Action: account.KeyEdit, Status: http.StatusCreated, Doc: "Makes a key."},
		func(_ *call, in *create) (account.Resource, error) { return s.ofProject("key", in.ID) },
		func(c *call, in *create) (key, error) {
			k := in.Body.key()
			k.Project = in.ID
			k, err := s.o.Registry.CreateKey(c.ctx, c.actor(), k)
			return s.keyOf(c, k), err
		})
	own := func(_ *call, in *ByKey) (account.Resource, error) { return s.ofKey(in.Key) }
	add(s, op{Method: "GET", Path: "/keys/{key}", ID: "keys.get", Action: account.KeyRead, Doc: "One key."}, own,
		func(c *call, in *ByKey) (key, error) {
			public, _ := registry.ParseKey(in.Key)
			k, err := s.o.Registry.Key(c.ctx, public)
			return s.keyOf(c, k), err
		})
	type put struct {
		ByKey
		IfMatch
		Body keyBody
	}
	add(s, op{Method: "PUT", Path: "/keys/{key}", ID: "keys.put", Action: account.KeyEdit, Doc: "Changes a key's label, origins, limits and end (with If-Match)."},
		func(_ *call, in *put) (account.Resource, error) { return s.ofKey(in.Key) },
		func(c *call, in *put) (key, error) {
			v, err := in.version()
			if err != nil {
				return key{}, err
			}
			k := in.Body.key()
			k.Public, _ = registry.ParseKey(in.Key)
			k.Version = v
			k, err = s.o.Registry.UpdateKey(c.ctx, c.actor(), k)
			return s.keyOf(c, k), err
		})
	type rotate struct {
		ByKey
		Body *rotation
	}
	add(s, op{Method: "POST", Path: "/keys/{key}/rotate", ID: "keys.rotate", Action: account.KeyEdit, Status: http.StatusCreated, Doc: "Makes a new key like this one, which ends later."},
		func(_ *call, in *rotate) (account.Resource, error) { return s.ofKey(in.Key) },
		func(c *call, in *rotate) (key, error) {
			public, _ := registry.ParseKey(in.Key)
			var ends time.Time
			if in.Body != nil {
				ends = in.Body.OldEnds
			}
			k, err := s.o.Registry.RotateKey(c.ctx, c.actor(), public, ends)
			return s.keyOf(c, k), err
		})
	add(s, op{Method: "POST", Path: "/keys/{key}/revoke", ID: "keys.revoke", Action: account.KeyEdit, Doc: "Ends a key at once and for ever."}, own,
		func(c *call, in *ByKey) (key, error) {
			public, _ := registry.ParseKey(in.Key)
			k, err := s.o.Registry.RevokeKey(c.ctx, c.actor(), public)
			return s.keyOf(c, k), err
		})
}
