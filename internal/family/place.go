package family

import (
	"encoding/base32"
	"encoding/binary"
	"slices"

	"github.com/bellwether-project/bellwether/internal/signature"
)

// strange reports whether the crash's innermost in-app function cannot be the
// family's own under a new name: both were seen in one build, as two. Of functions
// whose names are made up anew by each build the files are compared as well.
func (b *block) strange(f *fam, q *stack, build uint64) bool {
	return b.apart(f.tops, f.builds, q, q.top, build) || b.apart(f.files, f.builds, q, q.file, build)
}

func (b *block) apart(had []uint32, builds uint64, q *stack, at int, build uint64) bool {
	if at < 0 || len(had) == 0 || slices.Contains(had, q.ids[at]) {
		return false
	}
	if id := q.ids[at]; id != noID {
		build |= b.seen[id]
	}
	return build&builds != 0
}

// saw notes that a member of a family came, in this build.
func (b *block) saw(f *fam, q *stack, build uint64) {
	f.builds |= build
	note := func(list []uint32, at int) []uint32 {
		if at < 0 || len(list) == maxSeen || slices.Contains(list, q.ids[at]) {
			return list
		}
		return append(list, q.ids[at])
	}
	f.tops, f.files = note(f.tops, q.top), note(f.files, q.file)
	for i, id := range q.ids {
		if q.own[i] {
			b.seen[id] |= build
		}
	}
}

// place decides for one crash. Links say what people decided about families.
func (b *block) place(in *Input, given string, links *Links) Placement {
	b.seq++
	b.dirty = true
	builds := b.build(in.Build, true)
	if k, ok := b.known[in.Sequence]; ok && given == "" {
		b.families[k.family].builds |= builds
		b.remember(in, k.family)
		return Placement{Family: b.families[k.family].id, Known: true, Score: 1}
	}
	q := weigh(in, b.learn)
	p := Placement{Score: -1}
	target := int32(-1)
	if given != "" {
		target = b.familyOf(given)
	}
	novel, torn := true, false
	near := b.nearest(&q, builds, placeAmong)
	for _, s := range near {
		r := &b.reps[s.rep]
		id := b.families[r.family].id
		if target < 0 && !torn && s.sim >= b.t.threshold {
			if torn = b.torn(near, s, links); !torn {
				if target = b.follow(in, r, links); target != r.family {
					p.Score, r.used = s.sim, b.seq
					novel = s.sim < b.t.novelty
				}
			}
		}
		if r = &b.reps[s.rep]; r.family == target && p.Score < s.sim {
			p.Score, r.used = s.sim, b.seq
			novel = s.sim < b.t.novelty
		}
		// A doubtful join and a near miss are both for a person to see.
		if s.sim >= b.t.threshold-b.t.margin && p.Score < b.t.threshold+b.t.margin && r.family != target && len(p.Near) < maxNear {
			if !slices.ContainsFunc(p.Near, func(n Near) bool { return n.Family == id }) {
				p.Near = append(p.Near, Near{id, s.sim})
			}
		}
	}
	if target < 0 {
		target, p.New = b.open(in), true
		if len(near) > 0 {
			p.Score = near[0].sim
		}
	}
	p.Family = b.families[target].id
	b.saw(&b.families[target], &q, builds)
	if novel {
		b.add(rep{stack: q, family: target, used: b.seq, sig: in.Signature})
	}
	b.remember(in, target)
	return p
}

// torn reports whether a crash is no more like its nearest family than like another
// one, and not much like either: a new family, and a person's decision, harm less
// than a toss.
func (b *block) torn(near []scored, best scored, links *Links) bool {
	if best.sim >= b.t.threshold+b.t.doubt {
		return false
	}
	root := links.Resolve(b.families[b.reps[best.rep].family].id, "")
	for _, s := range near {
		f := b.reps[s.rep].family
		if f != b.reps[best.rep].family && best.sim-s.sim < b.t.tie && links.Resolve(b.families[f].id, "") != root {
			return true
		}
	}
	return false
}

// follow is the family that a crash joins with its nearest representative: when a
// person split that one's signature off, the crash goes with it, unless the rules
// of links lead its own signature somewhere already.
func (b *block) follow(in *Input, r *rep, links *Links) int32 {
	id := b.families[r.family].id
	if links.Landing(id, in.Signature) != id {
		return r.family
	}
	if to := links.Landing(id, r.sig); to != id {
		return b.familyOf(to)
	}
	return r.family
}

// open makes a new family. Its id is a hash of the block and its first crash.
func (b *block) open(in *Input) int32 {
	for salt := uint64(0); ; salt++ {
		id := familyID(b.key, in.Signature, in.Sequence+salt)
		if _, taken := b.byID[id]; !taken {
			return b.familyOf(id)
		}
	}
}

// familyOf returns the number of a family in this block, which it enters if need be.
func (b *block) familyOf(id string) int32 {
	if f, ok := b.byID[id]; ok {
		return f
	}
	f := int32(len(b.families))
	b.families = append(b.families, fam{id: id})
	b.byID[id] = f
	b.bytes += familyBytes
	return f
}

const familyBytes = 136

// letters is Crockford's base 32: no I, L, O or U.
var letters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func hashOf(s string) uint64 { return signature.Hash64(s) }

func familyID(key, sig string, sequence uint64) string {
	h := signature.Hash64(Version + "\n" + key + "\n" + sig)
	h = (h ^ sequence) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], h)
	return "F-" + letters.EncodeToString(raw[:])
}
