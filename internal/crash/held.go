package crash

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// HeldSum is how much of a project is held: crashes of bursts that looked forged,
// which are in no other count.
type HeldSum struct {
	Project  int64     `json:"project"`
	Crashes  int64     `json:"crashes"`
	Installs int64     `json:"installs"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Held is what of one project is held, by signature, the largest first.
type Held struct {
	HeldSum
	Groups []HeldGroup `json:"groups"`
	More   bool        `json:"more,omitempty"` // there are more than MaxHeldGroups
}

// HeldGroup is what is held of one signature.
type HeldGroup struct {
	Signature string    `json:"signature"`
	Title     string    `json:"title"`
	Crashes   int64     `json:"crashes"`
	Installs  int64     `json:"installs"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Newest    eco.ID    `json:"newest"`          // a crash of it to look at
	Known     bool      `json:"known,omitempty"` // crashes of it came in that are not held
	Why       string    `json:"why,omitempty"`   // what the door said when it held the newest
}

// MaxHeldGroups bounds the signatures of one answer.
const MaxHeldGroups = 50

// heldDays is how far back held crashes are looked for: as long as they are kept.
const heldDays = 91

func (d *Desk) heldOf(scope facts.Scope) *ask {
	now := d.o.Now()
	p := d.period(Period{From: now.AddDate(0, 0, -heldDays)})
	return p.crashes(scope).in(facts.Quarantined, "1")
}

// HeldSums says how much is held of each project that has any, of those given (nil
// = of all), within the scope.
func (d *Desk) HeldSums(ctx context.Context, scope facts.Scope, projects []int64) ([]HeldSum, error) {
	a := d.heldOf(scope).by(facts.Project).sum(facts.Count, facts.Installs, facts.First, facts.Last).most(facts.Count).limit(1000)
	if projects != nil {
		var list []string
		for _, p := range projects {
			list = append(list, strconv.FormatInt(p, 10))
		}
		a.in(facts.Project, list...)
	}
	r, err := d.query(ctx, a)
	if err != nil {
		return nil, err
	}
	out := make([]HeldSum, 0, len(r.Rows))
	for _, row := range r.Rows {
		out = append(out, HeldSum{Project: number(row[0]), Crashes: number(row[1]), Installs: number(row[2]), First: moment(row[3]), Last: moment(row[4])})
	}
	return out, nil
}

// Held says what of a project is held and why. Nothing held is no error.
func (d *Desk) Held(ctx context.Context, scope facts.Scope, project int64) (Held, error) {
	h := Held{HeldSum: HeldSum{Project: project}, Groups: []HeldGroup{}}
	sums, err := d.HeldSums(ctx, scope, []int64{project})
	if err != nil || len(sums) == 0 {
		return h, err
	}
	h.HeldSum = sums[0]
	of := strconv.FormatInt(project, 10)
	r, err := d.query(ctx, d.heldOf(scope).in(facts.Project, of).by(facts.Signature, facts.Name).
		sum(facts.Count, facts.Installs, facts.First, facts.Last).most(facts.Count).limit(MaxHeldGroups+1))
	if err != nil {
		return h, err
	}
	h.More = len(r.Rows) > MaxHeldGroups
	rows := r.Rows[:min(len(r.Rows), MaxHeldGroups)]
	known, err := d.counted(ctx, scope, of, rows)
	if err != nil {
		return h, err
	}
	for _, row := range rows {
		g := HeldGroup{Signature: text(row[0]), Title: text(row[1]), Crashes: number(row[2]), Installs: number(row[3]), First: moment(row[4]), Last: moment(row[5]), Known: known[text(row[0])]}
		if err := d.newestHeld(ctx, scope, of, &g); err != nil {
			return h, err
		}
		h.Groups = append(h.Groups, g)
	}
	return h, nil
}

// counted tells the signatures of a list of which crashes came in that count.
func (d *Desk) counted(ctx context.Context, scope facts.Scope, project string, rows [][]any) (map[string]bool, error) {
	var list []string
	for _, row := range rows {
		list = append(list, text(row[0]))
	}
	p := d.period(Period{From: d.o.Now().AddDate(0, 0, -heldDays)})
	r, err := d.query(ctx, p.crashes(scope).in(facts.Project, project).in(facts.Signature, list...).by(facts.Signature).sum(facts.Rows).limit(len(list)+1))
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, row := range r.Rows {
		out[text(row[0])] = true
	}
	return out, nil
}

