package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const good = "three wise sheep, ringing"

// house is a service with a clock that stands until it is moved.
type house struct {
	*Service
	t   *testing.T
	now time.Time
	log *audit.Log
}

func open(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	var err error
	if h.log, err = audit.New(t.Context(), d, clock); err != nil {
		t.Fatal(err)
	}
	h.Service, err = New(t.Context(), d, h.log, Options{
		Now: clock, Rand: rand.Reader, PasswordMemory: 64,
		ExtensionsOf: func(p string) []eco.ExtensionID {
			return []eco.ExtensionID{eco.ExtensionID(p + ".one"), eco.ExtensionID(p + ".two")}
		},
		TeamOwns: func(team string) ([]eco.ExtensionID, []string) {
			if team == "red" {
				return []eco.ExtensionID{"acme.one"}, []string{"studio"}
			}
			return nil, nil
		},
		Known: func(publisher, team string) bool { return publisher != "typo" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// setUp makes the first account.
func (h *house) setUp() SignedIn {
	h.t.Helper()
	token, ok, err := h.SetupLink(h.t.Context())
	if err != nil || !ok {
		h.t.Fatalf("SetupLink: ok %v, %v", ok, err)
	}
	in, err := h.SetUp(h.t.Context(), token, NewAccount{Email: "First@Example.org", Name: " Ada  Operator ", Password: good, Agent: "Firefox on Linux"})
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

func (h *house) member(email string, grants ...Grant) SignedIn {
	h.t.Helper()
	_, token, err := h.Invite(h.t.Context(), System("test"), email, "Some Body", grants)
	if err != nil {
		h.t.Fatal(err)
	}
	in, err := h.Accept(h.t.Context(), token, NewAccount{Password: good})
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s: code %q (%v), want %q", what, got, err, want)
	}
}

func TestSetUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		first, _, err := h.SetupLink(ctx)
		if err != nil {
			t.Fatal(err)
		}
		second, _, _ := h.SetupLink(ctx)
		n := NewAccount{Email: "a@example.org", Name: "A", Password: good}
		_, err = h.SetUp(ctx, first, n)
		wantCode(t, "a replaced link", err, fault.NotFound)
		bad := n
		bad.Password = "short"
		_, err = h.SetUp(ctx, second, bad)
		wantCode(t, "a short password", err, fault.Invalid)
		in, err := h.SetUp(ctx, second, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []Role{Operator, Triager, Support, Steward, Auditor} {
			if !in.Principal.Has(r) {
				t.Errorf("the first account lacks %s", r)
			}
		}
		_, err = h.SetUp(ctx, second, NewAccount{Email: "b@example.org", Name: "B", Password: good})
		wantCode(t, "a used link", err, fault.NotFound)
		if _, ok, err := h.SetupLink(ctx); ok || err != nil {
			t.Errorf("SetupLink with an account: ok %v, %v", ok, err)
		}
	})
}

func TestSetUpLinkEnds(t *testing.T) {
	h := open(t, dbtest.Open(t))
	token, _, _ := h.SetupLink(t.Context())
	h.now = h.now.Add(setupLife)
	_, err := h.SetUp(t.Context(), token, NewAccount{Email: "a@example.org", Name: "A", Password: good})
	wantCode(t, "an old link", err, fault.NotFound)
}

func TestInviteAndReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		op := h.setUp().Principal
		_, first, err := h.Invite(ctx, op, "new@example.org", "New", []Grant{{Role: Author, Publisher: "Acme"}})
		if err != nil {
			t.Fatal(err)
		}
		inv, token, err := h.Invite(ctx, op, "New@example.org", "New", []Grant{{Role: Author, Publisher: "acme"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Invited(ctx, first)
		wantCode(t, "a replaced invitation", err, fault.NotFound)
		if open, _ := h.Invitations(ctx); len(open) != 1 || open[0].ID != inv.ID {
			t.Errorf("open invitations: %+v", open)
		}
		in, err := h.Accept(ctx, token, NewAccount{Email: "evil@example.org", Password: good})
		if err != nil {
			t.Fatal(err)
		}
		a, err := h.Member(ctx, in.Principal.ID)
		if err != nil || a.Email != "new@example.org" || a.Name != "New" || fmt.Sprint(a.Grants) != "[author of publisher acme]" {
			t.Errorf("Member = %+v, %v", a, err)
		}
		_, err = h.Accept(ctx, token, NewAccount{Password: good})
		wantCode(t, "a used invitation", err, fault.NotFound)
		_, _, err = h.Invite(ctx, op, "new@example.org", "", nil)
		wantCode(t, "an address that has an account", err, fault.Conflict)

		old, err := h.ResetLink(ctx, op, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		reset, _ := h.ResetLink(ctx, op, a.ID)
		wantCode(t, "a replaced reset link", h.Reset(ctx, old, good+"!"), fault.NotFound)
		wantCode(t, "a poor password", h.Reset(ctx, reset, "new@example.org"), fault.Invalid)
		if err := h.Reset(ctx, reset, good+"!"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "a used reset link", h.Reset(ctx, reset, good+"?"), fault.NotFound)
		_, err = h.Session(ctx, in.Token)
		wantCode(t, "a session from before the reset", err, fault.Unauthenticated)
		if _, err := h.SignIn(ctx, SignInRequest{Email: "new@example.org", Password: good + "!"}); err != nil {
			t.Errorf("with the new password: %v", err)
		}
		_, err = h.ResetLink(ctx, op, "a-none")
		wantCode(t, "nobody's reset link", err, fault.NotFound)
	})
}

func TestChangePassword(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	one := h.setUp()
	two, _ := h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good})
	wantCode(t, "a wrong old one", h.ChangePassword(ctx, one.Principal, "nope nope nope", good+"!"), fault.Invalid)
	if err := h.ChangePassword(ctx, one.Principal, good, good+"!"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Session(ctx, one.Token); err != nil {
		t.Errorf("own session: %v", err)
	}
	_, err := h.Session(ctx, two.Token)
	wantCode(t, "the other session", err, fault.Unauthenticated)
	token := Principal{Kind: KindToken, ID: one.Principal.ID}
	wantCode(t, "a token", h.ChangePassword(ctx, token, good+"!", good), fault.Forbidden)
}

func TestMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		op := h.setUp()
		me := op.Principal
		wantCode(t, "the last operator loses the role", h.SetGrants(ctx, me, me.ID, []Grant{{Role: Triager}}), fault.Conflict)
		wantCode(t, "the last operator is disabled", h.Disable(ctx, me, me.ID, true), fault.Conflict)
		wantCode(t, "the last operator is forgotten", h.Forget(ctx, me, me.ID), fault.Conflict)
		other := h.member("other@example.org", Grant{Role: Operator})
		if err := h.SetGrants(ctx, me, me.ID, []Grant{{Role: Triager, Team: "red"}}); err != nil {
			t.Fatal(err)
		}
		if p, _ := h.Session(ctx, op.Token); p.Has(Operator) || !p.Has(Triager) {
			t.Errorf("new grants do not hold at once: %+v", p.Grants)
		}
		for what, g := range map[string]Grant{
			"unknown role": {Role: "king"}, "author of nothing": {Role: Author}, "operator of a team": {Role: Operator, Team: "red"},
			"triager of a publisher": {Role: Triager, Publisher: "acme"}, "mistyped": {Role: Author, Publisher: "typo"}, "no slug": {Role: Author, Publisher: "a b"},
		} {
			wantCode(t, what, h.SetGrants(ctx, other.Principal, me.ID, []Grant{g}), fault.Invalid)
		}
		_, secret, _ := h.CreateToken(ctx, me, "x", []Scope{ScopeRead}, time.Time{})
		if err := h.Disable(ctx, other.Principal, me.ID, true); err != nil {
			t.Fatal(err)
		}
		_, err := h.Session(ctx, op.Token)
		wantCode(t, "a disabled account's session", err, fault.Unauthenticated)
		_, err = h.Bearer(ctx, secret)
		wantCode(t, "a disabled account's token", err, fault.Unauthenticated)
		_, err = h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good})
		wantCode(t, "a disabled account", err, fault.Unauthenticated)
		if err := h.Disable(ctx, other.Principal, me.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err = h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good}); err != nil {
			t.Errorf("enabled again: %v", err)
		}
		seen := map[string]bool{}
		for i := range 5 {
			h.member(fmt.Sprintf("m%d@example.org", i))
		}
		for after, pages := "", 0; ; pages++ {
			list, next, err := h.Members(ctx, after, 3)
			if err != nil || pages > 3 {
				t.Fatal(pages, err)
			}
			for _, a := range list {
				seen[a.ID] = true
			}
			if after = next; next == "" {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("the pages hold %d accounts, want 7", len(seen))
		}
		if err := h.Forget(ctx, other.Principal, me.ID); err != nil {
			t.Fatal(err)
		}
		if a, _ := h.Member(ctx, me.ID); strings.Contains(a.Email, "first") || strings.Contains(a.Name, "Ada") || !a.Disabled {
			t.Errorf("forgotten: %+v", a)
		}
		_, err = h.SignIn(ctx, SignInRequest{Email: "forgotten " + me.ID, Password: "none"})
		wantCode(t, "a forgotten account", err, fault.Unauthenticated)
	})
}

// The audit log must be publishable: nothing in it may name a person.
func TestLogHoldsNobody(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	op := h.setUp()
	m := h.member("some.body@example.org", Grant{Role: Author, Publisher: "acme"})
	if _, _, err := h.CreateToken(ctx, m.Principal, "some.body's laptop", []Scope{ScopeRead}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ResetLink(ctx, op.Principal, m.Principal.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.SetGrants(ctx, op.Principal, m.Principal.ID, nil); err != nil {
		t.Fatal(err)
	}
	list, err := h.log.List(ctx, 0, 100)
	if err != nil || len(list) < 6 {
		t.Fatalf("the log has %d entries, %v", len(list), err)
	}
	for _, r := range list {
		line := strings.ToLower(fmt.Sprintf("%+v", r))
		for _, secret := range []string{"some.body", "example.org", "ada", "laptop", m.Token, op.Token} {
			if strings.Contains(line, secret) {
				t.Errorf("the log says %q", line)
			}
		}
	}
}

func TestHashingWaitsForItsTurn(t *testing.T) {
	h := open(t, dbtest.Open(t))
	h.slots <- struct{}{}
	h.slots <- struct{}{} // both are taken
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.hash(ctx, good)
	wantCode(t, "no slot", err, fault.Unavailable)
}
