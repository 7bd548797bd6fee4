package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/recipe"
)

func (s *Server) recipeRoutes() {
	type ask struct {
		ByFamily
		During
	}
	add(s, op{Method: "GET", Path: "/families/{id}/recipe", ID: "families.recipe", Action: account.CrashRead,
		Doc: "How a family's crashes may be made to happen again: versions, as few active extensions as the evidence allows, settings and steps that recur, each with its share and a reason."}, listed[ask]("crash"),
		func(c *call, in *ask) (recipe.Recipe, error) {
			d, err := s.o.Desk.Family(c.ctx, c.scope(), in.ID, in.period())
			if err != nil {
				return recipe.Recipe{}, err
			}
			about, err := c.ofFamily(d.ID)
			if err == nil {
				err = s.o.Accounts.Check("api.families.recipe", c.p, account.FamilyRead, about)
			}
			if err != nil {
				return recipe.Recipe{}, err
			}
			from, err := recipe.Gather(c.ctx, c.scope(), s.o.Desk, s.o.Suspects, s.o.Registry.Snapshot(), d)
			if err != nil {
				return recipe.Recipe{}, err
			}
			return recipe.Of(from), nil
		})
}
