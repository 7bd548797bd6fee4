package symbols

import (
	"context"
	"database/sql"
	"io"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

const selectFiles = `SELECT id, subject, kind, debug_id, release, file, name, sha256, size, by_actor, at_ms, used_ms, gone_ms FROM symbol_file`

func scanFiles(rows *sql.Rows, err error) ([]File, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []File
	for rows.Next() {
		var f File
		var subject, kind string
		var at, used, gone int64
		if err := rows.Scan(&f.ID, &subject, &kind, &f.DebugID, &f.Release, &f.File, &f.Name, &f.SHA256, &f.Size, &f.By, &at, &used, &gone); err != nil {
			return nil, err
		}
		f.Subject, f.Kind = subjectOf(subject), symbol.Kind(kind)
		f.Uploaded, f.Used, f.Deleted = moment(at), moment(used), moment(gone)
		out = append(out, f)
	}
	return out, rows.Err()
}

// Filter narrows a list of files.
type Filter struct {
	Subjects []Subject // only theirs; empty: nothing
	All      bool      // of everybody: for those who may
	Release  string
	Deleted  bool // those that can be brought back instead
	Cursor   string
	Limit    int // 0 = 50, at most 200
}

// Page is a part of a list of files, newest first.
type Page struct {
	Files []File `json:"files"`
	Next  string `json:"next,omitempty"`
}

// Files lists what is kept.
func (s *Store) Files(ctx context.Context, f Filter) (Page, error) {
	limit := min(f.Limit, 200)
	if limit <= 0 {
		limit = 50
	}
	where, args := subjectsWhere(f.Subjects, f.All)
	if where == "" {
		return Page{Files: []File{}}, nil
	}
	add := func(cond string, v any) {
		args = append(args, v)
		where += strings.ReplaceAll(cond, "?", "$"+strconv.Itoa(len(args)))
	}
	if f.Deleted {
		where += ` AND gone_ms > 0`
	} else {
		where += ` AND gone_ms = 0`
	}
	if f.Release != "" {
		add(` AND release = ?`, f.Release)
	}
	if f.Cursor != "" {
		at, id, ok := strings.Cut(f.Cursor, "-")
		ms, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil {
			return Page{}, fault.E("symbols.Files", fault.Invalid, "This cursor is not one of ours.", nil)
		}
		add(` AND (at_ms < ?`, ms)
		add(` OR at_ms = ?`, ms)
		add(` AND id < ?)`, id)
	}
	args = append(args, limit+1)
	files, err := scanFiles(s.o.Records.Read().QueryContext(ctx, selectFiles+where+` ORDER BY at_ms DESC, id DESC LIMIT $`+strconv.Itoa(len(args)), args...))
	if err != nil {
		return Page{}, fault.Wrap("symbols.Files", err)
	}
	p := Page{Files: files}
	if len(files) > limit {
		p.Files = files[:limit]
		last := p.Files[limit-1]
		p.Next = strconv.FormatInt(last.Uploaded.UnixMilli(), 10) + "-" + last.ID
	}
	if p.Files == nil {
		p.Files = []File{}
	}
	return p, nil
}

// subjectsWhere is "" when nothing may be listed.
func subjectsWhere(subjects []Subject, all bool) (string, []any) {
	if all {
		return ` WHERE 1 = 1`, nil
	}
	if len(subjects) == 0 {
		return "", nil
	}
	var marks []string
	var args []any
	for i, x := range subjects {
		if i == 1000 {
			break
		}
		args = append(args, subjectText(x))
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	return ` WHERE subject IN (` + strings.Join(marks, ", ") + `)`, args
}

// File returns one file, also one that was deleted and can be brought back.
func (s *Store) File(ctx context.Context, id string) (File, error) {
	files, err := scanFiles(s.o.Records.Read().QueryContext(ctx, selectFiles+` WHERE id = $1`, id))
	if err != nil {
		return File{}, fault.Wrap("symbols.File", err)
	}
	if len(files) == 0 {
		return File{}, fault.E("symbols.File", fault.NotFound, "No such symbol file.", nil)
	}
	return files[0], nil
}

// Delete takes a file out of use; for seven days Restore brings it back.
func (s *Store) Delete(ctx context.Context, actor, id string) error {
	return s.mark(ctx, "symbol.delete", actor, id, s.o.Now().UnixMilli(), 0)
}

// Restore brings a deleted file back.
func (s *Store) Restore(ctx context.Context, actor, id string) error {
	return s.mark(ctx, "symbol.restore", actor, id, 0, 1)
}

func (s *Store) mark(ctx context.Context, action, actor, id string, gone, was int64) error {
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE symbol_file SET gone_ms = $1 WHERE id = $2 AND (gone_ms > 0) = ($3 = 1)`, gone, id, was)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = fault.E("symbols.mark", fault.NotFound, "No such symbol file.", nil)
			}
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Ref: eco.Ref{Kind: "symbol", ID: id}})
	})
	s.forget()
	return fault.Wrap("symbols."+action, err)
}

// Tidy is a job: it removes what was deleted for good, and bytes that no row names
// any more. Bytes younger than an hour may be of an upload that is going on.
func (s *Store) Tidy(ctx context.Context) (string, error) {
	const op = "symbols.Tidy"
	now := s.o.Now()
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM symbol_file WHERE gone_ms > 0 AND gone_ms < $1`, now.Add(-undoFor).UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM symbol_wanted WHERE missing IN (SELECT id FROM symbol_missing WHERE last_ms < $1)`, now.AddDate(0, 0, -90).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM symbol_missing WHERE last_ms < $1`, now.AddDate(0, 0, -90).UnixMilli())
		return err
	})
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	if err := s.dropParts(ctx); err != nil {
		return "", fault.Wrap(op, err)
	}
	var old []string
	err = s.o.Blobs.List(ctx, "symbols/", func(i blob.Info) error {
		if i.Modified.Before(now.Add(-3600e9)) {
			old = append(old, i.Key)
		}
		return nil
	})
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	n := 0
	for _, key := range old {
		var one int64
		err := s.o.Records.Read().QueryRowContext(ctx, `SELECT count(*) FROM symbol_file WHERE sha256 = $1`, key[strings.LastIndexByte(key, '/')+1:]).Scan(&one)
		if err != nil {
			return "", fault.Wrap(op, err)
		}
		if one == 0 {
			if err := s.o.Blobs.Delete(ctx, key); err != nil {
				return "", fault.Wrap(op, err)
			}
			n++
		}
	}
	if n == 0 {
		return "nothing to do", nil
	}
	return strconv.Itoa(n) + " files removed from the disk", nil
}

