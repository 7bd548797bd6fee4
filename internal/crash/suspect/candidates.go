package suspect

import (
	"context"
	"fmt"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What makes an association sure enough that a new crash of the family is counted
// for an extension, and its author sees it: far beyond what a page needs to show it,
// and on the votes of regulars alone, too.
const (
	sureCrashes    = 50
	sureDifference = 0.5 // the interval's lower end
	sureQ          = 0.001
)

// Blame returns the candidates of step 6 for a new crash of a family, with the
// extensions that were active in it, the likeliest first. It answers from memory.
func (d *Desk) Blame(family string, active []eco.Active) []eco.Candidate {
	d.mu.RLock()
	groups := d.blame[family]
	d.mu.RUnlock()
	var out []eco.Candidate
	for _, group := range groups {
		var here []eco.Candidate
		for _, c := range group {
			for _, a := range active {
				if a.ID == c.Extension {
					c.Version = a.Version
					here = append(here, c)
					break
				}
			}
		}
		if len(here) == len(group) { // both of a pair
			out = append(out, here...)
		}
	}
	return out
}

// Refresh reads what other processes found. It is a job of every process that runs
// the flow.
func (d *Desk) Refresh(ctx context.Context) (note string, err error) {
	all, err := d.newest(ctx, "")
	if err != nil {
		return "", fault.Wrap("suspect.Refresh", err)
	}
	next, stands := map[string][][]eco.Candidate{}, map[string]standing{}
	for id, s := range all {
		if s.crashes > 0 && len(s.rec.Answer.Findings) > 0 {
			stands[id] = s.standing()
		}
		if list := candidates(&s.rec); len(list) > 0 {
			next[id] = list
		}
	}
	relabels, err := d.o.Desk.Relabels(ctx)
	if err != nil {
		return "", fault.Wrap("suspect.Refresh", err)
	}
	for _, r := range relabels { // a crash comes in as of its own family, whatever that is part of
		if list := next[r.To]; r.Signature == "" && list != nil {
			next[r.Family] = list
		}
	}
	d.mu.Lock()
	d.blame, d.stands = next, stands
	d.mu.Unlock()
	return "", nil
}

// candidates are the members of each finding of a family that nobody is blamed for.
func candidates(r *record) [][]eco.Candidate {
	if r.Given != "" {
		return nil
	}
	var out [][]eco.Candidate
	for i := range r.Answer.Findings {
		f := &r.Answer.Findings[i]
		var group []eco.Candidate
		for k, m := range f.Members {
			reason := "active"
			if len(f.Members) == 2 {
				reason = "together with " + string(f.Members[1-k].ID) + " " + reason
			}
			group = append(group, eco.Candidate{Extension: m.ID, Role: blame.RoleAssociated, Step: 6, Confidence: confidence(r, f),
				Reason: fmt.Sprintf("Associated with this family, which does not say that it is the cause: %s in %d of %.0f crashes (%.0f %%), where %.0f %% were expected.",
					reason, f.With, f.Share.N, 100*f.Share.Value, 100*f.Expected.Value)})
		}
		out = append(out, group)
	}
	return out
}

// confidence orders: the lower end of the difference, below what leads, unless one
// extension alone is surely associated, and surely among regulars alone.
func confidence(r *record, f *evidence.Finding) float64 {
	if told := r.stands(f); told != nil && sure(&r.Answer, f) && sure(r.Told, told) {
		return blame.Sure + 0.05
	}
	return min(max(f.Difference.Low, 0.1), blame.Sure-0.05)
}

func sure(a *evidence.Answer, f *evidence.Finding) bool {
	alone := len(f.Members) == 1 && len(f.Alike) == 0 && len(a.Findings) == 1 && a.Against == evidence.AgainstSessions
	return alone && f.Share.N >= sureCrashes && f.Difference.Low >= sureDifference && f.Q <= sureQ
}
