package db

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"unicode"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Search is full text over documents that other tables own: a document is found
// by the id its owner gave it. Both engines see the same words, because the
// words are cut here: runs of letters and digits, in lower case. The order of
// results is each engine's own notion of relevance.
type Search struct{ d *DB }

// Bounds of one document and one query. What is longer is cut, silently.
const (
	maxText  = 64 << 10 // bytes
	maxWord  = 64       // bytes
	maxTerms = 16
)

// Put stores or replaces the text of a document, in the transaction that
// changes the document itself. The index is a name such as "family".
func (s *Search) Put(ctx context.Context, tx *sql.Tx, index, id, text string) error {
	const op = "db.Search.Put"
	if err := s.Delete(ctx, tx, index, id); err != nil {
		return err
	}
	words := split(text, maxText)
	if s.d.dialect == Postgres {
		_, err := tx.ExecContext(ctx, `INSERT INTO db_search (idx, id, body) VALUES ($1, $2, $3::tsvector)`, index, id, vector(words))
		return fault.Wrap(op, err)
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO db_search (idx, id) VALUES ($1, $2)`, index, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	n, err := r.LastInsertId()
	if err != nil {
		return fault.Wrap(op, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO db_search_text (rowid, idx, body) VALUES ($1, $2, $3)`, n, marker(index), strings.Join(words, " "))
	return fault.Wrap(op, err)
}

// Delete forgets a document; one that is not there is no error.
func (s *Search) Delete(ctx context.Context, tx *sql.Tx, index, id string) error {
	const op = "db.Search.Delete"
	if s.d.dialect == SQLite {
		if _, err := tx.ExecContext(ctx, `DELETE FROM db_search_text WHERE rowid IN (SELECT n FROM db_search WHERE idx = $1 AND id = $2)`, index, id); err != nil {
			return fault.Wrap(op, err)
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM db_search WHERE idx = $1 AND id = $2`, index, id)
	return fault.Wrap(op, err)
}

// Find returns the ids of documents that hold all words of the query, the best
// first. What stands in double quotes is a phrase: its words follow one another.
// The last word, unless quoted, may be the beginning of one. The query is what a
// person typed; nothing else in it is an operator. No words: no results.
func (s *Search) Find(ctx context.Context, index, query string, limit int) ([]string, error) {
	const op = "db.Search.Find"
	terms, open := phrases(query)
	if len(terms) == 0 || limit <= 0 {
		return nil, nil
	}
	text, arg := `SELECT d.id FROM db_search_text t JOIN db_search d ON d.n = t.rowid
		WHERE db_search_text MATCH $1 ORDER BY bm25(db_search_text, 0, 1), d.id LIMIT $2`, match(index, terms, open)
	args := []any{arg, limit}
	if s.d.dialect == Postgres {
		text = `SELECT id FROM db_search WHERE idx = $3 AND body @@ $1::tsquery ORDER BY ts_rank(body, $1::tsquery) DESC, id LIMIT $2`
		args = []any{tsquery(terms, open), limit, index}
	}
	rows, err := s.d.read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fault.Wrap(op, err)
		}
		ids = append(ids, id)
	}
	return ids, fault.Wrap(op, rows.Err())
}

// split cuts text into words. No word holds anything but letters, digits and
// combining marks, so quoting a word for either engine cannot go wrong.
func split(text string, max int) []string {
	if len(text) > max {
		text = strings.ToValidUTF8(text[:max], "")
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	})
	for i, w := range words {
		if len(w) > maxWord {
			words[i] = strings.ToValidUTF8(w[:maxWord], "")
		}
	}
	return words
}

// marker is the index's name as one word of its own column.
func marker(index string) string {
	return "x" + strings.Join(split(index, 256), "x")
}

// phrases cuts a query into runs of words that follow one another, at most
// maxTerms words in all; open says that the last one may be the beginning of a word.
func phrases(query string) (terms [][]string, open bool) {
	query, n := query[:min(len(query), maxText)], 0
	for i, part := range strings.Split(strings.ToValidUTF8(query, ""), `"`) {
		words := split(part, maxText)
		words = words[:min(len(words), maxTerms-n)]
		if n += len(words); len(words) == 0 {
			continue
		}
		if open = i%2 == 0; !open {
			terms = append(terms, words)
			continue
		}
		for _, w := range words {
			terms = append(terms, []string{w})
		}
	}
	return terms, open
}

func match(index string, terms [][]string, open bool) string {
	var b strings.Builder
	b.WriteString(`idx : "` + marker(index) + `" AND body : (`)
	for i, words := range terms {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + strings.Join(words, " ") + `"`)
	}
	if open {
		b.WriteByte('*')
	}
	return b.String() + ")"
}

func tsquery(terms [][]string, open bool) string {
	var and []string
	for _, words := range terms {
		and = append(and, "('"+strings.Join(words, "' <-> '")+"')")
	}
	text := strings.Join(and, " & ")
	if open {
		text = strings.TrimSuffix(text, ")") + ":*)"
	}
	return text
}

// vector writes words as a tsvector. PostgreSQL counts positions to 16383.
func vector(words []string) string {
	var b strings.Builder
	for i, w := range words {
		b.WriteString("'" + w + "':" + strconv.Itoa(min(i+1, 16383)) + " ")
	}
	return b.String()
}
