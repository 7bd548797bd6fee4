package api

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// During is a span of receipt.
type During struct {
	From time.Time `query:"from" doc:"Start, inclusive (RFC 3339). Default: 30 days before the end."`
	To   time.Time `query:"to" doc:"End, exclusive. Default: now."`
}

type releaseBody struct {
	Channel   eco.Channel `json:"channel,omitempty" enum:"stable,beta,nightly"`
	Published time.Time   `json:"published,omitzero" doc:"Default: now."`
}

// subjects are the two kinds of things that have releases.
var subjects = []struct {
	path, noun string
	read       account.Action // whoever sees a host sees its releases
	of         func(id string) registry.Subject
}{
	{"/extensions", "extensions", account.ReleaseRead, func(id string) registry.Subject { return registry.Subject{Extension: eco.ExtensionID(id)} }},
	{"/hosts", "hosts", account.HostRead, func(id string) registry.Subject { return registry.Subject{Host: id} }},
}

// resourceOf is a thing of a subject.
func resourceOf(kind, id string, s registry.Subject) account.Resource {
	if s.Host != "" {
		return account.OfHost(kind, id, s.Host)
	}
	return ofExtension(kind, string(s.Extension))
}

func (s *Server) releaseRoutes() {
	type all struct {
		ByExtension
		Paging
	}
	type one struct {
		ByExtension
		Version string `path:"version" maxLength:"64"`
	}
	type declare struct {
		ByExtension
		Version string `path:"version" maxLength:"64"`
		Body    releaseBody
	}
	for _, x := range subjects {
		add(s, op{Method: "GET", Path: x.path + "/{id}/releases", ID: x.noun + ".releases", Action: x.read, Doc: "Releases, newest version first; undeclared ones were only seen in traffic."},
			func(_ *call, in *all) (account.Resource, error) {
				return resourceOf("release", in.ID, x.of(in.ID)), nil
			},
			func(c *call, in *all) (list[registry.Release], error) {
				items, next, err := s.o.Registry.Releases(c.ctx, x.of(in.ID), in.Cursor, in.Limit)
				return listOf(items, next), err
			})
		add(s, op{Method: "GET", Path: x.path + "/{id}/releases/{version}", ID: x.noun + ".release", Action: x.read, Doc: "One release."},
			func(_ *call, in *one) (account.Resource, error) {
				return resourceOf("release", in.ID, x.of(in.ID)), nil
			},
			func(c *call, in *one) (registry.Release, error) {
				return s.o.Registry.Release(c.ctx, x.of(in.ID), in.Version)
			})
		add(s, op{Method: "PUT", Path: x.path + "/{id}/releases/{version}", ID: x.noun + ".declare", Action: account.ReleaseEdit, Doc: "Declares a release, or changes what was declared."},
			func(_ *call, in *declare) (account.Resource, error) {
				return resourceOf("release", in.ID, x.of(in.ID)), nil
			},
			func(c *call, in *declare) (registry.Release, error) {
				return s.o.Registry.DeclareRelease(c.ctx, c.actor(), registry.Release{Subject: x.of(in.ID), Version: in.Version, Channel: in.Body.Channel, Published: in.Body.Published})
			})
	}
}

func (d During) period() crash.Period { return crash.Period{From: d.From, To: d.To} }
