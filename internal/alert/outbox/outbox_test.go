package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// house is an outbox whose mails go to memory.
type house struct {
	*outbox.Outbox
	d     *db.DB
	mem   *notify.Mem
	clock time.Time
	codes []fault.Code
}

var ids atomic.Int64

func open(t *testing.T, d *db.DB, holder string) *house {
	t.Helper()
	h := &house{d: d, mem: &notify.Mem{}, clock: time.UnixMilli(1_790_000_000_000)}
	var err error
	h.Outbox, err = outbox.New(t.Context(), outbox.Options{
		DB: d, Now: func() time.Time { return h.clock }, NewID: func() string { return fmt.Sprintf("m-%d", ids.Add(1)) }, Holder: holder,
		Prepare: func(_ context.Context, d outbox.Delivery) (notify.Message, notify.Sender, error) {
			if d.Kind == "stale" {
				return notify.Message{}, nil, fault.E("test", fault.NotFound, "Nobody reads it.", nil)
			}
			return notify.Message{Subject: fmt.Sprintf("%d items", len(d.Items)), Text: []string{string(d.Sealed)}}, h.mem, nil
		},
		After: func(_ context.Context, _ *sql.Tx, _ outbox.Delivery, code fault.Code) error {
			h.codes = append(h.codes, code)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) put(t *testing.T, l outbox.Letter) (id string) {
	t.Helper()
	err := h.d.Tx(t.Context(), func(tx *sql.Tx) (err error) { id, err = h.Put(t.Context(), tx, l); return err })
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (h *house) run(t *testing.T) int {
	t.Helper()
	n, err := h.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func item(key string) outbox.Item {
	return outbox.Item{Key: key, Kind: "family.new", Topic: "F-" + key, At: time.UnixMilli(1)}
}

func TestOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, "one")
		l := outbox.Letter{Target: "account:a", Kind: "family.new", Items: []outbox.Item{item("x")}}
		if h.put(t, l) == "" || h.put(t, l) != "" {
			t.Error("the same item was put twice, or not at all")
		}
		if n := h.run(t); n != 1 {
			t.Errorf("tried %d", n)
		}
		if n := h.run(t); n != 0 || len(h.mem.Sent()) != 1 {
			t.Errorf("again: tried %d, sent %d", n, len(h.mem.Sent()))
		}
		// A change that is rolled back tells nobody.
		_ = d.Tx(t.Context(), func(tx *sql.Tx) error {
			_, _ = h.Put(t.Context(), tx, outbox.Letter{Target: "account:a", Items: []outbox.Item{item("y")}})
			return sql.ErrTxDone
		})
		if n := h.run(t); n != 0 {
			t.Errorf("after a rollback: tried %d", n)
		}
	})
}

func TestBatch(t *testing.T) {
	h := open(t, dbtest.Open(t), "one")
	due := h.clock.Add(time.Hour)
	for _, k := range []string{"a", "b", "c", "b"} {
		h.put(t, outbox.Letter{Target: "account:a", Kind: "summary", Batch: "quiet", Due: due, Items: []outbox.Item{item(k)}})
	}
	h.put(t, outbox.Letter{Target: "account:b", Kind: "summary", Batch: "quiet", Due: due, Items: []outbox.Item{item("a")}})
	if n := h.run(t); n != 0 {
		t.Errorf("before its time: %d", n)
	}
	h.clock = due
	h.run(t)
	var subjects []string // in whatever order they went out
	for _, m := range h.mem.Sent() {
		subjects = append(subjects, m.Subject)
	}
	if slices.Sort(subjects); !slices.Equal(subjects, []string{"1 items", "3 items"}) {
		t.Errorf("%+v", h.mem.Sent())
	}
	// What comes after goes into a new one.
	h.put(t, outbox.Letter{Target: "account:a", Kind: "summary", Batch: "quiet", Items: []outbox.Item{item("d")}})
	h.run(t)
	if got := h.mem.Sent(); len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestRetriesAndGivesUp(t *testing.T) {
	h := open(t, dbtest.Open(t), "one")
	h.mem.Fail = func(notify.Message) error { return fault.E("x", fault.Unavailable, "Later.", nil) }
	id := h.put(t, outbox.Letter{Target: "account:a", Kind: "family.new", Items: []outbox.Item{item("x")}})
	for i, pause := range outbox.Retries {
		if n := h.run(t); n != 1 {
			t.Fatalf("try %d: %d tried", i, n)
		}
		d, err := h.Get(t.Context(), id)
		if err != nil || d.State != outbox.Waiting || d.Tries != i+1 || !d.Due.Equal(h.clock.Add(pause)) || d.Reason != "Later." {
			t.Fatalf("try %d: %+v %v", i, d, err)
		}
		if n := h.run(t); n != 0 {
			t.Fatalf("try %d: tried before its time", i)
		}
		h.clock = d.Due
	}
	h.run(t)
	d, err := h.Get(t.Context(), id)
	if err != nil || d.State != outbox.Failed {
		t.Fatalf("%+v %v", d, err)
	}
	h.mem.Fail = nil
	if err := h.d.Tx(t.Context(), func(tx *sql.Tx) error { return h.Resend(t.Context(), tx, id) }); err != nil {
		t.Fatal(err)
	}
	h.run(t)
	if got := h.mem.Sent(); len(got) != 1 || got[0].ID != id {
		t.Errorf("%+v", got)
	}
}

func TestPermanentAndStale(t *testing.T) {
	h := open(t, dbtest.Open(t), "one")
	h.mem.Fail = func(notify.Message) error { return fault.E("x", fault.NotFound, "Gone.", nil) }
	gone := h.put(t, outbox.Letter{Target: "account:a", Kind: "family.new", Items: []outbox.Item{item("x")}})
	stale := h.put(t, outbox.Letter{Target: "account:a", Kind: "stale", Items: []outbox.Item{item("y")}})
	h.run(t)
	for id, want := range map[string]outbox.State{gone: outbox.Failed, stale: outbox.Dropped} {
		if d, err := h.Get(t.Context(), id); err != nil || d.State != want || d.Reason == "" {
			t.Errorf("%+v %v", d, err)
		}
	}
	if len(h.codes) != 2 {
		t.Errorf("told %v", h.codes)
	}
}

// A process that dies after the other side has the message sends it again, with
// the same id, once its lease has ended; nothing is lost.
func TestKilled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, "one")
		id := h.put(t, outbox.Letter{Target: "account:a", Kind: "family.new", Items: []outbox.Item{item("x")}})
		ctx, kill := context.WithCancel(t.Context())
		h.mem.Fail = func(notify.Message) error { kill(); return nil } // it arrives, and we die before we note it
		if _, err := h.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
		if len(h.mem.Sent()) != 1 {
			t.Fatal("it did not arrive")
		}
		next := open(t, d, "two")
		next.mem, next.clock = h.mem, h.clock.Add(time.Minute)
		h.mem.Fail = nil
		if n := next.run(t); n != 0 {
			t.Errorf("within the lease: %d tried", n)
		}
		next.clock = h.clock.Add(5 * time.Minute)
		if n := next.run(t); n != 1 {
			t.Errorf("after the lease: %d tried", n)
		}
		if got := h.mem.Sent(); len(got) != 1 || got[0].ID != id { // the receiver dropped the repeat by its id
			t.Errorf("%+v", got)
		}
		if got, err := next.Get(t.Context(), id); err != nil || got.State != outbox.Sent || got.Tries != 2 {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func TestSealedIsForgotten(t *testing.T) {
	h := open(t, dbtest.Open(t), "one")
	id := h.put(t, outbox.Letter{Target: "link:l", Kind: "account.invite", Sealed: []byte("s3cret"), Ends: h.clock.Add(time.Hour)})
	late := h.put(t, outbox.Letter{Target: "link:m", Kind: "account.invite", Sealed: []byte("s3cret"), Ends: h.clock.Add(-time.Second)})
	h.run(t)
	if got := h.mem.Sent(); len(got) != 1 || got[0].Text[0] != "s3cret" {
		t.Fatalf("%+v", got)
	}
	var kept int
	if err := h.d.Read().QueryRow(`SELECT count(*) FROM outbox_message WHERE sealed IS NOT NULL`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d kept, %v", kept, err)
	}
	if d, _ := h.Get(t.Context(), late); d.State != outbox.Dropped {
		t.Errorf("%+v", d)
	}
	err := h.d.Tx(t.Context(), func(tx *sql.Tx) error { return h.Resend(t.Context(), tx, id) })
	if fault.CodeOf(err) != fault.Conflict {
		t.Errorf("%v", err)
	}
}

func TestListAndTidy(t *testing.T) {
	h := open(t, dbtest.Open(t), "one")
	for i := range 5 {
		h.put(t, outbox.Letter{Target: []string{"account:a", "account:b"}[i%2], Kind: "family.new", Items: []outbox.Item{item(fmt.Sprint(i))}})
		h.clock = h.clock.Add(time.Second)
	}
	h.run(t)
	seen, cursor := 0, ""
	for {
		list, next, err := h.List(t.Context(), outbox.Filter{Targets: []string{"account:a"}, Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if seen++; d.Target != "account:a" || len(d.Items) != 1 || d.State != outbox.Sent {
				t.Errorf("%+v", d)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if seen != 3 {
		t.Errorf("saw %d", seen)
	}
	if list, _, err := h.List(t.Context(), outbox.Filter{Targets: []string{}}); err != nil || len(list) != 0 {
		t.Errorf("nobody's: %d %v", len(list), err)
	}
	h.clock = h.clock.AddDate(0, 0, 31)
	if n, err := h.Tidy(t.Context()); err != nil || n != 5 {
		t.Errorf("%d %v", n, err)
	}
}
