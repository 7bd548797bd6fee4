package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Report is the outcome of Verify.
type Report struct {
	Size int64    // entries looked at
	Root [32]byte // of the tree recomputed from the entries
	Bad  []Bad    // what is wrong, in order; the first maxBad
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Bad) == 0 }

// Bad is one entry that is not what was written.
type Bad struct {
	Entry int64
	What  string
}

const (
	maxBad = 20
	page   = 1000 // entries held in memory at a time
)

// Verify reads the whole log, recomputes every hash of the tree from the entries
// and compares with what was stored when they were written. Somebody who rewrote
// entries and all hashes above them is found only by a checkpoint kept
// elsewhere: see Consistent.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	const op = "audit.Verify"
	var r Report
	if err := l.d.Read().QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM audit_entry`).Scan(&r.Size); err != nil {
		return r, fault.Wrap(op, err)
	}
	bad := func(n int64, what string) {
		if len(r.Bad) < maxBad {
			r.Bad = append(r.Bad, Bad{n, what})
		}
	}
	var t tree
	for from := int64(0); from < r.Size; from += page {
		to := min(from+page, r.Size)
		bodies, err := l.texts(ctx, `SELECT n, body FROM audit_entry WHERE n >= $1 AND n < $2`, from, to)
		if err != nil {
			return r, fault.Wrap(op, err)
		}
		first := tlog.StoredHashCount(from)
		stored, err := l.texts(ctx, `SELECT n, hash FROM audit_hash WHERE n >= $1 AND n < $2`, first, tlog.StoredHashCount(to))
		if err != nil {
			return r, fault.Wrap(op, err)
		}
		at := first
		for n := from; n < to; n++ {
			body, ok := bodies[n]
			switch rec, err := decode([]byte(body)); {
			case !ok:
				bad(n, "the entry is missing")
			case err != nil:
				bad(n, "the entry cannot be read: "+err.Error())
			case rec.N != n:
				bad(n, fmt.Sprintf("the entry says that it is number %d", rec.N))
			}
			for level, h := range t.add(n, []byte(body)) {
				if s, ok := stored[at]; !ok || s != h.String() {
					what := "the entry is not the one that was hashed"
					if level > 0 {
						what = fmt.Sprintf("the stored tree differs at level %d", level)
					}
					if !ok {
						what = fmt.Sprintf("the stored tree has no hash at level %d", level)
					}
					bad(n, what)
				}
				at++
			}
		}
	}
	var extra int64
	if err := l.d.Read().QueryRowContext(ctx, `SELECT count(*) FROM audit_hash h WHERE n >= $1 AND NOT EXISTS (SELECT 1 FROM audit_entry WHERE n >= $2)`,
		tlog.StoredHashCount(r.Size), r.Size).Scan(&extra); err != nil {
		return r, fault.Wrap(op, err)
	}
	if extra > 0 {
		bad(r.Size, "the entry is missing, its hashes are there")
	}
	r.Root = t.root(r.Size)
	return r, nil
}

func (l *Log) texts(ctx context.Context, query string, from, to int64) (map[int64]string, error) {
	rows, err := l.d.Read().QueryContext(ctx, query, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[int64]string, to-from)
	for rows.Next() {
		var n int64
		var s string
		if err := rows.Scan(&n, &s); err != nil {
			return nil, err
		}
		out[n] = s
	}
	return out, rows.Err()
}

// tree recomputes a log front to back: left[i] is the last complete subtree of
// 2^i entries that waits for its right half.
type tree struct {
	left [64]tlog.Hash
	out  []tlog.Hash
}

// add returns the hashes that entry n completes, as tlog.StoredHashes would.
func (t *tree) add(n int64, body []byte) []tlog.Hash {
	h := tlog.RecordHash(body)
	t.out = append(t.out[:0], h)
	level := 0
	for ; n>>level&1 == 1; level++ {
		h = tlog.NodeHash(t.left[level], h)
		t.out = append(t.out, h)
	}
	t.left[level] = h
	return t.out
}

func (t *tree) root(size int64) tlog.Hash {
	h, err := tlog.TreeHash(0, nil)
	if err != nil || size == 0 {
		return h
	}
	first := true
	for level := range t.left {
		if size>>level&1 == 0 {
			continue
		}
		if first {
			h, first = t.left[level], false
		} else {
			h = tlog.NodeHash(t.left[level], h)
		}
	}
	return h
}
