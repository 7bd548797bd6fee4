package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// familyPage is one family.
type familyPage struct {
	Shell
	Period   period
	F        famRow
	First    stamp
	Trend    trend
	Shares   []shareList
	List     []crash.SignatureInfo
	History  []historyRow
	Trace    *traceView
	Rep      string // address of the representative
	Blame    []candidate
	Together *togetherView
	Evidence evidenceView
	Recipe   *recipeView // nil: the viewer may not read single crashes
	Recent   []crashRow
	More     string
	CanEdit  bool
	Form     stateForm
	Answer   *answerForm
	familyTriage
	People familyPeople
	Quiet  empty // when nothing crashed in the period
	// Counted says how many crashes came as their signature alone; nil when none did.
	Counted *countedView
}

type shareList struct {
	Title  string
	List   []crash.Share
	Colour int
}

type historyRow struct {
	crash.Change
	When stamp
	Who  string
	Dot  string
	Text string
}

// stateForm is the control of a family's state, with what was entered when it was wrong.
type stateForm struct {
	Action   string
	To       string
	In       string
	Note     string
	Releases []string
	Until    untilForm
	Errors   []string
	Undo     string // the change that can be taken back

	answer *answerForm // when that form had mistakes
	// Draft is a comment that was not taken, and why.
	Draft       string
	DraftErrors []string
}

// candidate is one that may be to blame.
type candidate struct {
	eco.Candidate
	StepName string
	First    bool
}

// togetherView is why crashes are in one family.
type togetherView struct {
	crash.Together
	Other     string // address of the crash that was compared
	ScoreText string
	Pos       []matchRow
	Here      []matchRow
	There     []matchRow
}

type matchRow struct {
	Token tokenView
	Part  float64
}

// tokenView is a token of a signature, taken apart for reading.
type tokenView struct{ Kind, Text, Module string }

type crashRow struct {
	crash.Row
	When stamp
	Href string
	OSes string
	Of   eco.ExtensionID // to blame, else where it came from
}

// blameSteps are the steps of crash-grouping's rules, in words.
var blameSteps = map[int]string{
	1: "the host named the owner", 2: "first frame of an extension", 3: "missing member", 4: "cause chain",
	5: "two extensions on the stack", 6: "association over installs", 7: "host or unknown",
}

func (s *Server) family(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showFamily(w, r, v, r.PathValue("id"), stateForm{}, http.StatusOK)
}

func (s *Server) showFamily(w http.ResponseWriter, r *http.Request, v viewer, id string, form stateForm, status int) error {
	ctx, scope := r.Context(), s.scope(v)
	per := periodOf(r, v.now)
	d, err := s.o.Desk.Family(ctx, scope, id, per.Period)
	if err != nil {
		return err
	}
	if err := s.check(v, account.FamilyRead, familyResource(d.Family)); err != nil {
		return err
	}
	if d.ID != id && r.Method == http.MethodGet { // it is part of another one
		return redirect(w, r, familyPath(d.ID))
	}
	p := familyPage{Period: per, Quiet: empty{Icon: "clock", Title: "Quiet in these days", Text: "No crash of this family came in. Look at a longer span, above."}, F: v.famRow(d.Family, per.From), First: v.at(d.FirstSeen), List: d.List}
	crumbs := []crumb{{"Crashes", "/crashes"}}
	if d.Blame != "" {
		crumbs = append(crumbs, crumb{s.extName(d.Blame), "/extensions/" + string(d.Blame)})
	}
	p.Shell = s.shell(r, v, "crashes", p.F.Short, crumbs...)
	p.CanEdit = s.may(v, account.FamilyEdit, familyResource(d.Family))
	p.Trend = trend{ID: "family", Caption: "Crashes a day, and distinct installs.", BarName: "crashes", LinName: "installs"}
	for _, x := range d.Trend {
		p.Trend.Points = append(p.Trend.Points, dayPoint(x.Day, v.now, x.Crashes, x.Installs))
	}
	subject := registry.Subject{Extension: d.Blame}
	if d.Blame == "" {
		subject.Host = d.Host
	}
	if rels, _, err := s.o.Registry.Releases(ctx, subject, "", 30); err == nil {
		for _, rel := range rels {
			p.Trend.Marks = addMark(p.Trend, rel.Published, shortVersion(rel.Version), rel.Version+" released", string(rel.Channel))
			form.Releases = append(form.Releases, rel.Version)
		}
	}
	p.Shares = []shareList{{"Releases", d.Releases[:min(len(d.Releases), 8)], 1}, {"Host versions", d.HostVersions[:min(len(d.HostVersions), 8)], 1}, {"Systems", osShares(d.OSes), 1}}
	name := s.names(ctx)
	for _, c := range d.History {
		p.History = append(p.History, historyRow{Change: c, When: v.at(c.At), Who: name(c.Actor), Dot: stateDot(c), Text: changeText(c)})
		if c.Last && !c.Undone && c.Undoes == "" {
			form.Undo = c.ID
		}
	}
	p.Rating = v.ratingOf(d, name)
	p.Near, p.Apart, p.Regrouped = nearRows(d), v.apartRows(d, name), v.regroupRows(d, name, p.CanEdit)
	form.Action = familyPath(d.ID)
	if form.To == "" {
		form.To = string(crash.Resolved)
		if d.State != crash.Open {
			form.To = string(crash.Open)
		}
	}
	p.Form, p.Waiting = form, waitingOf(d)
	if p.People, err = s.familyPeople(r, v, d, form.Draft, form.DraftErrors); err != nil {
		return err
	}
	if p.Answer = form.answer; p.Answer == nil {
		if p.Answer, err = s.answerOf(ctx, v, d.Family); err != nil {
			return err
		}
	}
	p.Counted = countedOf(d, p.Answer)
	if err := s.familyEvidence(ctx, v, &p, d); err != nil {
		return err
	}
	if p.Evidence, err = s.familySuspects(ctx, v, d.Family); err != nil {
		return err
	}
	if p.Recipe, err = s.recipeOf(r, v, d); err != nil {
		return err
	}
	return s.render(w, r, status, "family", p)
}

