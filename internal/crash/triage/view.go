package triage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// View is what people did with a family, as one of them may see it.
type View struct {
	// Hidden: the family also holds crashes of others, and what people say of it is
	// for those it is attributed to.
	Hidden     bool          `json:"hidden,omitempty"`
	Assignment Assignment    `json:"assignment"`
	Why        route.Outcome `json:"why"`      // what the rules said; without steps for authors
	Rules      int64         `json:"rules"`    // the version that was asked; 0 = none
	Routed     time.Time     `json:"routed"`   // when
	Labels     []Worn        `json:"labels"`   // on it
	Words      []Label       `json:"words"`    // labels that the viewer may put on and are not
	Watchers   []Person      `json:"watchers"` // who are told
	Watching   bool          `json:"watching"`
	Feed       []Entry       `json:"feed"`            // states, assignments, labels, comments; the newest first
	Older      string        `json:"older,omitempty"` // send as before to get what comes after the last
	People     []Person      `json:"people"`          // who may be given the family
	Teams      []Team        `json:"teams"`
	Named      []Person      `json:"named"`  // who can be mentioned
	Inside     bool          `json:"inside"` // the viewer may write what authors do not see
	CanEdit    bool          `json:"can_edit"`
	CanComment bool          `json:"can_comment"`
}

// Assignment is who looks at a family.
type Assignment struct {
	Team   *Team   `json:"team,omitempty"`
	Hand   bool    `json:"hand,omitempty"` // a person chose the team, and no rule changes it
	Rule   string  `json:"rule,omitempty"` // the rule that chose it
	Person *Person `json:"person,omitempty"`
	// Blind: the person may not see the family any more.
	Blind bool `json:"blind,omitempty"`
}

// Team is a team that a family can be given to.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Sees bool   `json:"sees"` // it owns the family's extension or host, so its people see the family
}

// Worn is a label on a family.
type Worn struct {
	Label
	ByRule bool `json:"by_rule,omitempty"`
	Mine   bool `json:"mine,omitempty"` // the viewer may take it off
}

// Entry is one line of a family's feed.
type Entry struct {
	At      time.Time   `json:"at"`
	Kind    string      `json:"kind"` // state, team, person, label, comment
	Actor   Person      `json:"actor"`
	Text    string      `json:"text"`           // what happened, in words
	Note    string      `json:"note,omitempty"` // what the person said to it
	Comment *Comment    `json:"comment,omitempty"`
	Batch   string      `json:"batch,omitempty"` // takes it back, with what was done together
	Undone  bool        `json:"undone,omitempty"`
	State   crash.State `json:"state,omitempty"` // of a state: the new one
	Of      string      `json:"of,omitempty"`    // the family it was done to, when that one was merged into this
	key     string
}

// feedLimit is how many entries one answer has.
const feedLimit = 50

// View returns what people did with a family. history are its states, as
// crash.Family gives them within the same scope; before is View.Older of the page before.
func (d *Desk) View(ctx context.Context, p account.Principal, family string, history []crash.Change, before string) (View, error) {
	const op = "triage.View"
	s, err := d.sit(ctx, p, account.FamilyRead, family)
	if fault.CodeOf(err) == fault.Forbidden {
		return View{Hidden: true, Labels: []Worn{}, Words: []Label{}, Watchers: []Person{}, Feed: []Entry{}, People: []Person{}, Teams: []Team{}, Named: []Person{}}, nil
	}
	if err != nil {
		return View{}, err
	}
	family = s.f.ID // it may be part of another one
	all, err := d.directory(ctx)
	if err != nil {
		return View{}, err
	}
	have, err := standings(ctx, d.o.Records.Read(), []string{family})
	if err != nil {
		return View{}, err
	}
	now := have[family]
	v := View{Inside: s.inside, Rules: now.rules, Routed: moment(now.routed), Why: now.outcome(),
		CanEdit: d.may(p, account.FamilyEdit, &s.f, false), CanComment: d.may(p, account.FamilyComment, &s.f, false)}
	if !s.inside {
		v.Why.Steps = nil // rules speak of others' extensions
	}
	v.Assignment = d.assignment(now, &s.f, all)
	if v.CanEdit {
		v.People, v.Teams = d.of(all, &s.f, account.FamilyEdit, false), d.teams(&s.f)
	}
	if v.CanComment {
		v.Named = d.of(all, &s.f, account.FamilyComment, false)
	}
	if err := d.viewLabels(ctx, &s, &v); err != nil {
		return View{}, fault.Wrap(op, err)
	}
	ids, err := watching(ctx, d.o.Records.Read(), family)
	if err != nil {
		return View{}, fault.Wrap(op, err)
	}
	v.Watchers = []Person{}
	for _, id := range ids {
		if d.sees(all.byID[id], &s.f, false) {
			v.Watchers = append(v.Watchers, all.person(id))
		}
		v.Watching = v.Watching || id == p.ID
	}
	v.Feed, v.Older, err = d.feed(ctx, &s, all, history, before)
	return v, fault.Wrap(op, err)
}

