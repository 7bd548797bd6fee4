package suspect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Bounds of one question, so that a family with a million crashes costs what one
// with a thousand does.
const (
	maxCrashes  = 500  // installations of a family that vote
	maxSessions = 3000 // rows of healthy sessions of a host that are drawn
	maxRows     = 5000 // of crashes that are read to choose from, the newest
	maxAlong    = 40   // families whose crashes are read together
	maxOthers   = 800  // crashes of a host, for comparison
	maxOfOne    = 60   // of them, of one family
	maxBytes    = 64 << 20
)

// ballot is a vote with when it was and whose.
type ballot struct {
	evidence.Vote
	at      int64
	family  string
	blame   eco.ExtensionID
	install eco.Install
}

func stratum(o *eco.Origin) string { return o.HostVersion + " " + o.OS }

// draw puts an installation, or a report without one, at a fixed place between 0
// and 2^64: those with the lowest places are a sample that more crashes only
// add to. Installations are random pseudonyms, but the hash costs nothing.
func draw(f *eco.Fact) uint64 {
	h := fnv.New64a()
	if f.Origin.Install != 0 {
		var b [8]byte
		for i := range b {
			b[i] = byte(uint64(f.Origin.Install) >> (8 * i))
		}
		h.Write(b[:])
		return h.Sum64()
	}
	h.Write(f.ID[:])
	return h.Sum64()
}

// of asks for rows of a kind that came in through the host's own projects.
func of(host string, kind eco.Kind, from, to time.Time, where ...facts.Cond) facts.Query {
	return facts.Query{Scope: facts.Everything(), From: from, To: to, Rows: true, Limit: maxRows, Where: append([]facts.Cond{
		in(facts.Kind, string(kind)), in(facts.Extension, ""), in(facts.Host, host),
	}, where...)}
}

func in(c facts.Column, values ...string) facts.Cond {
	return facts.Cond{Col: c, Op: facts.In, Values: values}
}

// merged asks about crashes by the families that people made of them.
func (d *Desk) merged(ctx context.Context, q facts.Query) (r facts.Result, err error) {
	if q.Relabel, err = d.o.Desk.Relabels(ctx); err != nil {
		return r, err
	}
	return d.o.Facts.Query(ctx, q)
}

// tally is a family's votes: one an installation, its newest crash, of at most 500
// installations. without counts those that do not say what was active.
type tally struct {
	votes   []ballot
	without int
}

// crashes are the votes of families of one host, each since its own day. They are
// read together: rows and documents lie by day, so a family by itself costs nearly
// what many do.
func (d *Desk) crashes(ctx context.Context, host string, since map[string]time.Time, to time.Time) (map[string]tally, error) {
	families, from := slices.Sorted(maps.Keys(since)), to
	for _, t := range since {
		if t.Before(from) {
			from = t
		}
	}
	r, err := d.merged(ctx, of(host, eco.KindCrash, from, to, in(facts.Family, families...)))
	if err != nil {
		return nil, err
	}
	rows := map[string][]*eco.Fact{}
	for i := range r.Facts {
		if f := &r.Facts[i]; f.Received >= since[f.Family].UnixMilli() {
			rows[f.Family] = append(rows[f.Family], f)
		}
	}
	var list []*eco.Fact
	out := map[string]tally{}
	for _, id := range families {
		one := onePerInstall(rows[id])
		slices.SortFunc(one, func(a, b *eco.Fact) int { return cmp.Compare(draw(a), draw(b)) })
		one = one[:min(len(one), maxCrashes)]
		out[id] = tally{without: len(one)}
		list = append(list, one...)
	}
	votes, err := d.ballots(ctx, list, func(f *eco.Fact) string { return f.Family })
	for _, v := range votes {
		t := out[v.family]
		t.votes, t.without = append(t.votes, v), t.without-1
		out[v.family] = t
	}
	return out, err
}

// onePerInstall keeps the first row of each installation, and each row of none. Of
// a crash that was only counted it is seldom known what was active: those with a
// stack go before them.
func onePerInstall(rows []*eco.Fact) []*eco.Fact {
	stacksFirst(rows)
	seen := map[eco.Install]bool{}
	return slices.DeleteFunc(rows, func(f *eco.Fact) bool {
		again := f.Origin.Install != 0 && seen[f.Origin.Install]
		seen[f.Origin.Install] = true
		return again
	})
}

