package suspect_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// house is a desk over facts that a test makes up.
type house struct {
	*suspect.Desk
	t     *testing.T
	db    *db.DB
	mem   *facts.Mem
	crash *crash.Desk
	dice  *rand.Rand
	now   time.Time
	pos   uint64
	n     uint64
	fresh bool // what is added is of installations that were never heard of
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, db: dbtest.Open(t), mem: facts.NewMem(), dice: rand.New(rand.NewPCG(1, 2)), now: noon}
	now := func() time.Time { return h.now }
	log, err := audit.New(t.Context(), h.db, now)
	if err != nil {
		t.Fatal(err)
	}
	if h.crash, err = crash.New(t.Context(), crash.Options{Flow: h.db, Records: h.db, Audit: log, Facts: h.mem, Now: now, NewID: func() string { return "c" }}); err != nil {
		t.Fatal(err)
	}
	if h.Desk, err = suspect.New(t.Context(), suspect.Options{Flow: h.db, Facts: h.mem, Desk: h.crash, Now: now}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) id() eco.ID { return h.idAt(h.now.Add(-time.Hour)) }

func (h *house) idAt(at time.Time) eco.ID {
	h.n++
	var random [16]byte
	binary.BigEndian.PutUint64(random[8:], h.n*0x9e3779b97f4a7c15)
	return eco.NewID(at, random)
}

// known adds that an installation was heard of on days before, without a vote.
func (h *house) known(o eco.Origin, days ...int) {
	var rows []eco.Fact
	for _, n := range days {
		id := h.idAt(h.now.AddDate(0, 0, -n))
		rows = append(rows, eco.Fact{ID: id, Class: eco.Standard, Kind: eco.KindSession, Received: id.Time().UnixMilli(), Name: "exited", Weight: 1, Count: 1, Origin: o})
	}
	h.add(rows, nil)
}

var usual = map[eco.ExtensionID]float64{"acme.git": 0.5, "acme.lint": 0.9, "north.note": 0.3, "pixel.draw": 0.1}

func (h *house) active(must ...eco.ExtensionID) []eco.Active {
	var out []eco.Active
	for _, id := range []eco.ExtensionID{"acme.git", "acme.lint", "north.note", "pixel.draw"} {
		in := h.dice.Float64() < usual[id]
		for _, m := range must {
			in = in || m == id
		}
		if in {
			out = append(out, eco.Active{ID: id, Version: "1.0.0"})
		}
	}
	return out
}

func (h *house) origin(install uint64) eco.Origin {
	return eco.Origin{Project: 1, Host: "studio", HostVersion: "5." + fmt.Sprint(h.dice.IntN(2)), OS: "linux", Install: eco.Install(install)}
}

// add stores rows with documents as the flow does.
func (h *house) add(rows []eco.Fact, docs []any) {
	h.t.Helper()
	h.pos++
	b := facts.Batch{Position: h.pos, Facts: rows}
	for i, d := range docs {
		body, err := json.Marshal(d)
		if err != nil {
			h.t.Fatal(err)
		}
		b.Docs = append(b.Docs, facts.Doc{ID: rows[i].ID, Class: rows[i].Class, Body: body})
	}
	if err := h.mem.Insert(h.t.Context(), b); err != nil {
		h.t.Fatal(err)
	}
	if len(docs) > 0 && !h.fresh {
		for i := range rows {
			h.known(rows[i].Origin, 9, 6, 3)
		}
	}
}

func (h *house) sessions(n int) {
	var rows []eco.Fact
	var docs []any
	for range n {
		id := h.id()
		rows = append(rows, eco.Fact{ID: id, Class: eco.Standard, Kind: eco.KindSession, Received: id.Time().UnixMilli(), Name: "exited", Weight: 1, Count: 1,
			Session: h.dice.Uint64() | 1, Origin: h.origin(h.dice.Uint64() | 1)})
		docs = append(docs, map[string]any{"active": h.active()})
	}
	h.add(rows, docs)
}

