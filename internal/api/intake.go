package api

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// flow is the state of what lies between the doors and the facts.
type flow struct {
	Stream struct {
		Messages uint64 `json:"messages"`
		Bytes    uint64 `json:"bytes"`
		Waiting  uint64 `json:"waiting" doc:"Messages not yet stored."`
	} `json:"stream"`
	LagSeconds float64   `json:"lag_seconds" doc:"Age of the oldest message not yet stored."`
	Newest     time.Time `json:"newest,omitzero" doc:"Receipt of the newest stored record."`
	Letters    int       `json:"letters" doc:"Dead letters waiting for a person."`
	Families   int       `json:"families"`
	Sessions   int       `json:"sessions" doc:"That may still change."`
	LastError  string    `json:"last_error,omitempty"`
	Partitions int       `json:"partitions"`
	Rows       int64     `json:"rows"`
	Bytes      int64     `json:"bytes"`
	Classes    []class   `json:"classes" doc:"The facts on disk by retention class."`
	Pending    int       `json:"pending_erasures" doc:"Partitions with erasures that are not physical yet."`
}

// class is what one retention class takes up.
type class struct {
	Class      eco.Class `json:"class"`
	Days       int       `json:"days" doc:"How long it is kept; 0 = until somebody ends it."`
	Oldest     eco.Day   `json:"oldest" doc:"Day of receipt, yyyymmdd."`
	Partitions int       `json:"partitions"`
	Rows       int64     `json:"rows"`
	Docs       int64     `json:"documents"`
	Bytes      int64     `json:"bytes"`
}

// classesOf adds partitions up, in the order of the classes.
func classesOf(list []facts.Partition) []class {
	out := []class{}
	for _, name := range eco.Classes {
		c := class{Class: name, Days: name.Days()}
		for _, p := range list {
			if p.Class != name {
				continue
			}
			if c.Partitions == 0 || p.Day < c.Oldest {
				c.Oldest = p.Day
			}
			c.Partitions, c.Rows, c.Docs, c.Bytes = c.Partitions+1, c.Rows+p.Rows, c.Docs+p.Docs, c.Bytes+p.Bytes
		}
		if c.Partitions > 0 {
			out = append(out, c)
		}
	}
	return out
}

func absent(op string) error {
	return fault.E(op, fault.Unavailable, "This process does not do that; ask another one.", nil)
}

// counts are what came in and what became of it.
type counts struct {
	Items  []pipeline.Count `json:"items"`
	Totals map[string]int64 `json:"totals" doc:"By outcome."`
	Drops  []pipeline.Count `json:"drops" doc:"Drops by reason, the largest first."`
}

type letter struct {
	pipeline.Letter
	Record *eco.Envelope `json:"record,omitempty" doc:"The scrubbed record, for those who may see the rows it would become, if it can be read."`
}

// letterOf adds the record without what would let its reader follow one person.
func letterOf(l pipeline.Letter, record []byte) letter {
	out := letter{Letter: l}
	if len(record) == 0 {
		return out
	}
	e, err := eco.DecodeEnvelope(record)
	if err != nil {
		return out
	}
	e.Origin.Install, e.Dedup = 0, 0
	if e.Crash != nil {
		e.Crash.SessionID = ""
	}
	if e.Session != nil {
		e.Session.Key = 0
	}
	out.Record = e
	return out
}

// ByLetter names a dead letter in the path.
type ByLetter struct {
	ID string `path:"id" maxLength:"128"`
}

