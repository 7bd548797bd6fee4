package answers

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

const (
	overlap    = 15 * time.Minute // what changed is read again that long: clocks differ
	fewSigs    = 20_000           // so many signatures are read at every change …
	rereadSigs = 30 * time.Second // … and more of them that often at most
	countEvery = 5 * time.Minute  // the installs of families are counted anew …
	countSoon  = 15 * time.Second // … and sooner where it costs little:
	countShare = 200              // it takes at most one part in so many of the time
	maxDecided = 100_000          // families with a decision that the board takes in
)

// Refresh brings the board up to date: signatures that are new since the last
// call, decisions of people, owners' words of other processes, and (every five
// minutes, or sooner where that is cheap) how many installs each family hit.
func (d *Desk) Refresh(ctx context.Context) error {
	const op = "answers.Refresh"
	d.mu.Lock()
	defer d.mu.Unlock()
	now, changed := d.o.Now(), map[string]bool{}
	all := false
	since := time.UnixMilli(0)
	if !d.upto.IsZero() {
		since = d.upto.Add(-overlap)
	}
	links, err := d.o.Desk.Links(ctx)
	if err != nil {
		return fault.Wrap(op, err)
	}
	count, err := d.o.Desk.CountSignatures(ctx)
	if err != nil {
		return fault.Wrap(op, err)
	}
	switch {
	case links != d.links: // somebody merged or split: everything is placed anew
		since, all = time.UnixMilli(0), true
		err = d.learn(ctx, count, changed)
	case count != d.count && (count <= fewSigs || now.Sub(d.learned) >= rereadSigs):
		err = d.learn(ctx, count, changed)
	}
	if err != nil {
		return fault.Wrap(op, err)
	}
	err = d.o.Desk.Decided(ctx, d.decidedSince(since, changed), maxDecided, func(id string, s crash.State, in string, _ time.Time) {
		if f := d.base[id]; f != nil && (f.state != s || f.resolvedIn != in) {
			f.state, f.resolvedIn = s, in
			changed[id] = true
		}
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	if err := d.listen(ctx, since, changed); err != nil {
		return fault.Wrap(op, err)
	}
	if err := d.look(ctx, changed); err != nil {
		return fault.Wrap(op, err)
	}
	if age := now.Sub(d.counted); age >= countEvery || age >= max(countSoon, countShare*d.cost) || age < 0 {
		reach, err := d.o.Desk.Reach(ctx)
		if err != nil {
			return fault.Wrap(op, err)
		}
		d.reach, d.counted, d.cost, all = reach, now, d.o.Now().Sub(now), true
	}
	var list []*receipt.Standing
	for id := range d.base {
		if all || changed[id] {
			list = append(list, d.standing(id))
		}
	}
	d.o.Board.Set(list...)
	d.o.Board.Ready()
	d.upto, d.links = now, links
	return nil
}

// learn puts every signature on the board. A record is placed by its receipt, which
// may be long past when the flow was behind: so all are read, not the newest.
func (d *Desk) learn(ctx context.Context, count int64, changed map[string]bool) error {
	err := d.o.Desk.Signatures(ctx, time.UnixMilli(0), receipt.MaxSignatures, func(k crash.Known) {
		if d.base[k.Family] == nil {
			d.base[k.Family] = &known{blame: k.Blame, host: k.Host, state: crash.Open}
			changed[k.Family] = true
		}
		d.o.Board.Learn(k.Blame, k.Host, k.Hash, k.Family)
	})
	if err == nil {
		d.count, d.learned = count, d.o.Now()
	}
	return err
}

// decidedSince is how far back decisions are read: all of them when families are
// new on the board, for they may have been decided on before.
func (d *Desk) decidedSince(since time.Time, changed map[string]bool) time.Time {
	if len(changed) > 0 {
		return time.UnixMilli(0)
	}
	return since
}

// listen reads owners' words that changed since a time.
func (d *Desk) listen(ctx context.Context, since time.Time, changed map[string]bool) error {
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT `+wordCols+` FROM answer WHERE at_ms >= $1 LIMIT $2`, since.UnixMilli(), maxDecided)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		w, err := scanWords(rows.Scan)
		if err != nil {
			return err
		}
		if d.words[w.Family].Version != w.Version {
			d.words[w.Family] = w
			changed[w.Family] = true
		}
	}
	return rows.Err()
}

// look reads which families somebody works on.
func (d *Desk) look(ctx context.Context, changed map[string]bool) error {
	if d.o.Taken == nil {
		return nil
	}
	taken, err := d.o.Taken(ctx)
	if err != nil {
		return err
	}
	for _, pair := range [][2]map[string]bool{{taken, d.taken}, {d.taken, taken}} {
		for id := range pair[0] {
			if !pair[1][id] && d.base[id] != nil {
				changed[id] = true
			}
		}
	}
	d.taken = taken
	return nil
}

// standing joins what is known of a family. The caller holds the lock.
func (d *Desk) standing(id string) *receipt.Standing {
	f, w := d.base[id], d.words[id]
	s := &receipt.Standing{Family: id, Owner: f.blame, Host: f.host, State: StateFor(f.state), ResolvedIn: f.resolvedIn, FixedIn: w.FixedIn,
		Impact: w.Impact, Expected: w.Expected, Workaround: w.Workaround, Wanted: w.Wanted, Installs: d.reach[id], Taken: d.taken[id], Shift: d.o.Book.Shift(id)}
	if w.Published {
		s.Public = w.Public
	}
	return s
}
