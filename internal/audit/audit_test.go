package audit_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

var at = time.UnixMilli(1_789_000_000_123).UTC()

func open(t *testing.T, d *db.DB) *audit.Log {
	t.Helper()
	l, err := audit.New(t.Context(), d, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func entry(i int) audit.Entry {
	return audit.Entry{Actor: "a-1", Action: "extension.add", Ref: eco.Ref{Kind: "extension", ID: fmt.Sprintf("acme.x%d", i)}, Note: "<kind> & \"ü\""}
}

func fill(t *testing.T, d *db.DB, l *audit.Log, n int) {
	t.Helper()
	err := d.Tx(t.Context(), func(tx *sql.Tx) error {
		for i := range n {
			if err := l.Append(t.Context(), tx, entry(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAppendListProve(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		if r, err := l.Verify(t.Context()); err != nil || !r.OK() || r.Size != 0 {
			t.Fatalf("empty: %+v %v", r, err)
		}
		empty, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var old []audit.Checkpoint
		for range 5 {
			fill(t, d, l, 5)
			c, err := l.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			old = append(old, c)
		}
		got, err := l.List(t.Context(), 20, 3)
		if err != nil {
			t.Fatal(err)
		}
		want := []audit.Record{{N: 19, At: at, Entry: entry(4)}, {N: 18, At: at, Entry: entry(3)}, {N: 17, At: at, Entry: entry(2)}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, c := range append(old, empty) {
			back, err := audit.ParseCheckpoint(c.String())
			if err != nil || back != c {
				t.Fatalf("%v %v", back, err)
			}
			if err := l.Consistent(t.Context(), c); err != nil {
				t.Errorf("size %d: %v", c.Size, err)
			}
		}
		r, err := l.Verify(t.Context())
		if err != nil || !r.OK() || r.Size != 25 || r.Root != old[4].Root {
			t.Fatalf("%+v %v", r, err)
		}
		for n := range int64(25) {
			p, err := l.Prove(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(); err != nil {
				t.Errorf("entry %d: %v", n, err)
			}
			p.Body[10] ^= 1
			if fault.CodeOf(p.Check()) != fault.Conflict {
				t.Errorf("entry %d: a changed body is proven", n)
			}
		}
		if _, err := l.Prove(t.Context(), 25); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("past the end: %v", err)
		}
	})
}

func TestAppendGoesWithTheChange(t *testing.T) {
	d := dbtest.Open(t)
	l := open(t, d)
	err := d.Tx(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(l.Append(t.Context(), tx, entry(0)), errors.New("the change failed"))
	})
	if size, _, herr := l.Head(t.Context()); err == nil || herr != nil || size != 0 {
		t.Fatalf("size %d, %v %v", size, err, herr)
	}
	for _, e := range []audit.Entry{{Action: "x"}, {Actor: "x"}, {Actor: strings.Repeat("x", 300), Action: "x"}} {
		err := d.Tx(t.Context(), func(tx *sql.Tx) error { return l.Append(t.Context(), tx, e) })
		if fault.CodeOf(err) != fault.Internal {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestVerifyNamesTheEntry(t *testing.T) {
	for name, c := range map[string]struct {
		sql   string
		entry int64
	}{
		"a byte of a note":     {`UPDATE audit_entry SET body = replace(body, 'acme.x5', 'acme.x6') WHERE n = 5`, 5},
		"not canonical":        {`UPDATE audit_entry SET body = ' ' || body WHERE n = 4`, 4},
		"two entries swapped":  {`UPDATE audit_entry SET body = (SELECT body FROM audit_entry WHERE n = 2) WHERE n = 3`, 3},
		"taken out":            {`DELETE FROM audit_entry WHERE n = 6`, 6},
		"the last taken out":   {`DELETE FROM audit_entry WHERE n = 10`, 10},
		"a hash changed":       {`UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE n = 0) WHERE n = 7`, 4},
		"a hash taken out":     {`DELETE FROM audit_hash WHERE n = 2`, 1},
		"an entry put at end":  {`INSERT INTO audit_entry (n, body) VALUES (11, '{}')`, 11},
		"an inner hash blank":  {`UPDATE audit_hash SET hash = '' WHERE n = 6`, 3},
		"renumbered to the 20": {`UPDATE audit_entry SET n = 20 WHERE n = 10`, 10},
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.Open(t)
			l := open(t, d)
			fill(t, d, l, 11)
			if r, err := l.Verify(t.Context()); err != nil || !r.OK() {
				t.Fatalf("before: %+v %v", r, err)
			}
			err := d.Tx(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(c.sql); return err })
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Verify(t.Context())
			if err != nil || r.OK() || r.Bad[0].Entry != c.entry {
				t.Fatalf("%+v %v; want entry %d", r.Bad, err, c.entry)
			}
		})
	}
}

// Who rewrites an entry and all hashes above it gets past Verify, not past a
// checkpoint.
func TestCheckpointFindsARewrittenLog(t *testing.T) {
	d := dbtest.Open(t)
	l := open(t, d)
	fill(t, d, l, 9)
	kept, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = d.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM audit_entry; DELETE FROM audit_hash`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Millisecond)
	fill(t, d, l, 12)
	if r, err := l.Verify(t.Context()); err != nil || !r.OK() {
		t.Fatalf("%+v %v", r, err)
	}
	if err := l.Consistent(t.Context(), kept); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("got %v, want conflict", err)
	}
	if err := l.Consistent(t.Context(), audit.Checkpoint{Size: 13}); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("a longer checkpoint: %v", err)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	h := tlog.Hash{}.String()
	for _, s := range []string{"", "bellwether audit/1\n1\n" + h, "bellwether audit/2\n1\n" + h + "\n", "bellwether audit/1\n+1\n" + h + "\n",
		"bellwether audit/1\n-1\n" + h + "\n", "bellwether audit/1\n1\nxx\n", "bellwether audit/1\n01\n" + h + "\n", "bellwether audit/1\n1\n" + h + "\n\n"} {
		if c, err := audit.ParseCheckpoint(s); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v %v", s, c, err)
		}
	}
}

func TestVerifyManyPages(t *testing.T) {
	d := dbtest.Open(t)
	l := open(t, d)
	fill(t, d, l, 2500)
	r, err := l.Verify(t.Context())
	size, root, herr := l.Head(t.Context())
	if err != nil || herr != nil || !r.OK() || r.Size != 2500 || size != 2500 || r.Root != root {
		t.Fatalf("%+v %v; head %d %v", r, err, size, herr)
	}
}
