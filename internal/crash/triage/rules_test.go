package triage

import (
	"slices"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const someRules = `rules:
  - name: acme
    when: extension.publisher == "acme" && blame.step == 2
    then: {team: core, labels: [ours]}
  - name: many
    when: impact.crashes > 5
    then: {labels: [loud]}
  - name: the rest
    when: true
    then: {team: all}
`

func TestNewFamiliesAreRouted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		h.add(report{family: "F-OLD", typ: "TypeError", blame: "acme.theme"})
		h.routed() // no rules yet: nothing, but it is not new any more
		if s := h.standing("F-OLD"); !s.there || s.team != "" || s.routed == 0 {
			t.Errorf("without rules: %+v", s)
		}
		h.save(someRules, false)
		h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-R", typ: "KeyError", blame: "rival.theme", crashes: 6})
		h.routed()
		if s := h.standing("F-A"); s.team != "core" || s.rule != "acme" || s.rules != 1 {
			t.Errorf("F-A: %+v", s)
		}
		if s := h.standing("F-R"); s.team != "all" || s.outcome().Labels[0] != "loud" {
			t.Errorf("F-R: %+v", s)
		}
		events, err := h.Since(ctx, 0, 100)
		if err != nil || len(events) != 1 || events[0].Kind != Assigned || !slices.Contains(events[0].Recipients, h.tom.ID) || len(events[0].Recipients) != 2 {
			t.Errorf("events %+v, %v", events, err)
		}
		if note, err := h.Route(ctx); note != "" || err != nil {
			t.Errorf("again: %q, %v", note, err)
		}
		h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme", crashes: 9})
		h.routed()
		if o := h.standing("F-A").outcome(); len(o.Labels) != 1 {
			t.Errorf("before the hour: %q", o.Labels)
		}
		if _, err := h.Reroute(ctx); err != nil {
			t.Fatal(err)
		}
		if o := h.standing("F-A").outcome(); len(o.Labels) != 2 {
			t.Errorf("after the hour: %q", o.Labels)
		}
		if s := h.standing("F-OLD"); s.team != "" {
			t.Errorf("an old family moved by itself: %+v", s)
		}
	})
}

func TestVersionsOfRules(t *testing.T) {
	h := newHouse(t, dbtest.Open(t))
	ctx := t.Context()
	h.add(report{family: "F-A", typ: "TypeError", blame: "acme.theme"}, report{family: "F-B", typ: "TypeError", blame: "acme.theme", at: h.now.AddDate(0, 0, -40)})
	h.routed()
	if _, mistakes, err := h.Save(ctx, h.ines, NewRules{Text: "- {name: x, when: true, then: {team: nowhere}}"}); err != nil || len(mistakes) != 1 || mistakes[0].Line != 1 {
		t.Errorf("%v %v", mistakes, err)
	}
	first := h.save(someRules, true)
	if first.Moved != 1 || first.Batch == "" || h.standing("F-A").team != "core" || h.standing("F-B").team != "" {
		t.Errorf("%+v", first)
	}
	if _, _, err := h.Save(ctx, h.ines, NewRules{Text: "", Base: 0}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("an old base: %v", err)
	}
	if _, _, err := h.Save(ctx, h.ines, NewRules{Text: someRules, Base: 1}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("nothing changed: %v", err)
	}
	h.now = h.now.Add(time.Hour)
	h.save("rules:\n", false)
	if h.standing("F-A").team != "core" {
		t.Error("a new version moved what is there")
	}
	list, err := h.Versions(ctx, h.tom, 0, 10)
	if err != nil || len(list) != 2 || list[0].Version != 2 || list[1].Author != h.ines.ID {
		t.Errorf("%+v %v", list, err)
	}
	if v, err := h.Rules(ctx, h.tom, 1); err != nil || v.Text != someRules {
		t.Errorf("%+v %v", v, err)
	}
	for name, err := range map[string]error{
		"an author reads":   func() error { _, err := h.Rules(ctx, h.jo, 0); return err }(),
		"a team's triager":  func() error { _, _, err := h.Save(ctx, h.tom, NewRules{Base: 2}); return err }(),
		"a steward changes": func() error { _, _, err := h.Save(ctx, h.sue, NewRules{Base: 2}); return err }(),
	} {
		if fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.actions(); !slices.Equal(got, []string{"rules.save", "rules.route", "rules.save"}) {
		t.Errorf("audit %q", got)
	}
}
