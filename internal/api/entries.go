package api

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// ByID names a publisher, host or team in the path.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

type listEntries struct {
	Paging
	Search
}

func (in *listEntries) page() registry.Page {
	return registry.Page{After: in.Cursor, Limit: in.Limit, Q: in.Q}
}

// only keeps the tenants of a role, unless the caller may see all.
func (c *call) only(a account.Action, of func(account.Grant) string) func(string) bool {
	if c.may(a, account.OfServer("", "")) {
		return nil
	}
	return func(id string) bool {
		return slices.ContainsFunc(c.p.Grants, func(g account.Grant) bool { return of(g) == id })
	}
}

type publisherBody struct {
	Name    string `json:"name" minLength:"1" maxLength:"100"`
	Contact string `json:"contact,omitempty" maxLength:"300" doc:"A public address: of the web or of e-mail."`
}

type hostBody struct {
	Name     string           `json:"name" minLength:"1" maxLength:"100"`
	Kind     registry.ExtKind `json:"kind,omitempty" enum:"vscode,obsidian,jetbrains,blender,qgis,grafana,browser,generic"`
	Paths    []string         `json:"paths,omitempty" maxItems:"50" doc:"Path patterns of extensions, such as plugins/{publisher}.{name}-{version}/"`
	Prefixes []string         `json:"prefixes,omitempty" maxItems:"50" doc:"Class or module prefixes of the host's own code."`
	Files    []string         `json:"files,omitempty" maxItems:"50" doc:"Path parts of the host's own code."`
}

type teamBody struct {
	Name       string            `json:"name" minLength:"1" maxLength:"100"`
	Extensions []eco.ExtensionID `json:"extensions,omitempty" maxItems:"5000"`
	Hosts      []string          `json:"hosts,omitempty" maxItems:"5000"`
}

func (s *Server) entryRoutes() {
	add(s, op{Method: "GET", Path: "/publishers", ID: "publishers.list", Action: account.PublisherRead, Doc: "Publishers, by id."}, listed[listEntries]("publisher"),
		func(c *call, in *listEntries) (list[registry.Publisher], error) {
			p := in.page()
			p.Only = c.only(account.PublisherRead, func(g account.Grant) string { return g.Publisher })
			items, next, err := s.o.Registry.Publishers(c.ctx, p)
			return listOf(items, next), err
		})
	add(s, op{Method: "GET", Path: "/publishers/{id}", ID: "publishers.get", Action: account.PublisherRead, Doc: "One publisher."},
		func(_ *call, in *ByID) (account.Resource, error) {
			return account.OfPublisher("publisher", in.ID, in.ID), nil
		},
		func(c *call, in *ByID) (registry.Publisher, error) { return s.o.Registry.Publisher(c.ctx, in.ID) })
	type putPublisher struct {
		ByID
		IfMatch
		Body publisherBody
	}
	add(s, op{Method: "PUT", Path: "/publishers/{id}", ID: "publishers.put", Action: account.PublisherEdit, Doc: "Changes a publisher (with If-Match), or registers it (without)."},
		func(_ *call, in *putPublisher) (account.Resource, error) {
			return account.OfPublisher("publisher", in.ID, in.ID), nil
		},
		func(c *call, in *putPublisher) (registry.Publisher, error) {
			v, err := in.version()
			if err != nil {
				return registry.Publisher{}, err
			}
			return s.o.Registry.PutPublisher(c.ctx, c.actor(), registry.Publisher{ID: in.ID, Name: in.Body.Name, Contact: in.Body.Contact, Version: v})
		})

	add(s, op{Method: "GET", Path: "/hosts", ID: "hosts.list", Action: account.HostRead, Doc: "Host applications, by id."}, listed[listEntries]("host"),
		func(c *call, in *listEntries) (list[registry.Host], error) {
			items, next, err := s.o.Registry.Hosts(c.ctx, in.page())
			return listOf(items, next), err
		})
	add(s, op{Method: "GET", Path: "/hosts/{id}", ID: "hosts.get", Action: account.HostRead, Doc: "One host application."},
		func(_ *call, in *ByID) (account.Resource, error) { return account.OfHost("host", in.ID, in.ID), nil },
		func(c *call, in *ByID) (registry.Host, error) { return s.o.Registry.Host(c.ctx, in.ID) })
	type putHost struct {
		ByID
		IfMatch
		Body hostBody
	}
	add(s, op{Method: "PUT", Path: "/hosts/{id}", ID: "hosts.put", Action: account.HostEdit, Doc: "Changes a host application (with If-Match), or registers it (without)."},
		func(_ *call, in *putHost) (account.Resource, error) { return account.OfHost("host", in.ID, in.ID), nil },
		func(c *call, in *putHost) (registry.Host, error) {
			v, err := in.version()
			if err != nil {
				return registry.Host{}, err
			}
			b := in.Body
			return s.o.Registry.PutHost(c.ctx, c.actor(), registry.Host{ID: in.ID, Name: b.Name, Kind: b.Kind, Paths: b.Paths, Prefixes: b.Prefixes, Files: b.Files, Version: v})
		})
	s.teamRoutes()
}

func (s *Server) teamRoutes() {
	ofTeam := func(id string) account.Resource { return account.Resource{Kind: "team", ID: id, Team: id} }
	add(s, op{Method: "GET", Path: "/teams", ID: "teams.list", Action: account.TeamRead, Doc: "Teams and what they own, by id."}, listed[listEntries]("team"),
		func(c *call, in *listEntries) (list[registry.Team], error) {
			p := in.page()
			p.Only = c.only(account.TeamRead, func(g account.Grant) string { return g.Team })
			items, next, err := s.o.Registry.Teams(c.ctx, p)
			return listOf(items, next), err
		})
	own := func(_ *call, in *ByID) (account.Resource, error) { return ofTeam(in.ID), nil }
	add(s, op{Method: "GET", Path: "/teams/{id}", ID: "teams.get", Action: account.TeamRead, Doc: "One team."}, own,
		func(c *call, in *ByID) (registry.Team, error) { return s.o.Registry.Team(c.ctx, in.ID) })
	type put struct {
		ByID
		IfMatch
		Body teamBody
	}
	add(s, op{Method: "PUT", Path: "/teams/{id}", ID: "teams.put", Action: account.TeamEdit, Max: 1 << 20, Doc: "Changes a team (with If-Match), or registers it (without)."},
		func(_ *call, in *put) (account.Resource, error) { return ofTeam(in.ID), nil },
		func(c *call, in *put) (registry.Team, error) {
			v, err := in.version()
			if err != nil {
				return registry.Team{}, err
			}
			return s.o.Registry.PutTeam(c.ctx, c.actor(), registry.Team{ID: in.ID, Name: in.Body.Name, Extensions: in.Body.Extensions, Hosts: in.Body.Hosts, Version: v})
		})
	addNone(s, op{Method: "DELETE", Path: "/teams/{id}", ID: "teams.remove", Action: account.TeamEdit, Doc: "Takes a team out; its grants then see nothing."}, own,
		func(c *call, in *ByID) error { return s.o.Registry.RemoveTeam(c.ctx, c.actor(), in.ID) })
}
