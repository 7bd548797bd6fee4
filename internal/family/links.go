package family

import (
	"cmp"
	"slices"
)

// Link is what a person decided: the crashes of a family that have a signature, or
// (without one) all of them, belong to another family. A merge is one link; a
// split is one a signature. A crash is always kept under the family that the rules
// found, and links are followed whenever it is read: so taking a link back gives
// exactly what was before. Only crashes of yet other signatures that look like one
// that was split off are kept under the family that the split made.
type Link struct{ Family, Signature, To string }

// Links are links to be followed. They are never changed once made; the nil Links
// are none.
type Links struct {
	to     map[step]string
	into   map[string][]string // the other way round, whatever the signature
	signed map[string][]string // family -> signatures that leave it
}

type step struct{ family, signature string }

// NewLinks makes links of a list. Of two with one beginning the last holds.
func NewLinks(list []Link) *Links {
	l := &Links{to: map[step]string{}, into: map[string][]string{}, signed: map[string][]string{}}
	for _, k := range list {
		l.to[step{k.Family, k.Signature}] = k.To
	}
	for s, to := range l.to {
		if !slices.Contains(l.into[to], s.family) {
			l.into[to] = append(l.into[to], s.family)
		}
		if s.signature != "" {
			l.signed[s.family] = append(l.signed[s.family], s.signature)
		}
	}
	return l
}

// Resolve returns the family that a crash belongs to, given the one it is kept
// under and its signature; "" as signature follows merges alone. A circle, which
// nobody may make, ends where it closes.
func (l *Links) Resolve(family, signature string) string {
	to, _ := l.follow(family, signature)
	return to
}

// Landing is the family to which a split on the way of a crash leads, the last of
// several, without the merges that follow; without a split, the family itself.
func (l *Links) Landing(family, signature string) string {
	_, at := l.follow(family, signature)
	return at
}

func (l *Links) follow(family, signature string) (root, landing string) {
	root, landing = family, family
	if l == nil {
		return
	}
	for range len(l.to) {
		next, ok := "", false
		if signature != "" {
			next, ok = l.to[step{root, signature}]
		}
		if ok {
			root, landing = next, next
			continue
		}
		if next, ok = l.to[step{root, ""}]; !ok {
			return
		}
		root = next
	}
	return
}

// Sources lists the other families under which crashes of a family may be kept, sorted.
func (l *Links) Sources(family string) []string {
	if l == nil {
		return nil
	}
	var out []string
	for queue := []string{family}; len(queue) > 0; queue = queue[1:] {
		for _, f := range l.into[queue[0]] {
			if f != family && !slices.Contains(out, f) {
				out = append(out, f)
				queue = append(queue, f)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Merged lists the families that are wholly part of another one, sorted.
func (l *Links) Merged(into string) []string {
	return slices.DeleteFunc(l.Sources(into), func(f string) bool { return l.Resolve(f, "") != into })
}

// Flat gives for every family with a link where its crashes end, one entry a
// signature that ends elsewhere: what an engine needs to follow links in one step.
func (l *Links) Flat() []Link {
	if l == nil {
		return nil
	}
	var all []string
	for s := range l.to {
		all = append(all, s.family)
	}
	slices.Sort(all)
	var out []Link
	for _, f := range slices.Compact(all) {
		root := l.Resolve(f, "")
		var sigs []string
		for at := range l.path(f) {
			sigs = append(sigs, l.signed[at]...)
		}
		slices.Sort(sigs)
		for _, s := range slices.Compact(sigs) {
			if to := l.Resolve(f, s); to != root {
				out = append(out, Link{f, s, to})
			}
		}
		if root != f {
			out = append(out, Link{f, "", root})
		}
	}
	return out
}

// path are the families on the way that merges lead from one.
func (l *Links) path(f string) map[string]bool {
	out := map[string]bool{}
	for !out[f] {
		out[f] = true
		if next, ok := l.to[step{f, ""}]; ok {
			f = next
		}
	}
	return out
}

// Circle reports whether merges, or a signature's links, lead back to where they began.
func (l *Links) Circle() bool {
	for s := range l.to {
		at := s.family
		for range len(l.to) + 1 {
			next, ok := "", false
			if s.signature != "" {
				next, ok = l.to[step{at, s.signature}]
			}
			if !ok {
				next, ok = l.to[step{at, ""}]
			}
			if at = next; !ok {
				break
			}
		}
		if at != "" {
			return true
		}
	}
	return false
}

// Split is the id of the family that a split of another one makes; salt tells splits apart.
func Split(from, salt string) string { return familyID("split", from, hashOf(salt)) }

// Names reports whether a link begins or ends at a family.
func (l *Links) Names(f string) bool {
	if l == nil {
		return false
	}
	_, merged := l.to[step{f, ""}]
	return merged || len(l.into[f]) > 0 || len(l.signed[f]) > 0
}

// All lists the links, sorted.
func (l *Links) All() []Link {
	if l == nil {
		return nil
	}
	out := make([]Link, 0, len(l.to))
	for s, to := range l.to {
		out = append(out, Link{s.family, s.signature, to})
	}
	slices.SortFunc(out, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Signature, b.Signature))
	})
	return out
}
