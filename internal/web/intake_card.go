package web

import (
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// intakeCard is the state of the intake in a few lines.
type intakeCard struct {
	Class, Word, Text string
	Newest            stamp
	Accepted, Dropped int64
	TopReason         string
	Flow              bool // the lines below may be shown
	Waiting           uint64
	Lag               time.Duration
	Letters           int
	Href              string
}

func (s *Server) intakeCard(ctx context.Context, v viewer) (intakeCard, error) {
	c := intakeCard{Class: "ok", Word: "Taking in"}
	mine, all := s.projects(v)
	f := pipeline.CountFilter{From: v.now.Add(-24 * time.Hour), To: v.now.Add(time.Hour)}
	if !all {
		f.Projects = mine
	}
	if s.o.Counts != nil {
		counts, err := s.o.Counts.List(ctx, f)
		if err != nil {
			return c, err
		}
		top := map[string]int64{}
		for _, x := range counts {
			switch x.Outcome {
			case pipeline.Accepted:
				c.Accepted += x.N
			case pipeline.Dropped:
				c.Dropped += x.N
				top[x.Reason] += x.N
			}
		}
		var most int64
		for reason, n := range top {
			if n > most || n == most && reason < c.TopReason {
				most, c.TopReason = n, reason
			}
		}
	}
	c.Text = "Answers are given after the data is on disk."
	if s.may(v, account.IntakeRead, account.OfServer("intake", "")) {
		c.Href = "/intake"
	}
	if s.o.Worker == nil {
		return c, nil
	}
	in, err := s.o.Worker.Intake(ctx)
	if err != nil {
		return c, err
	}
	c.Newest = v.at(in.Newest)
	if c.Href != "" {
		c.Flow, c.Waiting, c.Lag, c.Letters = true, in.Waiting, in.Lag, in.Letters
	}
	switch {
	case in.LastError != "":
		c.Class, c.Word, c.Text = "bad", "Waiting", "The flow stands still; nothing is lost. The Intake page says why."
	case in.Lag > time.Minute:
		c.Class, c.Word, c.Text = "warn", "Behind", "What comes in is safe, and shown later than usual."
	case c.Accepted == 0:
		c.Class, c.Word, c.Text = "", "Quiet", "Nothing came in during the last 24 hours."
	case in.Letters > 0 && c.Flow:
		c.Class, c.Word, c.Text = "warn", "Taking in", "Some envelopes failed three times and wait for a person."
	}
	return c, nil
}

// projects lists the projects of subjects the viewer may see; all is true when there is no limit.
func (s *Server) projects(v viewer) (ids []int64, all bool) {
	scope := s.scope(v)
	if scope.IsSet() && scope.All() || s.may(v, account.IntakeRead, account.OfServer("intake", "")) {
		return nil, true
	}
	ids = []int64{}
	snap := s.o.Registry.Snapshot()
	if snap == nil {
		return ids, false
	}
	for id, p := range snap.Projects {
		if scope.IsSet() && (slices.Contains(scope.Extensions(), p.Subject.Extension) || p.Subject.Extension == "" && slices.Contains(scope.Hosts(), p.Subject.Host)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, false
}
