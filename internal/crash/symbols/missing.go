package symbols

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// wanted is a crash that asked for a file in vain; it waits in memory for Flush.
type wanted struct {
	id   eco.ID
	at   int64 // receipt, Unix milliseconds
	wish wish
}

// want notes what a crash misses. Past the bound it is not noted: the page is about
// the many, not the last one.
func (s *Store) want(id eco.ID, lost []wish, at int64) {
	if len(lost) == 0 || id.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range lost {
		if len(s.pending) < maxPending {
			w.release, w.need.File = strings.Clone(w.release), strings.Clone(w.need.File) // texts of a batch share its memory
			s.pending = append(s.pending, wanted{id, at, w})
		}
	}
}

func (w *wish) hash() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{subjectText(w.subject), string(w.need.Kind), w.need.DebugID, w.keyRelease(), w.need.File}, "\n")))
	return hex.EncodeToString(sum[:12])
}

// keyRelease: a file with a debug id is the same in every release.
func (w *wish) keyRelease() string {
	if w.need.DebugID != "" {
		return ""
	}
	return w.release
}

// Flush is a job: it writes down what is missing and what was used.
func (s *Store) Flush(ctx context.Context) (string, error) {
	s.mu.Lock()
	list, used := s.pending, s.used
	s.pending, s.used = nil, map[string]int64{}
	s.mu.Unlock()
	if len(list) == 0 && len(used) == 0 {
		return "", nil
	}
	err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		for id, at := range used {
			if _, err := tx.ExecContext(ctx, `UPDATE symbol_file SET used_ms = $1 WHERE id = $2 AND used_ms < $1`, at, id); err != nil {
				return err
			}
		}
		for i := range list {
			if err := s.note(ctx, tx, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.mu.Lock() // once more with the next run, within the bound
		s.pending = append(list, s.pending...)[:min(len(list)+len(s.pending), maxPending)]
		s.mu.Unlock()
	}
	if err != nil {
		return "", fault.Wrap("symbols.Flush", err)
	}
	return "", fault.Wrap("symbols.Flush", s.arrived(ctx, list))
}

// arrived marks what is not missing any more: the file came while its crashes
// waited to be noted.
func (s *Store) arrived(ctx context.Context, list []wanted) error {
	seen := map[string]bool{}
	for i := range list {
		w := list[i].wish
		id := w.hash()
		if seen[id] {
			continue
		}
		seen[id] = true
		if _, ok := s.find(ctx, w); !ok {
			continue
		}
		err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE symbol_missing SET due = 1 WHERE id = $1`, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) note(ctx context.Context, tx *sql.Tx, w *wanted) error {
	id, subject := w.wish.hash(), subjectText(w.wish.subject)
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM symbol_missing WHERE id = $1`, id).Scan(&n)
	if err != nil {
		return err
	}
	if n == 0 {
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM symbol_missing WHERE subject = $1`, subject).Scan(&n); err != nil {
			return err
		}
		if n >= maxMissing { // the one that was asked for longest ago makes room
			var old string
			if err := tx.QueryRowContext(ctx, `SELECT id FROM symbol_missing WHERE subject = $1 ORDER BY last_ms, id LIMIT 1`, subject).Scan(&old); err != nil {
				return err
			}
			if err := drop(ctx, tx, old); err != nil {
				return err
			}
		}
		need := &w.wish.need
		_, err := tx.ExecContext(ctx, `INSERT INTO symbol_missing (id, subject, kind, debug_id, release, file, crashes, first_ms, last_ms, due)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7, 0)`, id, subject, string(need.Kind), need.DebugID, w.wish.release, need.File, w.at)
		if err != nil {
			return err
		}
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO symbol_wanted (missing, crash) VALUES ($1, $2) ON CONFLICT (missing, crash) DO NOTHING`, id, w.id.String())
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	// Ids are ordered by the time of receipt: what falls behind the newest thousand goes.
	if _, err := tx.ExecContext(ctx, `DELETE FROM symbol_wanted WHERE missing = $1 AND crash < (SELECT crash FROM symbol_wanted WHERE missing = $1
		ORDER BY crash DESC LIMIT 1 OFFSET $2)`, id, maxWanted-1); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE symbol_missing SET crashes = crashes + 1, last_ms = CASE WHEN last_ms > $1 THEN last_ms ELSE $1 END WHERE id = $2`, w.at, id)
	return err
}

func drop(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM symbol_wanted WHERE missing = $1`, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM symbol_missing WHERE id = $1`, id)
	return err
}

// Missing lists what crashes ask for in vain, the one that would help most first,
// at most 200.
func (s *Store) Missing(ctx context.Context, subjects []Subject, all bool) ([]Missing, error) {
	where, args := subjectsWhere(subjects, all)
	if where == "" {
		return []Missing{}, nil
	}
	out, err := s.missing(ctx, where+` ORDER BY crashes DESC, last_ms DESC, id LIMIT 200`, args...)
	return out, fault.Wrap("symbols.Missing", err)
}

func (s *Store) missing(ctx context.Context, where string, args ...any) ([]Missing, error) {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT id, subject, kind, debug_id, release, file, crashes, first_ms, last_ms FROM symbol_missing`+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Missing{}
	for rows.Next() {
		var m Missing
		var subject, kind string
		var first, last int64
		if err := rows.Scan(&m.ID, &subject, &kind, &m.DebugID, &m.Release, &m.File, &m.Crashes, &first, &last); err != nil {
			return nil, err
		}
		m.Subject, m.Kind, m.First, m.Last = subjectOf(subject), symbol.Kind(kind), moment(first), moment(last)
		out = append(out, m)
	}
	return out, rows.Err()
}

// crashesOf lists the newest crashes that miss a file.
func (s *Store) crashesOf(ctx context.Context, id string) ([]eco.ID, error) {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT crash FROM symbol_wanted WHERE missing = $1 ORDER BY crash DESC LIMIT $2`, id, maxWanted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []eco.ID
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if v, err := eco.ParseID(text); err == nil {
			out = append(out, v)
		}
	}
	return out, rows.Err()
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
