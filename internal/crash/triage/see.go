package triage

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// Former is the name of somebody who was taken out of the accounts.
const Former = "former member"

// resource is whose a family is.
func resource(f *crash.Family) account.Resource {
	r := account.Resource{Kind: "family", ID: f.ID}
	switch {
	case f.Blame != "":
		r.Extensions = []eco.ExtensionID{f.Blame}
	case f.Host != "":
		r.Hosts = []string{f.Host}
	}
	return r
}

// may asks the policies about a family; inside, as if p were nobody's author: what
// the team writes for itself is not for those whose extension it is about.
func (d *Desk) may(p account.Principal, a account.Action, f *crash.Family, inside bool) bool {
	if inside {
		p.Grants = slices.DeleteFunc(slices.Clone(p.Grants), func(g account.Grant) bool { return g.Role == account.Author })
	}
	return d.o.Accounts.Authorize(p, a, resource(f)).Allow
}

// seat is where somebody stands towards a family.
type seat struct {
	f      crash.Family
	p      account.Principal
	inside bool // reads what is not for authors
}

// sit finds the family within p's scope and asks the policies.
func (d *Desk) sit(ctx context.Context, p account.Principal, a account.Action, family string) (seat, error) {
	f, err := d.o.Desk.Owned(ctx, d.o.Accounts.Scope(p), family)
	if err != nil {
		return seat{}, err
	}
	if err := d.o.Accounts.Check("triage."+string(a), p, a, resource(&f)); err != nil {
		return seat{}, err
	}
	return seat{f: f, p: p, inside: d.may(p, account.FamilyRead, &f, true)}, nil
}

// Person is somebody as others may name them.
type Person struct {
	ID     string `json:"id"`
	Handle string `json:"handle"` // what follows the @ of a mention
	Name   string `json:"name"`
}

// people are the accounts at a moment.
type people struct {
	list []account.Account
	byID map[string]*account.Account
}

func (d *Desk) directory(ctx context.Context) (people, error) {
	list, err := d.o.Accounts.Directory(ctx)
	if err != nil {
		return people{}, err
	}
	p := people{list: list, byID: make(map[string]*account.Account, len(list))}
	for i := range list {
		p.byID[list[i].ID] = &list[i]
	}
	return p, nil
}

// name is what a person is called on pages.
func (p people) name(id string) string {
	switch a := p.byID[id]; {
	case id == "", id == crash.System, strings.HasPrefix(id, "system:"):
		return "the server"
	case strings.HasPrefix(id, "token:"):
		return "an API token"
	case id == rulesActor:
		return "the rules"
	case a == nil || a.Forgotten():
		return Former
	default:
		return a.Name
	}
}

// of lists who may do something with a family, by name.
func (d *Desk) of(all people, f *crash.Family, a account.Action, inside bool) []Person {
	var out []Person
	for i := range all.list {
		x := &all.list[i]
		if !x.Disabled && !x.Forgotten() && d.may(x.Principal(), a, f, inside) {
			out = append(out, Person{ID: x.ID, Handle: handle(x.Name), Name: x.Name})
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	for i := range out { // two of a name are told apart by the end of their ids
		for j := range out {
			if i != j && out[i].Handle == handle(out[j].Name) {
				out[i].Handle = handle(out[i].Name) + "-" + out[i].ID[max(len(out[i].ID)-4, 0):]
			}
		}
	}
	return out
}

// members lists the people of a team.
func (p people) members(team string) []string {
	var out []string
	for i := range p.list {
		if a := &p.list[i]; !a.Disabled && slices.ContainsFunc(a.Grants, func(g account.Grant) bool { return g.Team == team && g.Team != "" }) {
			out = append(out, a.ID)
		}
	}
	return out
}

// handle is a name as it is written after an @.
func handle(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// Colleagues lists who decides on families in a part of the ecosystem that p sees,
// without p: whom a list of families can be given to. Do checks each family.
func (d *Desk) Colleagues(ctx context.Context, p account.Principal) ([]Person, error) {
	all, err := d.directory(ctx)
	if err != nil {
		return nil, err
	}
	mine := d.o.Accounts.Scope(p)
	out := []Person{}
	for i := range all.list {
		a := &all.list[i]
		if a.ID == p.ID || a.Disabled || !d.o.Accounts.Authorize(a.Principal(), account.FamilyEdit, account.List("family")).Allow {
			continue
		}
		theirs := d.o.Accounts.Scope(a.Principal())
		meet := mine.All() || theirs.All() ||
			slices.ContainsFunc(theirs.Extensions(), func(e eco.ExtensionID) bool { return slices.Contains(mine.Extensions(), e) }) ||
			slices.ContainsFunc(theirs.Hosts(), func(h string) bool { return slices.Contains(mine.Hosts(), h) })
		if meet {
			out = append(out, all.person(a.ID))
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}
