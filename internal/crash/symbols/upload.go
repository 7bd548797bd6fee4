package symbols

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
	"github.com/bellwether-project/bellwether/internal/symbol/elfsym"
)

// Upload says what comes with the bytes of a file. What the file says of itself
// (its kind, its debug id, its binary) need not be repeated.
type Upload struct {
	Subject Subject
	Actor   string
	Name    string // of the file: "extension.js.map"
	Release string // needed for a file without a debug id
	File    string // the generated file: "~/dist/extension.js"; default: what a map names, else Name without ".map"
	DebugID string // default: the file's own
}

// Outcome is what became of one file of an upload.
type Outcome struct {
	Name    string `json:"name"`
	Kept    *File  `json:"kept,omitempty"`
	Known   bool   `json:"known,omitempty"`   // the very same was there already
	Skipped string `json:"skipped,omitempty"` // why it is not kept
	Helps   int64  `json:"helps,omitempty"`   // crashes that asked for it; they are named soon
}

// Put keeps one file, or what is in one archive. It answers for each file in it;
// an error means that nothing was kept.
func (s *Store) Put(ctx context.Context, u Upload, r io.Reader) ([]Outcome, error) {
	if err := belongs(u.Subject); err != nil {
		return nil, err
	}
	done, err := s.turn()
	if err != nil {
		return nil, err
	}
	defer done()
	return s.take(ctx, u, r)
}

func belongs(x Subject) error {
	if subjectOf(subjectText(x)) != x || x == (Subject{}) {
		return fault.E("symbols.Put", fault.Invalid, "Symbols belong to an extension or a host.", nil)
	}
	return nil
}

// turn waits for nobody: so many uploads are in memory at a time, whole or in parts.
func (s *Store) turn() (done func(), err error) {
	select {
	case s.uploads <- struct{}{}:
		return func() { <-s.uploads }, nil
	default:
		return nil, fault.E("symbols.Put", fault.Unavailable, "Other uploads are going on; try again in a moment.", nil)
	}
}

// take is Put for whoever has a turn.
func (s *Store) take(ctx context.Context, u Upload, r io.Reader) ([]Outcome, error) {
	const op = "symbols.Put"
	data, err := io.ReadAll(io.LimitReader(r, MaxUpload+1))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The upload was cut off.", err)
	}
	if len(data) > MaxUpload {
		return nil, fault.E(op, fault.TooLarge, "An upload has at most 100 MB.", nil)
	}
	if isZip(data) {
		return s.bundle(ctx, u, data)
	}
	out, err := s.one(ctx, u, data)
	if err != nil {
		return nil, err
	}
	return []Outcome{out}, nil
}