// crashes adds crashes of a family; install 0 gives each its own.
func (h *house) crashes(family string, blamed eco.ExtensionID, n int, install uint64, must ...eco.ExtensionID) {
	h.t.Helper()
	var rows []eco.Fact
	var docs []any
	seen := crash.Seen{Family: family, Version: "fam/1", Title: family, Type: "Error", Platform: "javascript", Block: "b", Blame: blamed, Target: "host", Host: "studio"}
	for range n {
		id := h.id()
		who := install
		if who == 0 {
			who = h.dice.Uint64() | 1
		}
		f := eco.Fact{ID: id, Class: eco.ClassCrash, Kind: eco.KindCrash, Received: id.Time().UnixMilli(), Name: "Error", Weight: 1, Count: 1, Family: family, Signature: "s", Blame: blamed, Origin: h.origin(who)}
		rows = append(rows, f)
		docs = append(docs, crash.Document{Version: 1, ID: id, Origin: f.Origin, Crash: eco.Crash{Active: h.active(must...)}})
		seen.First, seen.Last, seen.Representative = f.Received, f.Received, id
	}
	h.add(rows, docs)
	if err := h.db.Tx(h.t.Context(), func(tx *sql.Tx) error {
		return h.crash.Record(context.Background(), tx, []crash.Seen{seen}, nil)
	}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) run() string {
	h.t.Helper()
	note, err := h.Recompute(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return note
}

func (h *house) of(scope facts.Scope, f crash.Family) suspect.Report {
	h.t.Helper()
	r, err := h.Of(h.t.Context(), scope, f)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func named(r suspect.Report) string {
	var out []string
	for _, f := range r.Answer.Findings {
		for _, m := range f.Members {
			out = append(out, string(m.ID))
		}
	}
	return strings.Join(out, " ")
}

var (
	everything = facts.Everything()
	famPair    = crash.Family{ID: "F-pair", Host: "studio"}
)

// The pair that a host's crashes come with is named, from the documents of crashes
// and sessions alone; new crashes of the family are told of it; a run without
// news does nothing.
func TestPair(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 12, 0, "acme.git", "north.note")
	h.crashes("F-other", "", 40, 0)
	h.run()
	if r := h.of(everything, famPair); !r.Known || r.Answer.Needs != 8 || named(r) != "" {
		t.Errorf("%+v", r)
	}
	h.crashes("F-pair", "", 28, 0, "acme.git", "north.note")
	h.now = h.now.Add(time.Minute)
	if note := h.run(); note != "1 families asked for, 1 with a finding" {
		t.Error(note)
	}
	r := h.of(everything, famPair)
	if named(r) != "acme.git north.note" || r.Answer.Crashes != 40 || r.Answer.Against != "sessions" || len(r.Before) != 1 {
		t.Errorf("%+v", r)
	}
	if r.Answer.Findings[0].Elsewhere.N < 35 {
		t.Errorf("others: %+v", r.Answer.Findings[0].Elsewhere)
	}
	if r := h.of(everything, crash.Family{ID: "F-other"}); named(r) != "" || !r.Known {
		t.Errorf("%+v", r)
	}
	if note := h.run(); note != "nothing new" {
		t.Error(note)
	}
	both := []eco.Active{{ID: "acme.git", Version: "1"}, {ID: "north.note", Version: "2"}, {ID: "acme.lint"}}
	list := h.Blame("F-pair", both)
	if len(list) != 2 || list[0].Step != 6 || list[0].Role != "associated" || list[1].Version != "2" || list[0].Confidence >= 0.55 || !strings.Contains(list[0].Reason, "40 of 40") {
		t.Errorf("%+v", list)
	}
	if list := h.Blame("F-pair", both[:1]); len(list) != 0 {
		t.Errorf("one of two: %+v", list)
	}
	again, err := suspect.New(t.Context(), suspect.Options{Flow: h.db, Facts: h.mem, Desk: h.crash, Now: func() time.Time { return h.now }})
	if err != nil || len(again.Blame("F-pair", both)) != 2 {
		t.Errorf("after a restart: %v", err)
	}
}

// Families that people merged are one in the evidence, too, and new crashes of each are told.
func TestMerged(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 12, 0, "pixel.draw")
	h.crashes("F-same", "", 15, 0, "pixel.draw")
	h.run()
	if r := h.of(everything, famPair); named(r) != "" {
		t.Fatalf("too few crashes name %q", named(r))
	}
	if _, err := h.crash.Merge(t.Context(), everything, crash.Merge{Into: "F-pair", Families: []string{"F-same"}, Actor: "a-1"}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Minute)
	h.run()
	if r := h.of(everything, famPair); named(r) != "pixel.draw" || r.Answer.Crashes != 27 {
		t.Errorf("%q from %d crashes", named(r), r.Answer.Crashes)
	}
	for _, id := range []string{"F-pair", "F-same"} {
		if list := h.Blame(id, []eco.Active{{ID: "pixel.draw", Version: "3"}}); len(list) != 1 {
			t.Errorf("%s: %+v", id, list)
		}
	}
}

// One machine that crashes all day is one vote.
func TestOneVote(t *testing.T) {
	h := open(t)
	h.sessions(300)
	h.crashes("F-pair", "", 200, 77, "pixel.draw")
	h.run()
	if r := h.of(everything, famPair); r.Answer.Crashes != 1 || r.Answer.Needs != 19 {
		t.Errorf("%+v", r.Answer)
	}
}

// What is erased is out of the next answer.
func TestErased(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 19, 0, "pixel.draw")
	h.crashes("F-pair", "", 6, 4711, "pixel.draw")
	h.run()
	if r := h.of(everything, famPair); named(r) != "pixel.draw" {
		t.Fatalf("%+v", r.Answer)
	}
	if _, err := h.mem.Erase(t.Context(), facts.Subject{Project: 1, Install: 4711}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Minute)
	h.run()
	if r := h.of(everything, famPair); named(r) != "" || r.Answer.Needs != 1 || len(r.Before) != 1 || r.Before[0].Names[0][0] != "pixel.draw" {
		t.Errorf("%+v", r)
	}
	h.now = h.now.AddDate(0, 0, 100)
	h.run()
	if r := h.of(everything, famPair); r.Known || len(r.Before) != 0 {
		t.Errorf("after retention: %+v", r)
	}
}