// familyEvidence adds the representative, the reasons and the recent crashes.
func (s *Server) familyEvidence(ctx context.Context, v viewer, p *familyPage, d crash.Detail) error {
	scope := s.scope(v)
	recent, err := s.o.Desk.Crashes(ctx, scope, crash.CrashFilter{Period: p.Period.Period, Family: d.ID, Limit: 10})
	if err != nil {
		return err
	}
	for _, c := range recent.Crashes {
		p.Recent = append(p.Recent, v.crashRow(c))
	}
	if recent.Next != "" {
		p.More = "/crashes/list?family=" + d.ID
	}
	rep, whole := d.Representative, withStack(recent.Crashes)
	if rep.IsZero() && len(whole) > 0 {
		rep = whole[0].ID
	}
	if rep.IsZero() {
		return nil
	}
	doc, err := s.o.Desk.Crash(ctx, scope, rep.String())
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return nil // erased, or expired: the page says so
	case err != nil:
		return err
	}
	p.Trace, p.Rep = traceOf(doc), "/crashes/"+rep.String()
	p.Blame = candidates(doc.Blame)
	other := pickOther(whole, doc)
	if other.IsZero() {
		return nil
	}
	t, err := s.o.Desk.Together(ctx, scope, other.String())
	switch code := fault.CodeOf(err); {
	case code == fault.NotFound:
		return nil
	case err != nil:
		return err
	}
	p.Together = togetherOf(t, other)
	return nil
}

// pickOther chooses the crash that says most about the family: the newest with
// another signature than the representative, else the newest other one.
func pickOther(rows []crash.Row, rep crash.Document) eco.ID {
	var any eco.ID
	for _, c := range rows {
		if c.ID == rep.ID {
			continue
		}
		if c.Signature != rep.Signature.Hash {
			return c.ID
		}
		if any.IsZero() {
			any = c.ID
		}
	}
	return any
}

func togetherOf(t crash.Together, other eco.ID) *togetherView {
	o := &togetherView{Together: t, Other: "/crashes/" + other.String(), ScoreText: strconv.FormatFloat(t.Score, 'f', 2, 64)}
	rows := func(ms []crash.Match) []matchRow {
		out := make([]matchRow, 0, len(ms))
		for _, m := range ms[:min(len(ms), 12)] {
			out = append(out, matchRow{Token: tokenOf(m.Token), Part: m.Part})
		}
		return out
	}
	o.Pos, o.Here, o.There = rows(t.Matched), rows(t.OnlyHere), rows(t.OnlyThere)
	return o
}

// tokenClasses are the letters of signature tokens in words.
var tokenClasses = map[string]string{"e": "extension", "v": "library", "h": "host", "r": "runtime", "u": "unknown"}

