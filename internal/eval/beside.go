package eval

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// What the evidence of past crashes needs before it answers here. A page waits for
// more (evidence.MinCrashes); an answer must be given now, and is scored.
const (
	besideLeast  = 5   // past crashes of the family
	besideStrict = 4   // a quarter of the level: it is asked for every family, and early
	besideKept   = 400 // past crashes of a family, or of a blamed extension, that are looked at
)

// beside blames by what was active (step 6) as crashes accumulate: a crash is
// judged by those before it alone. For a family that stands on an extension's code
// the question is what else was active, against the crashes of that extension's
// other families; so a defect of two extensions, of which only the victim is on
// the stack, shows the other one.
type beside struct {
	families map[string]*past          // by family
	blamed   map[eco.ExtensionID][]old // by blamed extension, "" for nobody
}

// old is a past crash.
type old struct {
	vote   evidence.Vote
	family string
	sig    string
}

// past is what is remembered of a family, and the last answer.
type past struct {
	list    []old
	asked   int
	suspect []eco.ExtensionID
}

func newBeside() *beside {
	return &beside{families: map[string]*past{}, blamed: map[eco.ExtensionID][]old{}}
}

// judge returns the extension to blame for a crash that was given a family, and
// then remembers the crash.
func (b *beside) judge(c *eco.Crash, r *read, family string) eco.ExtensionID {
	if len(c.Active) == 0 {
		return r.b.Extension
	}
	f := b.families[family]
	if f == nil {
		f = &past{}
		b.families[family] = f
	}
	if n := len(f.list); n >= besideLeast && (f.asked == 0 || n < 50 || n >= f.asked+f.asked/20) {
		b.ask(f, family, r.b.Extension)
	}
	lead := r.b.Extension
	for _, id := range f.suspect {
		if r.b.Target != blame.TargetInteraction && f.agrees(id, c.Active, r.sig.Hash) {
			lead = id
			break
		}
	}
	// One stratum: a few crashes cannot be split by host version and system.
	v := old{evidence.Vote{Active: c.Active}, family, r.sig.Hash}
	f.list = append(f.list[max(0, len(f.list)-besideKept+1):], v)
	all := b.blamed[r.b.Extension]
	b.blamed[r.b.Extension] = append(all[max(0, len(all)-besideKept+1):], v)
	return lead
}

func (b *beside) ask(f *past, family string, blamed eco.ExtensionID) {
	q := evidence.Question{Min: besideLeast, Strict: besideStrict}
	if blamed != "" {
		q.Given = []eco.ExtensionID{blamed}
	}
	for i := range f.list {
		q.Crashes = append(q.Crashes, f.list[i].vote)
	}
	for _, x := range b.blamed[blamed] {
		if x.family != family {
			q.Others = append(q.Others, x.vote)
		}
	}
	f.asked, f.suspect = len(f.list), f.suspect[:0]
	for _, x := range evidence.Weigh(q).Findings {
		if len(x.Members) == 1 && len(x.Alike) == 0 {
			f.suspect = append(f.suspect, x.Members[0].ID)
		}
	}
}

// agrees reports whether a suspect fits one crash: it was active, and so it was in
// most past crashes of the family with the very same signature. A family may hold
// two causes.
func (f *past) agrees(id eco.ExtensionID, active []eco.Active, sig string) bool {
	has := func(list []eco.Active) bool {
		return slices.ContainsFunc(list, func(a eco.Active) bool { return a.ID == id })
	}
	if !has(active) {
		return false
	}
	n, with := 0, 0
	for i := range f.list {
		if f.list[i].sig == sig {
			n++
			if has(f.list[i].vote.Active) {
				with++
			}
		}
	}
	return 2*with > n || n == 0
}