func (s *Server) intakeRoutes() {
	add(s, op{Method: "GET", Path: "/intake", ID: "intake.get", Action: account.IntakeRead, Doc: "The queue between the doors and the facts."}, server[struct{}]("intake"),
		func(c *call, _ *struct{}) (flow, error) {
			if s.o.Worker == nil {
				return flow{}, absent("api.intake")
			}
			in, err := s.o.Worker.Intake(c.ctx)
			f := flow{LagSeconds: in.Lag.Seconds(), Newest: in.Newest, Letters: in.Letters, Families: in.Families, Sessions: in.Sessions, LastError: in.LastError, Pending: in.Facts.Pending}
			f.Stream.Messages, f.Stream.Bytes, f.Stream.Waiting = uint64(in.Stream.Messages), uint64(in.Stream.Bytes), in.Waiting
			f.Classes = classesOf(in.Facts.Partitions)
			for _, p := range in.Facts.Partitions {
				f.Partitions, f.Rows, f.Bytes = f.Partitions+1, f.Rows+p.Rows, f.Bytes+p.Bytes
			}
			return f, err
		})
	type ask struct {
		During
		Project int64 `query:"project" minimum:"0" doc:"One project only."`
		ByHour  bool  `query:"by_hour" doc:"A row an hour instead of the sum."`
	}
	add(s, op{Method: "GET", Path: "/intake/counts", ID: "intake.counts", Action: account.IntakeRead, Doc: "What came in and what became of it, by project, protocol, kind and reason."},
		func(c *call, in *ask) (account.Resource, error) {
			if in.Project != 0 {
				return s.ofProject("intake", in.Project)
			}
			return account.List("intake"), nil
		},
		func(c *call, in *ask) (counts, error) {
			if s.o.Counts == nil {
				return counts{}, absent("api.counts")
			}
			f := pipeline.CountFilter{From: in.From, To: in.To, ByHour: in.ByHour}
			if f.From.IsZero() {
				f.From = s.o.Now().Add(-24 * time.Hour)
			}
			switch sees := c.seesSubject(account.IntakeRead); {
			case in.Project != 0:
				f.Projects = []int64{in.Project}
			case sees != nil:
				f.Projects = []int64{}
				for _, p := range s.o.Registry.Snapshot().Projects {
					if sees(p.Subject) {
						f.Projects = append(f.Projects, p.ID)
					}
				}
			}
			items, err := s.o.Counts.List(c.ctx, f)
			if items == nil {
				items = []pipeline.Count{}
			}
			return counts{items, pipeline.Total(items), pipeline.Reasons(items)}, err
		})
	type letters struct {
		Limit int `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	add(s, op{Method: "GET", Path: "/intake/letters", ID: "letters.list", Action: account.IntakeRead, Doc: "Dead letters, newest first."}, listed[letters]("intake"),
		func(c *call, in *letters) (list[pipeline.Letter], error) {
			if s.o.Worker == nil {
				return list[pipeline.Letter]{}, absent("api.letters")
			}
			items, err := s.o.Worker.Letters(c.ctx, s.o.Accounts.LetterScope(c.p), in.Limit)
			return listOf(items, ""), err
		})
	s.letterRoutes()
}

func (s *Server) letterRoutes() {
	add(s, op{Method: "GET", Path: "/intake/letters/{id}", ID: "letters.get", Action: account.IntakeRead, Doc: "One dead letter."}, listed[ByLetter]("intake"),
		func(c *call, in *ByLetter) (letter, error) {
			if s.o.Worker == nil {
				return letter{}, absent("api.letter")
			}
			l, record, err := s.o.Worker.Letter(c.ctx, c.scope(), in.ID)
			if fault.CodeOf(err) == fault.NotFound { // not theirs to read; perhaps to settle
				l, _, err = s.o.Worker.Letter(c.ctx, s.o.Accounts.LetterScope(c.p), in.ID)
				record = nil
			}
			return letterOf(l, record), err
		})
	settle := func(do func(*call, facts.Scope, string) error) func(*call, *ByLetter) error {
		return func(c *call, in *ByLetter) error {
			if s.o.Worker == nil {
				return absent("api.letter")
			}
			return do(c, s.o.Accounts.LetterScope(c.p), in.ID)
		}
	}
	addNone(s, op{Method: "POST", Path: "/intake/letters/{id}/replay", ID: "letters.replay", Action: account.IntakeReplay, Doc: "Sends a dead letter down the line again; it counts once."}, server[ByLetter]("intake"),
		settle(func(c *call, scope facts.Scope, id string) error {
			return s.o.Worker.Replay(c.ctx, scope, id, c.actor())
		}))
	addNone(s, op{Method: "DELETE", Path: "/intake/letters/{id}", ID: "letters.discard", Action: account.IntakeReplay, Doc: "Deletes a dead letter."}, server[ByLetter]("intake"),
		settle(func(c *call, scope facts.Scope, id string) error {
			return s.o.Worker.Discard(c.ctx, scope, id, c.actor())
		}))
}
