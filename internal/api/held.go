package api

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// heldBody is a decision about crashes that are held.
type heldBody struct {
	Do        string    `json:"do" enum:"release,discard" doc:"release: they get families and count from then on; discard: they are erased, which cannot be undone."`
	Before    time.Time `json:"before,omitzero" doc:"Only those received before; default: now. Send the time at which the list was read."`
	Signature string    `json:"signature,omitempty" maxLength:"64" doc:"Only those of this signature; absent: all."`
}

// heldRoutes are about crashes of bursts that looked forged: they lie apart, in no
// count, family or blame, until somebody decides.
func (s *Server) heldRoutes() {
	add(s, op{Method: "GET", Path: "/held", ID: "held.list", Action: account.CrashRead, Doc: "Projects with crashes that are held because a burst looked forged."}, listed[struct{}]("crash"),
		func(c *call, _ *struct{}) (list[crash.HeldSum], error) {
			items, err := s.o.Desk.HeldSums(c.ctx, c.scope(), nil)
			return listOf(items, ""), err
		})
	add(s, op{Method: "GET", Path: "/projects/{id}/held", ID: "held.get", Action: account.CrashRead, Doc: "What of a project is held and why, by signature."},
		func(_ *call, in *ByProject) (account.Resource, error) { return s.ofProject("crash", in.ID) },
		func(c *call, in *ByProject) (crash.Held, error) { return s.o.Desk.Held(c.ctx, c.scope(), in.ID) })
	type decide struct {
		ByProject
		Body heldBody
	}
	add(s, op{Method: "POST", Path: "/projects/{id}/held", ID: "held.decide", Action: account.CrashRelease, Doc: "Releases or discards what is held; at most 20,000 crashes are released by one call."},
		func(_ *call, in *decide) (account.Resource, error) { return s.ofProject("crash", in.ID) },
		func(c *call, in *decide) (pipeline.HeldResult, error) {
			if s.o.Worker == nil {
				return pipeline.HeldResult{}, absent("api.held")
			}
			h := pipeline.Held{Project: in.ID, Signature: in.Body.Signature, Before: in.Body.Before, Actor: c.actor()}
			switch in.Body.Do {
			case "release":
				return s.o.Worker.ReleaseHeld(c.ctx, h)
			case "discard":
				return s.o.Worker.DiscardHeld(c.ctx, h)
			}
			return pipeline.HeldResult{}, fault.E("api.held", fault.Invalid, "do: release or discard.", nil)
		})
}
