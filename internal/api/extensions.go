package api

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// ByExtension names an extension in the path.
type ByExtension struct {
	ID string `path:"id" maxLength:"128" doc:"publisher.name"`
}

func (b ByExtension) id() (eco.ExtensionID, error) { return eco.ParseExtensionID(b.ID) }

// ofExtension is the thing of one extension. An id that is none is nobody's: the
// answer is the same as for another tenant's.
func ofExtension(kind, id string) account.Resource {
	ext, err := eco.ParseExtensionID(id)
	if err != nil {
		ext = "unknown.unknown"
	}
	return account.OfExtension(kind, string(ext), ext)
}

// ExtensionBody is what can be said of an extension.
type ExtensionBody struct {
	Kind       registry.ExtKind `json:"kind,omitempty" enum:"vscode,obsidian,jetbrains,blender,qgis,grafana,browser,generic"`
	Name       string           `json:"name" minLength:"1" maxLength:"100"`
	Summary    string           `json:"summary,omitempty" maxLength:"500"`
	Repository string           `json:"repository,omitempty" maxLength:"300"`
	Contact    string           `json:"contact,omitempty" maxLength:"300" doc:"A public address: of the web or of e-mail."`
	Host       string           `json:"host,omitempty" maxLength:"64"`
	Locals     []string         `json:"locals,omitempty" maxItems:"50" doc:"Ids by which its host knows it."`
	Prefixes   []string         `json:"prefixes,omitempty" maxItems:"50" doc:"Class or module prefixes of its own code."`
	Shaded     []string         `json:"shaded,omitempty" maxItems:"50" doc:"Prefixes of libraries relocated into it."`
	Libraries  []string         `json:"libraries,omitempty" maxItems:"50" doc:"Prefixes of libraries it carries under their public names."`
}

func (b ExtensionBody) entry(id eco.ExtensionID, version int64) registry.Extension {
	return registry.Extension{ID: id, Kind: b.Kind, Name: b.Name, Summary: b.Summary, Repository: b.Repository, Contact: b.Contact, Host: b.Host,
		Locals: b.Locals, Prefixes: b.Prefixes, Shaded: b.Shaded, Libraries: b.Libraries, Version: version}
}

// sees returns what keeps the extensions that the caller may see; nil keeps all.
func (c *call) sees(a account.Action) func(eco.ExtensionID) bool {
	if c.may(a, account.OfServer("extension", "")) {
		return nil
	}
	mine := c.scope().Extensions()
	return func(id eco.ExtensionID) bool { return slices.Contains(mine, id) }
}

// putExtension writes an entry with the care that the caller needs: whoever keeps
// the register may give an extension any words.
func (s *Server) putExtension(c *call, e registry.Extension) (registry.Extension, error) {
	if c.may(account.HostEdit, account.OfServer("extension", "")) {
		return s.o.Registry.PutExtension(c.ctx, c.actor(), e)
	}
	return s.o.Registry.PutOwnExtension(c.ctx, c.actor(), e)
}

type newExtension struct {
	ID string `json:"id" maxLength:"128" doc:"publisher.name"`
	ExtensionBody
}

