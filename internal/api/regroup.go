package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
)

type mergeBody struct {
	Families []string `json:"families" minItems:"1" maxItems:"50" doc:"Families that become part of this one."`
	Note     string   `json:"note,omitempty" maxLength:"1000"`
}

type splitBody struct {
	Signatures []string `json:"signatures,omitempty" maxItems:"200" doc:"Hashes of signatures that become a family of their own."`
	Containing string   `json:"containing,omitempty" maxLength:"200" doc:"And every signature whose key or title contains this."`
	Note       string   `json:"note,omitempty" maxLength:"1000"`
}

// OrPreview asks for what a request would do.
type OrPreview struct {
	Preview bool `query:"preview" doc:"Only says what would happen; nothing changes."`
}

// editable is whose the families of a request are; the caller may change each of them.
func (c *call) editable(id string, others ...string) (account.Resource, error) {
	r, err := c.ofFamily(id)
	if err != nil {
		return r, err
	}
	for _, o := range others {
		x, err := c.ofFamily(o)
		if err != nil {
			return r, err
		}
		if err := c.s.o.Accounts.Check("api.families", c.p, account.FamilyEdit, x); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *Server) regroupRoutes() {
	type merge struct {
		ByFamily
		OrPreview
		Body mergeBody
	}
	add(s, op{Method: "POST", Path: "/families/{id}/merge", ID: "families.merge", Action: account.FamilyEdit, Doc: "Makes other families part of this one, or says what that would do."},
		func(c *call, in *merge) (account.Resource, error) { return c.editable(in.ID, in.Body.Families...) },
		func(c *call, in *merge) (crash.Regrouping, error) {
			m := crash.Merge{Into: in.ID, Families: in.Body.Families, Actor: c.actor(), Note: in.Body.Note}
			if in.Preview {
				return s.o.Desk.PreviewMerge(c.ctx, c.scope(), m)
			}
			return s.o.Desk.Merge(c.ctx, c.scope(), m)
		})
	type split struct {
		ByFamily
		OrPreview
		Body splitBody
	}
	add(s, op{Method: "POST", Path: "/families/{id}/split", ID: "families.split", Action: account.FamilyEdit, Doc: "Makes a family of signatures of this one, or says what that would do."},
		func(c *call, in *split) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *split) (crash.Regrouping, error) {
			sp := crash.Split{Family: in.ID, Signatures: in.Body.Signatures, Containing: in.Body.Containing, Actor: c.actor(), Note: in.Body.Note}
			if in.Preview {
				return s.o.Desk.PreviewSplit(c.ctx, c.scope(), sp)
			}
			return s.o.Desk.Split(c.ctx, c.scope(), sp)
		})
	type overrule struct {
		ByFamily
		Body struct {
			Priority string `json:"priority" enum:"P1,P2,P3,P4,auto" doc:"auto gives it back to the machine."`
			Reason   string `json:"reason,omitempty" maxLength:"1000"`
		}
	}
	addNone(s, op{Method: "POST", Path: "/families/{id}/priority", ID: "families.priority", Action: account.FamilyEdit, Doc: "Sets a family's priority by hand, with a reason."},
		func(c *call, in *overrule) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *overrule) error {
			band := in.Body.Priority
			if band == "auto" {
				band = ""
			}
			return s.o.Desk.Overrule(c.ctx, c.scope(), in.ID, band, in.Body.Reason, c.actor())
		})
	type apart struct {
		ByFamily
		Other string `path:"other" maxLength:"64" doc:"The other family."`
		Body  struct {
			Note string `json:"note,omitempty" maxLength:"1000"`
		}
	}
	addNone(s, op{Method: "PUT", Path: "/families/{id}/apart/{other}", ID: "families.apart", Action: account.FamilyEdit, Doc: "Says that two families have not one cause: they are not proposed for a merge any more."},
		func(c *call, in *apart) (account.Resource, error) { return c.editable(in.ID, in.Other) },
		func(c *call, in *apart) error {
			return s.o.Desk.KeepApart(c.ctx, c.scope(), in.ID, in.Other, in.Body.Note, c.actor())
		})
	type unapart struct {
		ByFamily
		Other string `path:"other" maxLength:"64" doc:"The other family."`
	}
	addNone(s, op{Method: "DELETE", Path: "/families/{id}/apart/{other}", ID: "families.apart-back", Action: account.FamilyEdit, Doc: "Takes that back."},
		func(c *call, in *unapart) (account.Resource, error) { return c.editable(in.ID, in.Other) },
		func(c *call, in *unapart) error {
			return s.o.Desk.UndoApart(c.ctx, c.scope(), in.ID, in.Other, c.actor())
		})
	type undo struct {
		ByFamily
		Change string `path:"change" maxLength:"64"`
	}
	add(s, op{Method: "POST", Path: "/families/{id}/regroupings/{change}/undo", ID: "families.regroup-undo", Action: account.FamilyEdit, Doc: "Takes a merge or split back: what was before holds again, for what came in since as well."},
		func(c *call, in *undo) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *undo) (crash.Regrouping, error) {
			return s.o.Desk.Unmerge(c.ctx, c.scope(), in.ID, in.Change, c.actor())
		})
}
