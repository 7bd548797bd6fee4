package suspect

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of one run; the next one goes on.
const (
	maxFamilies = 200
	keepBefore  = 20 // what is kept of a family's history
	keepDays    = 90
)

// due is a family that may be looked at.
type due struct {
	id, host       string
	crashes, first int64
	was            stored
}

// Recompute is the job: it asks again for the families that crashes came to, or
// went from, since they were last asked for.
func (d *Desk) Recompute(ctx context.Context) (note string, err error) {
	const op = "suspect.Recompute"
	d.run.Lock()
	defer d.run.Unlock()
	now := d.o.Now()
	defer d.memo.forget(now.Add(-keepUnread).UnixMilli())
	from := eco.DayOf(now.AddDate(0, 0, -Days)).Time()
	list, err := d.due(ctx, from, now)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	g := &gathered{d: d, from: from, to: now, hosts: map[string]*hostVotes{}, crashes: map[string]tally{}}
	asked, named := 0, 0
	list = list[:min(len(list), maxFamilies)]
	for _, f := range list {
		rec, err := g.ask(ctx, f, list[asked:])
		if err != nil {
			return "", fault.Wrap(op, err)
		}
		if err := d.put(ctx, f, rec, now); err != nil {
			return "", fault.Wrap(op, err)
		}
		asked++
		if len(rec.Answer.Findings) > 0 {
			named++
		}
	}
	if err := d.forget(ctx, now); err != nil {
		return "", fault.Wrap(op, err)
	}
	if asked == 0 {
		return "nothing new", nil
	}
	if _, err := d.Refresh(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d families asked for, %d with a finding", asked, named), nil
}

// due lists families with crashes through a host whose number has changed, those
// that changed most first. A large family is asked for again when a fiftieth of it
// is new, or an hour has gone.
func (d *Desk) due(ctx context.Context, from, now time.Time) ([]due, error) {
	r, err := d.merged(ctx, facts.Query{Scope: facts.Everything(), From: from, To: now.Add(time.Millisecond),
		Where: []facts.Cond{in(facts.Kind, string(eco.KindCrash)), in(facts.Extension, ""), {Col: facts.Family, Op: facts.NotIn, Values: []string{""}}, {Col: facts.Host, Op: facts.NotIn, Values: []string{""}}},
		Group: []facts.Column{facts.Family, facts.Host}, Measures: []facts.Measure{{Fn: facts.Count}, {Fn: facts.First}},
		Order: []facts.Order{{By: string(facts.Count), Desc: true}}})
	if err != nil {
		return nil, err
	}
	was, err := d.newest(ctx, "")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []due
	for _, row := range r.Rows {
		id, _ := row[0].(string)
		host, _ := row[1].(string)
		n, _ := row[2].(int64)
		first, _ := row[3].(int64)
		if seen[id] { // at another host, with fewer crashes
			continue
		}
		seen[id] = true
		w := was[id]
		delete(was, id)
		changed := max(n-w.crashes, w.crashes-n)
		if changed == 0 || changed*50 < n && now.UnixMilli()-w.at < time.Hour.Milliseconds() {
			continue
		}
		out = append(out, due{id: id, host: host, crashes: n, first: first, was: w})
	}
	for id, w := range was { // their last crash has expired or was erased
		if w.crashes > 0 && !r.More {
			out = append(out, due{id: id, host: w.rec.Host, was: w})
		}
	}
	change := func(x due) float64 {
		return float64(max(x.crashes-x.was.crashes, x.was.crashes-x.crashes)) / float64(max(x.crashes, 1))
	}
	slices.SortFunc(out, func(a, b due) int {
		return cmp.Or(cmp.Compare(change(b), change(a)), cmp.Compare(b.crashes, a.crashes), cmp.Compare(a.id, b.id))
	})
	return out, nil
}

// gathered holds the votes of hosts during one run.
type gathered struct {
	d        *Desk
	from, to time.Time
	hosts    map[string]*hostVotes
	crashes  map[string]tally // by family: of those that were read along with another
}

type hostVotes struct {
	sessions, others []ballot
	seen             sightings // of their installations; nil until it is needed
}

func (g *gathered) host(ctx context.Context, host string) (*hostVotes, error) {
	if h := g.hosts[host]; h != nil {
		return h, nil
	}
	h := &hostVotes{}
	var err error
	if h.sessions, err = g.d.sessions(ctx, host, g.from, g.to); err != nil {
		return nil, err
	}
	if h.others, err = g.d.others(ctx, host, g.from, g.to); err != nil {
		return nil, err
	}
	g.hosts[host] = h
	return h, nil
}

// since is the day of a family's first crash: what is compared is from then on.
func (g *gathered) since(f due) time.Time {
	if first := eco.DayOf(time.UnixMilli(f.first)).Time(); f.first > 0 && first.After(g.from) {
		return first
	}
	return g.from
}

// votes are those of a family's crashes. With them come those of the next ones of
// its host, as many as one question to facts may answer.
func (g *gathered) votes(ctx context.Context, f due, next []due) (tally, error) {
	if t, ok := g.crashes[f.id]; ok {
		delete(g.crashes, f.id)
		return t, nil
	}
	since, rows := map[string]time.Time{f.id: g.since(f)}, f.crashes
	for _, n := range next {
		if _, read := g.crashes[n.id]; n.host == f.host && n.crashes >= evidence.MinCrashes && rows+n.crashes <= maxRows && !read && len(since) < maxAlong {
			since[n.id] = g.since(n)
			rows += n.crashes
		}
	}
	read, err := g.d.crashes(ctx, f.host, since, g.to)
	if err != nil {
		return tally{}, err
	}
	maps.Copy(g.crashes, read)
	delete(g.crashes, f.id)
	return read[f.id], nil
}

// ask weighs one family; next are those that will be asked for after it.
func (g *gathered) ask(ctx context.Context, f due, next []due) (record, error) {
	from := g.since(f)
	rec := record{Version: version, Host: f.host, From: from.UnixMilli()}
	known, err := g.d.o.Desk.Known(ctx, []string{f.id})
	if err != nil {
		return rec, err
	}
	q := evidence.Question{}
	if k := known[f.id]; k != nil && k.Blame != "" {
		rec.Given = k.Blame
		q.Given = []eco.ExtensionID{k.Blame}
	}
	if f.crashes < evidence.MinCrashes {
		rec.Answer = evidence.Weigh(q)
		rec.Answer.Needs = evidence.MinCrashes - int(f.crashes)
		return rec, nil
	}
	crashes, err := g.votes(ctx, f, next)
	if err != nil {
		return rec, err
	}
	h, err := g.host(ctx, f.host)
	if err != nil {
		return rec, err
	}
	rec.Without = crashes.without
	q = rec.question(f.id, q, crashes.votes, h, everybody)
	if rec.Answer = evidence.Weigh(q); len(rec.Answer.Findings) == 0 {
		return rec, nil
	}
	regulars, err := g.regulars(ctx, h, f.host, crashes.votes)
	if err != nil {
		return rec, err
	}
	told := evidence.Weigh(rec.question(f.id, q, crashes.votes, h, regulars))
	rec.Told = &told
	return rec, nil
}

// question is q with the votes about one family that may speak.
func (rec *record) question(family string, q evidence.Question, crashes []ballot, h *hostVotes, may func(*ballot) bool) evidence.Question {
	q.Crashes, q.Sessions, q.Others = nil, nil, nil
	for i := range crashes {
		if may(&crashes[i]) {
			q.Crashes = append(q.Crashes, crashes[i].Vote)
		}
	}
	for i := range h.sessions {
		if v := &h.sessions[i]; v.at >= rec.From && may(v) {
			q.Sessions = append(q.Sessions, v.Vote)
		}
	}
	for i := range h.others {
		if v := &h.others[i]; v.at >= rec.From && v.family != family && (rec.Given == "" || v.blame == rec.Given) && may(v) {
			q.Others = append(q.Others, v.Vote)
		}
	}
	return q
}

func everybody(*ballot) bool { return true }

// put keeps an answer: over the one before when it names the same, else beside it.
func (d *Desk) put(ctx context.Context, f due, rec record, now time.Time) error {
	body, err := json.Marshal(rec)
	if err != nil {
		return fault.E("suspect.put", fault.Internal, "The answer could not be written.", err)
	}
	named, since := namesText(rec.Answer), now.UnixMilli()
	if f.was.family != "" && f.was.named == named {
		since = f.was.since
	}
	return d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO suspect_answer (family, since_ms, at_ms, crashes, named, answer) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (family, since_ms) DO UPDATE SET at_ms = excluded.at_ms, crashes = excluded.crashes, named = excluded.named, answer = excluded.answer`,
			f.id, since, now.UnixMilli(), f.crashes, named, body)
		if err != nil {
			return err
		}
		// What was is kept as names and times alone: its numbers are of crashes that may be gone.
		_, err = tx.ExecContext(ctx, `UPDATE suspect_answer SET answer = $1 WHERE family = $2 AND since_ms < $3`, []byte("{}"), f.id, since)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM suspect_answer WHERE family = $1 AND since_ms NOT IN (
			SELECT since_ms FROM suspect_answer WHERE family = $1 ORDER BY since_ms DESC LIMIT $2)`, f.id, keepBefore)
		return err
	})
}

// forget drops answers that nobody renewed for the life of a crash.
func (d *Desk) forget(ctx context.Context, now time.Time) error {
	return d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM suspect_answer WHERE at_ms < $1`, now.AddDate(0, 0, -keepDays).UnixMilli())
		return err
	})
}

// newest reads what the evidence says now, of one family or of all.
func (d *Desk) newest(ctx context.Context, family string) (map[string]stored, error) {
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT family, since_ms, at_ms, crashes, named, answer FROM suspect_answer a
		WHERE ($1 = '' OR family = $1) AND since_ms = (SELECT max(since_ms) FROM suspect_answer b WHERE b.family = a.family)`, family)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]stored{}
	for rows.Next() {
		var s stored
		var body []byte
		if err := rows.Scan(&s.family, &s.since, &s.at, &s.crashes, &s.named, &body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &s.rec); err != nil || s.rec.Version != version && s.crashes > 0 { // of another release: asked for anew
			s.crashes = -1
		}
		out[s.family] = s
	}
	return out, rows.Err()
}
