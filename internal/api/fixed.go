package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
)

func (s *Server) fixedRoutes() {
	type query struct {
		Paging
		Extension string `query:"extension" maxLength:"128" doc:"Id of an extension or host."`
		Q         string `query:"q" maxLength:"200" doc:"Words of titles, notes and signatures; all must occur."`
	}
	add(s, op{Method: "GET", Path: "/fixed", ID: "fixed.list", Action: account.PublicRead, Doc: "The public log: what was fixed, newest first."}, server[query]("public"),
		func(c *call, in *query) (list[answers.Fix], error) {
			d, err := c.answers()
			if err != nil {
				return list[answers.Fix]{}, err
			}
			p, err := d.Fixed(c.ctx, answers.FixedFilter{Subject: in.Extension, Query: in.Q, Cursor: in.Cursor, Limit: in.Limit})
			return listOf(p.Entries, p.Next), err
		})
	type one struct {
		ID string `path:"id" maxLength:"32"`
	}
	add(s, op{Method: "GET", Path: "/fixed/{id}", ID: "fixed.get", Action: account.PublicRead, Doc: "One entry of the public log, with the proof that it is in the audit log."}, server[one]("public"),
		func(c *call, in *one) (answers.ProvenFix, error) {
			d, err := c.answers()
			if err != nil {
				return answers.ProvenFix{}, err
			}
			return d.FixedOne(c.ctx, in.ID)
		})
	add(s, op{Method: "POST", Path: "/families/{id}/publish", ID: "families.publish", Action: account.FamilyEdit, Doc: "Puts a resolved family into the public log, or a new revision of its entry."},
		func(c *call, in *ByFamily) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *ByFamily) (answers.Fix, error) {
			d, err := c.answers()
			if err != nil {
				return answers.Fix{}, err
			}
			return d.Publish(c.ctx, c.scope(), in.ID, c.actor())
		})
	addNone(s, op{Method: "POST", Path: "/families/{id}/unpublish", ID: "families.unpublish", Action: account.FamilyEdit, Doc: "Takes a family out of the public log."},
		func(c *call, in *ByFamily) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *ByFamily) error {
			d, err := c.answers()
			if err != nil {
				return err
			}
			return d.Unpublish(c.ctx, c.scope(), in.ID, c.actor())
		})
}
