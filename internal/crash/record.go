package crash

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// SearchIndex is the name of the desk's full-text index in the flow's database:
// one document per signature, under its hash.
const SearchIndex = "signature"

// Two more hold a part each, for the keys message: and frame: of a search.
const (
	messageIndex = SearchIndex + ".message"
	frameIndex   = SearchIndex + ".frames"
)

// MaxSignatures bounds the signatures that are written down for one family; a
// family that gets more keeps counting crashes but lists no further keys.
const MaxSignatures = 1000

// maxKnown bounds the memory of signatures that need no writing: 100,000 of
// about 80 bytes. When it is full it starts anew.
const maxKnown = 100_000

type sigKey struct{ family, hash string }

// Seen is what one batch of the flow tells of one family. Recording it twice
// changes nothing: first and last are minima and maxima, texts are those of the
// first record.
type Seen struct {
	Family         string
	Version        string
	Title          string
	Type           string
	Platform       string
	Block          string
	Blame          eco.ExtensionID
	Target         string
	Host           string
	First, Last    int64 // receipt, Unix milliseconds
	Releases       []string
	Happened       int64 // the latest time at which a crash of the batch happened
	Representative eco.ID
	Signatures     []SeenSignature
	Near           []Near // families that a crash was nearly as similar to
}

// SeenSignature is a signature that a batch met.
type SeenSignature struct {
	Hash, Key, Title, Version string
	At                        int64
	Message, Frames           string // what full text finds it by
}

// Block is the snapshot of one block of the family index; without a body the
// block is gone.
type Block struct {
	Key  string
	Body []byte
}

// Record writes what a batch tells of families, in the flow's transaction.
func (d *Desk) Record(ctx context.Context, tx *sql.Tx, seen []Seen, blocks []Block) error {
	const op = "crash.Record"
	for _, b := range blocks {
		if len(b.Body) == 0 {
			if _, err := tx.ExecContext(ctx, `DELETE FROM crash_block WHERE block = $1`, b.Key); err != nil {
				return fault.Wrap(op, err)
			}
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO crash_block (block, body) VALUES ($1, $2)
			ON CONFLICT (block) DO UPDATE SET body = excluded.body`, b.Key, b.Body)
		if err != nil {
			return fault.Wrap(op, err)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	ids := make([]string, len(seen))
	for i := range seen {
		ids[i] = seen[i].Family
	}
	old, err := families(ctx, tx, ids)
	if err != nil {
		return fault.Wrap(op, err)
	}
	upsert, err := tx.PrepareContext(ctx, `INSERT INTO crash_family (id, version, title, type, platform, block, blame, target, host,
			first_ms, last_ms, first_release, last_release, representative, signatures)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (id) DO UPDATE SET first_ms = excluded.first_ms, last_ms = excluded.last_ms, first_release = excluded.first_release,
			last_release = excluded.last_release, representative = excluded.representative, signatures = excluded.signatures`)
	if err != nil {
		return fault.Wrap(op, err)
	}
	defer upsert.Close()
	for i := range seen {
		s := &seen[i]
		f, known := old[s.Family]
		if !known {
			f = &Family{Version: s.Version, Title: s.Title, Type: s.Type, Platform: s.Platform, Blame: s.Blame,
				Target: s.Target, Host: s.Host, FirstSeen: time.UnixMilli(s.First), LastSeen: time.UnixMilli(s.Last), Representative: s.Representative}
		}
		if f.Representative.IsZero() {
			f.Representative = s.Representative
		}
		for _, r := range s.Releases {
			f.FirstRelease, f.LastRelease = widen(f.FirstRelease, f.LastRelease, r)
		}
		if err := putNear(ctx, tx, s); err != nil {
			return err
		}
		if f.Signatures, err = d.signatures(ctx, tx, s, f.Signatures); err != nil {
			return err
		}
		_, err := upsert.ExecContext(ctx, s.Family, f.Version, f.Title, f.Type, f.Platform, s.Block, string(f.Blame), f.Target, f.Host,
			min(f.FirstSeen.UnixMilli(), s.First), max(f.LastSeen.UnixMilli(), s.Last), f.FirstRelease, f.LastRelease, idText(f.Representative), f.Signatures)
		if err != nil {
			return fault.Wrap(op, err)
		}
	}
	return nil
}

// Recorded tells the desk that the transaction of Record was committed: its
// signatures need no look into the table again.
func (d *Desk) Recorded(seen []Seen) {
	if d.hooks.Recorded != nil && len(seen) > 0 {
		ids := make([]string, len(seen))
		for i := range seen {
			ids[i] = strings.Clone(seen[i].Family)
		}
		d.hooks.Recorded(ids)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range seen {
		for _, s := range seen[i].Signatures {
			if len(d.sure) >= maxKnown {
				clear(d.sure)
			}
			// Cloned: the texts of a batch share the memory of its records.
			d.sure[sigKey{strings.Clone(seen[i].Family), strings.Clone(s.Hash)}] = struct{}{}
		}
	}
}

func (d *Desk) signatures(ctx context.Context, tx *sql.Tx, s *Seen, n int) (int, error) {
	const op = "crash.Record"
	for _, sig := range s.Signatures {
		d.mu.Lock()
		_, known := d.sure[sigKey{s.Family, sig.Hash}]
		d.mu.Unlock()
		if known || n >= MaxSignatures {
			continue
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO crash_signature (hash, family, sig_key, title, version, first_ms)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash, family) DO NOTHING`,
			sig.Hash, s.Family, sig.Key, sig.Title, sig.Version, sig.At)
		if err != nil {
			return n, fault.Wrap(op, err)
		}
		added, err := r.RowsAffected()
		if err != nil {
			return n, fault.Wrap(op, err)
		}
		if added == 0 {
			continue
		}
		n++
		for _, w := range []struct{ index, text string }{{SearchIndex, sig.Message + " " + sig.Frames}, {messageIndex, sig.Message}, {frameIndex, sig.Frames}} {
			if err := d.o.Flow.Search().Put(ctx, tx, w.index, sig.Hash, w.text); err != nil {
				return n, fault.Wrap(op, err)
			}
		}
	}
	return n, nil
}