func (s *Server) extensionRoutes() {
	add(s, op{Method: "GET", Path: "/extensions", ID: "extensions.list", Action: account.ExtensionRead, Doc: "Extensions, by id."}, listed[listExtensions]("extension"),
		func(c *call, in *listExtensions) (list[registry.Extension], error) {
			items, next, err := s.o.Registry.Extensions(c.ctx, registry.ExtensionFilter{
				Page: registry.Page{After: in.Cursor, Limit: in.Limit, Q: in.Q}, Publisher: in.Publisher, Host: in.Host, Kind: in.Kind, Visible: c.sees(account.ExtensionRead)})
			return listOf(items, next), err
		})
	type create struct {
		Body newExtension
	}
	add(s, op{Method: "POST", Path: "/extensions", ID: "extensions.create", Action: account.ExtensionCreate, Status: http.StatusCreated, Doc: "Registers an extension."},
		func(_ *call, in *create) (account.Resource, error) { return ofExtension("extension", in.Body.ID), nil },
		func(c *call, in *create) (registry.Extension, error) {
			id, err := eco.ParseExtensionID(in.Body.ID)
			if err != nil {
				return registry.Extension{}, err
			}
			return s.putExtension(c, in.Body.entry(id, 0))
		})
	type load struct {
		DryRun  bool   `query:"dry_run" doc:"Says what would happen, and changes nothing."`
		RawBody []byte `contentType:"application/octet-stream"`
	}
	add(s, op{Method: "POST", Path: "/extensions/import", ID: "extensions.import", Action: account.ExtensionImport, Max: registry.MaxImportBytes,
		Doc: "Registers or changes extensions from JSON (an array, or one object after the other) or CSV (with a header line)."}, listed[load]("extension"),
		func(c *call, in *load) (registry.ImportReport, error) {
			return s.o.Registry.Import(c.ctx, c.actor(), bytes.NewReader(in.RawBody), in.DryRun, func(id eco.ExtensionID, owners bool) bool {
				if owners {
					return c.may(account.AccountEdit, account.OfServer("extension", ""))
				}
				return c.may(account.ExtensionCreate, account.OfExtension("extension", string(id), id))
			})
		})
	own := func(_ *call, in *ByExtension) (account.Resource, error) { return ofExtension("extension", in.ID), nil }
	add(s, op{Method: "GET", Path: "/extensions/{id}", ID: "extensions.get", Action: account.ExtensionRead, Doc: "One extension."}, own,
		func(c *call, in *ByExtension) (registry.Extension, error) {
			id, err := in.id()
			if err != nil {
				return registry.Extension{}, err
			}
			return s.o.Registry.Extension(c.ctx, id)
		})
	type put struct {
		ByExtension
		IfMatch
		Body ExtensionBody
	}
	add(s, op{Method: "PUT", Path: "/extensions/{id}", ID: "extensions.put", Action: account.ExtensionEdit, Doc: "Changes an extension (with If-Match), or registers it (without)."},
		func(_ *call, in *put) (account.Resource, error) { return ofExtension("extension", in.ID), nil },
		func(c *call, in *put) (registry.Extension, error) {
			id, err := in.id()
			if err != nil {
				return registry.Extension{}, err
			}
			version, err := in.version()
			if err != nil {
				return registry.Extension{}, err
			}
			return s.putExtension(c, in.Body.entry(id, version))
		})
	addNone(s, op{Method: "DELETE", Path: "/extensions/{id}", ID: "extensions.remove", Action: account.ExtensionEdit, Doc: "Takes out an extension that has no project."}, own,
		func(c *call, in *ByExtension) error {
			id, err := in.id()
			if err != nil {
				return err
			}
			return s.o.Registry.RemoveExtension(c.ctx, c.actor(), id)
		})
	type health struct {
		ByExtension
		During
	}
	add(s, op{Method: "GET", Path: "/extensions/{id}/health", ID: "extensions.health", Action: account.FactsQuery, Doc: "Crashes, sessions and crash-free shares of an extension and its releases, with the period before."},
		func(_ *call, in *health) (account.Resource, error) { return ofExtension("extension", in.ID), nil },
		func(c *call, in *health) (crash.Overview, error) {
			id, err := in.id()
			if err != nil {
				return crash.Overview{}, err
			}
			if _, err := s.o.Registry.Extension(c.ctx, id); err != nil {
				return crash.Overview{}, err
			}
			return s.o.Desk.Extension(c.ctx, c.scope(), id, in.period())
		})
	add(s, op{Method: "GET", Path: "/health", ID: "health.list", Action: account.FactsQuery, Doc: "Every extension with a crash or session in the period, most crashes first."}, listed[During]("facts"),
		func(c *call, in *During) (list[crash.ExtensionHealth], error) {
			items, err := s.o.Desk.Extensions(c.ctx, c.scope(), in.period())
			return listOf(items, ""), err
		})
	add(s, op{Method: "GET", Path: "/overview", ID: "overview.get", Action: account.FactsQuery, Doc: "Numbers of everything the caller sees."}, listed[During]("facts"),
		func(c *call, in *During) (crash.Overview, error) {
			return s.o.Desk.Ecosystem(c.ctx, c.scope(), in.period())
		})
}

type listExtensions struct {
	Paging
	Search
	Publisher string           `query:"publisher" maxLength:"64"`
	Host      string           `query:"host" maxLength:"64"`
	Kind      registry.ExtKind `query:"kind" enum:"vscode,obsidian,jetbrains,blender,qgis,grafana,browser,generic"`
}
