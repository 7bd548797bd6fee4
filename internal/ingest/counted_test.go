package ingest

import (
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

const known16, unknown16 = "00112233445566aa", "00112233445566ab"

// howTo asks, and returns the answer with the body that it says to send.
func (w *world) howTo(t *testing.T, key, query string) (a Told, body string) {
	t.Helper()
	rec := w.ask(http.MethodGet, "/api/v1/intake/interest?key="+key+"&signature=sig/1:"+query, "")
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != 200 {
		t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	var raw struct {
		Send struct {
			Body jsontext.Value `json:"body"`
		} `json:"send"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	return a, string(raw.Send.Body)
}

func (w *world) sendOne(t *testing.T, key, body string) (ItemNote, Answer) {
	t.Helper()
	rec := w.post("/api/v1/intake/crashes", body, "X-Bellwether-Key", key)
	var a Answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != 200 || len(a.Items) != 1 {
		t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	return a.Items[0], a
}

func TestCountedIsSentAsTold(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	r.Board.Learn("acme.linter", "", known16, "F-1")
	r.Board.Set(&receipt.Standing{Family: "F-1", Owner: "acme.linter", Host: "studio", State: receipt.Fixed, ResolvedIn: "1.2.0", Installs: 25})

	// Until the board is loaded only the flow can tell: it is taken.
	if n, _ := w.sendOne(t, linterKey, `{"crashes":[{"signature":"sig/1:`+unknown16+`"}]}`); n.Outcome != "kept" || n.Answer.State != receipt.Received {
		t.Errorf("%+v", n)
	}
	r.Board.Ready()

	a, body := w.howTo(t, linterKey, known16+"&release=1.3.0")
	if a.Wanted != receipt.Counts || a.Send == nil || a.Send.URL != "https://b.example/api/v1/intake/crashes" || body != `{"crashes":[{"signature":"sig/1:`+known16+`"}]}` {
		t.Fatalf("%+v %s", a, body)
	}
	n, _ := w.sendOne(t, linterKey, body)
	if n.Outcome != "kept" || n.Answer == nil || n.Answer.State != receipt.Fixed || n.Answer.Receipt == "" || n.Answer.Send == nil || n.Answer.Signature != "sig/1:"+known16 {
		t.Fatalf("%+v", n)
	}
	kept := w.kept()
	if c := kept[len(kept)-1].Crash; c.Counted != known16 || len(c.Exceptions) != 0 {
		t.Errorf("%+v", c)
	}

	before := len(w.kept())
	n, all := w.sendOne(t, linterKey, `{"crashes":[{"id":"c-9","signature":"sig/1:`+unknown16+`"}]}`)
	if n.Outcome != "dropped" || n.Reason != pipeline.Unknown || n.Detail == "" || n.ClientID != "c-9" || n.Answer == nil || n.Answer.State != receipt.New ||
		n.Answer.Wanted != receipt.Full || n.Answer.Receipt != "" || n.Answer.Send == nil || n.Answer.Send.Body != nil || all.Dropped != 1 || len(w.kept()) != before {
		t.Errorf("%+v", n)
	}
	if n, _ = w.sendOne(t, linterKey, `{"crashes":[{"signature":"00112233445566aa"}]}`); n.Reason != "schema:signature" || n.Detail == "" || n.Answer != nil {
		t.Errorf("%+v", n)
	}

	// Nothing is wanted: there is nothing to send.
	r.Board.Set(&receipt.Standing{Family: "F-1", Owner: "acme.linter", State: receipt.Ignored})
	if a, body := w.howTo(t, linterKey, known16); a.Send != nil || body != "" {
		t.Errorf("%+v", a)
	}
	// And a full report is sent as the schema says.
	if a, body := w.howTo(t, linterKey, unknown16); a.Send == nil || a.Send.Schema == "" || body != "" {
		t.Errorf("%+v", a)
	}
}

func TestCountedOfAHostsClient(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	host := w.keys[hostKey].Project.Subject.Host
	r.Board.Learn("acme.linter", "", known16, "F-1")
	r.Board.Set(&receipt.Standing{Family: "F-1", Owner: "acme.linter", Host: host, State: receipt.Known, Wanted: receipt.Counts})
	r.Board.Ready()
	a, body := w.howTo(t, hostKey, known16+"&extension=acme.linter")
	if a.Wanted != receipt.Counts || body != `{"crashes":[{"signature":"sig/1:`+known16+`","owner":"acme.linter"}]}` {
		t.Fatalf("%+v %s", a, body)
	}
	n, _ := w.sendOne(t, hostKey, body)
	if e := w.kept()[0]; n.Outcome != "kept" || e.Crash.Owner != "acme.linter" || n.Answer.State != receipt.Known {
		t.Errorf("%+v %+v", n, e.Crash)
	}
	if n, _ := w.sendOne(t, hostKey, `{"crashes":[{"signature":"sig/1:`+known16+`"}]}`); n.Reason != pipeline.Unknown {
		t.Errorf("without the extension it is the host's own: %+v", n)
	}
}

// A count is a crash: it wants the same consent, and is held in the same bursts.
func TestCountedNeedsConsent(t *testing.T) {
	w := newWorld(t, consent.Policy{Tiers: []eco.Tier{eco.Usage}, Text: "t", AskedBy: "host", Version: 1})
	receipts(t, w).Board.Ready()
	n, a := w.sendOne(t, linterKey, `{"crashes":[{"signature":"sig/1:`+unknown16+`"}]}`)
	if n.Outcome != "dropped" || n.Reason != "consent:crash" || n.Answer != nil || len(a.Stop) != 1 || len(w.kept()) != 0 {
		t.Errorf("%+v %+v", n, a)
	}
}
