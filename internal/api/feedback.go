package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func (s *Server) feedbackRoutes() {
	type search struct {
		During
		Paging
		Extension string `query:"extension" maxLength:"128" doc:"The project's extension."`
	}
	add(s, op{Method: "GET", Path: "/feedback", ID: "feedback.list", Action: account.FeedbackRead, Doc: "What users wrote, newest first, with the crash it is about. Names and contacts are for support."}, listed[search]("feedback"),
		func(c *call, in *search) (list[crash.Feedback], error) {
			p, err := s.o.Desk.Feedback(c.ctx, c.scope(), crash.FeedbackFilter{Period: in.period(), Extension: eco.ExtensionID(in.Extension), Cursor: in.Cursor, Limit: in.Limit,
				Contact: func(ext eco.ExtensionID, host string) bool {
					return c.may(account.FeedbackContact, resourceOf("feedback", "", registry.Subject{Extension: ext, Host: host}))
				}})
			return listOf(p.Feedback, p.Next), err
		})
}
