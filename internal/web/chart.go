package web

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Charts are drawn by the server as SVG: widths in per cent and heights in
// pixels, so that text keeps its size at any width; classes instead of style
// attributes, which our content security policy refuses. Each is a figure with a
// caption, a label, and a table of the same numbers.

// point is one bucket of a trend.
type point struct {
	Label   string // "21 Nov"
	Title   string // "Saturday, 21 November 2026 (UTC)"
	Bar     int64
	Line    int64
	Partial bool // the bucket has not ended
}

// chartMark is an event on the time line: a release.
type chartMark struct {
	At     int // bucket
	Label  string
	Title  string
	Kind   string // "", "beta"
	Quiet  bool   // its tag would lie on another one: only the line is drawn
	Narrow bool   // its tag is left out on a phone
	n      int    // further releases of the same bucket
}

// Tag is what stands over the line.
func (m chartMark) Tag() string {
	switch {
	case m.Quiet:
		return ""
	case m.n > 0:
		return m.Label + " +" + strconv.Itoa(m.n)
	}
	return m.Label
}

// trend is a chart of bars with, optionally, a line over them.
type trend struct {
	ID      string
	Caption string // what it shows, in words
	BarName string // "crashes"
	LinName string // "installs with a crash"; "" = no line
	Points  []point
	Marks   []chartMark
	Height  int
}

// Empty reports whether there is nothing to draw.
func (t trend) Empty() bool {
	for _, p := range t.Points {
		if p.Bar != 0 || p.Line != 0 {
			return false
		}
	}
	return true
}

// Label is read instead of the picture.
func (t trend) Label() string {
	var sum, most int64
	at := ""
	for _, p := range t.Points {
		sum += p.Bar
		if p.Bar > most {
			most, at = p.Bar, p.Label
		}
	}
	s := t.Caption + " " + num(sum) + " " + t.BarName
	if most > 0 {
		s += ", most on " + at + " with " + num(most)
	}
	if n := len(t.Marks); n > 0 {
		s += "; " + strconv.Itoa(n) + " " + plural(n, "release", "releases") + " marked"
	}
	return s + ". The numbers are in the table below."
}

// Top is the highest value of the axis: 1, 2, 2.5 or 5 times a power of ten.
func (t trend) Top() float64 {
	most := 1.0
	for _, p := range t.Points {
		most = max(most, float64(p.Bar), float64(p.Line))
	}
	return niceTop(most)
}

func niceTop(most float64) float64 {
	if most <= 10 {
		return max(4, 2*math.Ceil(most/2)) // so that half of it is whole, too
	}
	base := math.Pow(10, math.Floor(math.Log10(most)))
	for _, f := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if v := f * base; v >= most {
			return v
		}
	}
	return most
}

// trendRow is a bucket as its table shows it.
type trendRow struct {
	point
	Releases []string
}

// Rows are the same numbers as a table, newest first.
func (t trend) Rows() []trendRow {
	out := make([]trendRow, 0, len(t.Points))
	for i := len(t.Points) - 1; i >= 0; i-- {
		row := trendRow{point: t.Points[i]}
		for _, m := range t.Marks {
			if m.At == i {
				row.Releases = append(row.Releases, strings.Split(m.Title, "\n")...)
			}
		}
		out = append(out, row)
	}
	return out
}

// Axis lists the labels of the value axis from the top down.
func (t trend) Axis() []string {
	top := t.Top()
	return []string{short(top), short(top / 2), "0"}
}

const (
	plotTop    = 20 // room for the tags of marks
	plotBottom = 20 // room for the labels of days
)

