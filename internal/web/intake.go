package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// intakePage is what came in, what became of it, and how the flow does.
type intakePage struct {
	Shell
	Card      intakeCard
	Trend     trend
	KPIs      []kpi
	Reasons   []reasonRow
	Protocols []protocolRow
	Disk      []diskRow
	DiskSum   int64
	Flow      *pipeline.Intake
	Newest    stamp
	Jobs      []jobRow
	CanRun    bool
	Letters   []letterRow
	Held      []heldRow
	CanReplay bool
	Whole     bool // the viewer runs the server: queue, disk and jobs are shown
}

type reasonRow struct {
	Reason, Help string
	N            int64
	Part         float64
}

type protocolRow struct {
	Protocol, Kind     string
	Accepted, Dropped  int64
	Stored, Duplicates int64
}

type diskRow struct {
	Class             eco.Class
	Days              int
	Partitions        int
	Rows, Docs, Bytes int64
	Oldest            string
}

type jobRow struct {
	jobs.Status
	When, Then stamp
	Class      string
	Word       string
}

type letterRow struct {
	pipeline.Letter
	When, Came stamp
}

func (s *Server) intake(w http.ResponseWriter, r *http.Request, v viewer) error {
	ctx := r.Context()
	p := intakePage{Shell: s.shell(r, v, "intake", "Intake")}
	p.Shell.Reload = 30
	p.Whole = s.may(v, account.IntakeRead, account.OfServer("intake", ""))
	var err error
	if p.Card, err = s.intakeCard(ctx, v); err != nil {
		return err
	}
	if err := s.intakeCounts(ctx, v, &p); err != nil {
		return err
	}
	if s.o.Worker != nil && p.Whole {
		in, err := s.o.Worker.Intake(ctx)
		if err != nil {
			return err
		}
		p.Flow, p.Newest = &in, v.at(in.Newest)
		p.Disk, p.DiskSum = diskRows(in)
	}
	if s.o.Worker != nil {
		letters, err := s.o.Worker.Letters(ctx, s.o.Accounts.LetterScope(v.p), 5)
		if err != nil {
			return err
		}
		p.Letters = v.letterRows(letters)
	}
	if p.Held, err = s.held(ctx, v, registry.Subject{}); err != nil {
		return err
	}
	p.CanReplay = s.may(v, account.IntakeReplay, account.List("intake"))
	if s.o.Jobs != nil && s.may(v, account.JobRead, account.OfServer("job", "")) {
		list, err := s.o.Jobs.List(ctx)
		if err != nil {
			return err
		}
		p.Jobs, p.CanRun = v.jobRows(list), s.may(v, account.JobRun, account.OfServer("job", ""))
	}
	return s.render(w, r, http.StatusOK, "intake", p)
}

