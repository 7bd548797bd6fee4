package db_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
)

func TestSearch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := d.Search()
		put := func(index, id, text string) {
			t.Helper()
			err := d.Tx(t.Context(), func(tx *sql.Tx) error { return s.Put(t.Context(), tx, index, id, text) })
			if err != nil {
				t.Fatal(err)
			}
		}
		put("family", "F-1", "TypeError: Cannot read properties of undefined (reading 'range')")
		put("family", "F-2", "acme.theme.Painter_draw: RangeError in gutter.ts:120")
		put("family", "F-3", "Größe überschritten; 色 テーマ")
		put("ticket", "T-1", "TypeError again")
		put("family-old", "F-9", "TypeError elsewhere")
		for query, want := range map[string][]string{
			"typeerror":            {"F-1"},
			"TypeError UNDEFINED":  {"F-1"},
			"type":                 {"F-1"}, // the last word may be a beginning
			"type error":           nil,     // the others may not
			"painter_draw 120":     {"F-2"},
			"gutter.ts":            {"F-2"},
			"größe":                {"F-3"},
			"色":                    {"F-3"},
			"nothing":              nil,
			"":                     nil,
			"(' OR *":              nil,
			`" OR body:*`:          nil,
			"family":               nil, // the index's name is not text
			"x":                    nil,
			"range* NOT typeerror": nil,
			"a & b | !c':* \x00 ;": nil,
			`"of undefined"`:       {"F-1"}, // a phrase
			`"undefined of"`:       nil,
			`"properties of" cann`: {"F-1"},
			`"properties o"`:       nil,
			`cannot "properties`:   {"F-1"},
		} {
			got, err := s.Find(t.Context(), "family", query, 10)
			if err != nil {
				t.Fatalf("%q: %v", query, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", query, diff)
			}
		}
		if got, _ := s.Find(t.Context(), "family", "error", 10); got != nil {
			t.Errorf("error: %v", got)
		}
		put("family", "F-1", "something else entirely") // replaced
		if got, _ := s.Find(t.Context(), "family", "typeerror", 10); got != nil {
			t.Errorf("after replacing: %v", got)
		}
		err := d.Tx(t.Context(), func(tx *sql.Tx) error { return s.Delete(t.Context(), tx, "family", "F-1") })
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Find(t.Context(), "family", "entirely", 10); got != nil {
			t.Errorf("after deleting: %v", got)
		}
	})
}

func TestSearchBounds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := d.Search()
		long := strings.Repeat("w ", 60_000) + "beyond"
		err := d.Tx(t.Context(), func(tx *sql.Tx) error {
			if err := s.Put(t.Context(), tx, "a", "long", long); err != nil {
				return err
			}
			if err := s.Put(t.Context(), tx, "a", "word", strings.Repeat("é", 100_000)); err != nil {
				return err
			}
			for i := range 20 {
				if err := s.Put(t.Context(), tx, "a", string(rune('A'+i)), "common"); err != nil {
					return err
				}
			}
			return s.Put(t.Context(), tx, "a", "empty", " ;; ")
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Find(t.Context(), "a", "beyond", 5); err != nil || got != nil {
			t.Errorf("past the bound: %v %v", got, err)
		}
		if got, err := s.Find(t.Context(), "a", strings.Repeat("é", 500), 5); err != nil || !slices.Equal(got, []string{"word"}) {
			t.Errorf("long word: %v %v", got, err)
		}
		if got, err := s.Find(t.Context(), "a", strings.Repeat("w ", 5000), 5); err != nil || !slices.Equal(got, []string{"long"}) {
			t.Errorf("many words: %v %v", got, err)
		}
		if got, err := s.Find(t.Context(), "a", "comm", 7); err != nil || len(got) != 7 {
			t.Errorf("limit: %v %v", got, err)
		}
	})
}
