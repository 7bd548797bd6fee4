// Package priority says how urgent a family is, from P1 to P4, and why, sentence by
// sentence: how surely it happens again, how many installs it hits, how bad it is,
// whether data may be lost, and where it is going. The weights are data
// (rules/weights.json). It is pure: no clock, no dice, no I/O. What people say
// instead is the desk's.
package priority

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/estimate"
)

//go:embed rules/weights.json
var weights []byte

// Version names these rules.
const Version = "prio/1"

// Bands lists every band, the most urgent first.
var Bands = []string{"P1", "P2", "P3", "P4"}

// Input is what is known of a family over one period.
type Input struct {
	Crashes  int64
	Installs int64 // distinct ones that had it
	Repeated int64 // of those, that had it more than once
	Active   int64 // installs with a session of the extension or host; 0 = unknown
	Fatal    int64 // crashes that ended the process
	Handled  int64 // crashes that were caught
	Stated   int64 // crashes of which it is known whether they were
	Label    string
	Words    string // names of the functions near the crash, and the title: where words of data loss are looked for
	Recent   int64  // crashes of the second half of the period
	Earlier  int64  // of the first half
	Back     bool   // it was resolved and came back
	Fresh    bool   // first seen in the period
}

// Result is a priority with its reasons.
type Result struct {
	Version string            `json:"version"`
	Band    string            `json:"band"`  // P1 … P4
	Score   int               `json:"score"` // 0 … 100
	Reasons []Reason          `json:"reasons"`
	Repeat  estimate.Interval `json:"repeat"` // installs that had it again, of those that had it
	Share   estimate.Interval `json:"share"`  // of the active installs
	Loss    bool              `json:"data_loss,omitempty"`
}

// Reason is a sentence with what it adds to the score.
type Reason struct {
	Part   string `json:"part"` // scope, repeat, severity, loss, trend
	Text   string `json:"text"`
	Points int    `json:"points"`
}

// Rules are the weights.
type Rules struct {
	Scope struct {
		Max             int
		Share, Installs []pair
	}
	Repeat   struct{ Rate []pair }
	Severity struct{ Fatal, Native, Hang, Unhandled, Handled, Unknown int }
	Loss     struct {
		Points int
		Words  []string
	}
	Trend struct{ Regressed, Rising, Fresh int }
	Bands map[string]int
}

type pair [2]float64

// Load reads the weights that are built in; they are tested, so it cannot fail.
func Load() *Rules {
	r := new(Rules)
	if err := json.Unmarshal(weights, r); err != nil {
		panic("priority: " + err.Error())
	}
	return r
}

func points(list []pair, v float64) int {
	for _, p := range list {
		if v >= p[0] {
			return int(p[1])
		}
	}
	return 0
}

// Of weighs a family.
func (r *Rules) Of(in Input) Result {
	out := Result{Version: Version, Repeat: estimate.Wilson(float64(in.Repeated), float64(in.Installs)), Share: estimate.Wilson(float64(in.Installs), float64(in.Active))}
	add := func(part string, n int, format string, args ...any) {
		if n > 0 {
			out.Reasons = append(out.Reasons, Reason{part, fmt.Sprintf(format, args...), n})
			out.Score += n
		}
	}
	r.scope(in, &out, add)
	if in.Installs > 0 { // what is surely so: the lower end of the interval
		add("repeat", points(r.Repeat.Rate, out.Repeat.Low), "%s of the installs that had it had it again (%s).", percent(out.Repeat.Value), between(out.Repeat))
	}
	r.severity(in, add)
	if word := r.losing(in); word != "" {
		out.Loss = true
		add("loss", r.Loss.Points, "Data may be lost: %q stands where it happened.", word)
	}
	switch before, now := float64(in.Earlier), float64(in.Recent); {
	case in.Back:
		add("trend", r.Trend.Regressed, "It came back after it was resolved.")
	case now > before && (now-before)*(now-before) > 9*(now+before) && before > 0:
		add("trend", r.Trend.Rising, "It is rising: %d crashes in the second half of the period, %d in the first.", in.Recent, in.Earlier)
	case in.Fresh:
		add("trend", r.Trend.Fresh, "It is new.")
	}
	out.Score = min(out.Score, 100)
	out.Band = "P4"
	for _, b := range Bands[:3] {
		if out.Score >= r.Bands[b] {
			out.Band = b
			break
		}
	}
	slices.SortStableFunc(out.Reasons, func(a, b Reason) int { return b.Points - a.Points })
	return out
}

func (r *Rules) scope(in Input, out *Result, add func(string, int, string, ...any)) {
	byCount := points(r.Scope.Installs, float64(in.Installs))
	switch {
	case in.Installs == 0:
		add("scope", 1, "%d crashes, of clients that name no install.", in.Crashes)
	case in.Active >= in.Installs:
		byShare := points(r.Scope.Share, out.Share.Low)
		if in.Installs < 5 { // one of seven installs says little
			byShare = min(byShare, 10)
		}
		add("scope", max(byCount, byShare), "It hit %d of %d active installs: %s (%s).", in.Installs, in.Active, percent(out.Share.Value), between(out.Share))
	default:
		add("scope", byCount, "It hit %d installs; how many are active is not known.", in.Installs)
	}
}

func (r *Rules) severity(in Input, add func(string, int, string, ...any)) {
	s := r.Severity
	switch {
	case in.Label == "native_crash" || in.Label == "out_of_memory":
		add("severity", s.Native, "It ends the process (%s).", strings.ReplaceAll(in.Label, "_", " "))
	case in.Fatal*2 > in.Crashes:
		add("severity", s.Fatal, "%d of %d crashes were fatal.", in.Fatal, in.Crashes)
	case in.Label == "hang":
		add("severity", s.Hang, "It makes the host hang.")
	case in.Stated == 0:
		add("severity", s.Unknown, "Clients do not say whether it was caught.")
	case in.Handled*2 > in.Stated:
		add("severity", s.Handled, "Most of it is caught.")
	default:
		add("severity", s.Unhandled, "Nothing catches it.")
	}
}

// losing is the word that says data may be lost, or "".
func (r *Rules) losing(in Input) string {
	text := lower(in.Words)
	for _, w := range r.Loss.Words {
		if in.Label == w {
			return strings.ReplaceAll(w, "_", " ")
		}
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				break
			}
			// The beginning of a word: "save" in "saveAll" and "doSave", not in "unsaved".
			if at += i; at == 0 || !letter(text[at-1]) || in.Words[at] >= 'A' && in.Words[at] <= 'Z' {
				return w
			}
			at += len(w)
		}
	}
	return ""
}

// lower lowers ASCII letters only, so that places in the text stay where they are.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' }

func percent(v float64) string {
	p := v * 100
	switch {
	case p >= 10 || p == 0:
		return fmt.Sprintf("%.0f %%", p)
	case p >= .1:
		return fmt.Sprintf("%.1f %%", p)
	}
	return fmt.Sprintf("%.2g %%", p)
}

func between(i estimate.Interval) string {
	return strings.TrimSuffix(percent(i.Low), " %") + "–" + percent(math.Min(i.High, 1))
}
