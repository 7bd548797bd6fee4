package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func (s *Server) suspectRoutes() {
	add(s, op{Method: "GET", Path: "/families/{id}/suspects", ID: "families.suspects", Action: account.FamilyRead,
		Doc: "Extensions, and pairs of them, that were active in a family's crashes more often than in healthy sessions of the same host versions and systems: associations, with counts and intervals. `told` is what installations say that were known before, and all that authors of extensions get; `withheld` names what they do not, and why."}, listed[ByFamily]("family"),
		func(c *call, in *ByFamily) (suspect.Report, error) {
			if s.o.Suspects == nil {
				return suspect.Report{}, fault.E("api.suspects", fault.Unavailable, "This process holds no evidence.", nil)
			}
			d, err := s.o.Desk.Family(c.ctx, c.scope(), in.ID, crash.Period{})
			if err != nil {
				return suspect.Report{}, err
			}
			return s.o.Suspects.Of(c.ctx, c.scope(), d.Family)
		})
}
