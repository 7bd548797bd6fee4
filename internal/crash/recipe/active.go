package recipe

import (
	"fmt"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// active is as few extensions as the evidence allows: the one it is about, and what
// is associated with the crashes; without an association those on the stack and
// those that were active in every crash.
func (m *maker) active() {
	versions := map[eco.ExtensionID]map[string]int{}
	count := map[eco.ExtensionID]int{}   // crashes in which it was active
	onStack := map[eco.ExtensionID]int{} // and on whose stack it was
	for i := range m.in.Crashes {
		c := &m.in.Crashes[i].Crash
		here := map[eco.ExtensionID]bool{}
		for _, a := range c.Active {
			if here[a.ID] || m.id(a.ID) == "" {
				continue
			}
			here[a.ID] = true
			if !m.in.Crashes[i].Redacted {
				count[a.ID]++
			}
			if versions[a.ID] == nil {
				versions[a.ID] = map[string]int{}
			}
			if v := m.fit(Choice{Value: a.Version}).Value; v != "" {
				versions[a.ID][v]++
			}
		}
		if len(c.Active) > 0 && !m.in.Crashes[i].Redacted {
			m.told++
		}
		stack := map[eco.ExtensionID]bool{}
		for _, x := range c.Exceptions {
			for j := range x.Frames {
				if o := x.Frames[j].Owner; !stack[o] && m.id(o) != "" {
					stack[o] = true
					onStack[o]++
				}
			}
		}
	}
	add := func(id eco.ExtensionID, why string) {
		if id == "" || slices.ContainsFunc(m.Active, func(a Addon) bool { return a.ID == id }) {
			return
		}
		if id = m.id(id); id == "" {
			return
		}
		a := Addon{ID: id, Why: why, Unknown: m.in.Registered == nil || !m.in.Registered(id)}
		if a.Unknown {
			m.say("%s is not in the register of this server, and anybody who has a public key can name one: it is not installed. Look at it first.", id)
		}
		if id == m.Extension {
			a.Version = m.Version.Value
		}
		if a.Version == "" {
			a.Version, _ = top(versions[id])
		}
		m.Active = append(m.Active, a)
	}
	if m.Extension != "" {
		why := "The crashes came in through it."
		if m.in.Family.Blame == m.Extension {
			why = "It is blamed for the crashes."
		}
		add(m.Extension, why)
	}
	if m.associated(add) {
		m.say("Of the extensions that were active in a crash, only what stands out against %s is kept: an association, which does not say that it is the cause.", m.against())
		return
	}
	for _, id := range ordered(onStack) {
		add(id, fmt.Sprintf("Its code is on the stack of %d of %d crashes.", onStack[id], m.Crashes))
	}
	if m.told == 0 {
		if !m.hidden {
			m.say("The crashes do not say which extensions were active.")
		}
		return
	}
	always, left := 0, 0
	for _, id := range ordered(count) {
		if count[id] < m.told || m.told < MinCrashes || slices.ContainsFunc(m.Active, func(a Addon) bool { return a.ID == id }) {
			continue
		}
		if always == maxActive {
			left++
			continue
		}
		always++
		add(id, fmt.Sprintf("It was active in all %d crashes that say what was.", m.told))
	}
	m.say("No association is known: of %d extensions that were active in a crash, those on the stack and those active in every crash are kept.", len(count))
	if left > 0 {
		m.say("%d more were active in every crash and are left out.", left)
	}
}

// associated adds the members of what step 6 of blame found first.
func (m *maker) associated(add func(eco.ExtensionID, string)) bool {
	a := m.in.Associate.Answer
	if !m.in.Associate.Known || len(a.Findings) == 0 {
		return false
	}
	f := &a.Findings[0]
	named := false
	for i, x := range f.Members {
		if x.ID == "" {
			m.say("Another extension belongs to it whose name is not yours to see.")
			continue
		}
		why := "Active"
		if len(f.Members) == 2 && f.Members[1-i].ID != "" {
			why = "Active together with " + string(m.id(f.Members[1-i].ID))
		}
		why += fmt.Sprintf(" in %s of the crashes, where %s were expected.", percent(f.Share.Value), percent(f.Expected.Value))
		if x.Since != "" && versionLike(x.Since) {
			why += " Since version " + x.Since + "."
		}
		add(x.ID, why)
		named = true
	}
	for _, id := range f.Alike {
		if id = m.id(id); id != "" {
			m.say("The evidence cannot tell %s from it: add that if nothing happens.", id)
		}
	}
	if n := len(a.Findings) - 1; n > 0 && named {
		m.say("%d more associated with the crashes, less surely, are left out.", n)
	}
	return named
}

func (m *maker) against() string {
	if m.in.Associate.Answer.Against == "crashes" {
		return "crashes of other families"
	}
	return "healthy sessions"
}

// ordered lists extensions, the most frequent first.
func ordered(count map[eco.ExtensionID]int) []eco.ExtensionID {
	out := make([]eco.ExtensionID, 0, len(count))
	for id := range count {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b eco.ExtensionID) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}
