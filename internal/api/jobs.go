package api

import (
	"net/http"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
)

type job struct {
	Name     string    `json:"name"`
	What     string    `json:"what"`
	Every    float64   `json:"every_seconds"`
	Last     time.Time `json:"last,omitzero"`
	Took     float64   `json:"took_seconds"`
	Outcome  string    `json:"outcome,omitempty"`
	Note     string    `json:"note,omitempty"`
	Failures int       `json:"failures" doc:"In a row."`
	Next     time.Time `json:"next,omitzero"`
	Running  bool      `json:"running,omitempty"`
}

func (s *Server) jobRoutes() {
	add(s, op{Method: "GET", Path: "/jobs", ID: "jobs.list", Action: account.JobRead, Doc: "Recurring jobs with their last and next runs."}, server[struct{}]("job"),
		func(c *call, _ *struct{}) (list[job], error) {
			if s.o.Jobs == nil {
				return list[job]{}, absent("api.jobs")
			}
			items, err := s.o.Jobs.List(c.ctx)
			var out []job
			for _, j := range items {
				out = append(out, job{j.Name, j.What, j.Every.Seconds(), j.Last, j.Took.Seconds(), j.Outcome, j.Note, j.Failures, j.Next, j.Running})
			}
			return listOf(out, ""), err
		})
	type named struct {
		Name string `path:"name" maxLength:"64"`
	}
	addNone(s, op{Method: "POST", Path: "/jobs/{name}/run", ID: "jobs.run", Action: account.JobRun, Status: http.StatusAccepted, Doc: "Runs a job now."}, server[named]("job"),
		func(c *call, in *named) error {
			if s.o.Jobs == nil {
				return absent("api.jobs")
			}
			return s.o.Jobs.RunNow(c.ctx, in.Name)
		})
}