// Blocks calls f with every stored snapshot of the family index, at the start of the flow.
func (d *Desk) Blocks(ctx context.Context, f func(Block) error) error {
	rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT block, body FROM crash_block ORDER BY block`)
	if err != nil {
		return fault.Wrap("crash.Blocks", err)
	}
	defer rows.Close()
	for rows.Next() {
		var b Block
		if err := rows.Scan(&b.Key, &b.Body); err != nil {
			return fault.Wrap("crash.Blocks", err)
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return fault.Wrap("crash.Blocks", rows.Err())
}

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// chunk bounds the placeholders of one statement.
const chunk = 500

// each calls f with placeholders "$1, $2 …" and arguments for at most chunk ids at a time.
func each(ids []string, f func(marks string, args []any) error) error {
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		args := make([]any, n)
		var b strings.Builder
		for i, id := range ids[:n] {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("$" + strconv.Itoa(i+1))
			args[i] = id
		}
		if err := f(b.String(), args); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// families reads what the flow knows of families, by id.
func families(ctx context.Context, q querier, ids []string) (map[string]*Family, error) {
	out := make(map[string]*Family, len(ids))
	err := each(ids, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT id, version, title, type, platform, blame, target, host, first_ms, last_ms,
			first_release, last_release, representative, signatures FROM crash_family WHERE id IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f := &Family{State: Open}
			var first, last int64
			var rep string
			err := rows.Scan(&f.ID, &f.Version, &f.Title, &f.Type, &f.Platform, &f.Blame, &f.Target, &f.Host, &first, &last,
				&f.FirstRelease, &f.LastRelease, &rep, &f.Signatures)
			if err != nil {
				return err
			}
			f.FirstSeen, f.LastSeen = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
			f.Representative = textID(rep)
			out[f.ID] = f
		}
		return rows.Err()
	})
	return out, err
}

// widen takes a release into a range; "" is no release.
func widen(low, high, r string) (string, string) {
	if r == "" {
		return low, high
	}
	if low == "" || eco.CompareVersions(r, low) < 0 {
		low = r
	}
	if high == "" || eco.CompareVersions(r, high) > 0 {
		high = r
	}
	return low, high
}

func idText(id eco.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// textID reads what idText wrote.
func textID(s string) eco.ID {
	id, err := eco.ParseID(s)
	if err != nil {
		return eco.ID{}
	}
	return id
}