// stacksFirst puts the crashes that were only counted behind the others.
func stacksFirst(rows []*eco.Fact) {
	behind := func(f *eco.Fact) int {
		if f.Counted() {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(rows, func(a, b *eco.Fact) int { return behind(a) - behind(b) })
}

// others are crashes of a host's families, the newest ones, some of each.
func (d *Desk) others(ctx context.Context, host string, from, to time.Time) ([]ballot, error) {
	r, err := d.merged(ctx, of(host, eco.KindCrash, from, to))
	if err != nil {
		return nil, err
	}
	type key struct {
		family  string
		install eco.Install
	}
	rows := make([]*eco.Fact, len(r.Facts))
	for i := range rows {
		rows[i] = &r.Facts[i]
	}
	stacksFirst(rows)
	seen, n := map[key]bool{}, map[string]int{}
	var list []*eco.Fact
	for _, f := range rows {
		k := key{f.Family, f.Origin.Install}
		if f.Family == "" || k.install != 0 && seen[k] || n[f.Family] == maxOfOne || len(list) == maxOthers {
			continue
		}
		seen[k] = true
		n[f.Family]++
		list = append(list, f)
	}
	return d.ballots(ctx, list, together)
}

// sessions are healthy sessions of a host: a sample by the keyed hash of the
// session, which no client can choose, so that all rows of a session are in or
// out together. One vote for each installation and stratum, as heavy as its
// sessions in the sample.
func (d *Desk) sessions(ctx context.Context, host string, from, to time.Time) ([]ballot, error) {
	named := facts.Cond{Col: facts.Session, Op: facts.NotIn, Values: []string{"0"}}
	q := of(host, eco.KindSession, from, to, named)
	q.Rows, q.Limit, q.Measures = false, 0, []facts.Measure{{Fn: facts.Rows}}
	r, err := d.o.Facts.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := int64(0)
	if len(r.Rows) > 0 {
		rows, _ = r.Rows[0][0].(int64)
	}
	q = of(host, eco.KindSession, from, to, named)
	if rows > maxSessions {
		share := float64(maxSessions) / float64(rows)
		upto := math.MinInt64 + int64(share*math.MaxInt64)*2
		q.Where = append(q.Where, facts.Cond{Col: facts.Session, Op: facts.Lt, Values: []string{strconv.FormatInt(upto, 10)}})
	}
	if r, err = d.o.Facts.Query(ctx, q); err != nil {
		return nil, err
	}
	broken := map[uint64]bool{}
	for i := range r.Facts {
		if f := &r.Facts[i]; f.Crashed > 0 || f.Abnormal > 0 {
			broken[f.Session] = true
		}
	}
	var list []*eco.Fact
	for i := range r.Facts {
		if f := &r.Facts[i]; f.Count > 0 && !broken[f.Session] {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *eco.Fact) int { return cmp.Compare(a.Session, b.Session) })
	votes, err := d.ballots(ctx, list[:min(len(list), maxSessions)], together)
	return perInstall(votes), err
}

// perInstall lets the sessions of an installation speak with one voice: that of
// the first, which is any of them, with the weight of all.
func perInstall(votes []ballot) []ballot {
	type key struct {
		install eco.Install
		stratum string
	}
	at := map[key]int{}
	var out []ballot
	for _, v := range votes {
		k := key{v.install, v.Stratum}
		if i, ok := at[k]; ok && k.install != 0 {
			out[i].Weight++
			continue
		}
		at[k] = len(out)
		v.Weight = 1
		out = append(out, v)
	}
	return out
}

// together is the one share of documents that are read for one comparison.
func together(*eco.Fact) string { return "" }

// ballots reads what was active from the documents of rows. Those without it are
// left out. Documents lie by day, so they are read by day, the newest first, in
// parts, and no more than maxBytes of each share of them; the votes come in the
// order of rows.
func (d *Desk) ballots(ctx context.Context, list []*eco.Fact, share func(*eco.Fact) string) ([]ballot, error) {
	byDay := slices.Clone(list)
	slices.SortFunc(byDay, func(a, b *eco.Fact) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	active := make(map[eco.ID][]eco.Active, len(list))
	size, now := map[string]int{}, d.o.Now().UnixMilli()
	for part := range slices.Chunk(byDay, 200) {
		var ids []eco.ID // of what was not read by an earlier run
		whose := map[eco.ID]string{}
		for _, f := range part {
			s := share(f)
			if size[s] > maxBytes {
				continue
			}
			list, n, ok := d.memo.get(f.ID, now)
			if !ok {
				ids, whose[f.ID] = append(ids, f.ID), s
				continue
			}
			active[f.ID] = list
			size[s] += n
		}
		docs, err := d.o.Facts.Documents(ctx, facts.Everything(), ids)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			size[whose[doc.ID]] += len(doc.Body)
			// A crash's document has the list inside its crash, a session's beside nothing.
			var body struct {
				Active []eco.Active `json:"active"`
				Crash  struct {
					Active []eco.Active `json:"active"`
				} `json:"crash"`
			}
			if json.Unmarshal(doc.Body, &body) == nil {
				ran := append(body.Active, body.Crash.Active...)
				slices.SortFunc(ran, func(a, b eco.Active) int { return cmp.Compare(a.ID, b.ID) }) // once, not in each question
				active[doc.ID] = ran
				d.memo.put(doc.ID, ran, len(doc.Body), now)
			}
		}
	}
	out := make([]ballot, 0, len(list))
	for _, f := range list {
		if a := active[f.ID]; len(a) > 0 {
			out = append(out, ballot{Vote: evidence.Vote{Stratum: stratum(&f.Origin), Active: a}, at: f.Received, family: f.Family, blame: f.Blame, install: f.Origin.Install})
		}
	}
	return out, nil
}
