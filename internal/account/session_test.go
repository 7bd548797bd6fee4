package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		first := h.setUp()
		in, err := h.SignIn(ctx, SignInRequest{Email: " FIRST@example.org", Password: good, IP: "192.0.2.1", Previous: first.Token})
		if err != nil {
			t.Fatal(err)
		}
		if in.Token == first.Token || in.Principal.ID != first.Principal.ID || in.Principal.Name != "Ada Operator" {
			t.Errorf("signed in as %+v", in.Principal)
		}
		_, err = h.Session(ctx, first.Token)
		wantCode(t, "the session before", err, fault.Unauthenticated)
		p, err := h.Session(ctx, in.Token)
		if err != nil || !p.Has(Operator) || p.Kind != KindAccount {
			t.Fatalf("Session = %+v, %v", p, err)
		}
		wrong, err1 := h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: "wrong wrong wrong", IP: "192.0.2.1"})
		_, err2 := h.SignIn(ctx, SignInRequest{Email: "nobody@example.org", Password: good, IP: "192.0.2.1"})
		if wrong.Token != "" || err1 == nil || err2 == nil || fault.TextOf(err1) != fault.TextOf(err2) || fault.CodeOf(err1) != fault.CodeOf(err2) {
			t.Errorf("wrong password: %v; unknown account: %v; they must not differ", err1, err2)
		}
		h.now = h.now.Add(23 * time.Hour)
		if _, err := h.Session(ctx, in.Token); err != nil {
			t.Errorf("after 23 hours: %v", err)
		}
		h.now = h.now.Add(23 * time.Hour) // the sighting above counts
		if _, err := h.Session(ctx, in.Token); err != nil {
			t.Errorf("after 46 hours with a sighting between: %v", err)
		}
		h.now = h.now.Add(24 * time.Hour)
		_, err = h.Session(ctx, in.Token)
		wantCode(t, "idle for 24 hours", err, fault.Unauthenticated)
	})
}

func TestSessionEndsAbsolutely(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	in := h.setUp()
	for range 14 * 2 {
		if _, err := h.Session(ctx, in.Token); err != nil {
			t.Fatalf("%v after set-up: %v", h.now, err)
		}
		h.now = h.now.Add(12 * time.Hour)
	}
	_, err := h.Session(ctx, in.Token)
	wantCode(t, "after 14 days of use", err, fault.Unauthenticated)
	n, err := h.Tidy(ctx)
	if err != nil || n != 1 {
		t.Errorf("Tidy = %d, %v; want the ended session", n, err)
	}
}

func TestSignInIsLimited(t *testing.T) {
	h, ctx := open(t, dbtest.Open(t)), t.Context()
	h.setUp()
	try := func(email, password, ip string) fault.Code {
		_, err := h.SignIn(ctx, SignInRequest{Email: email, Password: password, IP: ip})
		return fault.CodeOf(err)
	}
	for i := range 5 {
		if got := try("first@example.org", "wrong", "192.0.2.1"); got != fault.Unauthenticated {
			t.Fatalf("try %d: %q", i, got)
		}
	}
	if got := try("first@example.org", good, "192.0.2.1"); got != fault.RateLimited {
		t.Errorf("sixth try from one address: %q", got)
	}
	if got := try("first@example.org", good, "192.0.2.2"); got != "" {
		t.Errorf("the owner elsewhere: %q", got)
	}
	h.now = h.now.Add(2 * time.Minute)
	if got := try("first@example.org", good, "192.0.2.1"); got != "" {
		t.Errorf("after two minutes: %q", got)
	}
	for i := range 40 { // many accounts from one address
		got := try(fmt.Sprintf("x%d@example.org", i), "wrong", "192.0.2.9")
		if i >= 30 && got != fault.RateLimited {
			t.Fatalf("try %d of an address: %q", i, got)
		}
	}
	for i := range 40 { // one host of IPv6 with many addresses
		got := try(fmt.Sprintf("y%d@example.org", i), "wrong", fmt.Sprintf("2001:db8::%x", i))
		if i >= 30 && got != fault.RateLimited {
			t.Fatalf("try %d of a network: %q", i, got)
		}
	}
	for i := range 25 { // many addresses against one account
		got := try("first@example.org", "wrong", fmt.Sprintf("198.51.100.%d", i))
		if i >= 20 && got != fault.RateLimited {
			t.Fatalf("try %d against an account: %q", i, got)
		}
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(), time.Unix(1e9, 0)
	for i := range maxBuckets + 1000 {
		l.take(now, try{uint64(i), perPair})
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

func TestSessionsOfOneAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, ctx := open(t, d), t.Context()
		first := h.setUp()
		other := h.member("other@example.org")
		h.now = h.now.Add(time.Second)
		second, err := h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good})
		if err != nil {
			t.Fatal(err)
		}
		list, err := h.Sessions(ctx, first.Principal)
		if err != nil || len(list) != 2 || list[0].ID != second.Principal.Session || list[1].Agent != "Firefox on Linux" {
			t.Fatalf("Sessions = %+v, %v", list, err)
		}
		wantCode(t, "somebody else's session", h.EndSession(ctx, other.Principal, second.Principal.Session), fault.NotFound)
		if err := h.EndSession(ctx, first.Principal, second.Principal.Session); err != nil {
			t.Fatal(err)
		}
		_, err = h.Session(ctx, second.Token)
		wantCode(t, "an ended session", err, fault.Unauthenticated)
		if err := h.SignOut(ctx, first.Token); err != nil {
			t.Fatal(err)
		}
		if err := h.SignOut(ctx, first.Token); err != nil {
			t.Errorf("signing out twice: %v", err)
		}
		for range maxSessions + 5 {
			h.now = h.now.Add(time.Second)
			if _, err := h.SignIn(ctx, SignInRequest{Email: "first@example.org", Password: good}); err != nil {
				t.Fatal(err)
			}
		}
		if list, _ = h.Sessions(ctx, first.Principal); len(list) != maxSessions {
			t.Errorf("%d sessions are open, want at most %d", len(list), maxSessions)
		}
	})
}

// Tries that arrive side by side count like tries one after another.
func TestSignInIsLimitedSideBySide(t *testing.T) {
	h := open(t, dbtest.Open(t))
	h.setUp()
	codes := make(chan fault.Code, 100)
	start := make(chan struct{})
	for range cap(codes) {
		go func() {
			<-start
			_, err := h.SignIn(t.Context(), SignInRequest{Email: "first@example.org", Password: "wrong", IP: "192.0.2.1"})
			codes <- fault.CodeOf(err)
		}()
	}
	close(start)
	tried := 0
	for range cap(codes) {
		if c := <-codes; c != fault.RateLimited {
			tried++
		}
	}
	if tried != int(perPair.burst) {
		t.Errorf("%d passwords were tried at once, want %v", tried, perPair.burst)
	}
}
