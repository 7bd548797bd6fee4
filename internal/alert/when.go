package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // people name zones that the machine may not know

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Mode is when somebody wants to be told of a kind.
type Mode string

const (
	Immediate Mode = "immediate"
	Daily     Mode = "daily"
	Weekly    Mode = "weekly"
	Never     Mode = "never"
)

// Modes lists every mode, in the order it is shown.
var Modes = []Mode{Immediate, Daily, Weekly, Never}

// Preferences are how one person wants to be told, by mail.
type Preferences struct {
	Modes     map[Kind]Mode `json:"modes"`
	Zone      string        `json:"zone"`       // such as Europe/Lisbon
	QuietFrom int           `json:"quiet_from"` // minutes after local midnight
	QuietTo   int           `json:"quiet_to"`   // the same as QuietFrom: no quiet hours
	DigestAt  int           `json:"digest_at"`  // minutes after local midnight
	DigestDay time.Weekday  `json:"digest_day"` // of weekly ones
	Installs  int           `json:"installs"`   // at least so many; 1 = every family
	Unhandled bool          `json:"unhandled"`  // only crashes that nobody caught
	All       bool          `json:"all"`        // also families that others look after
}

// Defaults are the preferences of somebody who said nothing.
func Defaults() Preferences {
	return Preferences{Modes: map[Kind]Mode{NewFamily: Immediate, Regressed: Immediate, Spike: Immediate, Work: Immediate},
		Zone: "UTC", DigestAt: 9 * 60, DigestDay: time.Monday, Installs: 1}
}

// maxInstalls bounds the threshold of installs.
const maxInstalls = 1_000_000

// check brings preferences to their form.
func (p *Preferences) check(op string) error {
	bad := func(text string) error { return fault.E(op, fault.Invalid, text, nil) }
	modes := Defaults().Modes
	for k, m := range p.Modes {
		if !slices.Contains(Kinds, k) || !slices.Contains(Modes, m) {
			return bad("modes: The kinds are family.new, family.regressed, family.spike and family.work; the modes immediate, daily, weekly and never.")
		}
		modes[k] = m
	}
	p.Modes = modes
	if p.Zone == "" {
		p.Zone = "UTC"
	}
	if len(p.Zone) > 64 || p.Zone == "Local" {
		return bad("zone: There is no such time zone.")
	}
	if _, err := time.LoadLocation(p.Zone); err != nil {
		return bad("zone: There is no such time zone.")
	}
	for name, v := range map[string]int{"quiet_from": p.QuietFrom, "quiet_to": p.QuietTo, "digest_at": p.DigestAt} {
		if v < 0 || v >= 24*60 {
			return bad(name + ": It is a time of day, from 0 to 1439 minutes.")
		}
	}
	if p.DigestDay < time.Sunday || p.DigestDay > time.Saturday {
		return bad("digest_day: It is a day of the week, from 0 (Sunday) to 6.")
	}
	if p.Installs < 1 || p.Installs > maxInstalls {
		return bad("installs: From 1 to 1,000,000.")
	}
	return nil
}

func (p *Preferences) location() *time.Location {
	loc, err := time.LoadLocation(p.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// slot says when an item of a kind is due for somebody at a moment: at once
// (batch ""), or with others that have the same batch, and why. ok is false when
// it is not wanted.
func (p *Preferences) slot(k Kind, now time.Time) (due time.Time, batch, why string, ok bool) {
	switch mode := p.Modes[k]; mode {
	case Never:
		return time.Time{}, "", "", false
	case Daily, Weekly:
		due = p.digest(now, mode == Weekly)
		return due, string(mode) + " " + due.In(p.location()).Format("2006-01-02"), "It goes into the " + string(mode) + " digest.", true
	}
	if end, quiet := p.quiet(now); quiet {
		return end, "quiet " + end.UTC().Format("2006-01-02T15:04"), "It waits for the end of the quiet hours.", true
	}
	return now, "", "", true
}

// quiet says whether a moment lies within the quiet hours, and when those end.
// The hours are those of the clock on the wall: they hold over a change of it.
func (p *Preferences) quiet(now time.Time) (end time.Time, ok bool) {
	if p.QuietFrom == p.QuietTo {
		return time.Time{}, false
	}
	local := now.In(p.location())
	m := local.Hour()*60 + local.Minute()
	inside := m >= p.QuietFrom && m < p.QuietTo
	if p.QuietFrom > p.QuietTo { // over midnight
		inside = m >= p.QuietFrom || m < p.QuietTo
	}
	if !inside {
		return time.Time{}, false
	}
	return next(local, p.QuietTo, func(time.Time) bool { return true }), true
}

// digest is the next time of a digest after a moment.
func (p *Preferences) digest(now time.Time, weekly bool) time.Time {
	return next(now.In(p.location()), p.DigestAt, func(day time.Time) bool { return !weekly || day.Weekday() == p.DigestDay })
}

// next is the first moment after t at which the wall clock of t's zone shows a
// time of day, on a day that fits. A time that the clock skips in spring is taken
// as much later as the clock jumps; one that it shows twice in autumn counts the
// first time. So every day has it exactly once.
func next(t time.Time, minutes int, fits func(day time.Time) bool) time.Time {
	y, m, d := t.Date()
	for i := 0; ; i++ {
		noon := time.Date(y, m, d+i, 12, 0, 0, 0, t.Location())
		if at := wall(noon, minutes); fits(noon) && at.After(t) {
			return at
		}
	}
}

func wall(day time.Time, minutes int) time.Time {
	y, m, d := day.Date()
	at := time.Date(y, m, d, minutes/60, minutes%60, 0, 0, day.Location())
	if at.Hour()*60+at.Minute() != minutes { // skipped
		midnight := time.Date(y, m, d, 0, 0, 0, 0, day.Location())
		return midnight.Add(time.Duration(minutes) * time.Minute)
	}
	if early := at.Add(-time.Hour); early.Hour() == at.Hour() && early.Minute() == at.Minute() { // shown twice
		return early
	}
	return at
}

// Clock writes a time of day.
func Clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// ParseClock reads hh:mm.
func ParseClock(s string) (int, error) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	if err != nil {
		return 0, fault.E("alert.ParseClock", fault.Invalid, "A time has the form 09:30.", nil)
	}
	return t.Hour()*60 + t.Minute(), nil
}
