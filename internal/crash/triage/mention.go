package triage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
)

// Mention is somebody, or a team, that a comment names.
type Mention struct {
	Token  string `json:"-"` // as the body holds it: "@{a-…}", "@{team:…}"
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Team   bool   `json:"team,omitempty"`
}

// mentioned is what became of the names in a text. The body names people by their
// ids, so that whoever is taken out of the accounts is in no comment any more.
type mentioned struct {
	body    string
	list    []Mention
	people  []string // by themselves
	teams   []string // members of teams
	unknown []string
}

func (m *mentioned) all() []string {
	out := slices.Clone(m.people)
	for _, id := range m.teams {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out[:min(len(out), maxMentioned)]
}

var (
	atName  = regexp.MustCompile(`(^|[\s(\[,;:>*_])@([\p{L}\p{N}][\p{L}\p{N}-]{0,63})`)
	atToken = regexp.MustCompile(`@\{(team:)?([a-z0-9-]{1,64})\}`)
)

// mentions finds the names in a text: handles, or first names that only one of
// those who may read it has, and teams.
func (d *Desk) mentions(words string, s *seat, all people, inside bool) mentioned {
	var m mentioned
	able := d.of(all, &s.f, account.FamilyRead, inside)
	words = strings.ReplaceAll(words, "@{", "@ {") // tokens are ours alone
	m.body = atName.ReplaceAllStringFunc(words, func(hit string) string {
		at := strings.IndexByte(hit, '@')
		raw := strings.TrimRight(hit[at+1:], "-")
		name, tail := strings.ToLower(raw), hit[at+1+len(raw):]
		var fit []Person
		for _, p := range able {
			if p.Handle == name {
				fit = []Person{p}
				break
			}
			if first, _, _ := strings.Cut(p.Handle, "-"); first == name {
				fit = append(fit, p)
			}
		}
		if len(fit) == 1 {
			x := Mention{Token: "@{" + fit[0].ID + "}", Handle: fit[0].Handle, Name: fit[0].Name}
			m.add(x)
			if !slices.Contains(m.people, fit[0].ID) {
				m.people = append(m.people, fit[0].ID)
			}
			return hit[:at] + x.Token + tail
		}
		if t := d.o.Registry.Snapshot().Teams[name]; t != nil && len(fit) == 0 && s.inside {
			x := Mention{Token: "@{team:" + t.ID + "}", Handle: t.ID, Name: t.Name, Team: true}
			m.add(x)
			for _, id := range all.members(t.ID) {
				if a := all.byID[id]; a != nil && d.may(a.Principal(), account.FamilyRead, &s.f, inside) {
					m.teams = append(m.teams, id)
				}
			}
			return hit[:at] + x.Token + tail
		}
		if !slices.Contains(m.unknown, name) {
			m.unknown = append(m.unknown, name)
		}
		return hit
	})
	return m
}

func (m *mentioned) add(x Mention) {
	if !slices.ContainsFunc(m.list, func(y Mention) bool { return y.Token == x.Token }) {
		m.list = append(m.list, x)
	}
}

// readable turns the ids of a body into names as they are now.
func (d *Desk) readable(body string, all people) (words string, list []Mention) {
	var m mentioned
	words = atToken.ReplaceAllStringFunc(body, func(token string) string {
		part := atToken.FindStringSubmatch(token)
		x := Mention{Token: token, Team: part[1] != ""}
		if x.Team {
			x.Handle, x.Name = part[2], part[2]
			if t := d.o.Registry.Snapshot().Teams[part[2]]; t != nil {
				x.Name = t.Name
			}
		} else {
			x.Name = all.name(part[2])
			x.Handle = handle(x.Name)
		}
		m.add(x)
		return "@" + x.Handle
	})
	return words, m.list
}

// without is a without what is in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}
