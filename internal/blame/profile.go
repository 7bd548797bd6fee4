package blame

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// Editors name an extension to their user from this share and time on (VS Code:
// 95 % of at least 5 s). We name it earlier, and say by how much.
const (
	profileSure    = 95.0 // percent
	profileSeconds = 5.0
	profileLeast   = 20.0 // below, a share of a profile blames nobody
)

// profile blames an extension host that did not answer by the share of samples in
// which each extension was the outermost one on the stack, as editors count.
// It reports false when the crash holds no profile.
func (d *decision) profile(root int) bool {
	if root < 0 || d.c.Exceptions[root].Type != stack.Unresponsive {
		return false
	}
	type share struct {
		id      eco.ExtensionID
		frame   *eco.Frame
		percent float64
	}
	var list []share
	seconds := 0.0
	for i := range d.c.Exceptions {
		x := &d.c.Exceptions[i]
		percent, s, ok := stack.Share(x)
		if !ok || !x.Suppressed {
			continue
		}
		seconds = s
		for j := len(x.Frames) - 1; j >= 0; j-- {
			f := &x.Frames[j]
			if f.Owner == "" {
				continue
			}
			at := slices.IndexFunc(list, func(l share) bool { return l.id == f.Owner })
			if at < 0 {
				at = len(list)
				list = append(list, share{id: f.Owner, frame: f})
			}
			list[at].percent += percent
			break
		}
	}
	if seconds == 0 {
		return false
	}
	slices.SortStableFunc(list, func(a, b share) int { return cmp.Compare(b.percent, a.percent) })
	if d.host = true; len(list) == 0 || list[0].percent < profileLeast {
		d.nobody = fmt.Sprintf("No extension ran in %.0f%% or more of a profile of %.2f s: the host waited, or was busy itself.", profileLeast, seconds)
	}
	for _, l := range list {
		if l.percent < profileLeast {
			break
		}
		conf, reason := min(.9, l.percent/100), fmt.Sprintf("It ran in %.1f%% of a profile of %.2f s", min(100, l.percent), seconds)
		switch {
		case l.percent >= profileSure && seconds >= profileSeconds:
			conf = .95
			reason += "; from 95% and 5 s on the editor itself names it."
		case seconds < profileSeconds:
			conf *= .8
			reason += "; the profile is shorter than the 5 s an editor asks for."
		default:
			reason += "; below the 95% from which on the editor itself names one."
		}
		d.add(eco.Candidate{Extension: l.id, Version: d.version(l.id, l.frame), Role: RoleCulprit, Step: 2, Confidence: conf, Reason: reason})
	}
	return true
}
