package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/route"
)

type rulesBody struct {
	Text string `json:"text" maxLength:"65536" doc:"The rules, YAML or JSON."`
	Note string `json:"note,omitempty" maxLength:"500"`
	Base int64  `json:"base,omitempty" minimum:"0" doc:"The version it was made from; 0 when there is none."`
	Page int    `json:"page,omitempty" minimum:"0" maximum:"100" doc:"Of a preview: which page of the families that would go elsewhere, from 0; 50 each."`
	Move bool   `json:"move,omitempty" doc:"Also sends the families of the last 30 days where it says."`
}

// savedRules is what came of saving; with mistakes nothing was.
type savedRules struct {
	triage.Saved
	Mistakes []route.Mistake `json:"mistakes"`
}

func (s *Server) routingRoutes() {
	type one struct {
		Version int64 `path:"version" minimum:"0" doc:"0 is the one in force."`
	}
	add(s, op{Method: "GET", Path: "/routing/versions/{version}", ID: "routing.get", Action: account.RuleRead, Doc: "One version of the routing rules."}, server[one]("rule"),
		func(c *call, in *one) (triage.Version, error) { return s.o.Triage.Rules(c.ctx, c.p, in.Version) })
	add(s, op{Method: "GET", Path: "/routing/versions", ID: "routing.list", Action: account.RuleRead, Doc: "The newest 200 versions without their text, the newest first."}, server[struct{}]("rule"),
		func(c *call, _ *struct{}) (list[triage.Version], error) {
			l, err := s.o.Triage.Versions(c.ctx, c.p, 0, 200)
			return listOf(l, ""), err
		})
	type text struct{ Body rulesBody }
	add(s, op{Method: "POST", Path: "/routing/preview", ID: "routing.preview", Action: account.RuleEdit, Doc: "What rules would change over the families of the last 30 days, or their mistakes.", Max: 1 << 18}, server[text]("rule"),
		func(c *call, in *text) (triage.Preview, error) {
			return s.o.Triage.Preview(c.ctx, c.p, in.Body.Text, in.Body.Page)
		})
	add(s, op{Method: "POST", Path: "/routing/versions", ID: "routing.save", Action: account.RuleEdit, Doc: "Saves rules as a new version; with mistakes nothing is saved.", Max: 1 << 18}, server[text]("rule"),
		func(c *call, in *text) (savedRules, error) {
			b := in.Body
			saved, mistakes, err := s.o.Triage.Save(c.ctx, c.p, triage.NewRules{Text: b.Text, Note: b.Note, Base: b.Base, Move: b.Move})
			if mistakes == nil {
				mistakes = []route.Mistake{}
			}
			return savedRules{saved, mistakes}, err
		})
}
