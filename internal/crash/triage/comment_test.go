package triage

import (
	"slices"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestComments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := furnished(t, d)
		ctx := t.Context()
		head, err := h.Head(ctx)
		h.must(err)
		c, err := h.Comment(ctx, h.tom, "F-A", "Look, @jo and @core: @rob is not here. @{"+h.rob.ID+"} mail@jo.example", false)
		h.must(err)
		if len(c.Mentions) != 2 || !slices.Equal(c.Unknown, []string{"rob"}) {
			t.Errorf("%+v", c)
		}
		h.now = h.now.Add(time.Minute)
		secret, err := h.Comment(ctx, h.ana, "F-A", "Between us, @jo-acme @tom", true)
		h.must(err)
		if len(secret.Mentions) != 1 || secret.Mentions[0].Name != "Tom Ferris" {
			t.Errorf("an author was mentioned where they cannot read: %+v", secret.Mentions)
		}
		events, err := h.Since(ctx, head, 100)
		h.must(err)
		var got []string
		for _, e := range events {
			for _, r := range e.Recipients {
				all, _ := h.directory(ctx)
				got = append(got, string(e.Kind)+" "+all.name(r))
			}
		}
		slices.Sort(got)
		if want := []string{"mentioned Ana Ortiz", "mentioned Jo Acme", "mentioned Tom Ferris"}; !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
		if feed := h.view(h.jo, "F-A").Feed; slices.ContainsFunc(feed, func(e Entry) bool { return e.Comment != nil && e.Comment.ID == secret.ID }) {
			t.Error("an author reads what is the team's")
		}
		if _, err := h.Comment(ctx, h.jo, "F-A", "x", true); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
		for who, p := range map[string]account.Principal{"author": h.jo, "stranger": h.rob} {
			if err := h.DeleteComment(ctx, p, secret.ID); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%s: %v", who, err)
			}
		}
		if err := h.DeleteComment(ctx, h.tom, secret.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("another's comment: %v", err)
		}
		if _, err := h.EditComment(ctx, h.ana, secret.ID, "Between us"); err != nil {
			t.Fatal(err)
		}
		feed := h.view(h.tom, "F-A").Feed
		if first := feed[0].Comment; first == nil || first.Text != "Between us" || len(first.Past) != 1 || first.Past[0].Text != "Between us, @jo-acme @tom-ferris" {
			t.Errorf("%+v", feed[0].Comment)
		}
		h.must(h.DeleteComment(ctx, h.ana, secret.ID))
		if first := h.view(h.tom, "F-A").Feed[0].Comment; !first.Deleted || first.Text != "" || len(first.Past) != 0 {
			t.Errorf("%+v", first)
		}
		// Whoever leaves is in no comment any more.
		h.must(h.accounts.Forget(ctx, account.System("test"), h.jo.ID))
		feed = h.view(h.tom, "F-A").Feed
		if got := feed[1].Comment.Text; got[:20] != "Look, @former-member" {
			t.Errorf("%q", got)
		}
	})
}

func TestStatesAreTold(t *testing.T) {
	h := furnished(t, dbtest.Open(t))
	ctx := t.Context()
	head, err := h.Head(ctx)
	h.must(err)
	_, err = h.Do(ctx, h.jo, Act{Families: []string{"F-A"}, Watch: "on"})
	h.must(err)
	change, err := h.crash.SetState(ctx, h.accounts.Scope(h.ines), crash.Decision{Family: "F-A", To: crash.Resolved, Actor: h.ines.ID})
	h.must(err)
	batch, err := h.Remember(ctx, h.ines, []crash.Change{change})
	h.must(err)
	events, err := h.Since(ctx, head, 10)
	if err != nil || len(events) != 1 || events[0].Kind != Changed || !slices.Equal(events[0].Recipients, []string{h.jo.ID}) {
		t.Errorf("%+v %v", events, err)
	}
	if back, err := h.Undo(ctx, h.ines, batch); err != nil || back.Changed != 1 {
		t.Errorf("%+v %v", back, err)
	}
	d, err := h.crash.Family(ctx, h.accounts.Scope(h.ines), "F-A", crash.Period{})
	if err != nil || d.State != crash.Open {
		t.Errorf("%s %v", d.State, err)
	}
	_, err = h.Do(ctx, h.jo, Act{Families: []string{"F-A"}, Watch: "off"})
	h.must(err)
	if head, err = h.Head(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = h.Comment(ctx, h.ines, "F-A", "muted?", false)
	h.must(err)
	if events, err = h.Since(ctx, head, 10); err != nil || len(events) != 0 {
		t.Errorf("%+v %v", events, err)
	}
	// The feed in parts.
	for range feedLimit + 10 {
		h.now = h.now.Add(time.Second)
		_, err := h.Comment(ctx, h.ines, "F-A", "another", false)
		h.must(err)
	}
	seen := map[string]bool{}
	for before := ""; ; {
		v, err := h.View(ctx, h.ines, "F-A", d.History, before)
		h.must(err)
		for _, e := range v.Feed {
			if seen[e.key] {
				t.Fatalf("twice: %s", e.key)
			}
			seen[e.key] = true
		}
		if before = v.Older; before == "" {
			break
		}
	}
	if want := feedLimit + 10 + 1 + len(d.History) + 2; len(seen) != want { // and the rules' team and label
		t.Errorf("%d entries, want %d", len(seen), want)
	}
}

func TestFilters(t *testing.T) {
	h := furnished(t, dbtest.Open(t))
	ctx := t.Context()
	f, err := h.SaveFilter(ctx, h.tom, Filter{Name: " My  own ", Query: "?who=mine&state=all&cursor=x&evil=1", Team: "core"})
	if err != nil || f.Name != "My own" || f.Query != "state=all&who=mine" {
		t.Errorf("%+v %v", f, err)
	}
	if _, err := h.SaveFilter(ctx, h.tom, Filter{Name: "x", Team: "all"}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	for p, want := range map[*account.Principal]int{&h.tom: 1, &h.ana: 1, &h.ines: 1, &h.jo: 0} {
		list, _, err := h.Filters(ctx, *p)
		if err != nil || len(list) != want {
			t.Errorf("%s: %+v %v", p.Name, list, err)
		}
	}
	if err := h.DeleteFilter(ctx, h.ana, f.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	h.must(h.DeleteFilter(ctx, h.tom, f.ID))
}
