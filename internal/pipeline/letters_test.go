package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestDeadLetters(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		bad, refused, fine := h.crash("draw", "poison apple"), h.crash("draw", "refuse me"), h.crash("draw", "")
		h.send(bad, fine)
		h.sendRaw([]byte("garbage"), eco.EncodeEnvelope(nil, refused))
		h.drain()
		if rows := h.rows(); len(rows) != 1 || rows[0].ID != fine.ID {
			t.Fatalf("rows: %+v", rows)
		}
		w := h.worker()
		list := h.letters()
		if len(list) != 3 {
			t.Fatalf("letters: %+v", list)
		}
		byStage := map[string]Letter{}
		for _, l := range list {
			byStage[l.Stage+"/"+l.Kind] = l
			if strings.Contains(l.Reason, "apple") || strings.Contains(l.Reason, "refuse me") {
				t.Errorf("the reason repeats input: %q", l.Reason)
			}
		}
		unread := byStage["decode/"]
		if unread.ID == "" || unread.Bytes != 7 {
			t.Fatalf("letters: %+v", list)
		}
		mine, theirs := facts.Only([]eco.ExtensionID{"acme.theme"}, nil), facts.Only([]eco.ExtensionID{"other.thing"}, nil)
		if got, _ := w.Letters(ctx, mine, 0); len(got) != 2 {
			t.Errorf("the owner sees %d letters, want 2", len(got))
		}
		if got, _ := w.Letters(ctx, theirs, 0); len(got) != 0 {
			t.Errorf("a stranger sees %d letters", len(got))
		}
		if _, _, err := w.Letter(ctx, theirs, bad.ID.String()); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("a stranger: %v", err)
		}
		if _, err := w.Letters(ctx, facts.Scope{}, 0); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("no scope: %v", err)
		}
		// Replayed while the fault is still there it is dead again; then it counts once.
		id := bad.ID.String()
		replay := func(n int) {
			t.Helper()
			for range n {
				if err := w.Replay(ctx, mine, id, "a-1"); err != nil {
					t.Fatal(err)
				}
			}
		}
		replay(1)
		h.drain()
		if l, _, err := w.Letter(ctx, mine, id); err != nil || l.State != letterDead {
			t.Fatalf("letter: %+v %v", l, err)
		}
		replay(3) // three copies in the stream
		healed := h.worker()
		healed.stages = crashLine
		h.run(healed)
		if rows := h.rows(); len(rows) != 2 {
			t.Fatalf("%d rows, want 2: a letter counts once", len(rows))
		}
		if err := w.Replay(ctx, mine, id, "a-1"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("replayed again: %v", err)
		}
		if l, record, err := w.Letter(ctx, mine, id); err != nil || l.State != letterReplayed || record != nil {
			t.Errorf("after: %+v %d bytes %v", l, len(record), err)
		}
		if err := w.Discard(ctx, mine, refused.ID.String(), "a-1"); err != nil {
			t.Fatal(err)
		}
		if n, err := w.EraseLetters(ctx, facts.Subject{Project: 7, Crash: bad.ID}); err != nil || n != 1 {
			t.Errorf("erased %d %v", n, err)
		}
		time.Sleep((LetterDays*24 + 1) * time.Hour)
		if n, err := w.ExpireLetters(ctx); err != nil || n != 1 {
			t.Errorf("expired %d %v, want the unreadable one", n, err)
		}
		entries, err := h.audit.List(ctx, 0, 10)
		if err != nil || len(entries) != 5 || entries[0].Action != "letter.discard" {
			t.Errorf("audit: %d %v", len(entries), err)
		}
	})
}
