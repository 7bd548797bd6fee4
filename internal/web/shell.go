package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/eco"
)

const slogError = slog.LevelError

func errAttr(err error) slog.Attr { return slog.String("error", err.Error()) }

// Shell is what every page has: its title, the rail, who looks at it, and a
// word about what was just done. Pages embed it.
type Shell struct {
	Title   string
	Section string // of the rail
	Rail    []railItem
	Mine    []railExt // extensions of an author, in the rail
	Crumbs  []crumb
	Me      me
	Flash   *flash
	Query   string // in the search box
	Reload  int    // seconds until the page reloads where there is no script; 0 = never
	Known   bool   // somebody is signed in
	Public  bool   // a page for everybody
	Inside  bool   // and the one who reads it is signed in
}

type railItem struct {
	Key, Href, Label, Icon string
	Count                  int
}

type railExt struct{ ID, Name string }

type crumb struct{ Label, Href string }

// me is who looks; Short is what fits under the name.
type me struct{ Name, Roles, Short string }

type flash struct{ Kind, Icon, Text string }

// done are the words for what was just done, by the code in ?done=. Addresses
// carry codes, not text: nobody can put words into our mouth by a link.
var done = map[string]flash{
	"state":         {"ok", "check", "The state was changed."},
	"triage":        {"ok", "check", "Done."},
	"rules":         {"ok", "check", "Saved. Families that are new from now on follow these rules."},
	"nothing":       {"warn", "info", "Choose what to do with them."},
	"same":          {"warn", "info", "It was like that already."},
	"back":          {"ok", "check", "It was taken back."},
	"back-part":     {"warn", "info", "It was taken back, except where somebody changed it since."},
	"comment":       {"ok", "check", "Your comment is there."},
	"names":         {"warn", "info", "Your comment is there. A name after an @ fits nobody who reads it, or several; they were not told."},
	"gone":          {"ok", "check", "Deleted."},
	"undone":        {"ok", "check", "The last change was taken back."},
	"apart":         {"ok", "check", "Said. They are not proposed for a merge again; below it can be taken back."},
	"apart-back":    {"ok", "check", "It was taken back. They may be proposed for a merge again."},
	"labels-one":    {"ok", "check", "The labels are one now. Below, that can be taken back for seven days."},
	"label-gone":    {"ok", "check", "Deleted. Below, it can be brought back for seven days."},
	"label-back":    {"ok", "check", "It is back where it was."},
	"priority":      {"ok", "check", "The priority was set."},
	"merged":        {"ok", "check", "The families are one now."},
	"split":         {"ok", "check", "This is a family of its own now."},
	"regrouped":     {"ok", "check", "It was taken back. Every crash is where it was, with what came in since."},
	"saved":         {"ok", "check", "Saved."},
	"created":       {"ok", "check", "Created."},
	"revoked":       {"ok", "check", "Revoked. It is refused from now on."},
	"rotated":       {"ok", "check", "There is a new key. The old one works for seven more days."},
	"replayed":      {"ok", "check", "The letter was sent down the line again."},
	"released":      {"ok", "check", "Released. They count from now on."},
	"released-part": {"warn", "info", "Released the first 20,000. Release again for the rest."},
	"symbols-in":    {"ok", "check", "Uploaded. Crashes that asked for it get their names within seconds."},
	"symbol-gone":   {"ok", "check", "Deleted. Below, it can be brought back for seven days."},
	"symbol-back":   {"ok", "check", "It is back."},
	"thrown":        {"ok", "check", "Discarded. They are erased."},
	"discarded":     {"ok", "check", "The letter was discarded."},
	"ran":           {"ok", "check", "The job was started."},
	"tested":        {"ok", "send", "A test event was sent. It shows up below within seconds."},
	"refused":       {"bad", "error", "The door refused the test event. The reason is below."},
	"removed":       {"ok", "check", "Removed."},
	"resent":        {"ok", "check", "It goes out again."},
	"unsendable":    {"warn", "info", "It is under way, or what it said is not kept."},
	"withdrawn":     {"ok", "check", "The invitation was withdrawn."},
	"ended":         {"ok", "check", "The session was ended."},
	"password":      {"ok", "check", "The password was changed. Other sessions were ended."},
	"reset":         {"ok", "check", "The new password holds. Please sign in."},
	"out":           {"ok", "check", "You are signed out."},
	"noted":         {"ok", "check", "Thank you. Your note was added to the report."},
	"follow-asked":  {"ok", "mail", "A mail with a link is on its way, if that address takes mail from us. Nothing else is sent before the link was followed."},
	"followed":      {"ok", "check", "You will be told when something changes."},
	"unfollowed":    {"ok", "check", "Nobody is told about this report any more."},
	"answered":      {"ok", "check", "Saved. Reporters read it from now on."},
	"published":     {"ok", "check", "Published. It stands in the public log."},
	"unpublished":   {"ok", "check", "Taken out of the public log."},
	"none":          {"warn", "info", "Nothing was selected."},
	"verified":      {"ok", "check", "Every entry of the log is as it was written."},
}

func flashOf(r *http.Request) *flash {
	if f, ok := done[r.URL.Query().Get("done")]; ok {
		return &f
	}
	return nil
}

