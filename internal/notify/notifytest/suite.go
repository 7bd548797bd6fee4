// Package notifytest is the contract every notify.Sender must keep.
package notifytest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Got is a message as it arrived.
type Got struct {
	ID      string // what the receiver tells repeats by; "" where the form has none
	Subject string
	Body    string // everything that arrived, decoded
}

// Side is a sender with the other side in hand.
type Side struct {
	Sender notify.Sender
	Got    func() []Got
	// Say makes the other side answer so from now on: "", unavailable, invalid, not_found.
	Say func(fault.Code)
}

// Message is one to send; its texts are as hostile as a crash's can be.
func Message(id string) notify.Message {
	return notify.Message{
		ID: id, Type: "family.new", Topic: "F-abc", Time: time.Unix(1_790_000_000, 0), To: "ravi@acme.example",
		Subject: "New family in acme.linter: TypeError & <b>",
		Text:    []string{"Seen for the first time."},
		Items:   []notify.Item{{Title: "TypeError <script>alert(1)</script> @channel", Link: "https://bw.example/families/F-abc", Facts: []string{"fewer than 20 installs"}}},
		Footer:  []string{"You look after acme.linter."},
		Link:    "https://bw.example/families/F-abc", ListID: "families.bw.example", Unsubscribe: "https://bw.example/unsubscribe?t=x",
		Data: map[string]any{"family": "F-abc"},
	}
}

// Run runs the suite; open makes a fresh side.
func Run(t *testing.T, open func(t *testing.T) Side) {
	send := func(t *testing.T, s Side, m notify.Message) (notify.Answer, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		a, err := s.Sender.Send(ctx, m)
		if len(a.Text) > notify.MaxAnswer || strings.ContainsAny(a.Text, "\r\n") {
			t.Errorf("answer of %d bytes: %q", len(a.Text), a.Text)
		}
		return a, err
	}
	t.Run("a message arrives whole", func(t *testing.T) {
		s := open(t)
		if _, err := send(t, s, Message("m-1")); err != nil {
			t.Fatal(err)
		}
		got := s.Got()
		if len(got) != 1 || !strings.Contains(got[0].Subject, "New family in acme.linter") {
			t.Fatalf("got %+v", got)
		}
	})
	t.Run("the id is the same at every try", func(t *testing.T) {
		s := open(t)
		for range 2 {
			if _, err := send(t, s, Message("m-1")); err != nil {
				t.Fatal(err)
			}
		}
		for _, g := range s.Got() {
			if g.ID != s.Got()[0].ID {
				t.Errorf("ids %q and %q", g.ID, s.Got()[0].ID)
			}
		}
	})
	t.Run("no text adds a line", func(t *testing.T) {
		s := open(t)
		m := Message("m-1")
		m.Subject = "New family in acme.linter\r\nBcc: everybody@example.org\r\n\r\nInjected"
		if _, err := send(t, s, m); err != nil {
			t.Fatal(err)
		}
		for _, g := range s.Got() {
			if strings.Contains(g.Body, "\nBcc:") || strings.Contains(g.Body, "\nInjected") {
				t.Errorf("a line was added: %q", g.Body)
			}
		}
	})
	t.Run("a message without id or subject is invalid", func(t *testing.T) {
		s := open(t)
		for _, m := range []notify.Message{{Subject: "x", To: "a@b.example"}, {ID: "m-1", To: "a@b.example"}} {
			if _, err := send(t, s, m); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%v, want invalid", err)
			}
		}
		if len(s.Got()) != 0 {
			t.Error("it arrived")
		}
	})
	for _, code := range []fault.Code{fault.Unavailable, fault.Invalid, fault.NotFound} {
		t.Run("the other side says "+string(code), func(t *testing.T) {
			s := open(t)
			s.Say(code)
			if _, err := send(t, s, Message("m-1")); fault.CodeOf(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
			s.Say("")
			if _, err := send(t, s, Message("m-1")); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n := len(s.Got()); n != 1 {
				t.Errorf("%d arrived, want 1", n)
			}
		})
	}
	t.Run("a cancelled context sends nothing", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Sender.Send(ctx, Message("m-1")); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%v, want unavailable", err)
		}
		if len(s.Got()) != 0 {
			t.Error("it arrived")
		}
	})
	t.Run("messages side by side all arrive", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for _, id := range strings.Fields("a b c d e f g h") {
			wg.Go(func() {
				if _, err := send(t, s, Message("m-"+id)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(s.Got()); n != 8 {
			t.Errorf("%d arrived, want 8", n)
		}
	})
}
