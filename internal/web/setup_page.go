package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// setupPage leads from a key to the first event: of an extension, or of a host.
type setupPage struct {
	Shell
	Name     string
	Subject  registry.Subject
	Tabs     []tab
	Projects []tab
	Project  *registry.Project
	Keys     []keyRow
	Key      *registry.Key // that the snippets show
	NewKey   keyRow        // the empty form
	Held     []heldRow
	Keep     []keepChoice
	Usual    registry.Quarantine // the limits that hold where none is set
	Clients  []tab
	Client   client
	Snippet  snippet
	Live     livePanel
	Path     string
	CanEdit  bool
	CanKeys  bool // the keys, and snippets with one, are shown
	CanTest  bool
	Tiers    []tierBox
	Form     projectForm
	Empty    empty
}

type keyRow struct {
	registry.Key
	Made  stamp
	Ends  stamp
	State string
	Class string
}

type tierBox struct {
	Tier    string
	About   string
	Checked bool
}

// projectForm is the consent policy as entered.
type projectForm struct {
	Text, AskedBy string
	Errors        []string
	KeyErrors     []string
	Refused       string // what the door said to the test event
}

// livePanel is what arrived at a project, and what became of it.
type livePanel struct {
	Waiting bool
	Rows    []arrival
	Crashes []crashRow
	Since   stamp
	Key     string
}

// arrival is a number of items that came to the same end during the last two hours.
type arrival struct {
	Class, Word, Protocol, Kind, Reason, Help string
	N                                         int64
}

var tierAbout = map[eco.Tier]string{
	eco.TierCrash:   "Crashes, and the sessions that are their denominator.",
	eco.Performance: "Spans, metrics and timings.",
	eco.Usage:       "Named events.",
	eco.Support:     "What users write to support.",
}

func (s *Server) extensionSetup(w http.ResponseWriter, r *http.Request, v viewer) error {
	e, err := s.extensionOf(r, v)
	if err != nil {
		return err
	}
	return s.showSetup(w, r, v, registry.Subject{Extension: e.ID}, projectForm{}, http.StatusOK)
}

func (s *Server) hostSetup(w http.ResponseWriter, r *http.Request, v viewer) error {
	id := r.PathValue("id")
	if err := s.check(v, account.ProjectRead, account.OfHost("project", "", id)); err != nil {
		return err
	}
	return s.showSetup(w, r, v, registry.Subject{Host: id}, projectForm{}, http.StatusOK)
}

func subjectResource(kind, id string, sub registry.Subject) account.Resource {
	if sub.Extension != "" {
		return account.OfExtension(kind, id, sub.Extension)
	}
	return account.OfHost(kind, id, sub.Host)
}

func setupPath(sub registry.Subject) string {
	if sub.Extension != "" {
		return "/extensions/" + string(sub.Extension) + "/setup"
	}
	return "/hosts/" + sub.Host + "/setup"
}

