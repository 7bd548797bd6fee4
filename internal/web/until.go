package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
)

// untilForm is what was entered for "ignore until".
type untilForm struct{ Release, Crashes, Installs, Date string }

// Open reports whether anything was entered.
func (u untilForm) Open() bool { return u != untilForm{} }

// untilOf reads the fields; errs are in words for the form.
func untilOf(r *http.Request) (f untilForm, u crash.Until, errs []string) {
	f = untilForm{Release: clip(r.PostFormValue("until_release"), 128), Crashes: clip(r.PostFormValue("until_crashes"), 12),
		Installs: clip(r.PostFormValue("until_installs"), 12), Date: clip(r.PostFormValue("until_date"), 10)}
	u.Release = f.Release
	count := func(text, what string) int64 {
		if text == "" {
			return 0
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			errs = append(errs, what+" to wait for are a whole number from 1 on.")
			return 0
		}
		return n
	}
	u.Crashes, u.Installs = count(f.Crashes, "Crashes"), count(f.Installs, "Installs")
	if f.Date != "" {
		day, err := time.Parse("2006-01-02", f.Date)
		if err != nil {
			errs = append(errs, "The day to wait for is written like 2026-12-31.")
		}
		u.Time = day
	}
	return f, u, errs
}

// waiting is what an ignored family waits for, and how far that is.
type waiting struct{ What, SoFar string }

func waitingOf(d crash.Detail) *waiting {
	if d.State != crash.Ignored || d.Until.IsZero() {
		return nil
	}
	w := waiting{What: d.Until.String()}
	if p := d.Waited; p != nil {
		var parts []string
		if d.Until.Crashes > 0 {
			parts = append(parts, num(p.Crashes)+" "+plural(p.Crashes, "crash", "crashes"))
		}
		if d.Until.Installs > 0 {
			parts = append(parts, num(p.Installs)+" "+plural(p.Installs, "install", "installs"))
		}
		w.SoFar = strings.Join(parts, " in ")
	}
	return &w
}
