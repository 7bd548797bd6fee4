package crash

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// A crash is kept, in facts and in its document, under the family that the rules
// found, for ever. What people merged and split are links (family.Links), followed
// whenever families are read: by every question to facts (facts.Relabel), so that
// counts and distinct installs are exact; by records, documents and searches; and
// by the flow, for where crashes go from now on. So taking a merge back gives
// exactly what was before, whatever came in meanwhile.

// linked is the links of one state of the table.
type linked struct {
	n       int64
	links   *family.Links
	relabel []facts.Relabel
}

// Links returns what people merged and split. It is the same pointer as long as
// nothing changed; one row is read to know that.
func (d *Desk) Links(ctx context.Context) (*family.Links, error) {
	l, err := d.linked(ctx)
	return l.links, err
}

// Relabels are for questions to facts about families that others than the desk ask.
func (d *Desk) Relabels(ctx context.Context) ([]facts.Relabel, error) {
	l, err := d.linked(ctx)
	return l.relabel, err
}

func (d *Desk) linked(ctx context.Context) (linked, error) {
	const op = "crash.Links"
	var n int64
	if err := d.o.Records.Read().QueryRowContext(ctx, `SELECT n FROM crash_links_at WHERE one = 1`).Scan(&n); err != nil {
		return linked{}, fault.Wrap(op, err)
	}
	d.mu.Lock()
	now := d.linkedNow
	d.mu.Unlock()
	if now.n == n {
		return now, nil
	}
	list, err := activeLinks(ctx, d.o.Records.Read())
	if err != nil {
		return linked{}, fault.Wrap(op, err)
	}
	next := linkedOf(n, list)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.linkedNow.n < n { // a slower reader does not put an older state back
		d.linkedNow = next
	}
	return next, nil
}

func linkedOf(n int64, list []family.Link) linked {
	out := linked{n: n, links: family.NewLinks(list)}
	for _, k := range out.links.Flat() {
		out.relabel = append(out.relabel, facts.Relabel(k))
	}
	return out
}

func activeLinks(ctx context.Context, q querier) ([]family.Link, error) {
	rows, err := q.QueryContext(ctx, `SELECT family, signature, to_family FROM crash_link WHERE ended = '' ORDER BY family, signature, regroup, part`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []family.Link
	for rows.Next() {
		var k family.Link
		if err := rows.Scan(&k.Family, &k.Signature, &k.To); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

// known reads what the flow knows of families, by id, with what was merged into
// them and without what left them.
func (d *Desk) known(ctx context.Context, ids []string) (map[string]*Family, error) {
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	return d.knownBy(ctx, l, ids)
}

func (d *Desk) knownBy(ctx context.Context, l *family.Links, ids []string) (map[string]*Family, error) {
	all := slices.Clone(ids)
	var touched []string
	for _, id := range ids {
		if l.Names(id) {
			touched = append(touched, id)
			all = append(all, l.Merged(id)...)
		}
	}
	out, err := families(ctx, d.o.Flow.Read(), all)
	if err != nil || len(touched) == 0 {
		return out, err
	}
	counts, err := d.signaturesOf(ctx, l, touched)
	if err != nil {
		return nil, err
	}
	for _, id := range touched {
		f := out[id]
		for _, m := range l.Merged(id) {
			part := out[m]
			switch {
			case part == nil:
				continue
			case f == nil:
				one := *part
				one.ID, f = id, &one
				out[id] = f
			}
			f.absorb(part)
		}
		if f != nil {
			f.Signatures = counts[id]
			f.Merged = l.Merged(id)
		}
	}
	return out, nil
}

// absorb adds the record of a family that was merged into f.
func (f *Family) absorb(part *Family) {
	if part.FirstSeen.Before(f.FirstSeen) {
		f.FirstSeen = part.FirstSeen
	}
	if part.LastSeen.After(f.LastSeen) {
		f.LastSeen = part.LastSeen
	}
	f.FirstRelease, f.LastRelease = widen(f.FirstRelease, f.LastRelease, part.FirstRelease)
	f.FirstRelease, f.LastRelease = widen(f.FirstRelease, f.LastRelease, part.LastRelease)
	if f.Representative.IsZero() {
		f.Representative = part.Representative
	}
}

// signaturesOf counts the distinct signatures of families that links name.
func (d *Desk) signaturesOf(ctx context.Context, l *family.Links, ids []string) (map[string]int, error) {
	var all []string
	for _, id := range ids {
		all = append(append(all, id), l.Sources(id)...)
	}
	slices.Sort(all)
	seen, out := map[sigKey]bool{}, map[string]int{}
	err := each(slices.Compact(all), func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT hash, family FROM crash_signature WHERE family IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k sigKey
			if err := rows.Scan(&k.hash, &k.family); err != nil {
				return err
			}
			k.family = l.Resolve(k.family, k.hash)
			if !seen[k] {
				seen[k] = true
				out[k.family]++
			}
		}
		return rows.Err()
	})
	return out, err
}

// freshIn are the families first seen in a period, with all that is part of them.
func (d *Desk) freshIn(ctx context.Context, p Period) (map[string]bool, error) {
	ids, err := d.idsWhere(ctx, `first_ms >= $1 AND first_ms < $2`, p.From.UnixMilli(), p.To.UnixMilli())
	if err != nil {
		return nil, err
	}
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	var touched []string
	for id := range ids {
		if l.Names(id) {
			delete(ids, id)
			touched = append(touched, l.Resolve(id, ""))
		}
	}
	if len(touched) == 0 {
		return ids, nil
	}
	known, err := d.knownBy(ctx, l, touched)
	if err != nil {
		return nil, err
	}
	for _, id := range touched {
		if f := known[id]; f != nil && !f.FirstSeen.Before(p.From) {
			ids[id] = true
		}
	}
	return ids, nil
}

// root is the family that an id stands for.
func (d *Desk) root(ctx context.Context, id string) (string, error) {
	l, err := d.Links(ctx)
	return l.Resolve(id, ""), err
}