// An extension that is surely associated leads the blame of new crashes.
func TestSure(t *testing.T) {
	h := open(t)
	h.sessions(600)
	h.crashes("F-pair", "", 80, 0, "pixel.draw")
	h.run()
	list := h.Blame("F-pair", []eco.Active{{ID: "pixel.draw", Version: "3"}})
	if len(list) != 1 || list[0].Confidence < 0.55 {
		t.Errorf("%+v", list)
	}
}

// A family blamed on an extension is compared with what ran beside it. Its author
// is told that there is another one, and not which; somebody else's author nothing.
func TestGivenAndVeiled(t *testing.T) {
	h := open(t)
	h.sessions(2000)
	h.crashes("F-pair", "acme.git", 60, 0, "acme.git", "pixel.draw")
	h.run()
	f := crash.Family{ID: "F-pair", Host: "studio", Blame: "acme.git"}
	r := h.of(everything, f)
	if named(r) != "pixel.draw" || r.Given != "acme.git" {
		t.Fatalf("%+v", r)
	}
	if len(h.Blame("F-pair", []eco.Active{{ID: "pixel.draw"}})) != 0 {
		t.Error("a second blame beside the first")
	}
	if r := h.of(facts.Only(nil, []string{"studio"}), f); named(r) != "pixel.draw" || r.Veiled {
		t.Errorf("the host's people: %+v", r)
	}
	mine := h.of(facts.Only([]eco.ExtensionID{"acme.git"}, nil), f)
	if !mine.Known || !mine.Veiled || len(mine.Answer.Findings) != 1 || named(mine) != "" || mine.Given != "acme.git" || mine.Answer.Tested != 0 {
		t.Errorf("the author: %+v", mine)
	}
	body, err := json.Marshal(mine)
	if err != nil || strings.Contains(string(body), "pixel") {
		t.Errorf("%s", body)
	}
	theirs := h.of(facts.Only([]eco.ExtensionID{"acme.lint"}, nil), f)
	if theirs.Known || len(theirs.Answer.Findings) != 0 {
		t.Errorf("somebody else: %+v", theirs)
	}
	if r := h.of(facts.Only([]eco.ExtensionID{"pixel.draw"}, nil), f); named(r) != "pixel.draw" || r.Given != "" {
		t.Errorf("the other one: %+v", r)
	}
}
