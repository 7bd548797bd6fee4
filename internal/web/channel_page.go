package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// channelPage is the form of a new channel, or one channel with its log.
type channelPage struct {
	settingsShell
	New     bool
	C       channelRow
	Owners  []option // of a new one
	Kinds   []option
	URL     string // as it was typed; never read back
	CanEdit bool
	Secret  string // shown once
	Old     stamp
	Test    *tested
	Errors  []string
	Log     []deliveryRow
	Next    string
}

func (s *Server) newChannel(w http.ResponseWriter, r *http.Request, v viewer) error {
	form := alert.Slack
	if r.URL.Query().Get("form") == alert.Webhook {
		form = alert.Webhook
	}
	c := alert.Channel{Form: form, Installs: 1, Kinds: []alert.Kind{alert.NewFamily, alert.Regressed, alert.Spike}}
	return s.showNewChannel(w, r, v, channelPage{C: channelRow{Channel: c}}, http.StatusOK)
}

func (s *Server) showNewChannel(w http.ResponseWriter, r *http.Request, v viewer, p channelPage, status int) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	p.settingsShell = s.settings(r, v, "Notifications", "New channel")
	p.Shell.Crumbs = []crumb{{"Settings", "/settings"}, {"Notifications", "/settings/notifications"}}
	p.New, p.CanEdit, p.Kinds = true, true, kindBoxes(p.C.Kinds)
	add := func(value, label string, c alert.Channel) {
		if s.may(v, account.ChannelEdit, c.Resource()) {
			p.Owners = append(p.Owners, option{value, label, c.Publisher == p.C.Publisher && c.Team == p.C.Team})
		}
	}
	if snap := s.o.Registry.Snapshot(); snap != nil {
		for id, x := range snap.Publishers {
			add("publisher:"+id, x.Name+" (publisher)", alert.Channel{Publisher: id})
		}
		for id, x := range snap.Teams {
			add("team:"+id, x.Name+" (team)", alert.Channel{Team: id})
		}
	}
	slices.SortFunc(p.Owners, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	add("", "Everything", alert.Channel{})
	return s.render(w, r, status, "channel", p)
}

func kindBoxes(on []alert.Kind) []option {
	var out []option
	for _, k := range alert.Kinds {
		if k != alert.Work {
			out = append(out, option{string(k), kindWords[k], slices.Contains(on, k)})
		}
	}
	return out
}

// channelOf reads the form of a channel.
func channelOf(r *http.Request) alert.Channel {
	c := alert.Channel{Form: r.PostFormValue("form"), Name: clip(r.PostFormValue("name"), 200), Unhandled: r.PostFormValue("unhandled") != "", State: alert.Off}
	if r.PostFormValue("on") != "" {
		c.State = alert.Active
	}
	switch kind, id, _ := strings.Cut(r.PostFormValue("owner"), ":"); kind {
	case "publisher":
		c.Publisher = id
	case "team":
		c.Team = id
	}
	for _, k := range r.PostForm["kind"] {
		c.Kinds = append(c.Kinds, alert.Kind(k))
	}
	c.Installs, _ = strconv.Atoi(r.PostFormValue("installs"))
	c.Version, _ = strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	return c
}

func (s *Server) createChannel(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	c, address := channelOf(r), r.PostFormValue("url")
	made, secret, err := s.o.Alerts.CreateChannel(r.Context(), v.p, c, address)
	switch fault.CodeOf(err) {
	case "":
	case fault.Invalid, fault.Forbidden, fault.TooLarge:
		return s.showNewChannel(w, r, v, channelPage{C: channelRow{Channel: c}, URL: clip(address, 2000), Errors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	default:
		return err
	}
	if secret == "" {
		return redirect(w, r, "/settings/channels/"+made.ID+"?done=created")
	}
	// No redirect: the secret is shown in this very answer and nowhere else.
	return s.showChannel(w, r, v, made.ID, channelPage{Secret: secret}, http.StatusCreated)
}

func (s *Server) channel(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showChannel(w, r, v, r.PathValue("id"), channelPage{}, http.StatusOK)
}

func (s *Server) showChannel(w http.ResponseWriter, r *http.Request, v viewer, id string, p channelPage, status int) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	c, err := s.o.Alerts.Channel(r.Context(), v.p, id)
	if err != nil {
		return err
	}
	p.settingsShell = s.settings(r, v, "Notifications", c.Name)
	p.Shell.Crumbs = []crumb{{"Settings", "/settings"}, {"Notifications", "/settings/notifications"}}
	p.C, p.Kinds, p.Old = s.channelRow(c), kindBoxes(c.Kinds), v.at(c.OldEnds)
	p.CanEdit = s.may(v, account.ChannelEdit, c.Resource())
	list, next, err := s.o.Alerts.Deliveries(r.Context(), v.p, alert.LogFilter{Channel: id, Cursor: r.URL.Query().Get("cursor"), Limit: 25})
	if err != nil {
		return err
	}
	p.Log = deliveryRows(v, list)
	if next != "" {
		p.Next = with(r.URL, "cursor", next, "done", "")
	}
	return s.render(w, r, status, "channel", p)
}

// changeChannel saves, tests, rotates the secret of, or removes a channel.
func (s *Server) changeChannel(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	id, ctx := r.PathValue("id"), r.Context()
	var err error
	switch r.PostFormValue("do") {
	case "test":
		t, err := testedOf(s.o.Alerts.Test(ctx, v.p, id))
		if err != nil {
			return err
		}
		return s.showChannel(w, r, v, id, channelPage{Test: t}, http.StatusOK)
	case "rotate":
		secret, err := s.o.Alerts.RotateSecret(ctx, v.p, id)
		if err != nil {
			return err
		}
		return s.showChannel(w, r, v, id, channelPage{Secret: secret}, http.StatusCreated)
	case "remove":
		if err := s.o.Alerts.DeleteChannel(ctx, v.p, id); err != nil {
			return err
		}
		return redirect(w, r, "/settings/notifications?done=removed")
	case "save":
		c := channelOf(r)
		c.ID = id
		_, err = s.o.Alerts.UpdateChannel(ctx, v.p, c, r.PostFormValue("url"))
	default:
		err = fault.E("web.channel", fault.Invalid, "Choose what to change.", nil)
	}
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, "/settings/channels/"+id+"?done=saved")
	case fault.Invalid, fault.Conflict, fault.Forbidden:
		return s.showChannel(w, r, v, id, channelPage{Errors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
	}
	return err
}
