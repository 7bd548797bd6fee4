package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

// Numbers and times as people read them. All of it is pure.

// num groups thousands: 12,345.
func num[T ~int | ~int64 | ~uint64 | ~int32](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "−" + s
	}
	return s
}

// short is for axes: 950, 1.2k, 34k, 1.2M.
func short(n float64) string {
	switch a := math.Abs(n); {
	case a < 1000:
		return strconv.FormatFloat(n, 'f', -1, 64)
	case a < 1e6:
		return trim0(n/1e3) + "k"
	case a < 1e9:
		return trim0(n/1e6) + "M"
	}
	return trim0(n/1e9) + "G"
}

func trim0(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// digits is how many decimals a percentage needs so that the distance to 100 % stays visible.
func digits(v float64) int {
	switch gap := 1 - v; {
	case v <= 0 || gap <= 0:
		return 1
	case gap < 0.0002:
		return 3
	case gap < 0.02:
		return 2
	}
	return 1
}

// pct writes a proportion as a percentage, without its sign.
func pct(v float64, d int) string {
	p := math.Pow(10, float64(d))
	n := v * 100
	if v < 1 { // 99.9996 must not be shown as 100.00
		n = math.Floor(n*p+1e-9) / p
	}
	return strconv.FormatFloat(n, 'f', d, 64)
}

// rateText and rateSpan are a rate and its 95 % interval.
func rateText(i estimate.Interval) string {
	if !i.Known() {
		return "—"
	}
	return pct(i.Value, digits(i.Value))
}

func rateSpan(i estimate.Interval) string {
	if !i.Known() {
		return "no data"
	}
	d := max(digits(i.Value), digits(i.High))
	if i.High >= 1 {
		d = digits(i.Value)
	}
	return pct(i.Low, d) + "–" + strconv.FormatFloat(math.Min(100, i.High*100), 'f', d, 64) + " %"
}

// part writes a share of a whole: 34 %, 0.4 %, <0.1 %.
func part(v float64) string {
	switch p := v * 100; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return "<0.1 %"
	case p < 10:
		return trim0(p) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

// bytesText writes a size: 1.4 MB.
func bytesText(n int64) string {
	switch {
	case n < 1000:
		return num(n) + " B"
	case n < 1e6:
		return trim0(float64(n)/1e3) + " kB"
	case n < 1e9:
		return trim0(float64(n)/1e6) + " MB"
	}
	return trim0(float64(n)/1e9) + " GB"
}

// span writes a duration: 340 ms, 4 s, 12 min, 3 h, 2 d.
func span(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + " ms"
	case d < time.Minute:
		return trim0(d.Seconds()) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return trim0(math.Round(d.Hours()*10)/10) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}

// stamp is a point in time as a page shows it. The script turns it into the
// viewer's zone and keeps UTC in the title; without a script UTC stands there.
type stamp struct{ at, now time.Time }

func (t stamp) IsZero() bool { return t.at.IsZero() || t.at.Unix() == 0 }

// ISO is for the datetime attribute, UTC for the title, Rel for the text.
func (t stamp) ISO() string { return t.at.UTC().Format("2006-01-02T15:04:05Z") }
func (t stamp) UTC() string { return t.at.UTC().Format("2006-01-02 15:04:05 UTC") }
func (t stamp) Abs() string { return t.at.UTC().Format("2 Jan 2006 15:04 UTC") }

func (t stamp) Rel() string {
	d := t.now.Sub(t.at)
	f := "%s ago"
	if d < 0 {
		d, f = -d, "in %s"
	}
	switch {
	case d < 5*time.Second && t.now.Before(t.at):
		return "in a moment"
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf(f, strconv.Itoa(int(d.Seconds()))+" s")
	case d < time.Hour:
		return fmt.Sprintf(f, strconv.Itoa(int(d.Minutes()))+" min")
	case d < 24*time.Hour:
		return fmt.Sprintf(f, strconv.Itoa(int(d.Hours()))+" h")
	}
	return fmt.Sprintf(f, strconv.Itoa(int(d.Hours()/24))+" d")
}

// OnDay is for what is known to the day only.
func (t stamp) OnDay() string {
	switch days := int(t.now.UTC().Truncate(24*time.Hour).Sub(t.at.UTC().Truncate(24*time.Hour)).Hours()) / 24; {
	case days <= 0:
		return "today"
	case days == 1:
		return "yesterday"
	default:
		return strconv.Itoa(days) + " d ago"
	}
}

// dayText is a UTC day on an axis: 21 Nov.
func dayText(d eco.Day) string { return d.Time().Format("2 Jan") }

// shortVersion is a version as a table can show it: of a commit its beginning, of
// any other long one both ends.
func shortVersion(s string) string {
	r := []rune(s)
	switch {
	case len(r) <= 24:
		return s
	case strings.Trim(s, "0123456789abcdefABCDEF") == "":
		return s[:10]
	}
	return string(r[:12]) + "…" + string(r[len(r)-10:])
}

// versionHTML is a version with the whole of it in its title.
func versionHTML(s string) template.HTML {
	short := template.HTMLEscapeString(shortVersion(s))
	if short == template.HTMLEscapeString(s) {
		return template.HTML(short)
	}
	return template.HTML(`<span class="nowrap" title="` + template.HTMLEscapeString(s) + `">` + short + `</span>`)
}

// plural picks a word: plural 1 "crash" "crashes".
func plural[T ~int | ~int64](n T, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// initials are for the round beside a name.
func initials(name string) string {
	var out []rune
	for w := range strings.FieldsSeq(name) {
		if len(out) < 2 {
			out = append(out, []rune(strings.ToUpper(w))[0])
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// short id for people: the first and last digits of a long one.
func shortID(s string) string {
	if len(s) <= 14 {
		return s
	}
	return s[:8] + "…" + s[len(s)-4:]
}

// observations is what an interval stands on, as a whole number.
func observations(i estimate.Interval) string { return num(int64(math.Round(i.N))) }