func (s *Server) showSetup(w http.ResponseWriter, r *http.Request, v viewer, sub registry.Subject, form projectForm, status int) error {
	ctx := r.Context()
	p := setupPage{Subject: sub, Path: setupPath(sub), Form: form}
	kind := registry.Generic
	if sub.Extension != "" {
		e, err := s.o.Registry.Extension(ctx, sub.Extension)
		if err != nil {
			return err
		}
		p.Name, kind, p.Tabs = cmp.Or(e.Name, string(e.ID)), e.Kind, s.extTabs(v, e, "Set-up")
		p.Shell = s.shell(r, v, "extensions", p.Name+": set-up", crumb{"Extensions", "/extensions"})
	} else {
		h, err := s.o.Registry.Host(ctx, sub.Host)
		if err != nil {
			return err
		}
		p.Name, kind = cmp.Or(h.Name, h.ID), h.Kind
		p.Shell = s.shell(r, v, "settings", p.Name+": set-up", crumb{"Settings", "/settings"}, crumb{"Register", "/settings/register"})
	}
	p.CanEdit = s.may(v, account.KeyEdit, subjectResource("project", "", sub))
	projects, _, err := s.o.Registry.Projects(ctx, registry.ProjectFilter{Subject: sub})
	if err != nil {
		return err
	}
	if len(projects) == 0 {
		p.Empty = empty{Icon: "key", Title: "No project yet", Text: "A project is the place clients send to; it has keys, a consent policy and limits."}
		return s.render(w, r, status, "setup-project", p)
	}
	chosen := 0
	want, _ := strconv.ParseInt(cmp.Or(r.URL.Query().Get("project"), r.PostFormValue("project")), 10, 64)
	for i, pr := range projects {
		if pr.ID == want {
			chosen = i
		}
		p.Projects = append(p.Projects, tab{Label: cmp.Or(pr.Name, "Project "+strconv.FormatInt(pr.ID, 10)), Href: with(r.URL, "project", strconv.FormatInt(pr.ID, 10), "done", "")})
	}
	p.Projects[chosen].Current = true
	p.Project = &projects[chosen]
	if p.CanKeys = s.may(v, account.KeyRead, subjectResource("key", "", sub)); p.CanKeys {
		if err := s.setupKeys(ctx, v, &p); err != nil {
			return err
		}
	}
	s.setupClient(r, &p, kind)
	p.Usual, p.Keep = registry.Quarantine{}.WithDefaults(), s.keepForm(p.Project.ID)
	if p.Held, err = s.held(ctx, v, sub); err != nil {
		return err
	}
	if p.Live, err = s.live(ctx, v, p.Project); err != nil {
		return err
	}
	if p.Live.Waiting {
		p.Shell.Reload = 5
	}
	p.CanTest = s.o.Intake != nil && p.CanEdit && p.Key != nil
	for _, t := range eco.Tiers {
		if t != eco.Essential {
			p.Tiers = append(p.Tiers, tierBox{string(t), tierAbout[t], slices.Contains(p.Project.Policy.Tiers, t)})
		}
	}
	if len(form.Errors) == 0 {
		p.Form = projectForm{Text: p.Project.Policy.Text, AskedBy: p.Project.Policy.AskedBy, KeyErrors: form.KeyErrors, Refused: form.Refused}
	}
	return s.render(w, r, status, "setup-project", p)
}

func (s *Server) setupKeys(ctx context.Context, v viewer, p *setupPage) error {
	keys, err := s.o.Registry.Keys(ctx, p.Project.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		row := keyRow{Key: k, Made: v.at(k.Created), Ends: v.at(k.Expires), State: "active", Class: "ok"}
		if ok, why := (registry.KeyView{Key: k}).Usable(v.now); !ok {
			row.State, row.Class = strings.TrimPrefix(why, "key:"), ""
		} else {
			if !k.Expires.IsZero() {
				row.State, row.Class = "ends", "warn"
			}
			p.Key = &k // the newest one that is taken
		}
		p.Keys = append(p.Keys, row)
	}
	return nil
}

func (s *Server) setupClient(r *http.Request, p *setupPage, kind registry.ExtKind) {
	want := r.URL.Query().Get("client")
	if !slices.ContainsFunc(clients, func(c client) bool { return c.Key == want }) {
		want = defaultClient(kind)
	}
	for _, c := range clients {
		p.Clients = append(p.Clients, tab{Label: c.Name, Href: with(r.URL, "client", c.Key, "done", "") + "#client", Current: c.Key == want})
		if c.Key == want {
			p.Client = c
		}
	}
	if p.Key != nil {
		p.Snippet = p.Client.write(registry.FormsFor(s.base(r), *p.Key), *p.Key, s.base(r).String())
	}
}

// live says what arrived: counts of the last two hours, and the newest crashes.
func (s *Server) live(ctx context.Context, v viewer, pr *registry.Project) (livePanel, error) {
	l := livePanel{Waiting: true, Since: v.at(v.now.Truncate(time.Hour).Add(-time.Hour))}
	if s.o.Counts != nil {
		counts, err := s.o.Counts.List(ctx, pipeline.CountFilter{From: l.Since.at, To: v.now.Add(time.Hour), Projects: []int64{pr.ID}})
		if err != nil {
			return l, err
		}
		for _, c := range settled(counts) {
			l.Rows = append(l.Rows, arrivalOf(c))
			l.Waiting = false
		}
	}
	scope := s.scope(v)
	if !scope.IsSet() {
		return l, nil
	}
	page, err := s.o.Desk.Crashes(ctx, scope, crash.CrashFilter{Period: crash.Period{From: v.now.Add(-24 * time.Hour), To: v.now.Add(time.Minute)}, Project: pr.ID, Limit: 5})
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return l, err
	}
	for _, c := range page.Crashes {
		l.Crashes = append(l.Crashes, v.crashRow(c))
	}
	return l, nil
}

