package ingest

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

const oneCrash = `{"source":{"extension_version":"1.1.0"},"crashes":[{"id":"c-1","platform":"javascript","exceptions":[{"type":"TypeError","value":"x is undefined",
	"frames":[{"function":"lint","file":"extensions/acme.linter-1.1.0/out/main.js","line":3}]}]}]}`

func receipts(t *testing.T, w *world) *Receipts {
	t.Helper()
	rules, err := blame.NewWorld(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &Receipts{Book: receipt.NewBook(ring), Board: receipt.NewBoard(), World: func() *blame.World { return rules }, Base: "https://b.example"}
	w.server.o.Receipts = r
	return r
}

func TestNativeAnswersAtOnce(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	ask := func() receipt.Answer {
		t.Helper()
		rec := w.post("/api/v1/intake/crashes", oneCrash, "X-Bellwether-Key", linterKey)
		var a Answer
		if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != 200 || len(a.Items) != 1 || a.Items[0].Answer == nil {
			t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
		}
		id, err := eco.ParseID(a.Items[0].ID)
		if err != nil || a.Items[0].Answer.Receipt != r.Book.ID(id) || a.Items[0].Answer.URL != "https://b.example/receipts/"+r.Book.ID(id) {
			t.Errorf("%+v", a.Items[0])
		}
		return a.Items[0].Answer.Answer
	}
	if a := ask(); a.State != receipt.Received || a.Known {
		t.Errorf("before the board is loaded: %+v", a)
	}
	r.Board.Ready()
	if a := ask(); a.State != receipt.New {
		t.Errorf("never seen: %+v", a)
	}
	e := w.kept()[0]
	hash, by := r.sign(e.Crash, e.Origin)
	if by.Extension != "acme.linter" {
		t.Fatalf("%+v", by)
	}
	r.Board.Learn("acme.linter", "", hash, "F-1")
	r.Board.Set(&receipt.Standing{Family: "F-1", Owner: "acme.linter", State: receipt.Fixed, ResolvedIn: "1.2.0", Workaround: "Do **this**.", Public: "p1", Installs: 25})
	a := ask()
	if a.State != receipt.Fixed || a.FixedIn != "1.2.0" || a.HaveFix == nil || *a.HaveFix || a.Workaround == "" || a.Installs != 20 || a.Wanted != receipt.Counts || a.Public != "https://b.example/fixed/p1" {
		t.Errorf("%+v", a)
	}
}

// A record is the same whether the door answers or not: signing comes after it.
func TestAnsweringLeavesTheRecordAlone(t *testing.T) {
	plain, asked := newWorld(t, everyTier), newWorld(t, everyTier)
	receipts(t, asked).Board.Ready()
	var got [2]*eco.Envelope
	for i, w := range []*world{plain, asked} {
		w.post("/api/v1/intake/crashes", oneCrash, "X-Bellwether-Key", linterKey)
		got[i] = w.kept()[0]
	}
	a, _ := json.Marshal(got[0].Crash)
	b, _ := json.Marshal(got[1].Crash)
	if string(a) != string(b) {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestForeignClientsGetAHeader(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	rec := w.post("/api/44/store/?sentry_key="+linterKey, `{"event_id":"`+strings.Repeat("ab", 16)+`","level":"error","exception":{"values":[{"type":"E","value":"boom"}]}}`)
	url := rec.Header().Get("X-Bellwether-Receipt")
	id := strings.TrimPrefix(url, "https://b.example/receipts/")
	if n, err := r.Book.Parse(id); err != nil || n.Crash != w.kept()[0].ID {
		t.Errorf("%q %v (%d %s)", url, err, rec.Code, rec.Body)
	}
	rec = w.post("/api/v1/intake/sessions", `{"sessions":[]}`, "X-Bellwether-Key", linterKey)
	if rec.Header().Get("X-Bellwether-Receipt") != "" {
		t.Error("no crash, and a receipt")
	}
}

func TestNotesNeedNoOtherConsent(t *testing.T) {
	w := newWorld(t, consent.Policy{Tiers: []eco.Tier{eco.TierCrash}, Text: "t", AskedBy: "host", Version: 1})
	n := Note{Project: w.keys[linterKey].Project, Crash: "c-1", Message: "I saved. My mail is canary@example.org.", From: netip.MustParseAddr("192.0.2.1")}
	if _, err := w.server.Add(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	e := w.kept()[0]
	if e.Kind != eco.KindFeedback || e.Tier != eco.Support || e.Feedback.CrashID != "c-1" || strings.Contains(e.Feedback.Message, "canary@") || !strings.HasPrefix(e.Feedback.Message, "I saved.") {
		t.Errorf("%+v", e.Feedback)
	}
	for _, text := range []string{"", strings.Repeat("x", MaxNote+1)} {
		n.Message = text
		if _, err := w.server.Add(t.Context(), n); err == nil {
			t.Errorf("%d bytes are taken", len(text))
		}
	}
	w.full = true
	n.Message = "x"
	if _, err := w.server.Add(t.Context(), n); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("full: %v", err)
	}
}

func BenchmarkAnswer(b *testing.B) {
	w := newWorld(b, everyTier)
	rules, _ := blame.NewWorld(nil, nil)
	r := &Receipts{Book: receipt.NewBook(ring), Board: receipt.NewBoard(), World: func() *blame.World { return rules }, Base: "https://b.example"}
	r.Board.Ready()
	w.post("/api/v1/intake/crashes", oneCrash, "X-Bellwether-Key", linterKey)
	e := w.kept()[0]
	s := w.keys[linterKey].Project.Subject
	for b.Loop() {
		r.answer(s, e)
	}
}
