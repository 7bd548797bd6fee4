package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// ByProject names a project in the path.
type ByProject struct {
	ID int64 `path:"id" minimum:"1"`
}

type newProject struct {
	Extension string     `json:"extension,omitempty" maxLength:"128" doc:"The extension it is of; or host."`
	Host      string     `json:"host,omitempty" maxLength:"64"`
	Name      string     `json:"name" minLength:"1" maxLength:"100"`
	Policy    policyBody `json:"policy,omitzero"`
	Sampling  string     `json:"sampling,omitempty" maxLength:"500"`
}

type projectBody struct {
	Name       string     `json:"name" minLength:"1" maxLength:"100"`
	Sampling   string     `json:"sampling,omitempty" maxLength:"500"`
	Quarantine quarantine `json:"quarantine,omitzero"`
}

// ofProject is a thing of a project: its tenant is the project's.
func (s *Server) ofProject(kind string, id int64) (account.Resource, error) {
	p, ok := s.o.Registry.ProjectByID(id)
	if !ok {
		return account.Resource{}, fault.E("api.ofProject", fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	}
	return resourceOf(kind, strconv.FormatInt(id, 10), p.Subject), nil
}

// seesSubject returns what keeps the subjects whose projects the caller may see;
// nil keeps all.
func (c *call) seesSubject(a account.Action) func(registry.Subject) bool {
	if c.may(a, account.OfServer("project", "")) {
		return nil
	}
	scope := c.scope()
	return func(s registry.Subject) bool {
		if s.Host != "" {
			return slices.Contains(scope.Hosts(), s.Host)
		}
		return slices.Contains(scope.Extensions(), s.Extension)
	}
}

type quarantine struct {
	All           bool    `json:"all,omitempty" doc:"Keeps everything of this project apart."`
	PerMinute     int     `json:"per_minute,omitempty" minimum:"0" maximum:"10000000"`
	FactorOfHour  float64 `json:"factor_of_hour,omitempty" minimum:"0" maximum:"1000000"`
	InstallsBelow float64 `json:"installs_below,omitempty" minimum:"0" maximum:"1"`
}

type policyBody struct {
	Tiers   []eco.Tier `json:"tiers" maxItems:"5" doc:"What the users consented to, beside essential: crash, performance, usage, support."`
	Text    string     `json:"text,omitempty" maxLength:"4000" doc:"What users are shown when they are asked."`
	AskedBy string     `json:"asked_by,omitempty" maxLength:"128" doc:"Who asks: host, extension, or a name."`
}

func (b policyBody) policy() consent.Policy {
	return consent.Policy{Tiers: b.Tiers, Text: b.Text, AskedBy: b.AskedBy}
}

// created is a new project with its first key.
type created struct {
	Project registry.Project `json:"project"`
	Key     key              `json:"key"`
}

func (s *Server) projectRoutes() {
	type search struct {
		Paging
		Search
		Extension string `query:"extension" maxLength:"128"`
		Host      string `query:"host" maxLength:"64"`
	}
	add(s, op{Method: "GET", Path: "/projects", ID: "projects.list", Action: account.ProjectRead, Doc: "Projects, by number."}, listed[search]("project"),
		func(c *call, in *search) (list[registry.Project], error) {
			items, next, err := s.o.Registry.Projects(c.ctx, registry.ProjectFilter{Page: registry.Page{After: in.Cursor, Limit: in.Limit, Q: in.Q},
				Subject: registry.Subject{Extension: eco.ExtensionID(in.Extension), Host: in.Host}, Visible: c.seesSubject(account.ProjectRead)})
			return listOf(items, next), err
		})
	type create struct {
		Body newProject
	}
	add(s, op{Method: "POST", Path: "/projects", ID: "projects.create", Action: account.ProjectEdit, Status: http.StatusCreated, Doc: "Makes a project of an extension or a host, with its first key."},
		func(_ *call, in *create) (account.Resource, error) {
			return resourceOf("project", "", registry.Subject{Extension: eco.ExtensionID(in.Body.Extension), Host: in.Body.Host}), nil
		},
		func(c *call, in *create) (created, error) {
			b := in.Body
			p, k, err := s.o.Registry.CreateProject(c.ctx, c.actor(), registry.Project{
				Subject: registry.Subject{Extension: eco.ExtensionID(b.Extension), Host: b.Host}, Name: b.Name, Policy: b.Policy.policy(), Sampling: b.Sampling})
			return created{p, s.keyOf(c, k)}, err
		})
	own := func(_ *call, in *ByProject) (account.Resource, error) { return s.ofProject("project", in.ID) }
	add(s, op{Method: "GET", Path: "/projects/{id}", ID: "projects.get", Action: account.ProjectRead, Doc: "One project with its consent policy and limits."}, own,
		func(c *call, in *ByProject) (registry.Project, error) { return s.o.Registry.Project(c.ctx, in.ID) })
	type put struct {
		ByProject
		IfMatch
		Body projectBody
	}
	add(s, op{Method: "PUT", Path: "/projects/{id}", ID: "projects.put", Action: account.ProjectEdit, Doc: "Changes a project's name, sampling note and quarantine (with If-Match)."},
		func(_ *call, in *put) (account.Resource, error) { return s.ofProject("project", in.ID) },
		func(c *call, in *put) (registry.Project, error) {
			v, err := in.version()
			if err != nil {
				return registry.Project{}, err
			}
			return s.o.Registry.UpdateProject(c.ctx, c.actor(), registry.Project{ID: in.ID, Name: in.Body.Name, Sampling: in.Body.Sampling, Quarantine: registry.Quarantine(in.Body.Quarantine), Version: v})
		})
	type tested struct {
		Accepted bool   `json:"accepted"`
		Refused  string `json:"refused,omitempty" doc:"What the door said against it."`
	}
	add(s, op{Method: "POST", Path: "/projects/{id}/test", ID: "projects.test", Action: account.KeyEdit, Doc: "Sends a test event in at the door, as a client would with the project's newest key that works, and tells what the door said."},
		func(_ *call, in *ByProject) (account.Resource, error) { return s.ofProject("key", in.ID) },
		func(c *call, in *ByProject) (tested, error) {
			const op = "api.test"
			if s.o.Intake == nil {
				return tested{}, fault.E(op, fault.Unavailable, "This process takes nothing in.", nil)
			}
			keys, err := s.o.Registry.Keys(c.ctx, in.ID)
			if err != nil {
				return tested{}, fault.Wrap(op, err)
			}
			refused, err := door.Knock(c.ctx, s.o.Intake, in.ID, keys, s.o.Now())
			return tested{refused == "", refused}, fault.Wrap(op, err)
		})
	type policy struct {
		ByProject
		IfMatch
		Body policyBody
	}
	add(s, op{Method: "PUT", Path: "/projects/{id}/policy", ID: "projects.policy", Action: account.ProjectPolicy, Doc: "Says what a project's users were asked (with the project's ETag in If-Match)."},
		func(_ *call, in *policy) (account.Resource, error) { return s.ofProject("project", in.ID) },
		func(c *call, in *policy) (registry.Project, error) {
			v, err := in.version()
			if err != nil {
				return registry.Project{}, err
			}
			return s.o.Registry.SetPolicy(c.ctx, c.actor(), in.ID, v, in.Body.policy())
		})
}
