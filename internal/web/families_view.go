package web

import (
	"net/url"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// famRow is a family as a line of a table.
type famRow struct {
	crash.Family
	Short string // its title without what the line says beside it
	IsNew bool
	Span  string // releases it was seen in
	Last  stamp
	Own   bool // the page is about its extension
	// Mark is whose it is and its labels, when the viewer may know.
	Mark   triage.Mark
	Marked bool
}

// TargetWord says who is meant when no extension is.
func (f famRow) TargetWord() string {
	switch f.Target {
	case "host":
		return "the host itself"
	case "interaction":
		return "an interaction"
	}
	return "nobody blamed"
}

// famTable is a list of families.
type famTable struct {
	Rows  []famRow
	Heads []famHead
	Days  int
	Pick  bool // rows can be selected
}

// without leaves out the extension's id where the page itself says it.
func (t famTable) without() famTable {
	for i := range t.Rows {
		t.Rows[i].Own = true
	}
	return t
}

type famHead struct {
	Label, Href, Class string
	Sorted             bool
}

func (v viewer) famTable(fs []crash.Family, p period) famTable {
	t := famTable{Days: p.Days, Heads: []famHead{{Label: "Crashes", Class: "num c-n"}, {Label: "Installs", Class: "num c-n"}, {Label: "Last seen", Class: "num c-time"}, {Label: "Priority", Class: "c-rate"}}}
	for _, f := range fs {
		t.Rows = append(t.Rows, v.famRow(f, p.From))
	}
	return t
}

// sortable makes the heads links.
func (t famTable) sortable(u *url.URL, now crash.Sort) famTable {
	for i, by := range []crash.Sort{crash.ByCrashes, crash.ByInstalls, crash.ByLastSeen, crash.ByPriority} {
		t.Heads[i].Href = with(u, "sort", string(by), "cursor", "", "done", "")
		t.Heads[i].Sorted = by == now
	}
	return t
}

func (v viewer) famRow(f crash.Family, from time.Time) famRow {
	r := famRow{Family: f, Short: f.Title, Last: v.at(f.LastSeen)}
	if short, ok := strings.CutPrefix(f.Title, string(f.Blame)+": "); ok && f.Blame != "" {
		r.Short = short
	}
	if r.Short == "" {
		r.Short = f.Type
	}
	if r.Short == "" {
		r.Short = f.ID
	}
	r.IsNew = v.now.Sub(from) < 31*24*time.Hour && !f.FirstSeen.IsZero() && !f.FirstSeen.Before(from) && f.State == crash.Open && !f.Regressed
	switch {
	case f.FirstRelease != "" && f.FirstRelease != f.LastRelease && f.LastRelease != "":
		r.Span = shortVersion(f.FirstRelease) + " – " + shortVersion(f.LastRelease)
	case f.LastRelease != "":
		r.Span = shortVersion(f.LastRelease)
	}
	return r
}

func (s *Server) scope(v viewer) facts.Scope { return s.o.Accounts.Scope(v.p) }

// nothingYet is what a page of data says to somebody who sees none.
func (s *Server) nothingYet(v viewer) empty {
	e := empty{Icon: "send", Title: "Nothing has come in yet"}
	switch {
	case s.only(v) != "":
		id := s.only(v)
		e.Title, e.Text = "Nothing has come in from "+s.extName(id)+" yet", "Its set-up has the key for your client and watches for the first event: it shows up within seconds."
		e.Href, e.Do = "/extensions/"+string(id)+"/setup", "Set it up"
	case s.may(v, account.ExtensionCreate, account.List("extension")) && s.registeredNone():
		e.Text = "Register an extension, take its key and send a first event. It shows up here within seconds."
		e.Href, e.Do = "/extensions/new", "Register an extension"
	case s.may(v, account.ExtensionCreate, account.List("extension")):
		e.Text = "Register an extension, take its key and send a first event. It shows up here within seconds."
		e.Href, e.Do = "/extensions", "To the extensions"
	case s.may(v, account.ExtensionRead, account.List("extension")):
		e.Text = "Open one of your extensions and follow its set-up: it shows the key for your client and watches for the first event."
		e.Href, e.Do = "/extensions", "To the extensions"
	default:
		e.Text = "Your roles show no data rows. An operator can give you a role that does, in Settings → Members."
	}
	return e
}

func (s *Server) registeredNone() bool {
	snap := s.o.Registry.Snapshot()
	return snap == nil || len(snap.Extensions) == 0
}

// only is the one extension that the viewer sees, or "".
func (s *Server) only(v viewer) eco.ExtensionID {
	if mine := s.extOptions(v, ""); len(mine) == 1 {
		return eco.ExtensionID(mine[0].Value)
	}
	return ""
}

// noRows is what a page of one thing's data says to somebody whose roles show none.
var noRows = empty{Icon: "info", Title: "Your roles show no data rows", Text: "You may keep the register entry, its projects and keys. What came in is shown to the author, and to triage, support and privacy of this extension."}

// empty is a page, or a part of one, with nothing in it: what it is for, and what to do next.
type empty struct{ Icon, Title, Text, Href, Do string }