// one keeps one file.
func (s *Store) one(ctx context.Context, u Upload, data []byte) (Outcome, error) {
	const op = "symbols.Put"
	if elfsym.Is(data) { // what is kept is what it says
		s.parse.Lock()
		made, err := elfsym.Convert(bytes.NewReader(data), int64(len(data)), path.Base(strings.ReplaceAll(u.Name, `\`, "/")))
		s.parse.Unlock()
		if err != nil {
			return Outcome{}, err
		}
		data = made
	}
	if len(data) > symbol.MaxFile {
		return Outcome{}, fault.E(op, fault.TooLarge, "A symbol file has at most 64 MB.", nil)
	}
	f := File{Subject: u.Subject, Name: lineOf(path.Base(strings.ReplaceAll(u.Name, `\`, "/"))), By: u.Actor,
		Release: eco.Clean(strings.TrimSpace(u.Release), 128), DebugID: symbol.DebugID(u.DebugID), Size: int64(len(data))}
	if f.Name == "." || f.Name == "" {
		f.Name = "file"
	}
	sum := sha256.Sum256(data)
	f.SHA256 = hex.EncodeToString(sum[:])
	s.parse.Lock()
	a, size, err := Parse(data)
	s.parse.Unlock()
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case a.Map != nil:
		f.Kind = symbol.SourceMap
		if f.DebugID == "" {
			f.DebugID = a.Map.DebugID
		}
		switch {
		case u.File != "":
			f.File = symbol.BundleFile(u.File)
		case a.Map.File != "":
			f.File = symbol.BundleFile(a.Map.File)
		default:
			f.File = symbol.BundleFile(strings.TrimSuffix(f.Name, ".map"))
		}
	case a.Mapping != nil:
		f.Kind = symbol.ProGuard
	case a.Module != nil:
		f.Kind, f.DebugID, f.File = symbol.Sym, symbol.DebugID(a.Module.ID), lineOf(a.Module.Name)
	}
	if f.DebugID == "" && f.Release == "" {
		return Outcome{}, fault.E(op, fault.Invalid, "The file has no debug id: say which release it belongs to. A file name alone is never enough.", nil)
	}
	out, err := s.keep(ctx, f, data)
	if err == nil {
		s.parsed.put(&entry{key: f.SHA256, a: a, size: size})
	}
	return out, err
}

// Parse reads a symbol file of any kind, and says about how many bytes of memory
// the result takes.
func Parse(data []byte) (symbol.Artifact, int64, error) {
	head := bytes.TrimLeft(data[:min(len(data), 4096)], "\ufeff \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("MODULE ")):
		m, err := symbol.ParseBreakpad(data)
		if err != nil {
			return symbol.Artifact{}, 0, err
		}
		return symbol.Artifact{Module: m}, m.Size(), nil
	case bytes.HasPrefix(head, []byte("{")), bytes.HasPrefix(head, []byte(")]}")):
		m, err := symbol.ParseMap(data)
		if err != nil {
			return symbol.Artifact{}, 0, err
		}
		return symbol.Artifact{Map: m}, m.Size(), nil
	}
	m, err := symbol.ParseMapping(data)
	if err != nil {
		return symbol.Artifact{}, 0, fault.E("symbols.Parse", fault.Invalid, "This is no source map, no ProGuard or R8 mapping, no Breakpad symbol file and no ELF binary.", err)
	}
	return symbol.Artifact{Mapping: m}, m.Size(), nil
}

func blobKey(sha string) string { return "symbols/" + sha[:2] + "/" + sha }

// keep stores the bytes, then the row with its audit entry. Bytes without a row are
// removed by Tidy.
func (s *Store) keep(ctx context.Context, f File, data []byte) (Outcome, error) {
	const op = "symbols.Put"
	now := s.o.Now()
	f.ID, f.Uploaded = s.o.NewID(), now.UTC()
	if err := s.o.Blobs.Put(ctx, blobKey(f.SHA256), bytes.NewReader(data)); err != nil {
		return Outcome{}, fault.Wrap(op, err)
	}
	out := Outcome{Name: f.Name}
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		out.Known, out.Helps = false, 0
		old, err := scanFiles(tx.QueryContext(ctx, selectFiles+` WHERE subject = $1 AND sha256 = $2 AND kind = $3 AND debug_id = $4 AND release = $5 AND file = $6`,
			subjectText(f.Subject), f.SHA256, string(f.Kind), f.DebugID, f.Release, f.File))
		if err != nil {
			return err
		}
		if len(old) > 0 && old[0].Deleted.IsZero() {
			out.Known, f = true, old[0]
			return nil
		}
		if len(old) > 0 { // it comes back
			f.ID = old[0].ID
			_, err = tx.ExecContext(ctx, `UPDATE symbol_file SET gone_ms = 0, at_ms = $1, by_actor = $2 WHERE id = $3`, now.UnixMilli(), f.By, f.ID)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO symbol_file (id, subject, kind, debug_id, release, file, base, name, sha256, size, by_actor, at_ms, used_ms, gone_ms)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0)`, f.ID, subjectText(f.Subject), string(f.Kind), f.DebugID, f.Release,
				f.File, path.Base(f.File), f.Name, f.SHA256, f.Size, f.By, now.UnixMilli())
		}
		if err != nil {
			return err
		}
		if out.Helps, err = due(ctx, tx, f); err != nil {
			return err
		}
		if err := s.room(ctx, tx, f); err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Actor: f.By, Action: "symbol.upload", Ref: eco.Ref{Kind: "symbol", ID: f.ID}, Note: subjectText(f.Subject) + " " + f.SHA256[:16]})
	})
	if err != nil {
		return Outcome{}, fault.Wrap(op, err)
	}
	s.forget()
	out.Kept = &f
	return out, nil
}

// room makes room for a file within the bounds of its owner: the files that were
// used or uploaded longest ago go, never the new one.
func (s *Store) room(ctx context.Context, tx *sql.Tx, f File) error {
	files, err := scanFiles(tx.QueryContext(ctx, selectFiles+` WHERE subject = $1 AND gone_ms = 0 ORDER BY CASE WHEN used_ms > at_ms THEN used_ms ELSE at_ms END DESC`, subjectText(f.Subject)))
	if err != nil {
		return err
	}
	count, size := 1, f.Size
	for _, x := range files {
		if x.ID == f.ID {
			continue
		}
		if count++; count <= MaxFiles && size+x.Size <= MaxBytes {
			size += x.Size
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM symbol_file WHERE id = $1`, x.ID); err != nil {
			return err
		}
		if err := s.o.Audit.Append(ctx, tx, audit.Entry{Actor: "system", Action: "symbol.expire", Ref: eco.Ref{Kind: "symbol", ID: x.ID}}); err != nil {
			return err
		}
	}
	return nil
}

// due marks what crashes miss and this file may be; the job Late looks.
func due(ctx context.Context, tx *sql.Tx, f File) (helps int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, debug_id, release, file, crashes FROM symbol_missing WHERE subject = $1 AND kind = $2`, subjectText(f.Subject), string(f.Kind))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id, debug, release, file string
		var n int64
		if err := rows.Scan(&id, &debug, &release, &file, &n); err != nil {
			return 0, err
		}
		if debug != "" && debug == f.DebugID || release != "" && release == f.Release && fits(f.File, file) > 0 {
			ids = append(ids, id)
			helps += n
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, `UPDATE symbol_missing SET due = 1 WHERE id = $1`, id); err != nil {
			return 0, err
		}
	}
	return helps, nil
}

// fits says in how many parts of the path, from the end, two names of a generated
// file agree, when one of them ends with the other; else 0. Without names (a
// mapping is for a whole release) they agree in one.
func fits(have, asked string) int {
	if have == "" && asked == "" {
		return 1
	}
	h, a := strings.Split(strings.TrimPrefix(have, "~/"), "/"), strings.Split(strings.TrimPrefix(asked, "~/"), "/")
	n := min(len(h), len(a))
	for i := range n {
		if h[len(h)-1-i] != a[len(a)-1-i] || h[len(h)-1-i] == "" {
			return 0
		}
	}
	return n
}

// lineOf is a name of a file as it is kept and shown: one line, without what moves
// the cursor of a terminal.
func lineOf(name string) string {
	return eco.Clean(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name), 200)
}