// open reads and parses the bytes of a file, from memory where they were parsed
// before.
func (s *Store) open(ctx context.Context, f File) (symbol.Artifact, error) {
	if e, ok := s.parsed.get(f.SHA256); ok {
		return e.artifact(f)
	}
	s.parse.Lock()
	defer s.parse.Unlock()
	if e, ok := s.parsed.get(f.SHA256); ok {
		return e.artifact(f)
	}
	r, err := s.o.Blobs.Get(ctx, blobKey(f.SHA256))
	if err != nil {
		return symbol.Artifact{}, fault.Wrap("symbols.open", err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, symbol.MaxFile+1))
	if err != nil {
		return symbol.Artifact{}, fault.E("symbols.open", fault.Unavailable, "The symbol file cannot be read.", err)
	}
	e := &entry{key: f.SHA256, size: 256}
	a, size, err := Parse(data)
	if err != nil {
		e.bad = true
	} else {
		e.a, e.size = a, size
	}
	s.parsed.put(e)
	return e.artifact(f)
}

func (e *entry) artifact(f File) (symbol.Artifact, error) {
	if e.bad {
		return symbol.Artifact{}, fault.E("symbols.open", fault.Internal, "A symbol file that was kept cannot be read any more.", nil)
	}
	a := e.a
	a.ID, a.Name = f.ID, f.Name
	return a, nil
}
