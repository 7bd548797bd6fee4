package account

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		me := h.setUp().Principal
		info, secret, err := h.CreateToken(ctx, me, "nightly job", []Scope{ScopeTokens, ScopeRead, ScopeRead}, time.Time{})
		if err != nil || !strings.HasPrefix(secret, "bw_") || len(info.Scopes) != 2 {
			t.Fatalf("CreateToken = %+v, %v", info, err)
		}
		p, err := h.Bearer(ctx, secret)
		if err != nil || p.Kind != KindToken || p.TokenID != info.ID || p.ID != me.ID || !p.Has(Operator) {
			t.Fatalf("Bearer = %+v, %v", p, err)
		}
		if list, _ := h.Tokens(ctx, me); len(list) != 1 || !list[0].LastUsed.Equal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("Tokens = %+v", list)
		}
		_, _, err = h.CreateToken(ctx, p, "more", []Scope{ScopeRegistry}, time.Time{})
		wantCode(t, "a token giving more than it has", err, fault.Forbidden)
		child, _, err := h.CreateToken(ctx, p, "same", []Scope{ScopeRead}, h.now.Add(300*24*time.Hour))
		if err != nil || child.Expires.After(info.Expires) {
			t.Errorf("a token's token ends %v, after %v (%v)", child.Expires, info.Expires, err)
		}
		for what, call := range map[string]func() error{
			"no label":      func() error { _, _, err := h.CreateToken(ctx, me, " ", []Scope{ScopeRead}, time.Time{}); return err },
			"no scopes":     func() error { _, _, err := h.CreateToken(ctx, me, "x", nil, time.Time{}); return err },
			"unknown scope": func() error { _, _, err := h.CreateToken(ctx, me, "x", []Scope{"all"}, time.Time{}); return err },
			"past end":      func() error { _, _, err := h.CreateToken(ctx, me, "x", []Scope{ScopeRead}, h.now); return err },
			"far end": func() error {
				_, _, err := h.CreateToken(ctx, me, "x", []Scope{ScopeRead}, h.now.AddDate(2, 0, 0))
				return err
			},
		} {
			wantCode(t, what, call(), fault.Invalid)
		}
		other := h.member("other@example.org")
		wantCode(t, "somebody else's token", h.RevokeToken(ctx, other.Principal, info.ID), fault.NotFound)
		h.now = info.Expires.Add(-time.Millisecond)
		if _, err := h.Bearer(ctx, secret); err != nil {
			t.Errorf("just before its end: %v", err)
		}
		h.now = info.Expires
		_, err = h.Bearer(ctx, secret)
		wantCode(t, "at its end", err, fault.Unauthenticated)
		_, fresh, _ := h.CreateToken(ctx, me, "x", []Scope{ScopeRead}, time.Time{})
		list, _ := h.Tokens(ctx, me)
		if err := h.RevokeToken(ctx, me, list[0].ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.Bearer(ctx, fresh)
		wantCode(t, "a revoked token", err, fault.Unauthenticated)
		for _, s := range []string{"", "bw_", "bw_" + strings.Repeat("x", 43), strings.Repeat("bw_", 1000), "glpat-x"} {
			_, err := h.Bearer(ctx, s)
			wantCode(t, "a made-up token", err, fault.Unauthenticated)
		}
	})
}
