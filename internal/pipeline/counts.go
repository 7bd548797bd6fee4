package pipeline

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Count is a number of items that came to the same end.
type Count struct {
	Hour     int64  `json:"hour"` // Unix milliseconds of the receipt; Add cuts it to the hour, and takes the present one for 0
	Project  int64  `json:"project"`
	Protocol string `json:"protocol"`
	Kind     string `json:"kind"`
	Outcome  string `json:"outcome"`          // see the outcomes below
	Reason   string `json:"reason,omitempty"` // of a drop, or Quarantined; one of a few words, never input
	N        int64  `json:"n"`
}

// Outcomes. Doors say accepted (the stream has it) and dropped; the flow says
// what became of what was accepted: stored, duplicate, dead, or dropped.
const (
	Accepted  = "accepted"
	Dropped   = "dropped"
	Stored    = "stored"
	Duplicate = "duplicate"
	Dead      = "dead"
)

// Quarantined is the reason of what is accepted but held: stored, and in no count
// of crashes.
const Quarantined = "quarantined"

// maxCounts bounds the rows kept between two flushes; further kinds of rows are
// counted under reason "other" of their project 0, so that the sum stays true.
const maxCounts = 20_000

// Counts adds up what came in and what became of it, by hour, in memory; Flush
// adds it to pipeline.db. What was not flushed before a crash is missing: the
// counts explain, facts count. It is safe for concurrent use.
type Counts struct {
	d   *db.DB
	now func() time.Time

	mu   sync.Mutex
	sums map[Count]int64 // key: N is 0

	flush sync.Mutex // one flush at a time
}

// NewCounts opens the table of counts.
func NewCounts(ctx context.Context, d *db.DB, now func() time.Time) (*Counts, error) {
	if err := migrate(ctx, d); err != nil {
		return nil, fault.Wrap("pipeline.NewCounts", err)
	}
	return &Counts{d: d, now: now, sums: map[Count]int64{}}, nil
}

// Add counts c.N items (0 counts as 1) in the hour of their receipt, so that what
// waited in the stream is stored in the hour it was accepted in. It does no I/O.
func (c *Counts) Add(n Count) {
	by := max(n.N, 1)
	if now := c.now().UnixMilli(); n.Hour <= 0 || n.Hour > now { // a damaged record may say anything
		n.Hour = now
	}
	n.N = 0
	n.Hour -= n.Hour % time.Hour.Milliseconds()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(n, by)
}

func (c *Counts) add(n Count, by int64) {
	if old, ok := c.sums[n]; ok {
		c.sums[n] = old + by
		return
	}
	if len(c.sums) >= maxCounts {
		n = Count{Hour: n.Hour, Outcome: n.Outcome, Reason: "other"}
	} else { // the caller's strings may share the memory of a whole request
		n.Protocol, n.Kind, n.Outcome, n.Reason = strings.Clone(n.Protocol), strings.Clone(n.Kind), strings.Clone(n.Outcome), strings.Clone(n.Reason)
	}
	c.sums[n] += by
}

// Flush writes what was added since the last flush. When it fails nothing is
// lost: the next one writes it.
func (c *Counts) Flush(ctx context.Context) error {
	c.flush.Lock()
	defer c.flush.Unlock()
	c.mu.Lock()
	sums := c.sums
	c.sums = map[Count]int64{}
	c.mu.Unlock()
	if len(sums) == 0 {
		return nil
	}
	err := c.d.Tx(ctx, func(tx *sql.Tx) error {
		for k, n := range sums {
			_, err := tx.ExecContext(ctx, `INSERT INTO flow_count (hour, project, protocol, kind, outcome, reason, n)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (hour, project, protocol, kind, outcome, reason) DO UPDATE SET n = flow_count.n + excluded.n`,
				k.Hour, k.Project, k.Protocol, k.Kind, k.Outcome, k.Reason, n)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.mu.Lock()
		for k, n := range sums {
			c.add(k, n)
		}
		c.mu.Unlock()
	}
	return fault.Wrap("pipeline.Flush", err)
}

// CountFilter narrows Counts.List. Zero fields do not narrow.
type CountFilter struct {
	From, To time.Time
	Projects []int64 // nil: all; empty and not nil: none
	ByHour   bool    // a row an hour; else Hour is 0 and the hours are added up
}

// MaxCounts bounds the answer of List.
const MaxCounts = 10_000

// List returns counts, those not flushed yet included, ordered by hour, project,
// protocol, kind, outcome and reason; at most MaxCounts.
func (c *Counts) List(ctx context.Context, f CountFilter) ([]Count, error) {
	if err := c.Flush(ctx); err != nil {
		return nil, err
	}
	from, to := int64(0), int64(1<<62)
	if !f.From.IsZero() {
		from = f.From.Truncate(time.Hour).UnixMilli()
	}
	if !f.To.IsZero() {
		to = f.To.UnixMilli()
	}
	hour := "0"
	if f.ByHour {
		hour = "hour"
	}
	args := []any{from, to}
	where := ""
	if f.Projects != nil {
		marks := make([]string, 0, len(f.Projects)+1)
		for _, p := range f.Projects[:min(len(f.Projects), 500)] {
			args = append(args, p)
			marks = append(marks, "$"+strconv.Itoa(len(args)))
		}
		where = " AND project IN (" + strings.Join(append(marks, "-1"), ", ") + ")"
	}
	rows, err := c.d.Read().QueryContext(ctx, `SELECT `+hour+` AS h, project, protocol, kind, outcome, reason, CAST(sum(n) AS bigint) FROM flow_count
		WHERE hour >= $1 AND hour < $2`+where+` GROUP BY h, project, protocol, kind, outcome, reason
		ORDER BY h, project, protocol, kind, outcome, reason LIMIT 10000`, args...)
	if err != nil {
		return nil, fault.Wrap("pipeline.Counts", err)
	}
	defer rows.Close()
	var out []Count
	for rows.Next() {
		var n Count
		if err := rows.Scan(&n.Hour, &n.Project, &n.Protocol, &n.Kind, &n.Outcome, &n.Reason, &n.N); err != nil {
			return nil, fault.Wrap("pipeline.Counts", err)
		}
		out = append(out, n)
	}
	return out, fault.Wrap("pipeline.Counts", rows.Err())
}

// Prune drops hours before the time given.
func (c *Counts) Prune(ctx context.Context, before time.Time) error {
	return fault.Wrap("pipeline.Prune", c.d.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM flow_count WHERE hour < $1`, before.UnixMilli())
		return err
	}))
}

// Total adds counts up by outcome, for the head of the page.
func Total(counts []Count) map[string]int64 {
	sums := map[string]int64{}
	for _, c := range counts {
		sums[c.Outcome] += c.N
	}
	return sums
}

// Reasons returns the drops by reason, the largest first.
func Reasons(counts []Count) []Count {
	sums := map[string]int64{}
	for _, c := range counts {
		if c.Outcome == Dropped {
			sums[c.Reason] += c.N
		}
	}
	out := make([]Count, 0, len(sums))
	for reason, n := range sums {
		out = append(out, Count{Outcome: Dropped, Reason: reason, N: n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	return out
}
