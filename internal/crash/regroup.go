package crash

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Regrouping is a merge or split: what a person asks for, what it would do, and
// afterwards what was done.
type Regrouping struct {
	ID     string    `json:"id,omitempty"` // "" for a preview
	Kind   string    `json:"kind"`         // merge, split
	Family string    `json:"family"`       // a merge's target; the family a split makes
	At     time.Time `json:"at,omitzero"`
	Actor  string    `json:"actor,omitempty"`
	Note   string    `json:"note,omitempty"`
	Undone bool      `json:"undone,omitempty"`
	// Parts are the families that were merged in, or the one that was split.
	Parts      []string `json:"parts"`
	Signatures []string `json:"signatures,omitempty"` // that a split moved

	Before    []Group    `json:"before,omitempty"` // the families as they are, of all time
	After     []Group    `json:"after,omitempty"`  // and as they would be
	Conflicts []string   `json:"conflicts,omitempty"`
	Alike     []Likeness `json:"alike,omitempty"` // why the parts are like the target
	Along     []Along    `json:"along,omitempty"` // what people did with the parts, and what becomes of it
}

// Kinds of regroupings.
const (
	KindMerge = "merge"
	KindSplit = "split"
)

// Group is a family in short.
type Group struct {
	ID         string          `json:"id"`
	Title      string          `json:"title"`
	Blame      eco.ExtensionID `json:"blame,omitempty"`
	State      State           `json:"state"`
	Crashes    int64           `json:"crashes"`
	Installs   int64           `json:"installs"` // distinct
	Signatures int64           `json:"signatures"`
	Releases   []string        `json:"releases"` // the last ten with most crashes
}

// Likeness compares the representatives of two families, as the family rules do.
type Likeness struct {
	Family  string  `json:"family"`
	Other   string  `json:"other"`
	Score   float64 `json:"score"` // in [-1, 1]
	Matched []Match `json:"matched"`
	Left    []Match `json:"left"`  // only the family
	Right   []Match `json:"right"` // only the other
}

// Bounds of regroupings.
const (
	MaxMerge = 50   // families of one merge
	MaxSplit = 200  // signatures of one split
	maxLinks = 4000 // that hold at a time, of everybody
)

// Merge makes families part of another one.
type Merge struct {
	Into     string
	Families []string
	Actor    string
	Note     string
}

// Split makes a family of signatures of another one. Containing chooses every
// signature whose key or title holds these words, beside those that are listed.
type Split struct {
	Family     string
	Signatures []string
	Containing string
	Actor      string
	Note       string
}

// PreviewMerge says what a merge would do. It changes nothing.
func (d *Desk) PreviewMerge(ctx context.Context, scope facts.Scope, m Merge) (Regrouping, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return Regrouping{}, err
	}
	g, list, err := d.planMerge(ctx, scope, l, m)
	if err != nil {
		return Regrouping{}, err
	}
	if err := d.preview(ctx, scope, &g, list, mergeLinks(l, nil, g)); err != nil {
		return Regrouping{}, err
	}
	into := list[0]
	apart, err := d.apart(ctx, d.o.Records.Read(), into.ID)
	if err != nil {
		return Regrouping{}, err
	}
	for _, f := range list[1:] {
		g.Conflicts = append(g.Conflicts, conflicts(&into, &f)...)
		if _, no := apart[f.ID]; no {
			g.Conflicts = append(g.Conflicts, "Somebody said that "+f.ID+" and "+into.ID+" have not one cause.")
		}
		like, ok, err := d.alike(ctx, scope, &into, &f)
		if err != nil {
			return Regrouping{}, err
		}
		if ok {
			g.Alike = append(g.Alike, like)
		}
	}
	if d.hooks.Along != nil {
		g.Along, err = d.hooks.Along(ctx, g)
	}
	return g, err
}

