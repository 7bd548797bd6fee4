package eval

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// A change is something that must not matter to a signature.
type change struct {
	name string
	do   func(*record)
}

// changes are those of section 6 D. Each is a pure function of the record.
var changes = []change{
	{"lines", func(r *record) {
		r.each(func(f *frame) {
			if f.Line > 0 {
				f.Line += 17 + len(f.Function)
			}
			if f.Col > 0 {
				f.Col += 5
			}
		})
	}},
	{"users", func(r *record) {
		r.paths(func(p string) string { return replaceAfter(p, "/Users/", "/home/", "maria.o'neil") })
	}},
	{"places", func(r *record) {
		r.paths(func(p string) string {
			for _, old := range [...]string{"c:/Program Files/", "C:/Program Files/", "/Applications/", "/usr/share/"} {
				if rest, ok := strings.CutPrefix(p, old); ok {
					return "/opt/" + rest
				}
			}
			return p
		})
	}},
	{"separators", func(r *record) {
		r.each(func(f *frame) {
			if strings.Contains(f.File, `\`) {
				f.File = strings.ReplaceAll(f.File, `\`, "/")
			} else if !strings.Contains(f.File, "://") {
				f.File = strings.ReplaceAll(f.File, "/", `\`)
			}
		})
	}},
	{"versions", func(r *record) {
		ext, version, ok := strings.Cut(r.Release, "@")
		if !ok || version == "" {
			return
		}
		other := version + "1"
		r.each(func(f *frame) { f.File = strings.ReplaceAll(f.File, ext+"-"+version, ext+"-"+other) })
		r.Release = ext + "@" + other
	}},
}

// each visits the frames of all throwables, on a copy.
func (r *record) each(do func(*frame)) {
	r.Frames = copyFrames(r.Frames, do)
	for _, list := range []*[]throwable{&r.Causes, &r.Suppressed} {
		copied := append([]throwable(nil), *list...)
		for i := range copied {
			copied[i].Frames = copyFrames(copied[i].Frames, do)
		}
		*list = copied
	}
}

func copyFrames(in []frame, do func(*frame)) []frame {
	out := append([]frame(nil), in...)
	for i := range out {
		do(&out[i])
	}
	return out
}

// paths changes paths in one notation and gives them back in their own.
func (r *record) paths(do func(string) string) {
	r.each(func(f *frame) {
		back := strings.Contains(f.File, `\`)
		p := do(strings.ReplaceAll(f.File, `\`, "/"))
		if back {
			p = strings.ReplaceAll(p, "/", `\`)
		}
		f.File = p
	})
}

// replaceAfter replaces the segment behind the first of two folders.
func replaceAfter(p, a, b, with string) string {
	for _, folder := range [...]string{a, b} {
		if i := strings.Index(p, folder); i >= 0 {
			rest := p[i+len(folder):]
			if j := strings.IndexByte(rest, '/'); j > 0 {
				return p[:i+len(folder)] + with + rest[j:]
			}
		}
	}
	return p
}

func (s *Set) stability(answers []Answer) Stability {
	out := Stability{Signatures: map[string]float64{}}
	for _, ch := range changes {
		same := 0
		for i := range s.records {
			r := s.records[i]
			ch.do(&r)
			c, o := r.crash()
			s.World.Classify(c, o)
			if signature.Sign(c).Hash == answers[i].Signature {
				same++
			}
		}
		out.Signatures[ch.name] = ratio(float64(same), float64(len(answers)))
	}
	out.Shuffled = s.shuffled(answers)
	out.Restarted = s.restarted(answers)
	return out
}

// shuffled runs the set again in another order within each day and compares the
// two partitions.
func (s *Set) shuffled(answers []Answer) float64 {
	order := make([]int, len(s.records))
	for i := range order {
		order[i] = i
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const day = 86400
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && s.records[to].Timestamp/day == s.records[from].Timestamp/day {
			to++
		}
		rng.Shuffle(to-from, func(i, j int) { order[from+i], order[from+j] = order[from+j], order[from+i] })
		from = to
	}
	x := family.NewIndex(family.Options{})
	a, b := make([]string, len(order)), make([]string, len(order))
	for n, i := range order {
		c, o := s.records[i].crash()
		a[n], b[n] = answers[i].Family, x.Place(judge(s.World, c, o).in).Family
	}
	return compare(a, b).F1
}

// restarted runs the set again with a new index from snapshots in the middle.
func (s *Set) restarted(answers []Answer) float64 {
	x := family.NewIndex(family.Options{})
	same := 0
	for i := range s.records {
		if i == len(s.records)/2 {
			y := family.NewIndex(family.Options{})
			for _, key := range x.Dirty() {
				data, err := x.Snapshot(key)
				if err != nil {
					return 0
				}
				if _, err := y.Restore(data); err != nil {
					return 0
				}
			}
			x = y
		}
		c, o := s.records[i].crash()
		if x.Place(judge(s.World, c, o).in).Family == answers[i].Family {
			same++
		}
	}
	return ratio(float64(same), float64(len(s.records)))
}

// vary makes copy k of a crash: the same extension, but a third of its functions
// have other names, so that blocks fill with new sequences and new families.
func (r *record) vary(k int) (*eco.Crash, eco.Origin) {
	v := *r
	suffix := "Copy" + strconv.Itoa(k)
	v.each(func(f *frame) {
		if h := signature.Hash64(f.Function + suffix); h%3 == 0 && len(f.Function) > 3 {
			f.Function += suffix
		}
	})
	return v.crash()
}
