// Package route sends things to the team that shall look at them, by rules that
// people write: an ordered list of conditions (CEL, the Common Expression
// Language) and what follows when one holds. One engine serves every kind of
// thing; For makes one for the variables of a struct, as Crash here.
//
// It is pure: it reads no clock and no register, and what it decides it explains,
// rule by rule. It is not the place where versions of rules are kept nor where
// what they decide is written down; the desks do that. CEL is known here only.
//
// Bounds: a text of 64 KiB, 200 rules, 2,000 bytes a condition, an evaluation of
// 20,000 cost units (CEL's measure: about one a step) for each rule. Anchors and
// aliases of YAML are refused.
package route

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of a rule set.
const (
	MaxText   = 64 << 10
	MaxRules  = 200
	MaxWhen   = 2000
	maxCost   = 20_000
	maxLabels = 10
	maxWord   = 64 // bytes of a rule's name, a label, a team
)

// Rule is one rule as it was written.
type Rule struct {
	Name string `json:"name"`
	When string `json:"when"` // CEL, yes or no
	Then Then   `json:"then"`
	Stop bool   `json:"stop,omitempty"` // when it matches, the rules after it are not asked
	Line int    `json:"line"`           // where it stands in the text
}

// Then is what follows when a rule matches.
type Then struct {
	Team     string   `json:"team,omitempty"` // the first rule that names one wins
	Labels   []string `json:"labels,omitempty"`
	Priority string   `json:"priority,omitempty"` // as Team
}

// Priorities lists what Then.Priority may be: the bands of a family's priority, the
// most urgent first.
var Priorities = []string{"P1", "P2", "P3", "P4"}

// oldPriorities are the words that sets were written with before, in the order of
// Priorities; they are read as those.
var oldPriorities = []string{"critical", "high", "medium", "low"}

// Mistake is what is wrong with a rule set, and where.
type Mistake struct {
	Rule   string `json:"rule,omitempty"`
	Line   int    `json:"line"`   // from 1, in the text of the set
	Column int    `json:"column"` // from 1
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"` // what to write instead
}

func (m Mistake) String() string {
	s := fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Text)
	if m.Rule != "" {
		s = fmt.Sprintf("%d:%d: rule %q: %s", m.Line, m.Column, m.Rule, m.Text)
	}
	if m.Hint != "" {
		s += " " + m.Hint
	}
	return s
}

// Outcome is where something goes, and why.
type Outcome struct {
	Team         string   `json:"team,omitempty"`
	TeamRule     string   `json:"team_rule,omitempty"` // the rule that said so
	Labels       []string `json:"labels,omitempty"`
	Priority     string   `json:"priority,omitempty"`
	PriorityRule string   `json:"priority_rule,omitempty"`
	Steps        []Step   `json:"steps,omitempty"` // every rule, in order
}

// Step is what one rule came to.
type Step struct {
	Rule   string `json:"rule"`
	Result Result `json:"result"`
	Note   string `json:"note,omitempty"` // of an error: what went wrong
}

// Result is what a rule came to.
type Result string

const (
	Matched Result = "matched"
	Not     Result = "not"     // its condition does not hold
	Failed  Result = "error"   // its condition could not be decided; it counts as not
	Skipped Result = "skipped" // a rule before it said stop
)

// Matches lists the rules that matched.
func (o *Outcome) Matches() []string {
	var out []string
	for _, s := range o.Steps {
		if s.Result == Matched {
			out = append(out, s.Rule)
		}
	}
	return out
}

// Same reports whether two outcomes send a thing the same way, whatever the reasons.
func (o *Outcome) Same(p *Outcome) bool {
	return o.Team == p.Team && o.Priority == p.Priority && slices.Equal(o.Labels, p.Labels)
}

// take adds what a rule that matched says.
func (o *Outcome) take(r *Rule) {
	if o.Team == "" && r.Then.Team != "" {
		o.Team, o.TeamRule = r.Then.Team, r.Name
	}
	if o.Priority == "" && r.Then.Priority != "" {
		o.Priority, o.PriorityRule = r.Then.Priority, r.Name
	}
	for _, l := range r.Then.Labels {
		if !slices.Contains(o.Labels, l) {
			o.Labels = append(o.Labels, l)
		}
	}
}

// word reports whether s can be a rule's name, a label or a team: letters of any
// script, digits, space and -_./ inside, at most maxWord bytes.
func word(s string) bool {
	return s != "" && len(s) <= maxWord && s == strings.TrimSpace(s) && strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || strings.ContainsRune("\"'<>\\`,;", r)
	}) < 0
}