// tokenOf takes class|package|function apart; EXC| and MSG| are the two heads.
func tokenOf(tok string) tokenView {
	kind, rest, ok := strings.Cut(tok, "|")
	if !ok {
		return tokenView{Text: tok}
	}
	switch kind {
	case "EXC":
		return tokenView{Kind: "type", Text: rest}
	case "MSG":
		if _, message, ok := strings.Cut(rest, "|"); ok {
			rest = message
		}
		return tokenView{Kind: "message", Text: rest}
	case "KEY":
		return tokenView{Kind: "condition", Text: rest}
	}
	if word, ok := tokenClasses[kind]; ok {
		kind = word
	}
	module, fn, ok := strings.Cut(rest, "|")
	if !ok {
		return tokenView{Kind: kind, Text: rest}
	}
	return tokenView{Kind: kind, Text: fn, Module: module}
}

func candidates(b eco.Blame) []candidate {
	out := make([]candidate, 0, len(b.Candidates))
	for i, c := range b.Candidates {
		out = append(out, candidate{Candidate: c, StepName: blameSteps[c.Step], First: i == 0 && c.Extension == b.Extension && b.Extension != ""})
	}
	return out
}

func osShares(in []crash.Share) []crash.Share {
	out := slices.Clone(in[:min(len(in), 8)])
	for i := range out {
		out[i].Value = osName(out[i].Value)
	}
	return out
}

func stateDot(c crash.Change) string {
	switch c.To {
	case crash.Resolved:
		return "ok"
	case crash.Open:
		if c.Actor == "system" || c.Actor == "" {
			return "bad"
		}
		return "info"
	}
	return ""
}

func changeText(c crash.Change) string {
	s := ""
	switch {
	case c.Undoes == crash.Noted:
		return "uploaded symbols"
	case c.Undoes != "":
		s = "took the change back: " + string(c.To)
	case c.To == crash.Resolved && c.ResolvedIn == crash.NextRelease:
		s = "resolved in the next release"
	case c.To == crash.Resolved && c.ResolvedIn != "":
		s = "resolved in " + c.ResolvedIn
	case c.To == crash.Resolved:
		s = "resolved from then on"
	case c.To == crash.Ignored && !c.Until.IsZero():
		s = "ignored until " + c.Until.String()
	case c.To == crash.Ignored:
		s = "ignored"
	case c.From == crash.Resolved && (c.Actor == "system" || c.Actor == ""):
		s = "came back: regressed"
	case c.To == crash.Open:
		s = "opened again"
	}
	return s
}

func (v viewer) crashRow(c crash.Row) crashRow {
	return crashRow{Row: c, Of: cmp.Or(c.Blame, c.Extension), When: v.at(c.Received), Href: "/crashes/" + c.ID.String(), OSes: strings.TrimSpace(osName(c.OS) + " " + c.OSVersion)}
}

func (s *Server) setState(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	f := stateForm{To: r.PostFormValue("to"), In: clip(r.PostFormValue("in"), 64), Note: clip(r.PostFormValue("note"), 1001)}
	c := crash.Decision{Family: id, To: crash.State(f.To), Note: f.Note, Actor: v.p.ID}
	if c.To == crash.Resolved {
		c.ResolvedIn = f.In
		if f.In == "now" {
			c.ResolvedIn = ""
		}
	}
	if c.To == crash.Ignored {
		f.Until, c.Until, f.Errors = untilOf(r)
	}
	if len(f.Note) > 1000 {
		f.Errors = append(f.Errors, "The note is longer than 1,000 bytes.")
	} else if len(f.Errors) > 0 {
	} else if _, err := s.decide(r, v, c); err != nil {
		if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Conflict {
			return err
		}
		f.Errors = append(f.Errors, fault.TextOf(err))
	}
	if len(f.Errors) > 0 {
		return s.showFamily(w, r, v, id, f, http.StatusUnprocessableEntity)
	}
	return redirect(w, r, withDone(familyPath(id), "state"))
}

func (s *Server) undoState(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	d, err := s.o.Desk.Family(r.Context(), s.scope(v), id, crash.Period{})
	if err != nil {
		return err
	}
	if err := s.check(v, account.FamilyEdit, familyResource(d.Family)); err != nil {
		return err
	}
	if _, err := s.o.Desk.Undo(r.Context(), s.scope(v), id, r.PostFormValue("change"), v.p.ID); err != nil {
		return err
	}
	return redirect(w, r, withDone(familyPath(id), "undone"))
}
