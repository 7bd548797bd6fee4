package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// registerPage lists publishers, hosts and teams, with a form to add or change one of each.
type registerPage struct {
	settingsShell
	Publishers []publisherRow
	Hosts      []hostRow
	Teams      []registry.Team
	CanPub     bool
	CanHost    bool
	CanTeam    bool
	Kinds      []option
	Errors     []string
	Edit       registerEdit
}

type publisherRow struct {
	registry.Publisher
	Extensions int
}

type hostRow struct {
	registry.Host
	Extensions int
	SetUp      string
}

// registerEdit holds the entry that a form shows: a new one, or the one in ?edit=.
type registerEdit struct {
	Publisher registry.Publisher
	Host      registry.Host
	HostLists [3]string // paths, prefixes, files, a line each
	Team      registry.Team
	TeamLists [2]string
	Kinds     []option
}

func (s *Server) register(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showRegister(w, r, v, registerEdit{}, nil, http.StatusOK)
}

func (s *Server) showRegister(w http.ResponseWriter, r *http.Request, v viewer, e registerEdit, errs []string, status int) error {
	p := registerPage{settingsShell: s.settings(r, v, "Register", "Register"), Errors: errs}
	snap := s.o.Registry.Snapshot()
	p.CanPub = s.may(v, account.PublisherEdit, account.OfServer("publisher", ""))
	p.CanHost = s.may(v, account.HostEdit, account.OfServer("host", ""))
	p.CanTeam = s.may(v, account.TeamEdit, account.OfServer("team", ""))
	perPub, perHost := map[string]int{}, map[string]int{}
	for _, x := range snap.Extensions {
		perPub[x.Publisher()]++
		perHost[x.Host]++
	}
	for _, id := range sortedKeys(snap.Publishers) {
		if s.may(v, account.PublisherRead, account.OfPublisher("publisher", id, id)) {
			p.Publishers = append(p.Publishers, publisherRow{*snap.Publishers[id], perPub[id]})
		}
	}
	for _, id := range sortedKeys(snap.Hosts) {
		if s.may(v, account.HostRead, account.OfHost("host", id, id)) {
			p.Hosts = append(p.Hosts, hostRow{*snap.Hosts[id], perHost[id], "/hosts/" + id + "/setup"})
		}
	}
	for _, id := range sortedKeys(snap.Teams) {
		if s.may(v, account.TeamRead, account.Resource{Kind: "team", ID: id, Team: id}) {
			p.Teams = append(p.Teams, *snap.Teams[id])
		}
	}
	if kind, id, ok := strings.Cut(r.URL.Query().Get("edit"), ":"); ok && len(errs) == 0 {
		switch {
		case kind == "publisher" && snap.Publishers[id] != nil:
			e.Publisher = *snap.Publishers[id]
		case kind == "host" && snap.Hosts[id] != nil:
			h := *snap.Hosts[id]
			e.Host, e.HostLists = h, [3]string{strings.Join(h.Paths, "\n"), strings.Join(h.Prefixes, "\n"), strings.Join(h.Files, "\n")}
		case kind == "team" && snap.Teams[id] != nil:
			t := *snap.Teams[id]
			e.Team, e.TeamLists = t, [2]string{joinIDs(t.Extensions), strings.Join(t.Hosts, "\n")}
		}
	}
	for _, k := range registry.Kinds {
		e.Kinds = append(e.Kinds, option{string(k), string(k), k == e.Host.Kind})
	}
	p.Edit = e
	return s.render(w, r, status, "register", p)
}

func joinIDs(ids []eco.ExtensionID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return strings.Join(out, "\n")
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sortStrings(out)
	return out
}

// lines reads a field of several values: one a line, or separated by blanks or commas.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ' ' || r == '\t' })
}

