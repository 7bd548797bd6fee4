package crash

import (
	"context"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// What the sub-packages of the desk ask of it beyond what people see.

// Known is a signature with the family it belongs to and that family's state.
type Known struct {
	Hash       string
	Family     string
	Blame      eco.ExtensionID
	Host       string
	State      State
	ResolvedIn string
}

// Signatures calls f with the signatures first seen since a time, newest first, at
// most limit, each with the family it belongs to by what people merged and split.
func (d *Desk) Signatures(ctx context.Context, since time.Time, limit int, f func(Known)) error {
	links, err := d.Links(ctx)
	if err != nil {
		return err
	}
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT s.hash, s.family, f.blame, f.host FROM crash_signature s JOIN crash_family f ON f.id = s.family
		WHERE s.first_ms >= $1 ORDER BY s.first_ms DESC LIMIT $2`, since.UnixMilli(), limit)
	if err != nil {
		return fault.Wrap("crash.Signatures", err)
	}
	defer rows.Close()
	for rows.Next() {
		k := Known{State: Open}
		if err := rows.Scan(&k.Hash, &k.Family, &k.Blame, &k.Host); err != nil {
			return fault.Wrap("crash.Signatures", err)
		}
		k.Family = links.Resolve(k.Family, k.Hash)
		f(k)
	}
	return fault.Wrap("crash.Signatures", rows.Err())
}

// Signed is a family that has a signature, as the flow keeps it: people's merges
// and splits are not followed.
type Signed struct {
	Family              string
	Type                string // of the exception
	Blame               eco.ExtensionID
	Target, Host        string
	Key, Title, Version string // of the signature
}

// Signed finds the families that signatures were placed in, by hash; of those of
// one hash the oldest come first, as on the board that answers at the door.
func (d *Desk) Signed(ctx context.Context, hashes []string) (map[string][]Signed, error) {
	out := map[string][]Signed{}
	err := each(hashes, func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT s.hash, s.family, s.sig_key, s.title, s.version, f.type, f.blame, f.target, f.host
			FROM crash_signature s JOIN crash_family f ON f.id = s.family WHERE s.hash IN (`+marks+`) ORDER BY s.first_ms, s.family`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var hash string
			var s Signed
			if err := rows.Scan(&hash, &s.Family, &s.Key, &s.Title, &s.Version, &s.Type, &s.Blame, &s.Target, &s.Host); err != nil {
				return err
			}
			out[hash] = append(out[hash], s)
		}
		return rows.Err()
	})
	return out, fault.Wrap("crash.Signed", err)
}

// CountSignatures is how many signatures are known; it only grows by what comes in.
func (d *Desk) CountSignatures(ctx context.Context) (n int64, err error) {
	err = d.o.Flow.Read().QueryRowContext(ctx, `SELECT count(*) FROM crash_signature`).Scan(&n)
	return n, fault.Wrap("crash.CountSignatures", err)
}

// Decided calls f with every family that a person or the flow decided on since a
// time, the last decision first, at most limit.
func (d *Desk) Decided(ctx context.Context, since time.Time, limit int, f func(family string, s State, resolvedIn string, at time.Time)) error {
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT s.family, s.state, s.resolved_in, c.at_ms FROM crash_state s
		JOIN crash_change c ON c.family = s.family AND c.n = (SELECT max(n) FROM crash_change WHERE family = s.family)
		WHERE c.at_ms >= $1 ORDER BY c.at_ms DESC LIMIT $2`, since.UnixMilli(), limit)
	if err != nil {
		return fault.Wrap("crash.Decided", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, in string
		var s State
		var at int64
		if err := rows.Scan(&id, &s, &in, &at); err != nil {
			return fault.Wrap("crash.Decided", err)
		}
		f(id, s, in, time.UnixMilli(at).UTC())
	}
	return fault.Wrap("crash.Decided", rows.Err())
}

// Reach counts the distinct installs that every family hit in the last 90 days, at
// most the 10,000 families that hit the most.
func (d *Desk) Reach(ctx context.Context) (map[string]int64, error) {
	p := d.period(Period{From: d.o.Now().AddDate(0, 0, -90)})
	r, err := d.query(ctx, p.crashes(facts.Everything()).not(facts.Family, "").by(facts.Family).sum(facts.Installs).most(facts.Installs).limit(facts.MaxLimit))
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(r.Rows))
	for _, v := range r.Rows {
		out[text(v[0])] = number(v[1])
	}
	return out, nil
}

// Report returns one crash as it is kept, for the one who sent it: found by our
// id, or by the project it came in through and its client's id. It is not
// redacted; it never goes to anybody else. fault.NotFound: it is not stored.
func (d *Desk) Report(ctx context.Context, id eco.ID, project int64, client string) (Document, error) {
	const op = "crash.Report"
	if id.IsZero() {
		plain := strings.ToLower(strings.ReplaceAll(client, "-", ""))
		found, err := d.byClients(ctx, facts.Everything(), []string{plain, dashed(plain)})
		if err != nil {
			return Document{}, err
		}
		for c, f := range found {
			if c.project == project {
				id = f.ID
			}
		}
	}
	if !id.IsZero() {
		doc, ok, err := d.document(ctx, facts.Everything(), []eco.ID{id})
		if err != nil || ok {
			return doc, err
		}
	}
	return Document{}, fault.E(op, fault.NotFound, "No such crash.", nil)
}

// dashed is a UUID's long form.
func dashed(s string) string {
	if len(s) != 32 {
		return s
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