func (s *Server) intakeCounts(ctx context.Context, v viewer, p *intakePage) error {
	p.Trend = trend{ID: "intake", Caption: "Items accepted and dropped, by hour (UTC), last 24 hours.", BarName: "accepted", LinName: "dropped", Height: 180}
	start := v.now.UTC().Truncate(time.Hour).Add(-23 * time.Hour)
	for i := range 24 {
		at := start.Add(time.Duration(i) * time.Hour)
		p.Trend.Points = append(p.Trend.Points, point{Label: at.Format("15:04"), Title: at.Format("2 January, 15:04") + " UTC", Partial: i == 23})
	}
	if s.o.Counts == nil {
		return nil
	}
	f := pipeline.CountFilter{From: start, To: v.now.Add(time.Hour), ByHour: true}
	if mine, all := s.projects(v); !all {
		f.Projects = mine
	}
	counts, err := s.o.Counts.List(ctx, f)
	if err != nil {
		return err
	}
	reasons, protocols := map[string]int64{}, map[[2]string]*protocolRow{}
	var accepted, dropped, stored, dup, held int64
	for _, c := range counts {
		i := int(time.UnixMilli(c.Hour).UTC().Sub(start) / time.Hour)
		key := [2]string{c.Protocol, c.Kind}
		row := protocols[key]
		if row == nil {
			row = &protocolRow{Protocol: c.Protocol, Kind: c.Kind}
			protocols[key] = row
		}
		switch c.Outcome {
		case pipeline.Accepted:
			accepted += c.N
			if c.Reason == pipeline.Quarantined {
				held += c.N
			}
			row.Accepted += c.N
			if i >= 0 && i < 24 {
				p.Trend.Points[i].Bar += c.N
			}
		case pipeline.Dropped:
			dropped += c.N
			row.Dropped += c.N
			reasons[c.Reason] += c.N
			if i >= 0 && i < 24 {
				p.Trend.Points[i].Line += c.N
			}
		case pipeline.Stored:
			stored += c.N
			row.Stored += c.N
		case pipeline.Duplicate:
			dup += c.N
			row.Duplicates += c.N
		}
	}
	for reason, n := range reasons {
		p.Reasons = append(p.Reasons, reasonRow{Reason: reason, Help: reasonHelp(reason), N: n, Part: float64(n) / float64(dropped)})
	}
	slices.SortFunc(p.Reasons, func(a, b reasonRow) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	for _, row := range protocols {
		p.Protocols = append(p.Protocols, *row)
	}
	slices.SortFunc(p.Protocols, func(a, b protocolRow) int {
		return cmp.Or(cmp.Compare(b.Accepted+b.Dropped, a.Accepted+a.Dropped), cmp.Compare(a.Protocol+a.Kind, b.Protocol+b.Kind))
	})
	p.KPIs = []kpi{
		{Label: "Accepted, 24 h", Value: num(accepted), Under: acceptedUnder(stored, dup, held)},
		{Label: "Dropped, 24 h", Value: num(dropped), Under: dropUnder(accepted, dropped)},
	}
	return nil
}

func acceptedUnder(stored, dup, held int64) string {
	text := num(stored) + " stored, " + num(dup) + " repeats"
	if held > 0 {
		text += ", " + num(held) + " quarantined: a burst looked forged; not in the numbers of crashes"
	}
	return text
}

func dropUnder(accepted, dropped int64) string {
	if accepted+dropped == 0 {
		return "nothing came in"
	}
	return part(float64(dropped)/float64(accepted+dropped)) + " of what came in"
}

func diskRows(in pipeline.Intake) ([]diskRow, int64) {
	by := map[eco.Class]*diskRow{}
	var sum int64
	for _, p := range in.Facts.Partitions {
		row := by[p.Class]
		if row == nil {
			row = &diskRow{Class: p.Class, Days: p.Class.Days(), Oldest: p.Day.String()}
			by[p.Class] = row
		}
		row.Partitions++
		row.Rows, row.Docs, row.Bytes = row.Rows+p.Rows, row.Docs+p.Docs, row.Bytes+p.Bytes
		row.Oldest = min(row.Oldest, p.Day.String())
		sum += p.Bytes
	}
	var out []diskRow
	for _, c := range eco.Classes {
		if row := by[c]; row != nil {
			out = append(out, *row)
		}
	}
	return out, sum
}

func (v viewer) jobRows(list []jobs.Status) []jobRow {
	out := make([]jobRow, 0, len(list))
	for _, j := range list {
		row := jobRow{Status: j, When: v.at(j.Last), Then: v.at(j.Next), Class: "", Word: "not yet run"}
		switch {
		case j.Running:
			row.Class, row.Word = "info", "running"
		case j.Outcome == "ok":
			row.Class, row.Word = "ok", "ok"
		case j.Outcome == "failed":
			row.Class, row.Word = "bad", "failed"
			if j.Failures > 1 {
				row.Word = "failed " + strconv.Itoa(j.Failures) + " times"
			}
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b jobRow) int { return cmp.Compare(b.Failures, a.Failures) })
	return out
}

func (v viewer) letterRows(ls []pipeline.Letter) []letterRow {
	out := make([]letterRow, 0, len(ls))
	for _, l := range ls {
		out = append(out, letterRow{Letter: l, When: v.at(l.At), Came: v.at(l.Received)})
	}
	return out
}

func (s *Server) runJob(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.check(v, account.JobRun, account.OfServer("job", r.PathValue("name"))); err != nil {
		return err
	}
	if s.o.Jobs == nil {
		return notFound("web.runJob", "This process runs no jobs.")
	}
	if err := s.o.Jobs.RunNow(r.Context(), r.PathValue("name")); err != nil {
		return err
	}
	return redirect(w, r, "/intake?done=ran#jobs")
}

// lettersPage lists dead letters; letterPage shows one.
type lettersPage struct {
	Shell
	Rows      []letterRow
	CanReplay bool
	Empty     empty
}

type letterPage struct {
	Shell
	L         letterRow
	Record    string
	Cut       bool
	CanReplay bool
	Open      bool
	Hidden    bool // the viewer may settle it, but sees no data rows
}

// maxLetters bounds the list.
const maxLetters = 200

func (s *Server) letters(w http.ResponseWriter, r *http.Request, v viewer) error {
	p := lettersPage{Shell: s.shell(r, v, "intake", "Dead letters", crumb{"Intake", "/intake"}), CanReplay: s.may(v, account.IntakeReplay, account.List("intake")),
		Empty: empty{Icon: "mail", Title: "No dead letters", Text: "An envelope that fails three times waits here for a person, for at most seven days. Nothing does."}}
	if s.o.Worker != nil {
		ls, err := s.o.Worker.Letters(r.Context(), s.o.Accounts.LetterScope(v.p), maxLetters)
		if err != nil {
			return err
		}
		p.Rows = v.letterRows(ls)
	}
	return s.render(w, r, http.StatusOK, "letters", p)
}

func (s *Server) letter(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Worker == nil {
		return notFound("web.letter", "This process has no flow.")
	}
	id := r.PathValue("id")
	l, record, err := s.o.Worker.Letter(r.Context(), s.scope(v), id)
	hidden := fault.CodeOf(err) == fault.NotFound
	if hidden { // not theirs to read; perhaps to settle
		l, _, err = s.o.Worker.Letter(r.Context(), s.o.Accounts.LetterScope(v.p), id)
	}
	if err != nil {
		return err
	}
	p := letterPage{Shell: s.shell(r, v, "intake", "Dead letter", crumb{"Intake", "/intake"}, crumb{"Dead letters", "/intake/letters"}), Open: l.State == "dead",
		L: v.letterRows([]pipeline.Letter{l})[0], CanReplay: s.may(v, account.IntakeReplay, account.List("intake"))}
	p.Hidden = hidden
	record = readable(record)
	p.Record, p.Cut = eco.Clean(string(record[:min(len(record), maxJSON)]), maxJSON), len(record) > maxJSON
	return s.render(w, r, http.StatusOK, "letter", p)
}

// readable writes the record of a letter as JSON, without what would let its reader
// follow one person; what is no record, and so cannot hold that, stays as it is.
func readable(record []byte) []byte {
	e, err := eco.DecodeEnvelope(record)
	if err != nil {
		return record
	}
	e.Origin.Install, e.Dedup = 0, 0
	if e.Crash != nil {
		e.Crash.SessionID = ""
	}
	if e.Session != nil {
		e.Session.Key = 0
	}
	out, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil
	}
	return out
}

func (s *Server) settleLetter(w http.ResponseWriter, r *http.Request, v viewer) error {
	if err := s.check(v, account.IntakeReplay, account.List("intake")); err != nil {
		return err
	}
	if s.o.Worker == nil {
		return notFound("web.letter", "This process has no flow.")
	}
	id, code := r.PathValue("id"), "replayed"
	var err error
	switch r.PostFormValue("do") {
	case "replay":
		err = s.o.Worker.Replay(r.Context(), s.o.Accounts.LetterScope(v.p), id, v.p.Actor())
	case "discard":
		code = "discarded"
		err = s.o.Worker.Discard(r.Context(), s.o.Accounts.LetterScope(v.p), id, v.p.Actor())
	default:
		err = fault.E("web.letter", fault.Invalid, "Choose to replay or to discard.", nil)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, "/intake/letters?done="+code)
}
