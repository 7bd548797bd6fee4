package triage

import (
	"cmp"
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/route"
)

// Preview is what a set of rules would change, over the families of the last 30 days.
type Preview struct {
	Mistakes []route.Mistake `json:"mistakes"`          // with any, nothing else is known
	Families int             `json:"families"`          // that were looked at
	Partial  bool            `json:"partial,omitempty"` // there are more; the last seen were looked at
	Moves    []Move          `json:"moves"`             // by the rules in force and by these, most families first
	Stay     int             `json:"stay"`              // go to the same team
	Now      int             `json:"now"`               // stand elsewhere than these rules say: what "move" moves
	ByHand   int             `json:"by_hand"`           // stand elsewhere because a person said so, and stay
	Errors   []RuleError     `json:"errors"`            // conditions that could not be decided
	Changed  int             `json:"changed"`           // families that would go elsewhere
	Page     int             `json:"page"`              // of those, from 0
	Examples []Example       `json:"examples"`          // that page of them, the last seen first
}

// PreviewPage is how many families a page of a preview names.
const PreviewPage = 50

// Move is how many families would go from one team to another; "" is no team.
type Move struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Families int    `json:"families"`
	Crashes  int64  `json:"crashes"`
	Installs int64  `json:"installs"` // added up over families: one install may have several
}

// RuleError is a condition that could not be decided for some families.
type RuleError struct {
	Rule     string `json:"rule"`
	Note     string `json:"note"`
	Families int    `json:"families"`
	Example  string `json:"example"`
}

// Example is a family that would go elsewhere.
type Example struct {
	Family string `json:"family"`
	Title  string `json:"title"`
	From   string `json:"from"`
	To     string `json:"to"`
	Rule   string `json:"rule,omitempty"` // of the new rules
}

// Preview runs the rules in force and others over the families of the last 30
// days and says what would go elsewhere, naming one page of the families. It
// changes nothing.
func (d *Desk) Preview(ctx context.Context, p account.Principal, text string, page int) (Preview, error) {
	out := Preview{Page: min(max(page, 0), maxRecent/PreviewPage), Mistakes: []route.Mistake{}, Moves: []Move{}, Errors: []RuleError{}, Examples: []Example{}}
	if err := d.mayRules("triage.Preview", p, account.RuleEdit); err != nil {
		return out, err
	}
	next, mistakes := d.compile(text)
	if next == nil {
		out.Mistakes = mistakes
		return out, nil
	}
	old, err := d.current(ctx)
	if err != nil {
		return out, err
	}
	ids, err := d.o.Desk.Recent(ctx, d.o.Now().AddDate(0, 0, -recentDays), maxRecent+1)
	if err != nil {
		return out, err
	}
	if out.Partial = len(ids) > maxRecent; out.Partial {
		ids = ids[:maxRecent]
	}
	moves, errs := map[[2]string]*Move{}, map[string]*RuleError{}
	for part := range slices.Chunk(ids, 500) {
		have, err := standings(ctx, d.o.Records.Read(), part)
		if err != nil {
			return out, err
		}
		subjects, _, _, err := d.subjects(ctx, part, have)
		if err != nil {
			return out, err
		}
		for _, id := range part {
			s, ok := subjects[id]
			if !ok {
				continue
			}
			was, err := old.rules.Route(ctx, s)
			if err != nil {
				return out, err
			}
			would, err := next.Route(ctx, s)
			if err != nil {
				return out, err
			}
			out.Families++
			out.stands(have[id], &would)
			noteErrors(errs, id, &would)
			if was.Team == would.Team {
				out.Stay++
				continue
			}
			m := moves[[2]string{was.Team, would.Team}]
			if m == nil {
				m = &Move{From: was.Team, To: would.Team}
				moves[[2]string{was.Team, would.Team}] = m
			}
			m.Families++
			m.Crashes += s.Impact.Crashes
			m.Installs += s.Impact.Installs
			if out.Changed++; out.Changed > out.Page*PreviewPage && len(out.Examples) < PreviewPage {
				out.Examples = append(out.Examples, Example{id, s.Family.Title, was.Team, would.Team, would.TeamRule})
			}
		}
	}
	for _, m := range moves {
		out.Moves = append(out.Moves, *m)
	}
	slices.SortFunc(out.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Families, a.Families), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, e := range errs {
		out.Errors = append(out.Errors, *e)
	}
	slices.SortFunc(out.Errors, func(a, b RuleError) int { return cmp.Compare(a.Rule, b.Rule) })
	return out, nil
}

// stands counts a family that is not where the rules would send it.
func (p *Preview) stands(s standing, would *route.Outcome) {
	switch {
	case s.team == would.Team:
	case s.hand:
		p.ByHand++
	default:
		p.Now++
	}
}

func noteErrors(errs map[string]*RuleError, family string, o *route.Outcome) {
	for _, s := range o.Steps {
		if s.Result != route.Failed {
			continue
		}
		if errs[s.Rule] == nil {
			errs[s.Rule] = &RuleError{Rule: s.Rule, Note: s.Note, Example: family}
		}
		errs[s.Rule].Families++
	}
}
