package suspect_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

var (
	author = facts.Only([]eco.ExtensionID{"pixel.draw"}, nil)
	people = facts.Only(nil, []string{"studio"})
	draw   = []eco.Active{{ID: "pixel.draw", Version: "3"}}
)

// withheld fails unless only the host's people see the finding, and nothing is
// attributed by it.
func (h *house) withheld(when, why string) {
	h.t.Helper()
	if r := h.of(people, famPair); named(r) != "pixel.draw" || len(r.Withheld) != 1 || !strings.Contains(r.Withheld[0].Why, why) {
		h.t.Errorf("%s, the host's people: %q, %+v", when, named(r), r.Withheld)
	}
	if r := h.of(author, famPair); r.Known || len(r.Answer.Findings) != 0 || r.Told != nil || len(r.Withheld) != 0 {
		h.t.Errorf("%s, the author is told %+v", when, r)
	}
	for _, c := range h.Blame("F-pair", draw) {
		if c.Confidence >= 0.55 {
			h.t.Errorf("%s, new crashes are attributed: %+v", when, c)
		}
	}
}

// Whoever has the host's public key invents installations that crash with an
// extension active, and healthy ones without it. However many, they tell nobody
// but the host's people, and attribute nothing; not when they have aged either.
func TestForgedBurst(t *testing.T) {
	h := open(t)
	h.sessions(300)
	h.crashes("F-pair", "", 15, 0)
	h.fresh = true
	h.sessions(600)
	h.crashes("F-pair", "", 400, 0, "pixel.draw")
	h.run()
	h.withheld("at once", "So far 15 of these crashes are; 20 are needed.")
	h.now = h.now.AddDate(0, 0, 20)
	h.crashes("F-pair", "", 30, 0, "pixel.draw")
	h.run()
	h.withheld("aged", "20 are needed.")
}

// Installations that were heard of on one old day only, or on many days of this
// week only, are no regulars; nor are those that name no installation.
func TestRegulars(t *testing.T) {
	for name, days := range map[string][]int{"one old day": {20}, "a busy week": {1, 2, 3, 4, 5, 6}, "two days": {9, 3}} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.sessions(600)
			h.fresh = true
			for i := range uint64(80) {
				h.crashes("F-pair", "", 1, 1000+i, "pixel.draw")
				h.known(eco.Origin{Project: 1, Host: "studio", HostVersion: "5.0", OS: "linux", Install: eco.Install(1000 + i)}, days...)
			}
			h.run()
			h.withheld(name, "So far 0 of these crashes are")
		})
	}
}

// Regulars are heard: the author is told their numbers, and no others.
func TestToldByRegulars(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 60, 0, "pixel.draw")
	h.fresh = true
	h.crashes("F-pair", "", 40, 0, "pixel.draw")
	h.run()
	if r := h.of(people, famPair); named(r) != "pixel.draw" || r.Answer.Crashes != 100 || r.Told == nil || r.Told.Crashes != 60 || len(r.Withheld) != 0 {
		t.Errorf("the host's people: %+v", r)
	}
	if r := h.of(author, famPair); !r.Known || !r.Veiled || named(r) != "pixel.draw" || r.Answer.Crashes != 60 || r.Answer.Findings[0].Share.N != 60 {
		t.Errorf("the author: %+v", r)
	}
	if list := h.Blame("F-pair", draw); len(list) != 1 || list[0].Confidence < 0.55 {
		t.Errorf("%+v", list)
	}
}

// What was written before regulars were asked for tells nobody, and is asked anew.
func TestOlderAnswers(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 80, 0, "pixel.draw")
	h.run()
	if err := h.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE suspect_answer SET answer = json_remove(answer, '$.version', '$.told')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := h.of(author, famPair); r.Known {
		t.Errorf("an older answer tells the author %+v", r)
	}
	h.now = h.now.Add(time.Minute)
	h.run()
	if r := h.of(author, crash.Family{ID: "F-pair", Host: "studio"}); named(r) != "pixel.draw" {
		t.Errorf("asked anew: %+v", r)
	}
}

// Installations that are heard of every day are asked for in parts: none is
// forgotten because an answer of facts was full.
func TestManyDays(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.fresh = true
	var days []int
	for d := range 28 {
		days = append(days, 28-d)
	}
	for i := range uint64(450) { // 450 x 28 is more than one answer holds
		h.crashes("F-pair", "", 1, 1000+i, "pixel.draw")
		h.known(eco.Origin{Project: 1, Host: "studio", HostVersion: "5.0", OS: "linux", Install: eco.Install(1000 + i)}, days...)
	}
	h.run()
	if r := h.of(people, famPair); r.Told == nil || r.Told.Crashes != 450 {
		t.Errorf("%+v", r.Told)
	}
}
