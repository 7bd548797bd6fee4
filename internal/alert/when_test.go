package alert

import (
	"testing"
	"time"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestQuietHoursAndDigests(t *testing.T) {
	berlin := func(quiet [2]int, digest int, mode Mode) Preferences {
		p := Defaults()
		p.Zone, p.QuietFrom, p.QuietTo, p.DigestAt, p.Modes[NewFamily] = "Europe/Berlin", quiet[0], quiet[1], digest, mode
		return p
	}
	night, noon, gap := [2]int{22 * 60, 7 * 60}, [2]int{12 * 60, 13 * 60}, [2]int{60, 150} // 02:30 is skipped on 2026-03-29
	for _, c := range []struct {
		name      string
		p         Preferences
		now, want string // want "" = at once
	}{
		{"by day", berlin(night, 0, Immediate), "2026-07-01T10:00:00Z", ""},
		{"evening", berlin(night, 0, Immediate), "2026-07-01T20:00:00Z", "2026-07-02T05:00:00Z"},
		{"a minute before", berlin(night, 0, Immediate), "2026-07-01T19:59:00Z", ""},
		{"after midnight", berlin(night, 0, Immediate), "2026-07-02T04:59:00Z", "2026-07-02T05:00:00Z"},
		{"the end itself", berlin(night, 0, Immediate), "2026-07-02T05:00:00Z", ""},
		{"noon", berlin(noon, 0, Immediate), "2026-07-01T10:30:00Z", "2026-07-01T11:00:00Z"},
		{"the night the clock goes forward", berlin(night, 0, Immediate), "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"},
		{"the night the clock goes back", berlin(night, 0, Immediate), "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"},
		{"an end that is skipped", berlin(gap, 0, Immediate), "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
		{"an end that comes twice, in the first hour", berlin(gap, 0, Immediate), "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"},
		{"daily, today", berlin([2]int{}, 9*60, Daily), "2026-07-01T06:59:00Z", "2026-07-01T07:00:00Z"},
		{"daily, tomorrow", berlin([2]int{}, 9*60, Daily), "2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"},
		{"daily over the spring change", berlin([2]int{}, 9*60, Daily), "2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"},
		{"daily over the autumn change", berlin([2]int{}, 9*60, Daily), "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"},
		{"a digest that is skipped", berlin([2]int{}, 150, Daily), "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"},
		{"a digest that comes twice, before", berlin([2]int{}, 150, Daily), "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"},
		{"a digest that comes twice, between", berlin([2]int{}, 150, Daily), "2026-10-25T01:00:00Z", "2026-10-26T01:30:00Z"},
		{"weekly", berlin([2]int{}, 9*60, Weekly), "2026-07-01T12:00:00Z", "2026-07-06T07:00:00Z"},
		{"digests ignore quiet hours", berlin(night, 6*60, Daily), "2026-07-01T21:00:00Z", "2026-07-02T04:00:00Z"},
	} {
		now := at(t, c.now)
		due, batch, why, ok := c.p.slot(NewFamily, now)
		switch {
		case !ok:
			t.Errorf("%s: not wanted", c.name)
		case c.want == "" && (batch != "" || !due.Equal(now)):
			t.Errorf("%s: held until %s", c.name, due.UTC())
		case c.want != "" && (batch == "" || why == "" || !due.Equal(at(t, c.want))):
			t.Errorf("%s: %s (%q), want %s", c.name, due.UTC(), batch, c.want)
		}
	}
	p := Defaults()
	p.Modes[NewFamily] = Never
	if _, _, _, ok := p.slot(NewFamily, time.Now()); ok {
		t.Error("never is never")
	}
}

// Every day of years in zones with odd changes has each time of day exactly once.
func TestEveryDayOnce(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca"} {
		for _, minutes := range []int{0, 30, 105, 150, 179, 1439} {
			p := Defaults()
			p.Zone, p.DigestAt = zone, minutes
			now := time.Date(2025, 12, 31, 23, 59, 0, 0, p.location())
			for range 366 {
				then := p.digest(now, false)
				a, b := now.In(p.location()), then.In(p.location())
				noonA := time.Date(a.Year(), a.Month(), a.Day(), 12, 0, 0, 0, time.UTC)
				noonB := time.Date(b.Year(), b.Month(), b.Day(), 12, 0, 0, 0, time.UTC)
				if now.Month() != 12 && noonB.Sub(noonA) != 24*time.Hour || !then.After(now) {
					t.Fatalf("%s %s: from %s to %s", zone, Clock(minutes), a, b)
				}
				now = then
			}
		}
	}
}

func TestCheckPreferences(t *testing.T) {
	for name, f := range map[string]func(*Preferences){
		"zone":   func(p *Preferences) { p.Zone = "Mars/Olympus" },
		"path":   func(p *Preferences) { p.Zone = "../../etc/passwd" },
		"local":  func(p *Preferences) { p.Zone = "Local" },
		"mode":   func(p *Preferences) { p.Modes = map[Kind]Mode{NewFamily: "often"} },
		"kind":   func(p *Preferences) { p.Modes = map[Kind]Mode{"x": Daily} },
		"quiet":  func(p *Preferences) { p.QuietTo = 1440 },
		"day":    func(p *Preferences) { p.DigestDay = 7 },
		"number": func(p *Preferences) { p.Installs = 0 },
	} {
		p := Defaults()
		if f(&p); p.check("x") == nil {
			t.Errorf("%s: taken", name)
		}
	}
	p := Preferences{Installs: 1}
	if err := p.check("x"); err != nil || p.Modes[Regressed] != Immediate {
		t.Errorf("%v %+v", err, p)
	}
}