// planMerge checks who may, and what; the first of the families is the target.
func (d *Desk) planMerge(ctx context.Context, scope facts.Scope, l *family.Links, m Merge) (Regrouping, []Family, error) {
	const op = "crash.Merge"
	into, err := d.owned(ctx, scope, m.Into)
	if err != nil {
		return Regrouping{}, nil, err
	}
	g := Regrouping{Kind: KindMerge, Family: into.ID, Note: eco.Clean(m.Note, MaxNote)}
	list := []Family{into}
	if len(m.Families) > MaxMerge {
		return g, nil, fault.E(op, fault.TooLarge, "At most "+strconv.Itoa(MaxMerge)+" families are merged at a time.", nil)
	}
	for _, id := range m.Families {
		f, err := d.owned(ctx, scope, id)
		if err != nil {
			return g, nil, err
		}
		if f.ID == into.ID || slices.Contains(g.Parts, f.ID) {
			continue
		}
		if !scope.All() && publisherOf(&f) != publisherOf(&into) {
			return g, nil, fault.E(op, fault.Forbidden, "Families of two publishers are merged by those who triage the whole ecosystem.", nil)
		}
		g.Parts = append(g.Parts, f.ID)
		list = append(list, f)
	}
	if len(g.Parts) == 0 {
		return g, nil, fault.E(op, fault.Invalid, "Name at least one other family; those given are one already.", nil)
	}
	return g, list, nil
}

// publisherOf is who a family belongs to: a publisher, or (with a blank before it) a host.
func publisherOf(f *Family) string {
	if f.Blame != "" {
		return f.Blame.Publisher()
	}
	return " " + f.Host
}

// mergeLinks are the links that hold after a merge, given those that hold now: new
// ones into the target, and none between what is one family then.
func mergeLinks(l *family.Links, now []family.Link, g Regrouping) []family.Link {
	if now == nil && l != nil {
		now = l.All()
	}
	one := map[string]bool{g.Family: true}
	for _, f := range append([]string{g.Family}, g.Parts...) {
		one[f] = true
		for _, m := range l.Merged(f) {
			one[m] = true
		}
	}
	out := slices.DeleteFunc(slices.Clone(now), func(k family.Link) bool { return k.Signature != "" && one[k.Family] && one[k.To] })
	for _, f := range g.Parts {
		out = append(out, family.Link{Family: f, To: g.Family})
	}
	return out
}

// PreviewSplit says what a split would do. It changes nothing.
func (d *Desk) PreviewSplit(ctx context.Context, scope facts.Scope, s Split) (Regrouping, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return Regrouping{}, err
	}
	g, f, err := d.planSplit(ctx, scope, s, "preview")
	if err != nil {
		return Regrouping{}, err
	}
	if err := d.preview(ctx, scope, &g, []Family{f}, append(l.All(), splitLinks(g)...)); err != nil {
		return Regrouping{}, err
	}
	g.Family = "" // it has its id when it is made
	for i := range g.After {
		if g.After[i].ID != f.ID {
			g.After[i].ID, g.After[i].Title, g.After[i].Blame = "", g.Note, f.Blame
		}
	}
	g.Note = eco.Clean(s.Note, MaxNote)
	return g, nil
}

func splitLinks(g Regrouping) []family.Link {
	out := make([]family.Link, len(g.Signatures))
	for i, s := range g.Signatures {
		out[i] = family.Link{Family: g.Parts[0], Signature: s, To: g.Family}
	}
	return out
}

// planSplit checks who may, and what. Note is the title of the family to be.
func (d *Desk) planSplit(ctx context.Context, scope facts.Scope, s Split, salt string) (Regrouping, Family, error) {
	const op = "crash.Split"
	f, err := d.owned(ctx, scope, s.Family)
	if err != nil {
		return Regrouping{}, f, err
	}
	all, err := d.everySignature(ctx, f.ID)
	if err != nil {
		return Regrouping{}, f, fault.Wrap(op, err)
	}
	g := Regrouping{Kind: KindSplit, Parts: []string{f.ID}, Signatures: []string{}}
	words := strings.ToLower(strings.TrimSpace(eco.Clean(s.Containing, maxContaining)))
	for _, sig := range all {
		listed := slices.Contains(s.Signatures, sig.Hash)
		if listed || words != "" && strings.Contains(strings.ToLower(sig.Key+"\n"+sig.Title), words) {
			g.Signatures = append(g.Signatures, sig.Hash)
			if g.Note == "" {
				g.Note = sig.Title
			}
		}
	}
	switch n := len(g.Signatures); {
	case n == 0:
		return g, f, fault.E(op, fault.Invalid, "Choose at least one signature of this family.", nil)
	case n == len(all):
		return g, f, fault.E(op, fault.Invalid, "A family keeps at least one of its signatures.", nil)
	case n > MaxSplit:
		return g, f, fault.E(op, fault.TooLarge, "At most "+strconv.Itoa(MaxSplit)+" signatures are split off at a time.", nil)
	}
	slices.Sort(g.Signatures)
	g.Family = family.Split(f.ID, salt+strings.Join(g.Signatures, " "))
	return g, f, nil
}

