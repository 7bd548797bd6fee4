package answers

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// FixedFilter narrows the public log.
type FixedFilter struct {
	Subject string // id of an extension or host
	Query   string // words of titles, notes and signatures; all must occur
	Cursor  string
	Limit   int // 0 = 25, at most 100
}

// FixedPage is a part of the public log, newest first.
type FixedPage struct {
	Entries []Fix
	Next    string
}

// maxWords bounds the words of a search.
const maxWords = 6

// Fixed lists the public log. It reads what was published and nothing else.
func (d *Desk) Fixed(ctx context.Context, f FixedFilter) (FixedPage, error) {
	const op = "answers.Fixed"
	limit := f.Limit
	if limit <= 0 {
		limit = 25
	}
	limit = min(limit, 100)
	where, args := `newest = 1 AND gone = 0`, []any{}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	if f.Subject != "" {
		where += ` AND subject = ` + arg(f.Subject)
	}
	if f.Cursor != "" {
		ms, id, ok := strings.Cut(f.Cursor, ".")
		at, err := strconv.ParseInt(ms, 10, 64)
		if !ok || err != nil || len(id) > 32 {
			return FixedPage{}, fault.E(op, fault.Invalid, "This cursor is not one of ours.", nil)
		}
		a, b := arg(at), arg(id)
		where += ` AND (since_ms < ` + a + ` OR since_ms = ` + a + ` AND id < ` + b + `)`
	}
	for i, word := range strings.Fields(strings.ToLower(eco.Clean(f.Query, 200))) {
		if i == maxWords {
			break
		}
		where += ` AND lower(body) LIKE ` + arg("%"+like.Replace(word)+"%") + ` ESCAPE '\'`
	}
	rows, err := d.o.Records.Read().QueryContext(ctx, `SELECT body FROM answer_entry WHERE `+where+` ORDER BY since_ms DESC, id DESC LIMIT `+arg(limit+1), args...)
	if err != nil {
		return FixedPage{}, fault.Wrap(op, err)
	}
	defer rows.Close()
	page := FixedPage{Entries: []Fix{}}
	for rows.Next() {
		var body string
		var e Fix
		if err := rows.Scan(&body); err != nil {
			return FixedPage{}, fault.Wrap(op, err)
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			return FixedPage{}, fault.E(op, fault.Internal, "An entry of the public log is damaged.", err)
		}
		if len(page.Entries) == limit {
			last := page.Entries[limit-1]
			page.Next = strconv.FormatInt(last.Published.UnixMilli(), 10) + "." + last.ID
			break
		}
		page.Entries = append(page.Entries, e)
	}
	return page, fault.Wrap(op, rows.Err())
}

var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Proof shows that an entry stands in the audit log: Record is the leaf, whose
// note has the SHA-256 of Content; Path leads from it to Root (RFC 6962).
type Proof struct {
	Content string   `json:"content"` // the entry's bytes as they were published
	Record  string   `json:"record"`  // the line of the audit log
	Index   int64    `json:"index"`
	Leaf    string   `json:"leaf"` // SHA-256 of 0x00 and Record, base64
	Path    []string `json:"path"` // hashes from the leaf up, base64
	Size    int64    `json:"size"`
	Root    string   `json:"root"`
	Head    string   `json:"head"` // size and root, signed as receipts are (a C2SP checkpoint)
}

// ProvenFix is one entry with the proof that it is in the log.
type ProvenFix struct {
	Fix
	Log Proof `json:"log"`
}

// FixedOne returns one entry of the public log. What was taken out is not_found.
func (d *Desk) FixedOne(ctx context.Context, id string) (ProvenFix, error) {
	const op = "answers.FixedOne"
	none := fault.E(op, fault.NotFound, "Nothing is published under this id.", nil)
	if len(id) > 32 {
		return ProvenFix{}, none
	}
	var out ProvenFix
	var n int64
	err := d.o.Records.Read().QueryRowContext(ctx, `SELECT body, audit_n FROM answer_entry WHERE id = $1 AND newest = 1 AND gone = 0`, id).Scan(&out.Log.Content, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return ProvenFix{}, none
	}
	if err != nil {
		return ProvenFix{}, fault.Wrap(op, err)
	}
	if err := json.Unmarshal([]byte(out.Log.Content), &out.Fix); err != nil {
		return ProvenFix{}, fault.E(op, fault.Internal, "An entry of the public log is damaged.", err)
	}
	p, err := d.o.Audit.Prove(ctx, n)
	if err != nil {
		return ProvenFix{}, fault.Wrap(op, err)
	}
	out.Log.prove(p)
	out.Log.Head, err = d.o.Book.SignText(p.Checkpoint.String())
	return out, fault.Wrap(op, err)
}

func (p *Proof) prove(a audit.Proof) {
	b64 := base64.StdEncoding.EncodeToString
	leaf := audit.Leaf(a.Body)
	p.Record, p.Index, p.Leaf, p.Size, p.Root = string(a.Body), a.N, b64(leaf[:]), a.Checkpoint.Size, b64(a.Checkpoint.Root[:])
	p.Path = []string{}
	for _, h := range a.Path {
		p.Path = append(p.Path, b64(h[:]))
	}
}

// newest reads the newest revision of an entry; one of revision 0 when there is none.
func newest(ctx context.Context, q querier, id string) (e Fix, err error) {
	var body string
	err = q.QueryRowContext(ctx, `SELECT body FROM answer_entry WHERE id = $1 AND newest = 1`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return Fix{}, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &e)
	}
	return e, err
}