// newestHeld fills in the newest crash of a group, its title and the door's reason.
func (d *Desk) newestHeld(ctx context.Context, scope facts.Scope, project string, g *HeldGroup) error {
	a := d.heldOf(scope).in(facts.Project, project).in(facts.Signature, g.Signature).limit(1)
	a.q.Rows, a.q.Order = true, []facts.Order{{By: string(facts.ID), Desc: true}}
	r, err := d.query(ctx, a)
	if err != nil || len(r.Facts) == 0 {
		return err
	}
	g.Newest = r.Facts[0].ID
	doc, ok, err := d.document(ctx, scope, []eco.ID{g.Newest})
	if err != nil || !ok {
		return err
	}
	doc = Redact(doc, scope)
	if doc.Signature.Title != "" {
		g.Title = doc.Signature.Title
	}
	for _, s := range doc.Steps {
		if why, is := strings.CutPrefix(s.Note, HeldNote); is {
			g.Why = why
		}
	}
	return nil
}

// HeldNote begins the note of the step in which the door held a crash.
const HeldNote = "quarantined: "

// MaxHeldPage bounds one call of HeldCrashes; a question to facts can name as many ids.
const MaxHeldPage = 500

// HeldCrashes returns held crashes with their documents, oldest first, from an id
// on and up to one, both inclusive; of one signature or ("") all. For the flow,
// which lets them go: it is not redacted. next is where to go on, zero at the end.
func (d *Desk) HeldCrashes(ctx context.Context, project int64, signature string, from, upto eco.ID, limit int) (list []HeldCrash, next eco.ID, err error) {
	limit = min(limit, MaxHeldPage)
	a := d.heldOf(facts.Everything()).in(facts.Project, strconv.FormatInt(project, 10)).is(facts.Signature, signature).limit(limit)
	a.q.Rows, a.q.Order = true, []facts.Order{{By: string(facts.ID)}}
	a.q.Where = append(a.q.Where, facts.Cond{Col: facts.ID, Op: facts.Ge, Values: []string{from.String()}}, facts.Cond{Col: facts.ID, Op: facts.Lt, Values: []string{after(upto).String()}})
	r, err := d.query(ctx, a)
	if err != nil || len(r.Facts) == 0 {
		return nil, eco.ID{}, err
	}
	ids := make([]eco.ID, len(r.Facts))
	for i := range r.Facts {
		ids[i] = r.Facts[i].ID
	}
	docs, err := d.o.Facts.Documents(ctx, facts.Everything(), ids)
	if err != nil {
		return nil, eco.ID{}, fault.Wrap("crash.HeldCrashes", err)
	}
	for i := range r.Facts {
		h := HeldCrash{Fact: r.Facts[i]}
		if j := slices.IndexFunc(docs, func(x facts.Doc) bool { return x.ID == h.Fact.ID }); j >= 0 {
			h.Whole = json.Unmarshal(docs[j].Body, &h.Doc) == nil && h.Doc.Version != 0
			docs = docs[j+1:] // both are in the order of ids
		}
		list = append(list, h)
	}
	if len(r.Facts) == limit {
		next = after(ids[len(ids)-1])
	}
	return list, next, nil
}

// HeldCrash is a held crash as it is kept.
type HeldCrash struct {
	Fact  eco.Fact
	Doc   Document
	Whole bool // the document is there and can be read
}

// after is the next id in order.
func after(id eco.ID) eco.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			return id
		}
	}
	return eco.ID{15: 0xff, 0: 0xff} // past the last: no time is so late
}

// Freed is the id that a held crash gets when it is let go: always the same one,
// with the same time of receipt.
func Freed(id eco.ID) eco.ID {
	sum := sha256.Sum256(append([]byte("released "), id[:]...))
	var random [16]byte
	copy(random[6:], sum[:])
	return eco.NewID(id.Time(), random)
}
