package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// notificationsPage is how one wants to be told, and the channels one may see.
type notificationsPage struct {
	settingsShell
	HasMail  bool
	From     string // sender of mails
	Paused   string
	Rows     []kindRow
	P        alert.Preferences
	QuietOn  bool
	From1    string // quiet hours and digest, as hh:mm
	To1      string
	Digest   string
	Days     []option
	Zones    []string
	Wide     bool // of the whole ecosystem: may choose to hear of everything
	Errors   []string
	Test     *tested
	Channels []channelRow
	CanAdd   bool
	Log      []deliveryRow
}

type kindRow struct {
	Kind, Word, About string
	Modes             []option
}

// tested is what the other side said to a test message.
type tested struct {
	OK   bool
	Text string
}

type channelRow struct {
	alert.Channel
	Word, Class, Owner, Tells string
}

var kindWords = map[alert.Kind]string{alert.NewFamily: "New families", alert.Regressed: "Regressions", alert.Spike: "Spikes", alert.Work: "My work"}

// commonZones are offered; any other can be typed.
var commonZones = []string{"UTC", "Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Helsinki", "Europe/Kyiv", "Europe/Istanbul", "Africa/Lagos", "Africa/Johannesburg", "Asia/Dubai",
	"Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Asia/Seoul", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"}

var errNoAlerts = fault.E("web.alerts", fault.Unavailable, "This process sends no messages.", nil)

func (s *Server) notifications(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showNotifications(w, r, v, nil, nil, nil, http.StatusOK)
}

func (s *Server) showNotifications(w http.ResponseWriter, r *http.Request, v viewer, typed *alert.Preferences, test *tested, errs []string, status int) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	ctx := r.Context()
	prefs, paused, err := s.o.Alerts.Preferences(ctx, v.p)
	if err != nil {
		return err
	}
	if typed != nil {
		prefs = *typed
	}
	p := notificationsPage{settingsShell: s.settings(r, v, "Notifications", "Notifications"), Paused: paused, P: prefs, Errors: errs, Test: test, Zones: commonZones,
		QuietOn: prefs.QuietFrom != prefs.QuietTo, From1: alert.Clock(prefs.QuietFrom), To1: alert.Clock(prefs.QuietTo), Digest: alert.Clock(prefs.DigestAt)}
	p.From, p.HasMail = s.o.Alerts.HasMail()
	p.Wide = slices.Contains(v.p.Grants, account.Grant{Role: account.Triager})
	for _, k := range alert.Kinds {
		row := kindRow{Kind: string(k), Word: kindWords[k], About: k.About()}
		for _, m := range alert.Modes {
			row.Modes = append(row.Modes, option{string(m), modeWords[m], prefs.Modes[k] == m})
		}
		p.Rows = append(p.Rows, row)
	}
	for d := range 7 {
		day := time.Weekday((d + 1) % 7)
		p.Days = append(p.Days, option{strconv.Itoa(int(day)), day.String(), prefs.DigestDay == day})
	}
	channels, err := s.o.Alerts.Channels(ctx, v.p)
	if err != nil {
		return err
	}
	for _, c := range channels {
		p.Channels = append(p.Channels, s.channelRow(c))
	}
	p.CanAdd = s.may(v, account.ChannelEdit, account.List("channel"))
	list, _, err := s.o.Alerts.Deliveries(ctx, v.p, alert.LogFilter{Limit: 5})
	if err != nil {
		return err
	}
	p.Log = deliveryRows(v, list)
	return s.render(w, r, status, "notifications", p)
}

var modeWords = map[alert.Mode]string{alert.Immediate: "at once", alert.Daily: "in a daily digest", alert.Weekly: "in a weekly digest", alert.Never: "never"}

func (s *Server) saveNotifications(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	p := alert.Defaults()
	var errs []string
	for _, k := range alert.Kinds {
		if m := r.PostFormValue("mode." + string(k)); m != "" {
			p.Modes[k] = alert.Mode(m)
		}
	}
	clock := func(name string) int {
		n, err := alert.ParseClock(r.PostFormValue(name))
		if err != nil {
			errs = append(errs, name+": "+fault.TextOf(err))
		}
		return n
	}
	p.Zone = strings.TrimSpace(clip(r.PostFormValue("zone"), 64))
	p.DigestAt = clock("digest")
	if r.PostFormValue("quiet") != "" {
		p.QuietFrom, p.QuietTo = clock("from"), clock("to")
	}
	if day, err := strconv.Atoi(r.PostFormValue("day")); err == nil {
		p.DigestDay = time.Weekday(day)
	}
	p.Installs, _ = strconv.Atoi(r.PostFormValue("installs"))
	p.Unhandled, p.All = r.PostFormValue("unhandled") != "", r.PostFormValue("all") != ""
	if len(errs) == 0 {
		_, err := s.o.Alerts.SetPreferences(r.Context(), v.p, p)
		switch fault.CodeOf(err) {
		case "":
			return redirect(w, r, "/settings/notifications?done=saved")
		case fault.Invalid:
			errs = []string{fault.TextOf(err)}
		default:
			return err
		}
	}
	return s.showNotifications(w, r, v, &p, nil, errs, http.StatusUnprocessableEntity)
}

// testMail sends a test message to the viewer.
func (s *Server) testMail(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	t, err := testedOf(s.o.Alerts.Test(r.Context(), v.p, ""))
	if err != nil {
		return err
	}
	return s.showNotifications(w, r, v, nil, t, nil, http.StatusOK)
}

func testedOf(d outbox.Delivery, err error) (*tested, error) {
	switch fault.CodeOf(err) {
	case "":
	case fault.RateLimited, fault.Unavailable, fault.Conflict:
		return &tested{Text: fault.TextOf(err)}, nil
	default:
		return nil, err
	}
	t := &tested{OK: d.State == outbox.Sent, Text: answerText(d)}
	if d.Reason != "" {
		t.Text = d.Reason + " " + t.Text
	}
	return t, nil
}

func answerText(d outbox.Delivery) string {
	text := d.Answer
	if d.Code > 0 {
		text = strings.TrimSpace(strconv.Itoa(d.Code) + " " + text)
	}
	if text == "" {
		return ""
	}
	return "It said: " + text
}

func (s *Server) channelRow(c alert.Channel) channelRow {
	row := channelRow{Channel: c, Word: "on", Class: "ok", Owner: "everything"}
	switch c.State {
	case alert.Off:
		row.Word, row.Class = "off", ""
	case alert.Disabled:
		row.Word, row.Class = "switched off by us", "bad"
	}
	snap := s.o.Registry.Snapshot()
	switch {
	case c.Publisher != "":
		if row.Owner = c.Publisher; snap != nil && snap.Publishers[c.Publisher] != nil {
			row.Owner = snap.Publishers[c.Publisher].Name
		}
	case c.Team != "":
		if row.Owner = c.Team; snap != nil && snap.Teams[c.Team] != nil {
			row.Owner = snap.Teams[c.Team].Name
		}
	}
	var words []string
	for _, k := range c.Kinds {
		words = append(words, strings.ToLower(kindWords[k]))
	}
	row.Tells = strings.Join(words, ", ")
	return row
}