// settled takes what became of accepted items out of the accepted ones, so that
// only those still on their way are left, and adds up what hours kept apart.
func settled(counts []pipeline.Count) []pipeline.Count {
	type way struct{ protocol, kind string }
	done := map[way]int64{}
	for _, c := range counts {
		if c.Outcome == pipeline.Stored || c.Outcome == pipeline.Duplicate || c.Outcome == pipeline.Dead {
			done[way{c.Protocol, c.Kind}] += c.N
		}
	}
	var out []pipeline.Count
	for _, c := range counts {
		if c.Outcome == pipeline.Accepted {
			over := min(c.N, done[way{c.Protocol, c.Kind}])
			done[way{c.Protocol, c.Kind}] -= over
			if c.N -= over; c.N == 0 {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

func arrivalOf(c pipeline.Count) arrival {
	a := arrival{N: c.N, Protocol: c.Protocol, Kind: c.Kind, Reason: c.Reason}
	switch c.Outcome {
	case pipeline.Accepted:
		a.Class, a.Word = "info", "Accepted"
		a.Help = "Safe on disk; the flow stores it within seconds."
	case pipeline.Stored:
		a.Class, a.Word = "ok", "Stored"
		a.Help = "Can be queried."
	case pipeline.Duplicate:
		a.Class, a.Word = "", "Duplicate"
		a.Help = "The client sent it before, within 48 hours; it counts once."
	case pipeline.Dead:
		a.Class, a.Word = "bad", "Dead letter"
		a.Help = "It failed three times. An operator sees the reason under Intake and can replay it."
	default:
		a.Class, a.Word = "warn", "Dropped"
		a.Help = reasonHelp(c.Reason)
	}
	return a
}

// addProject makes the subject's next project, or its first.
func (s *Server) addProject(w http.ResponseWriter, r *http.Request, v viewer) error {
	sub, err := s.formSubject(r)
	if err != nil {
		return err
	}
	if err := s.check(v, account.ProjectEdit, subjectResource("project", "", sub)); err != nil {
		return err
	}
	pr, _, err := s.o.Registry.CreateProject(r.Context(), v.p.Actor(), registry.Project{Subject: sub, Name: clip(r.PostFormValue("name"), 100), Policy: consent.Policy{}})
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(setupPath(sub)+"?project="+strconv.FormatInt(pr.ID, 10), "created"))
}

func (s *Server) formSubject(r *http.Request) (registry.Subject, error) {
	if h := r.PostFormValue("host"); h != "" {
		id, err := eco.ParseSlug(h)
		return registry.Subject{Host: id}, err
	}
	id, err := eco.ParseExtensionID(r.PostFormValue("extension"))
	return registry.Subject{Extension: id}, err
}

// projectOf reads the number in the path and checks a right on its project.
func (s *Server) projectOf(r *http.Request, v viewer, a account.Action) (registry.Project, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return registry.Project{}, notFound("web.project", "There is no such project.")
	}
	pr, err := s.o.Registry.Project(r.Context(), n)
	if err != nil {
		return pr, err
	}
	return pr, s.check(v, a, subjectResource("project", r.PathValue("id"), pr.Subject))
}

func (s *Server) setPolicy(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.ProjectPolicy)
	if err != nil {
		return err
	}
	pol := consent.Policy{Text: clip(r.PostFormValue("text"), consent.MaxText+1), AskedBy: clip(r.PostFormValue("asked_by"), consent.MaxAskedBy+1)}
	for _, t := range r.PostForm["tier"] {
		pol.Tiers = append(pol.Tiers, eco.Tier(t))
	}
	if _, err := s.o.Registry.SetPolicy(r.Context(), v.p.Actor(), pr.ID, pr.Version, pol); err != nil {
		if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Conflict {
			return err
		}
		q := r.URL.Query()
		q.Set("project", strconv.FormatInt(pr.ID, 10))
		r.URL.RawQuery = q.Encode()
		return s.showSetup(w, r, v, pr.Subject, projectForm{Text: pol.Text, AskedBy: pol.AskedBy, Errors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	}
	return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), "saved"))
}
