package crash

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Noted stands in Change.Undoes of a line of history that changed no state: it
// tells something, and cannot be taken back.
const Noted = "-"

// Note writes such a line into a family's history.
func (d *Desk) Note(ctx context.Context, family, actor, text string) error {
	return fault.Wrap("crash.Note", d.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		all, err := states(ctx, tx, []string{family})
		if err != nil {
			return err
		}
		was := all[family]
		if was.state == "" {
			was.state = Open
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n) + 1, 0) FROM crash_change WHERE family = $1`, family).Scan(&n); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO crash_change (id, family, n, at_ms, actor, from_state, from_resolved_in, from_regressed, from_at_ms,
			to_state, to_resolved_in, note, undoes, undone, from_until, to_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $7, $10, $11, 0, $12, $12)`,
			d.o.NewID(), family, n, d.o.Now().UnixMilli(), actor, string(was.state), was.resolvedIn, bit(was.regressed), was.at,
			eco.Clean(text, MaxNote), Noted, was.until.text())
		if err != nil {
			return err
		}
		return d.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "family.note", Ref: eco.Ref{Kind: "family", ID: family}})
	}))
}

// Retitle gives a family another title, in the flow's transaction: its crashes have
// got their names. The family itself stays what it is.
func (d *Desk) Retitle(ctx context.Context, tx *sql.Tx, family, title string) error {
	_, err := tx.ExecContext(ctx, `UPDATE crash_family SET title = $1 WHERE id = $2`, title, family)
	return fault.Wrap("crash.Retitle", err)
}

// Stored reads documents of crashes as they are kept, whole, for the flow. What is
// gone, or no crash, is left out.
func (d *Desk) Stored(ctx context.Context, ids []eco.ID) ([]facts.Doc, []Document, error) {
	raw, err := d.o.Facts.Documents(ctx, facts.Everything(), ids)
	if err != nil {
		return nil, nil, fault.Wrap("crash.Stored", err)
	}
	var docs []facts.Doc
	var out []Document
	for _, r := range raw {
		var doc Document
		if json.Unmarshal(r.Body, &doc) == nil && doc.Version != 0 {
			docs, out = append(docs, r), append(out, doc)
		}
	}
	return docs, out, nil
}
