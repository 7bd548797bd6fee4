package crash

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// A family that is attributed to nobody may hold crashes of several owners'
// projects: such people see it because of their own crashes in it, and must not
// learn from its record what came from the others'.

// owns reports whether a family belongs to the scope: to one of its extensions,
// or to one of its hosts when no extension is blamed.
func owns(scope facts.Scope, f *Family) bool {
	switch {
	case scope.All():
		return true
	case f.Blame != "":
		return slices.Contains(scope.Extensions(), f.Blame)
	}
	return f.Host != "" && slices.Contains(scope.Hosts(), f.Host)
}

// veil replaces what a record says of families that are not the scope's own by
// what the scope's own crashes say.
func (d *Desk) veil(ctx context.Context, scope facts.Scope, list []Family) error {
	var ids []string
	at := map[string]int{}
	for i := range list {
		if f := &list[i]; !owns(scope, f) {
			ids = append(ids, f.ID)
			at[f.ID] = i
		}
	}
	if len(ids) == 0 {
		return nil
	}
	a := &ask{facts.Query{Scope: scope}}
	r, err := d.query(ctx, a.in(facts.Family, ids...).by(facts.Family, facts.SubjectVer, facts.Signature).sum(facts.First, facts.Last, facts.Count))
	if err != nil {
		return err
	}
	sigs := map[string]string{} // signature -> family
	for _, id := range ids {
		f := &list[at[id]]
		f.FirstRelease, f.LastRelease, f.Signatures, f.Title, f.Merged = "", "", 0, f.Type, nil
		if slices.Contains(scope.Hosts(), f.Host) {
			continue // whose crashes blame this extension: that is theirs to know
		}
		f.Blame, f.Host = "", ""
	}
	first := map[string]bool{}
	for _, v := range r.Rows {
		id := text(v[0])
		f := &list[at[id]]
		from, to := moment(v[3]), moment(v[4])
		if !first[id] || from.Before(f.FirstSeen) {
			f.FirstSeen = from
		}
		if !first[id] || to.After(f.LastSeen) {
			f.LastSeen = to
		}
		first[id] = true
		f.FirstRelease, f.LastRelease = widen(f.FirstRelease, f.LastRelease, text(v[1]))
		if sig := text(v[2]); sigs[sig] == "" {
			sigs[sig] = id
			f.Signatures++
		}
	}
	hashes := make([]string, 0, len(sigs))
	for h := range sigs {
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	titles, err := d.signatureRows(ctx, hashes)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		id := sigs[h]
		if t, ok := titles[sigKey{id, h}]; ok {
			list[at[id]].Title = t.Title
		}
	}
	// The representative may be somebody else's crash.
	reps, err := d.o.Facts.Documents(ctx, scope, representatives(list, ids, at))
	if err != nil {
		return err
	}
	mine := map[string]bool{}
	for _, doc := range reps {
		mine[doc.ID.String()] = true
	}
	for _, id := range ids {
		if f := &list[at[id]]; !mine[f.Representative.String()] {
			clear(f.Representative[:])
		}
	}
	return nil
}

func representatives(list []Family, ids []string, at map[string]int) []eco.ID {
	out := make([]eco.ID, 0, len(ids))
	for _, id := range ids {
		out = append(out, list[at[id]].Representative)
	}
	return out
}

// signatureRows reads signatures by hash.
func (d *Desk) signatureRows(ctx context.Context, hashes []string) (map[sigKey]SignatureInfo, error) {
	out := map[sigKey]SignatureInfo{}
	l, err := d.Links(ctx)
	if err != nil {
		return nil, err
	}
	err = each(hashes, func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT hash, family, sig_key, title, version, first_ms FROM crash_signature WHERE hash IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s SignatureInfo
			var family string
			var first int64
			if err := rows.Scan(&s.Hash, &family, &s.Key, &s.Title, &s.Version, &first); err != nil {
				return err
			}
			s.FirstSeen = moment(first)
			out[sigKey{l.Resolve(family, s.Hash), s.Hash}] = s
		}
		return rows.Err()
	})
	return out, err
}