// everySignature lists a family's signatures that are written down, the oldest first.
func (d *Desk) everySignature(ctx context.Context, id string) ([]SignatureInfo, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []SignatureInfo
	err = each(append([]string{id}, l.Sources(id)...), func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT hash, family, sig_key, title, version, first_ms FROM crash_signature
			WHERE family IN (`+marks+`) ORDER BY first_ms, hash`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s SignatureInfo
			var of string
			var first int64
			if err := rows.Scan(&s.Hash, &of, &s.Key, &s.Title, &s.Version, &first); err != nil {
				return err
			}
			if s.FirstSeen = moment(first); l.Resolve(of, s.Hash) == id && !seen[s.Hash] {
				seen[s.Hash] = true
				out = append(out, s)
			}
		}
		return rows.Err()
	})
	return out, err
}

// preview counts families as they are and as they would be under other links.
func (d *Desk) preview(ctx context.Context, scope facts.Scope, g *Regrouping, list []Family, after []family.Link) error {
	now, err := d.linked(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	if g.Before, err = d.groups(ctx, scope, now.relabel, list, ids); err != nil {
		return err
	}
	next := linkedOf(0, after)
	if len(next.relabel) > maxLinks || next.links.Circle() {
		return tooMany(next)
	}
	var then []string
	for _, id := range append(ids, g.Family) {
		if r := next.links.Resolve(id, ""); !slices.Contains(then, r) {
			then = append(then, r)
		}
	}
	g.After, err = d.groups(ctx, scope, next.relabel, list, then)
	return err
}

func tooMany(l linked) error {
	if l.links.Circle() {
		return fault.E("crash.Regroup", fault.Conflict, "A merge or split since then stands in the way; take that back first.", nil)
	}
	return fault.E("crash.Regroup", fault.TooLarge, "There are too many merges and splits; take old ones back.", nil)
}

// groups counts families of all time, seen through relabels.
func (d *Desk) groups(ctx context.Context, scope facts.Scope, relabel []facts.Relabel, list []Family, ids []string) ([]Group, error) {
	all := func() *ask {
		a := &ask{facts.Query{Scope: scope, Relabel: relabel}}
		return a.in(facts.Kind, string(eco.KindCrash)).in(facts.Family, ids...)
	}
	put := func(a *ask) (facts.Result, error) {
		r, err := d.o.Facts.Query(ctx, a.q)
		return r, fault.Wrap("crash.groups", err)
	}
	r, err := put(all().by(facts.Family).sum(facts.Count, facts.Installs))
	if err != nil {
		return nil, err
	}
	at := map[string]*Group{}
	out := make([]Group, len(ids))
	for i, id := range ids {
		out[i] = Group{ID: id, State: Open, Releases: []string{}}
		at[id] = &out[i]
		for j := range list {
			if f := &list[j]; f.ID == id {
				out[i].Title, out[i].Blame, out[i].State = f.Title, f.Blame, f.State
			}
		}
	}
	for _, v := range r.Rows {
		at[text(v[0])].Crashes, at[text(v[0])].Installs = number(v[1]), number(v[2])
	}
	if r, err = put(all().by(facts.Family, facts.SubjectVer).sum(facts.Count).most(facts.Count).limit(500)); err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		if g := at[text(v[0])]; len(g.Releases) < 10 && text(v[1]) != "" {
			g.Releases = append(g.Releases, text(v[1]))
		}
	}
	for i := range out {
		slices.SortFunc(out[i].Releases, eco.CompareVersions)
	}
	if r, err = put(all().by(facts.Family, facts.Signature).sum(facts.Rows)); err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		at[text(v[0])].Signatures++
	}
	return out, nil
}

// alike compares the representatives of two families.
func (d *Desk) alike(ctx context.Context, scope facts.Scope, a, b *Family) (Likeness, bool, error) {
	x, err := d.crash(ctx, scope, a.Representative.String())
	if err == nil {
		var y Document
		if y, err = d.crash(ctx, scope, b.Representative.String()); err == nil {
			var t Together
			t.compare(describe(&x), describe(&y))
			t.redact(x, y, scope)
			return Likeness{Family: a.ID, Other: b.ID, Score: t.Score, Matched: t.Matched, Left: t.OnlyHere, Right: t.OnlyThere}, true, nil
		}
	}
	if fault.CodeOf(err) == fault.NotFound { // expired or erased: nothing to compare
		return Likeness{}, false, nil
	}
	return Likeness{}, false, err
}