func (d *Desk) assignment(s standing, f *crash.Family, all people) Assignment {
	a := Assignment{Hand: s.hand, Rule: s.rule}
	if s.team != "" {
		t := d.team(s.team, f)
		a.Team = &t
	}
	if s.person != "" {
		who := all.person(s.person)
		a.Person, a.Blind = &who, !d.sees(all.byID[s.person], f, false)
	}
	return a
}

// team is a team towards a family; one that left the register has its id as name.
func (d *Desk) team(id string, f *crash.Family) Team {
	t := Team{ID: id, Name: id}
	if known := d.o.Registry.Snapshot().Teams[id]; known != nil {
		t.Name = known.Name
		t.Sees = f.Blame != "" && slices.Contains(known.Extensions, f.Blame) || f.Blame == "" && slices.Contains(known.Hosts, f.Host)
	}
	return t
}

// teams lists every team, those that see the family first.
func (d *Desk) teams(f *crash.Family) []Team {
	out := []Team{}
	for id := range d.o.Registry.Snapshot().Teams {
		out = append(out, d.team(id, f))
	}
	slices.SortFunc(out, func(a, b Team) int {
		return cmp.Or(cmp.Compare(bit(b.Sees), bit(a.Sees)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (d *Desk) viewLabels(ctx context.Context, s *seat, v *View) error {
	words, err := vocabulary(ctx, d.o.Records.Read())
	if err != nil {
		return err
	}
	has, err := wornBy(ctx, d.o.Records.Read(), s.f.ID)
	if err != nil {
		return err
	}
	v.Labels, v.Words = []Worn{}, []Label{}
	for _, l := range words {
		w, there := has[l.ID]
		switch uses := s.uses(l); {
		case there && !w.off:
			v.Labels = append(v.Labels, Worn{l, w.rule != "", uses && v.CanEdit})
		case uses && v.CanEdit:
			v.Words = append(v.Words, l)
		}
	}
	return nil
}

// Mark is what a line of the list of families shows.
type Mark struct {
	Team   string
	Person string
	Labels []Label
}

// Marks returns what a list shows of those of its families that p may know it of.
func (d *Desk) Marks(ctx context.Context, p account.Principal, list []crash.Family) (map[string]Mark, error) {
	const op = "triage.Marks"
	var ids []string
	for i := range list {
		if d.may(p, account.FamilyRead, &list[i], false) {
			ids = append(ids, list[i].ID)
		}
	}
	out := map[string]Mark{}
	if len(ids) == 0 {
		return out, nil
	}
	have, err := standings(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, err
	}
	all, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	worn, err := labelsOf(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	for _, id := range ids {
		s := have[id]
		m := Mark{Labels: worn[id]}
		if s.team != "" {
			m.Team = d.team(s.team, &crash.Family{}).Name
		}
		if s.person != "" {
			m.Person = all.name(s.person)
		}
		out[id] = m
	}
	return out, nil
}
