package account

import (
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		me, other := person(), Principal{Kind: KindAccount, ID: "a-2"}
		if done, err := h.Once(ctx, me, "k", "one"); done != nil || err != nil {
			t.Fatalf("the first time: %v, %v", done, err)
		}
		_, err := h.Once(ctx, me, "k", "one")
		wantCode(t, "while it is under way", err, fault.Conflict)
		if err := h.Finish(ctx, me, "k", Answer{Status: 201, Body: "{}", Kept: true}); err != nil {
			t.Fatal(err)
		}
		if done, err := h.Once(ctx, me, "k", "one"); err != nil || done == nil || *done != (Answer{201, "{}", true}) {
			t.Errorf("again: %+v, %v", done, err)
		}
		_, err = h.Once(ctx, me, "k", "two")
		wantCode(t, "another request", err, fault.Invalid)
		if done, err := h.Once(ctx, other, "k", "two"); done != nil || err != nil {
			t.Errorf("somebody else's key: %v, %v", done, err)
		}
		if err := h.Finish(ctx, other, "k", Answer{Status: 503}); err != nil {
			t.Fatal(err)
		}
		if done, err := h.Once(ctx, other, "k", "two"); done != nil || err != nil {
			t.Errorf("after a failure it may be tried again: %v, %v", done, err)
		}
		h.now = h.now.Add(onceBusy)
		if done, err := h.Once(ctx, other, "k", "two"); done != nil || err != nil {
			t.Errorf("after the server died in between: %v, %v", done, err)
		}
		h.now = h.now.Add(24 * time.Hour)
		if done, err := h.Once(ctx, me, "k", "two"); done != nil || err != nil {
			t.Errorf("a day later: %v, %v", done, err)
		}
		_, err = h.Once(ctx, me, "", "x")
		wantCode(t, "no key", err, fault.Invalid)
	})
}
