package web

import (
	"net/http"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// deliveriesPage is the log of what was sent to whom, and what the other side said.
type deliveriesPage struct {
	settingsShell
	Rows    []deliveryRow
	States  []periodTab
	Next    string
	All     bool // everybody's, without what it is about
	CanAll  bool
	AllHref string
}

type deliveryRow struct {
	alert.Delivery
	What, Word, Class, Says string
	Made, When              stamp
	Due                     bool // When is the next try
}

var stateWords = map[outbox.State][2]string{outbox.Waiting: {"waiting", "info"}, outbox.Sending: {"being sent", "info"}, outbox.Sent: {"sent", "ok"}, outbox.Failed: {"failed", "bad"}, outbox.Dropped: {"dropped", ""}}

var messageWords = map[string]string{string(alert.NewFamily): "New family", string(alert.Regressed): "Regression", string(alert.Spike): "Spike", string(alert.Work): "News of a family",
	"digest": "Summary", "test": "Test message", "channel.disabled": "A channel was switched off", alert.KindInvite: "Invitation", alert.KindReset: "New password"}

func deliveryRows(v viewer, list []alert.Delivery) []deliveryRow {
	var out []deliveryRow
	for _, d := range list {
		w := stateWords[d.State]
		row := deliveryRow{Delivery: d, What: d.Subject, Word: w[0], Class: w[1], Says: answerText(d.Delivery), Made: v.at(d.Created), When: v.at(d.Done)}
		if row.What == "" {
			row.What = messageWords[d.Kind]
		}
		if n := len(d.Items); n > 1 && d.Subject == "" {
			row.What += " of " + num(n)
		}
		if d.State == outbox.Waiting {
			row.When, row.Due = v.at(d.Due), true
			if d.Tries > 0 {
				row.Word = "trying again"
				row.Class = "warn"
			}
		}
		row.Resend = row.Resend && d.Kind != "test" && d.State != outbox.Sending && (len(d.Items) > 0 || !d.Own)
		out = append(out, row)
	}
	return out
}

func (s *Server) deliveries(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	q := r.URL.Query()
	p := deliveriesPage{settingsShell: s.settings(r, v, "Notifications", "Deliveries")}
	p.Shell.Crumbs = []crumb{{"Settings", "/settings"}, {"Notifications", "/settings/notifications"}}
	p.CanAll = s.may(v, account.SettingsRead, account.OfServer("settings", ""))
	p.All = p.CanAll && q.Get("all") != ""
	p.AllHref = with(r.URL, "all", map[bool]string{true: "", false: "1"}[p.All], "cursor", "", "done", "")
	state := outbox.State(q.Get("state"))
	for _, t := range []struct {
		word string
		st   outbox.State
	}{{"All", ""}, {"Waiting", outbox.Waiting}, {"Sent", outbox.Sent}, {"Failed", outbox.Failed}, {"Dropped", outbox.Dropped}} {
		p.States = append(p.States, periodTab{Label: t.word, Href: with(r.URL, "state", string(t.st), "cursor", "", "done", ""), Current: t.st == state})
	}
	list, next, err := s.o.Alerts.Deliveries(r.Context(), v.p, alert.LogFilter{All: p.All, State: state, Cursor: q.Get("cursor")})
	if err != nil {
		return err
	}
	p.Rows = deliveryRows(v, list)
	if next != "" {
		p.Next = with(r.URL, "cursor", next, "done", "")
	}
	return s.render(w, r, http.StatusOK, "deliveries", p)
}

func (s *Server) resend(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Alerts == nil {
		return errNoAlerts
	}
	err := s.o.Alerts.Resend(r.Context(), v.p, r.PathValue("id"))
	if fault.CodeOf(err) == fault.Conflict {
		return redirect(w, r, "/settings/deliveries?done=unsendable")
	}
	if err != nil {
		return err
	}
	return redirect(w, r, "/settings/deliveries?done=resent")
}