// sections of the rail; one appears when the viewer may see something behind it.
var sections = []struct {
	item   railItem
	action account.Action
	noun   string
}{
	{railItem{Key: "overview", Href: "/", Label: "Overview", Icon: "overview"}, account.FamilyRead, "family"},
	{railItem{Key: "extensions", Href: "/extensions", Label: "Extensions", Icon: "extensions"}, account.ExtensionRead, "extension"},
	{railItem{Key: "crashes", Href: "/crashes", Label: "Crashes", Icon: "crashes"}, account.FamilyRead, "family"},
	{railItem{Key: "intake", Href: "/intake", Label: "Intake", Icon: "intake"}, account.IntakeRead, "intake"},
	{railItem{Key: "settings", Href: "/settings", Label: "Settings", Icon: "settings"}, account.MeRead, "me"},
}

// maxRail bounds the author's own extensions in the rail.
const maxRail = 8

func (s *Server) shell(r *http.Request, v viewer, section, title string, crumbs ...crumb) Shell {
	sh := Shell{Title: title, Section: section, Crumbs: crumbs, Known: true, Flash: flashOf(r), Query: ""}
	for _, x := range sections {
		if s.may(v, x.action, account.List(x.noun)) {
			sh.Rail = append(sh.Rail, x.item)
		}
	}
	sh.Me = me{Name: v.p.Name, Roles: rolesText(v.p.Grants)}
	if first, rest, ok := strings.Cut(sh.Me.Roles, ", "); ok {
		sh.Me.Short = first + " and " + num(strings.Count(rest, ",")+1) + " more"
	}
	snap := s.o.Registry.Snapshot()
	for _, pub := range v.p.Publishers() {
		for _, id := range s.o.Registry.ExtensionsOf(pub) {
			if len(sh.Mine) == maxRail {
				break
			}
			name := string(id)
			if snap != nil {
				if e := snap.Extensions[id]; e != nil && e.Name != "" {
					name = e.Name
				}
			}
			sh.Mine = append(sh.Mine, railExt{ID: string(id), Name: name})
		}
	}
	if len(v.p.Grants) > 1 && !v.p.Has(account.Author) {
		sh.Mine = nil
	}
	return sh
}

// bare is the shell of pages before sign-in.
func (s *Server) bare(title string) Shell { return Shell{Title: title} }

func rolesText(gs []account.Grant) string {
	var out []string
	for _, g := range gs {
		w := string(g.Role)
		if g.Publisher != "" {
			w += " of " + g.Publisher
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return roleRank(a) - roleRank(b) })
	return strings.Join(out, ", ")
}

// roleRank orders roles as they are always shown.
func roleRank(text string) int {
	name, _, _ := strings.Cut(text, " ")
	return slices.Index(account.Roles, account.Role(name))
}

// period is the span of days a page looks at, from ?days=.
type period struct {
	Days int
	crash.Period
	Tabs []periodTab
}

type periodTab struct {
	Label, Href string
	Current     bool
}

var spans = []int{7, 14, 30, 90}

const defaultDays = 14

// periodOf reads the span: whole UTC days, today being the last, unfinished one.
func periodOf(r *http.Request, now time.Time) period {
	days, err := strconv.Atoi(r.URL.Query().Get("days"))
	if err != nil || !slices.Contains(spans, days) {
		days = defaultDays
	}
	p := period{Days: days}
	p.From = eco.DayOf(now).Time().AddDate(0, 0, 1-days)
	p.To = now
	for _, d := range spans {
		p.Tabs = append(p.Tabs, periodTab{Label: strconv.Itoa(d) + " d", Href: with(r.URL, "days", strconv.Itoa(d), "cursor", "", "page", "", "done", ""), Current: d == days})
	}
	return p
}

// with returns the address with parameters replaced ("" removes one).
func with(u *url.URL, pairs ...string) string {
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return u.Path
	}
	return u.Path + "?" + q.Encode()
}

// redirect answers a form that worked: the browser goes on with a GET.
func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func withDone(path, code string) string {
	if strings.Contains(path, "?") {
		return path + "&done=" + code
	}
	return path + "?done=" + code
}

// names finds names of accounts for pages, each once.
func (s *Server) names(ctx context.Context) func(id string) string {
	known := map[string]string{"": "the server", "system": "the server", crash.ByRules: "the rules"}
	return func(id string) string {
		id = strings.TrimPrefix(id, "account:")
		if n, ok := known[id]; ok {
			return n
		}
		n := shortID(id)
		if a, err := s.o.Accounts.Member(ctx, id); err == nil && a.Name != "" {
			if n = a.Name; a.Forgotten() {
				n = triage.Former
			}
		}
		known[id] = n
		return n
	}
}

// stateClass and stateWord show a family's state by shape, colour and word.
func stateClass(f crash.Family) string {
	switch {
	case f.Regressed && f.State == crash.Open:
		return "bad s-regressed"
	case f.State == crash.Resolved:
		return "ok s-resolved"
	case f.State == crash.Ignored:
		return "s-ignored"
	}
	return "info s-new"
}

func stateWord(f crash.Family) string {
	if f.Regressed && f.State == crash.Open {
		return "Regressed"
	}
	switch f.State {
	case crash.Resolved:
		return "Resolved"
	case crash.Ignored:
		return "Ignored"
	}
	return "Open"
}
