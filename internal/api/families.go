package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// ByFamily names a family in the path.
type ByFamily struct {
	ID string `path:"id" maxLength:"128"`
}

type listFamilies struct {
	During
	Paging
	Worked
	Extension   string      `query:"extension" maxLength:"128"`
	Publisher   string      `query:"publisher" maxLength:"64"`
	State       crash.State `query:"state" enum:"open,resolved,ignored"`
	Regressed   bool        `query:"regressed" doc:"Only those that came back."`
	New         bool        `query:"new" doc:"Only those first seen in the period."`
	Release     string      `query:"release" maxLength:"64"`
	Host        string      `query:"host" maxLength:"64"`
	HostVersion string      `query:"host_version" maxLength:"64"`
	OS          string      `query:"os" maxLength:"32"`
	Channel     eco.Channel `query:"channel" enum:"stable,beta,nightly"`
	Q           string      `query:"q" maxLength:"400" doc:"A search, as in GET /search/keys: extension:acme.todo release:>=1.4 is:regressed \"cannot read\""`
	Priority    string      `query:"priority" enum:"P1,P2,P3,P4"`
	Label       string      `query:"label" maxLength:"32" doc:"What the crash looks like: null_access, missing_member, out_of_memory …"`
	Sort        crash.Sort  `query:"sort" enum:"crashes,installs,last_seen,first_seen,priority" default:"crashes"`
}

func (in *listFamilies) filter() crash.Filter {
	return crash.Filter{Period: in.period(), Extension: eco.ExtensionID(in.Extension), Publisher: in.Publisher, State: in.State, Regressed: in.Regressed, New: in.New,
		Release: in.Release, Host: in.Host, HostVersion: in.HostVersion, OS: in.OS, Channel: in.Channel, Priority: in.Priority, Label: in.Label, Query: in.Q, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit}
}

// families is a part of a list of families with its totals.
type families struct {
	Items    []crash.Family `json:"items"`
	Next     string         `json:"next,omitempty" doc:"Send it as cursor to get the following page; absent on the last."`
	Total    int            `json:"total" doc:"Families that match."`
	Crashes  int64          `json:"crashes" doc:"Crashes of those."`
	Installs int64          `json:"installs" doc:"Distinct installs that had them; 0 when none named itself, or with thousands of families both kept and left out."`
	Partial  bool           `json:"partial,omitempty" doc:"More than 10,000 families match; the rarest are missing."`
}

// ofFamily is whose a family is: that of the extension it is attributed to, or of
// its host. The scope decides first whether the caller sees it at all.
func (c *call) ofFamily(id string) (account.Resource, error) {
	d, err := c.s.o.Desk.Family(c.ctx, c.scope(), id, crash.Period{})
	if err != nil {
		return account.Resource{}, err
	}
	r := account.Resource{Kind: "family", ID: d.ID}
	switch {
	case d.Blame != "":
		r.Extensions = []eco.ExtensionID{d.Blame}
	case d.Host != "":
		r.Hosts = []string{d.Host}
	}
	return r, nil
}

type stateBody struct {
	State      crash.State `json:"state" enum:"open,resolved,ignored"`
	ResolvedIn string      `json:"resolved_in,omitempty" maxLength:"128" doc:"For resolved: a release, or \"next\"; absent: from now on."`
	Until      crash.Until `json:"until,omitzero" doc:"For ignored: what opens it again, whichever comes first; absent: nothing. Its release may be \"next\": after the newest it was seen in."`
	Note       string      `json:"note,omitempty" maxLength:"1000"`
}

type undoBody struct {
	Change string `json:"change" minLength:"1" maxLength:"64" doc:"Id of the family's newest change."`
}

func (s *Server) familyRoutes() {
	add(s, op{Method: "GET", Path: "/families", ID: "families.list", Action: account.FamilyRead, Doc: "Crash families with their numbers in the period."}, listed[listFamilies]("family"),
		func(c *call, in *listFamilies) (families, error) {
			f := in.filter()
			var err error
			if f.Among, err = c.among(in.Worked); err != nil {
				return families{}, err
			}
			p, err := s.o.Desk.Families(c.ctx, c.scope(), f)
			l := listOf(p.Families, p.Next)
			return families{l.Items, l.Next, p.Total, p.Crashes, p.Installs, p.Partial}, err
		})
	type one struct {
		ByFamily
		During
	}
	// Reading is guarded by the scope alone: the desk answers not_found for what lies
	// outside of it.
	add(s, op{Method: "GET", Path: "/families/{id}", ID: "families.get", Action: account.FamilyRead, Doc: "One family with its trend, releases, signatures and history."}, listed[one]("family"),
		func(c *call, in *one) (crash.Detail, error) {
			return s.o.Desk.Family(c.ctx, c.scope(), in.ID, in.period())
		})
	type state struct {
		ByFamily
		Body stateBody
	}
	add(s, op{Method: "POST", Path: "/families/{id}/state", ID: "families.state", Action: account.FamilyEdit, Doc: "Opens, resolves or ignores a family."},
		func(c *call, in *state) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *state) (crash.Change, error) {
			return s.o.Desk.SetState(c.ctx, c.scope(), crash.Decision{Family: in.ID, To: in.Body.State, ResolvedIn: in.Body.ResolvedIn, Until: in.Body.Until, Actor: c.actor(), Note: in.Body.Note})
		})
	type undo struct {
		ByFamily
		Body undoBody
	}
	add(s, op{Method: "POST", Path: "/families/{id}/undo", ID: "families.undo", Action: account.FamilyEdit, Doc: "Takes back a family's newest change."},
		func(c *call, in *undo) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *undo) (crash.Change, error) {
			return s.o.Desk.Undo(c.ctx, c.scope(), in.ID, in.Body.Change, c.actor())
		})
	type crashesOf struct {
		ByFamily
		During
		Paging
	}
	add(s, op{Method: "GET", Path: "/families/{id}/crashes", ID: "families.crashes", Action: account.CrashRead, Doc: "A family's crashes, newest first."}, listed[crashesOf]("crash"),
		func(c *call, in *crashesOf) (list[crash.Row], error) {
			if _, err := s.o.Desk.Family(c.ctx, c.scope(), in.ID, in.period()); err != nil {
				return list[crash.Row]{}, err
			}
			p, err := s.o.Desk.Crashes(c.ctx, c.scope(), crash.CrashFilter{Period: in.period(), Family: in.ID, Cursor: in.Cursor, Limit: in.Limit})
			return listOf(p.Crashes, p.Next), err
		})
}