func extIDs(text string) ([]eco.ExtensionID, error) {
	var out []eco.ExtensionID
	for _, l := range lines(text) {
		id, err := eco.ParseExtensionID(l)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// entryOf reads what the three forms of the register have in common.
func entryOf(r *http.Request) (id, name string, version int64) {
	version, _ = strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	return strings.ToLower(clip(r.PostFormValue("id"), 64)), clip(r.PostFormValue("name"), 200), version
}

func (s *Server) putPublisher(w http.ResponseWriter, r *http.Request, v viewer) error {
	id, name, version := entryOf(r)
	if err := s.check(v, account.PublisherEdit, account.OfPublisher("publisher", id, id)); err != nil {
		return err
	}
	p := registry.Publisher{ID: id, Name: name, Contact: clip(r.PostFormValue("contact"), 200), Version: version}
	_, err := s.o.Registry.PutPublisher(r.Context(), v.p.Actor(), p)
	return s.putDone(w, r, v, registerEdit{Publisher: p}, err)
}

func (s *Server) putHost(w http.ResponseWriter, r *http.Request, v viewer) error {
	id, name, version := entryOf(r)
	if err := s.check(v, account.HostEdit, account.OfHost("host", id, id)); err != nil {
		return err
	}
	e := registerEdit{HostLists: [3]string{r.PostFormValue("paths"), r.PostFormValue("prefixes"), r.PostFormValue("files")}}
	e.Host = registry.Host{ID: id, Name: name, Kind: registry.ExtKind(r.PostFormValue("kind")), Paths: lines(e.HostLists[0]), Prefixes: lines(e.HostLists[1]), Files: lines(e.HostLists[2]), Version: version}
	_, err := s.o.Registry.PutHost(r.Context(), v.p.Actor(), e.Host)
	return s.putDone(w, r, v, e, err)
}

func (s *Server) putTeam(w http.ResponseWriter, r *http.Request, v viewer) error {
	id, name, version := entryOf(r)
	if err := s.check(v, account.TeamEdit, account.Resource{Kind: "team", ID: id, Team: id}); err != nil {
		return err
	}
	e := registerEdit{TeamLists: [2]string{r.PostFormValue("extensions"), r.PostFormValue("hosts")}}
	e.Team = registry.Team{ID: id, Name: name, Hosts: lines(e.TeamLists[1]), Version: version}
	var err error
	if e.Team.Extensions, err = extIDs(e.TeamLists[0]); err == nil {
		_, err = s.o.Registry.PutTeam(r.Context(), v.p.Actor(), e.Team)
	}
	return s.putDone(w, r, v, e, err)
}

// putDone goes on to the list, or shows the form again with what is wrong.
func (s *Server) putDone(w http.ResponseWriter, r *http.Request, v viewer, e registerEdit, err error) error {
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, "/settings/register?done=saved")
	case fault.Invalid, fault.Conflict, fault.NotFound:
		return s.showRegister(w, r, v, e, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	return err
}

// extensionForm is the register entry of an extension, new or old.
type extensionForm struct {
	Shell
	New        bool
	Tabs       []tab
	Action     string
	E          registry.Extension
	ID         string
	Lists      [4]string // locals, prefixes, shaded, libraries
	Keeps      bool      // the viewer keeps the register: any words are taken
	Kinds      []option
	Hosts      []option
	Publishers string // whose extensions the viewer may register, in words
	Errors     []string
}

func (s *Server) newExtension(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showExtensionForm(w, r, v, extensionForm{New: true, E: registry.Extension{Kind: registry.VSCode}}, http.StatusOK)
}

func (s *Server) editExtension(w http.ResponseWriter, r *http.Request, v viewer) error {
	e, err := s.extensionOf(r, v)
	if err != nil {
		return err
	}
	if err := s.check(v, account.ExtensionEdit, account.OfExtension("extension", string(e.ID), e.ID)); err != nil {
		return err
	}
	return s.showExtensionForm(w, r, v, extensionForm{E: e, ID: string(e.ID),
		Lists: [4]string{strings.Join(e.Locals, "\n"), strings.Join(e.Prefixes, "\n"), strings.Join(e.Shaded, "\n"), strings.Join(e.Libraries, "\n")}}, http.StatusOK)
}

func (s *Server) showExtensionForm(w http.ResponseWriter, r *http.Request, v viewer, p extensionForm, status int) error {
	title := "Register an extension"
	p.Action = "/extensions"
	if !p.New {
		title = cmp.Or(p.E.Name, p.ID) + ": register"
		p.Action, p.Tabs = "/extensions/"+p.ID+"/edit", s.extTabs(v, p.E, "Register")
	}
	p.Shell = s.shell(r, v, "extensions", title, crumb{"Extensions", "/extensions"})
	for _, k := range registry.Kinds {
		p.Kinds = append(p.Kinds, option{string(k), string(k), k == p.E.Kind})
	}
	p.Hosts = s.hostOptions(p.E.Host)
	p.Keeps = s.may(v, account.HostEdit, account.OfServer("extension", ""))
	p.Publishers = strings.Join(v.p.Publishers(), ", ")
	return s.render(w, r, status, "extension-form", p)
}

func (s *Server) createExtension(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.putExtension(w, r, v, true)
}

func (s *Server) saveExtension(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.putExtension(w, r, v, false)
}

func (s *Server) putExtension(w http.ResponseWriter, r *http.Request, v viewer, fresh bool) error {
	p := extensionForm{New: fresh, ID: clip(r.PostFormValue("id"), 128)}
	if !fresh {
		p.ID = r.PathValue("id")
	}
	for i, f := range []string{"locals", "prefixes", "shaded", "libraries"} {
		p.Lists[i] = r.PostFormValue(f)
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if fresh {
		version = 0
	}
	p.E = registry.Extension{Kind: registry.ExtKind(r.PostFormValue("kind")), Name: clip(r.PostFormValue("name"), 200), Summary: clip(r.PostFormValue("summary"), 1000),
		Repository: clip(r.PostFormValue("repository"), 500), Contact: clip(r.PostFormValue("contact"), 200), Host: r.PostFormValue("host"), Version: version,
		Locals: lines(p.Lists[0]), Prefixes: lines(p.Lists[1]), Shaded: lines(p.Lists[2]), Libraries: lines(p.Lists[3])}
	id, err := eco.ParseExtensionID(p.ID)
	if err == nil {
		p.E.ID = id
		action := account.ExtensionEdit
		if fresh {
			action = account.ExtensionCreate
		}
		if err := s.check(v, action, account.OfExtension("extension", string(id), id)); err != nil {
			if fresh && fault.CodeOf(err) == fault.NotFound {
				err = fault.E("web.putExtension", fault.Forbidden, "You may register extensions of your own publishers only.", err)
			}
			return err
		}
		put := s.o.Registry.PutOwnExtension
		if s.may(v, account.HostEdit, account.OfServer("extension", "")) { // whoever keeps the register may give any words
			put = s.o.Registry.PutExtension
		}
		_, err = put(r.Context(), v.p.Actor(), p.E)
	}
	switch fault.CodeOf(err) {
	case "":
	case fault.Invalid, fault.Conflict, fault.NotFound, fault.Forbidden:
		p.Errors = []string{fault.TextOf(err)}
		return s.showExtensionForm(w, r, v, p, http.StatusUnprocessableEntity)
	default:
		return err
	}
	if !fresh {
		return redirect(w, r, "/extensions/"+string(id)+"/edit?done=saved")
	}
	if s.may(v, account.ProjectEdit, account.OfExtension("project", "", id)) {
		if _, _, err := s.o.Registry.CreateProject(r.Context(), v.p.Actor(), registry.Project{Subject: registry.Subject{Extension: id}, Name: "Default"}); err != nil {
			return err
		}
	}
	return redirect(w, r, "/extensions/"+string(id)+"/setup?done=created")
}
