package crash

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Impact is what a family did in the 30 days before a moment, over everybody's crashes.
type Impact struct {
	Crashes  int64
	Installs int64   // distinct ones
	Share    float64 // of all crashes of its extension or, without one, of its host
	Trend    float64 // crashes of the last 7 days by those of the 7 days before (at least 1)
	Versions int     // releases it was seen in
}

// impactDays is the span of Impact.
const impactDays = 30

// impactChunk keeps the answers of one question below facts.MaxLimit: families by days.
const impactChunk = 300

// Impacts measures families; those without a crash in the span are missing. It
// is for the server's own decisions, never for a page of somebody with less than all.
func (d *Desk) Impacts(ctx context.Context, ids []string) (map[string]Impact, error) {
	out := make(map[string]Impact, len(ids))
	p := d.period(Period{From: d.o.Now().AddDate(0, 0, -impactDays)})
	all := facts.Everything()
	totals, err := d.inTurn(ctx, p.crashes(all).by(facts.SubjectExt).sum(facts.Count), p.crashes(all).by(facts.Host).sum(facts.Count))
	if err != nil {
		return nil, err
	}
	var of [2]map[string]int64
	for i, r := range totals {
		of[i] = map[string]int64{}
		for _, v := range r.Rows {
			of[i][text(v[0])] = number(v[1])
		}
	}
	today := eco.DayOf(d.o.Now()).Time()
	for part := range slices.Chunk(ids, impactChunk) {
		known, err := families(ctx, d.o.Flow.Read(), part)
		if err != nil {
			return nil, fault.Wrap("crash.Impacts", err)
		}
		r, err := d.inTurn(ctx, p.crashes(all).in(facts.Family, part...).by(facts.Family).sum(facts.Count, facts.Installs),
			p.crashes(all).in(facts.Family, part...).by(facts.Family, facts.Date).sum(facts.Count),
			p.crashes(all).in(facts.Family, part...).by(facts.Family, facts.SubjectVer).sum(facts.Count).most(facts.Count))
		if err != nil {
			return nil, err
		}
		for _, v := range r[0].Rows {
			m := Impact{Crashes: number(v[1]), Installs: number(v[2])}
			if f := known[text(v[0])]; f != nil {
				total := of[0][string(f.Blame)]
				if f.Blame == "" {
					total = of[1][f.Host]
				}
				if total > 0 {
					m.Share = min(float64(m.Crashes)/float64(total), 1)
				}
			}
			out[text(v[0])] = m
		}
		now, before := map[string]int64{}, map[string]int64{}
		for _, v := range r[1].Rows {
			switch age := int(today.Sub(eco.Day(number(v[1])).Time()) / (24 * time.Hour)); {
			case age < 7:
				now[text(v[0])] += number(v[2])
			case age < 14:
				before[text(v[0])] += number(v[2])
			}
		}
		for _, v := range r[2].Rows {
			if m, ok := out[text(v[0])]; ok && text(v[1]) != "" {
				m.Versions++
				out[text(v[0])] = m
			}
		}
		for _, id := range part {
			if m, ok := out[id]; ok {
				m.Trend = float64(now[id]) / float64(max(before[id], 1))
				out[id] = m
			}
		}
	}
	return out, nil
}

// inTurn asks several questions one after the other: these look at every day of the
// span for hundreds of families, and pages must have memory left meanwhile.
func (d *Desk) inTurn(ctx context.Context, asks ...*ask) ([]facts.Result, error) {
	out := make([]facts.Result, len(asks))
	for i, a := range asks {
		var err error
		if out[i], err = d.query(ctx, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Subjects returns the records of families with their states, whoever they belong
// to, and the documents of their representatives. Unknown ids are missing, and so
// are documents that were erased or have expired. For the server's own decisions.
func (d *Desk) Subjects(ctx context.Context, ids []string, documents bool) (map[string]Family, map[string]Document, error) {
	const op = "crash.Subjects"
	known, err := families(ctx, d.o.Flow.Read(), ids)
	if err != nil {
		return nil, nil, fault.Wrap(op, err)
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return nil, nil, fault.Wrap(op, err)
	}
	list, docs := make(map[string]Family, len(known)), map[string]Document{}
	var reps []eco.ID
	of := map[eco.ID]string{}
	for id, f := range known {
		f.take(now[id])
		list[id] = *f
		if documents && !f.Representative.IsZero() {
			reps, of[f.Representative] = append(reps, f.Representative), id
		}
	}
	slices.SortFunc(reps, func(a, b eco.ID) int { return slices.Compare(a[:], b[:]) })
	for part := range slices.Chunk(reps, 200) {
		found, err := d.o.Facts.Documents(ctx, facts.Everything(), part)
		if err != nil {
			return nil, nil, fault.Wrap(op, err)
		}
		for _, x := range found {
			var doc Document
			if err := json.Unmarshal(x.Body, &doc); err != nil || doc.Version == 0 {
				continue // another kind of record; or damaged, which its own page says
			}
			docs[of[x.ID]] = doc
		}
	}
	return list, docs, nil
}

// Recent lists the families seen since a moment, the last seen first, at most limit.
func (d *Desk) Recent(ctx context.Context, since time.Time, limit int) ([]string, error) {
	ids, err := column(ctx, d.o.Flow.Read(), `SELECT id FROM crash_family WHERE last_ms >= $1 ORDER BY last_ms DESC, id LIMIT $2`, since.UnixMilli(), limit)
	return ids, fault.Wrap("crash.Recent", err)
}
