package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
)

// maxTrace bounds the body of a question about a trace: JSON may write a byte as six.
const maxTrace = 2 * diagnose.MaxText

type traceBody struct {
	Text string `json:"text" minLength:"1" maxLength:"262144" doc:"The trace, with or without what stands around it. Nothing of it is kept."`
}

func (s *Server) helpRoutes() {
	type ask struct{ Body traceBody }
	add(s, op{Method: "POST", Path: "/help", ID: "help.trace", Action: account.PublicSubmit, Max: maxTrace, Doc: "Reads a trace: whose code failed, why we say so, and what is public about it. Nothing is kept."}, server[ask]("public"),
		func(c *call, in *ask) (diagnose.Finding, error) {
			if c.s.o.Doctor == nil {
				return diagnose.Finding{}, absent("api.help")
			}
			f, err := c.s.o.Doctor.Trace(in.Body.Text)
			if f.Public != nil && f.Public.Public != "" && c.s.o.Base != nil {
				f.Public.Public = c.s.o.Base.JoinPath("fixed", f.Public.Public).String()
			}
			return f, err
		})
}
