package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/dumps"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// keepDumps is for how long a project keeps minidumps.
type keepDumps struct {
	Days int `json:"days" minimum:"0" maximum:"30" doc:"0: not at all. Fewer days end older dumps at once."`
}

// dumpOf finds a dump and whose it is: it belongs to the project's own extension
// or host, never to who is blamed.
func (s *Server) dumpOf(ctx context.Context, kind, id string) (dumps.Dump, account.Resource, error) {
	gone := fault.E("api.dumpOf", fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	crash, err := eco.ParseID(id)
	if err != nil || s.o.Dumps == nil {
		return dumps.Dump{}, account.Resource{}, gone
	}
	d, ok, err := s.o.Dumps.Of(ctx, crash)
	if err != nil {
		return d, account.Resource{}, err
	}
	if !ok {
		return d, account.Resource{}, gone
	}
	r, err := s.ofProject(kind, d.Project)
	r.ID = id
	return d, r, err
}

func (s *Server) dumpRoutes() {
	add(s, op{Method: "GET", Path: "/projects/{id}/dumps", ID: "dumps.policy", Action: account.ProjectRead, Doc: "For how many days a project keeps the minidumps of its crashes."},
		func(_ *call, in *ByProject) (account.Resource, error) { return s.ofProject("project", in.ID) },
		func(c *call, in *ByProject) (keepDumps, error) {
			if s.o.Dumps == nil {
				return keepDumps{}, nil
			}
			return keepDumps{s.o.Dumps.Days(in.ID)}, nil
		})
	type put struct {
		ByProject
		Body keepDumps
	}
	add(s, op{Method: "PUT", Path: "/projects/{id}/dumps", ID: "dumps.put", Action: account.ProjectPolicy, Doc: "Changes for how many days a project keeps minidumps, encrypted. Its policy must cover the tier crash."},
		func(_ *call, in *put) (account.Resource, error) { return s.ofProject("project", in.ID) },
		func(c *call, in *put) (keepDumps, error) {
			if s.o.Dumps == nil {
				return keepDumps{}, fault.E("api.dumps", fault.Unavailable, "This process keeps no dumps.", nil)
			}
			return in.Body, s.o.Dumps.SetDays(c.ctx, c.actor(), in.ID, in.Body.Days)
		})
	add(s, op{Method: "GET", Path: "/crashes/{id}/dump", ID: "dumps.get", Action: account.CrashRead, Doc: "Whether the minidump of a crash is kept, and until when."},
		func(c *call, in *ByCrash) (account.Resource, error) {
			_, r, err := s.dumpOf(c.ctx, "crash", in.ID)
			return r, err
		},
		func(c *call, in *ByCrash) (dumps.Dump, error) {
			d, _, err := s.dumpOf(c.ctx, "crash", in.ID)
			return d, err
		})
	type file struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Cache       string `header:"Cache-Control"`
		Body        []byte
	}
	o := op{Method: "GET", Path: "/crashes/{id}/dump/file", ID: "dumps.file", Action: account.DumpRead, Doc: "The minidump itself: raw memory of somebody's process. Each download stands in the audit log."}
	s.ops = append(s.ops, o)
	desc := s.operation(o, http.StatusOK)
	desc.Responses = map[string]*huma.Response{"200": {Description: "The minidump.", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
	huma.Register(s.huma, desc, func(ctx context.Context, in *ByCrash) (*file, error) {
		c, err := ask(s, ctx, o, func(c *call, in *ByCrash) (account.Resource, error) {
			_, r, err := s.dumpOf(c.ctx, "dump", in.ID)
			return r, err
		}, in)
		if err != nil {
			return nil, fail(ctx, err)
		}
		id, err := eco.ParseID(in.ID)
		if err != nil {
			return nil, fail(ctx, err)
		}
		b, err := s.o.Dumps.Read(ctx, c.actor(), id)
		if err != nil {
			return nil, fail(ctx, err)
		}
		return &file{"application/octet-stream", `attachment; filename="` + id.String() + `.dmp"`, "no-store", b}, nil
	})
}