// SVG draws the plot.
func (t trend) SVG() template.HTML {
	h := t.Height
	if h == 0 {
		h = 200
	}
	inner := float64(h - plotTop - plotBottom)
	top, n := t.Top(), len(t.Points)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot" height="%d" role="img" aria-label="%s">`, h, html.EscapeString(t.Label()))
	for i := range 2 {
		y := plotTop + inner*float64(i)/2
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/>`, y, y)
	}
	base := float64(h - plotBottom)
	step := 100 / float64(max(n, 1))
	for i, p := range t.Points {
		hgt := inner * float64(p.Bar) / top
		if p.Bar > 0 {
			hgt = max(hgt, 1.5)
		}
		class := "bar"
		if p.Partial {
			class = "bar part"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%.3f%%" width="%.3f%%" y="%.1f" height="%.1f" rx="1.5"/>`,
			class, (float64(i)+.15)*step, step*.7, base-hgt, hgt)
	}
	fmt.Fprintf(&b, `<line class="base" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/>`, base, base)
	for _, m := range t.Marks {
		x := (float64(m.At) + .5) * step
		narrow, anchor := "", "middle"
		if m.Narrow {
			narrow = " wide-only"
		}
		if x > 92 {
			anchor = "end"
		} else if x < 8 {
			anchor = "start"
		}
		fmt.Fprintf(&b, `<g data-tip="%s"><line class="mark %s" x1="%.3f%%" x2="%.3f%%" y1="16" y2="%.1f"/><text class="mark-tag%s" x="%.3f%%" y="11" text-anchor="%s">%s</text></g>`,
			html.EscapeString(m.Title), m.Kind, x, x, base, narrow, x, anchor, html.EscapeString(m.Tag()))
	}
	if t.LinName != "" && n > 1 {
		fmt.Fprintf(&b, `<svg aria-hidden="true" x="0" y="%d" width="100%%" height="%.0f" viewBox="0 0 1000 100" preserveAspectRatio="none"><path class="line-2" d="`, plotTop, inner)
		for i, p := range t.Points {
			c := "L"
			if i == 0 {
				c = "M"
			}
			fmt.Fprintf(&b, "%s%.1f %.2f", c, (float64(i)+.5)*step*10, 100-100*float64(p.Line)/top)
		}
		b.WriteString(`"/></svg>`)
	}
	for _, i := range t.ticks() {
		anchor := "middle"
		switch {
		case i == 0 && n > 8:
			anchor = "start"
		case i == n-1 && n > 8:
			anchor = "end"
		}
		x := (float64(i) + .5) * step
		if anchor == "start" {
			x = 0
		} else if anchor == "end" {
			x = 100
		}
		fmt.Fprintf(&b, `<text x="%.3f%%" y="%d" text-anchor="%s">%s</text>`, x, h-4, anchor, html.EscapeString(t.Points[i].Label))
	}
	for i, p := range t.Points {
		fmt.Fprintf(&b, `<rect class="hit" x="%.3f%%" width="%.3f%%" y="%d" height="%.1f" data-tip="%s"/>`,
			float64(i)*step, step, plotTop, inner, html.EscapeString(t.tip(p)))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

func (t trend) tip(p point) string {
	s := p.Title + "\n" + num(p.Bar) + " " + t.BarName
	if t.LinName != "" {
		s += "\n" + num(p.Line) + " " + t.LinName
	}
	if p.Partial {
		s += "\nnot over yet"
	}
	return s
}

// ticks picks at most five buckets that get a label.
func (t trend) ticks() []int {
	n := len(t.Points)
	switch {
	case n == 0:
		return nil
	case n <= 5:
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	return []int{0, (n - 1) / 4, (n - 1) / 2, (n - 1) * 3 / 4, n - 1}
}

// days turns counts per UTC day into points; the day of now is not over yet.
func dayPoint(d eco.Day, now time.Time, bar, line int64) point {
	return point{Label: dayText(d), Title: d.Time().Format("Monday, 2 January 2006") + " (UTC)", Bar: bar, Line: line, Partial: d == eco.DayOf(now)}
}

// spark is a row of small bars, in a table cell. The numbers are in the row.
func spark(name string, values []int64) template.HTML {
	var most, sum int64 = 1, 0
	for _, v := range values {
		most = max(most, v)
		sum += v
	}
	n := len(values)
	if n == 0 {
		return ""
	}
	if n > 45 { // a bar narrower than two pixels says nothing: add neighbours up
		values, most = halve(values), 1
		for _, v := range values {
			most = max(most, v)
		}
		n = len(values)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %d 24" preserveAspectRatio="none" role="img" aria-label="%s">`, n*4,
		html.EscapeString(fmt.Sprintf("%s: %s over %d days, at most %s a day", name, num(sum), n, num(most))))
	for i, v := range values {
		if v == 0 {
			fmt.Fprintf(&b, `<rect class="zero" x="%d" y="23" width="3" height="1"/>`, i*4)
			continue
		}
		h := max(22*float64(v)/float64(most), 2)
		fmt.Fprintf(&b, `<rect class="bar" x="%d" y="%.1f" width="3" height="%.1f"/>`, i*4, 24-h, h)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

func halve(v []int64) []int64 {
	out := make([]int64, 0, len(v)/2+1)
	for i := 0; i < len(v); i += 2 {
		x := v[i]
		if i+1 < len(v) {
			x += v[i+1]
		}
		out = append(out, x)
	}
	return out
}

// area is the small line under a headline number; values are drawn between their
// own extremes, so it shows movement, not size.
func area(name string, values []float64) template.HTML {
	if len(values) < 2 {
		return ""
	}
	lo, hi := values[0], values[0]
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	if hi == lo {
		hi = lo + 1
	}
	var line strings.Builder
	for i, v := range values {
		c := "L"
		if i == 0 {
			c = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", c, 100*float64(i)/float64(len(values)-1), 26-22*(v-lo)/(hi-lo))
	}
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label="%s"><path class="area" d="%sL100 28L0 28Z"/><path class="stroke" d="%s"/></svg>`,
		html.EscapeString(name), line.String(), line.String()))
}

// meter is a bar of one share: colour 0 is the accent, 1 to 7 are those of series.
func meter(v float64, colour int) template.HTML {
	w := min(max(v, 0), 1) * 100
	return template.HTML(fmt.Sprintf(`<svg class="meter" aria-hidden="true"><rect class="track" width="100%%" height="100%%"/><rect class="f%d" width="%.2f%%" height="100%%"/></svg>`, colour, w))
}
