package web

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/keyring"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
	"github.com/bellwether-project/bellwether/internal/scrub"
)

// outside gives the house what it tells strangers from.
func (h *house) outside(d *db.DB, log *audit.Log, store facts.Store) {
	h.t.Helper()
	ring, err := keyring.Open(h.t.TempDir() + "/keys")
	if err != nil {
		h.t.Fatal(err)
	}
	h.book, h.board = receipt.NewBook(ring), receipt.NewBoard()
	h.answers, err = answers.New(h.t.Context(), answers.Options{Desk: h.desk, Records: d, Audit: log, Facts: store, Book: h.book, Board: h.board, Now: time.Now,
		NewID: func() string { h.n++; return fmt.Sprintf("%032x", h.n) },
		Project: func(id int64) (receipt.Asker, bool) {
			p := h.registry.Snapshot().Projects[id]
			if p == nil {
				return receipt.Asker{}, false
			}
			return receipt.Asker{Extension: p.Subject.Extension, Host: p.Subject.Host}, true
		},
		KeyOf:  func(string) (int64, bool) { return 0, false },
		Stored: func(context.Context) time.Time { return time.Now() }})
	if err != nil {
		h.t.Fatal(err)
	}
	h.doctor = &diagnose.Doctor{World: h.registry.World, Scrub: scrub.New(scrub.Options{}), Board: h.board, Near: h.worker.Nearest}
}

func (h *house) note(_ context.Context, _ int64, crash, text string, _ netip.Addr) (eco.ID, error) {
	h.notes = append(h.notes, text)
	h.n++
	return eco.NewID(time.Now(), [16]byte{15: byte(h.n)}), nil
}

func fixHelp() helpPage {
	doc := fixDoc()
	no := false
	f := diagnose.Finding{Platform: "javascript", Type: "TypeError", Title: doc.Signature.Title, Signature: "sig/1:a91c03f2be770011", Blame: doc.Blame, Version: "2.4.0", Why: doc.Signature.Why, Removed: 2, More: 12,
		Public: &receipt.Answer{State: receipt.Fixed, FixedIn: "2.4.1", HaveFix: &no, Workaround: "Switch it **off**.", Public: "p1"}, Exact: true}
	p := helpPage{Shell: Shell{Title: "What crashed, and whose fault is it?", Public: true, Section: "help"}, F: &f, Culprit: "Markdown Lint", Sure: .9, Link: "https://git.example/acme/lint", Reasons: candidates(doc.Blame), Known: []pair{{Name: "Fixed in", Value: "2.4.1"}}, Errors: []string{"No stack trace was found in this text."},
		Frames: []helpFrame{{diagnose.Frame{Function: "ruleRange", Place: "out/rules.js:10", Class: eco.FrameExtension, Owner: "acme.markdown-lint"}, "acme.markdown-lint", true}, {diagnose.Frame{Function: "run", Place: "node:internal"}, "the runtime", false}}}
	(&Server{}).diagnosedHead(&p, &f)
	return p
}

// A reporter's walk through the pages, from the id to the proof.
func TestReceiptPages(t *testing.T) {
	h := newHouse(t)
	me := h.setUp()
	h.furnish()
	if err := h.answers.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := h.desk.Families(t.Context(), facts.Everything(), crash.Filter{Extension: "acme.theme"})
	if err != nil || len(page.Families) == 0 {
		t.Fatal(err)
	}
	f := page.Families[0]
	path := "/receipts/" + h.book.ID(f.Representative)
	anyone := h.browser()
	anyone.get("/receipts/").is(200).well()
	anyone.get("/receipts/?id=nonsense/x").is(422).well()
	anyone.get("/receipts/?id=" + strings.TrimPrefix(path, "/receipts/")).is(303)
	anyone.get("/receipts/"+f.Representative.String()).is(404).well().has(`href="/receipts/"`, "Find your report").hasNot("To the overview")
	anyone.get("/fixed/none").is(404).well().has("What was fixed").hasNot("To the overview")
	anyone.get(path).is(200).well().has("acme Theme").hasNot(f.ID, "rival")

	me.get("/families/"+f.ID).is(200).well().has("What reporters are told", "Resolve it first").hasNot("Publish the fix")
	me.post("/families/"+f.ID+"/answer", "version", "0", "workaround", "Turn **it** off <script>x</script>", "expected", "soon").is(422).has("a day of the form")
	me.post("/families/"+f.ID+"/answer", "version", "0", "workaround", "Turn **it** off <b onclick=x>", "expected", "2027-01-31").is(303)
	anyone.get(path).is(200).well().has("<strong>it</strong>", "2027-01-31").hasNot("onclick")
	me.post("/families/"+f.ID+"/state", "to", "resolved", "in", "9.0.0").is(303)
	if err := h.answers.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	anyone.get(path).is(200).well().has("Fixed in 9.0.0: please update")
	me.get("/families/" + f.ID).is(200).well().has("Publish the fix")

	anyone.post(path+"/notes", "message", "I saved a file").is(422).well().has("Please tick", "I saved a file")
	anyone.post(path+"/notes", "message", "I saved a file", "agree", "yes").is(303)
	anyone.get(path+"?done=noted").is(200).has("Your note was added", "1 of 5 notes added")
	if len(h.notes) != 1 || h.notes[0] != "I saved a file" {
		t.Errorf("%q", h.notes)
	}

	anyone.get(path + "/withdraw").is(200).well().has("Yes, withdraw my report")
	anyone.get(path).is(200).hasNot("You withdrew")
	anyone.post(path + "/withdraw").is(303)
	anyone.get(path).is(200).well().has("You withdrew this report", "Your proof").hasNot("Turn ", "TypeError")
	anyone.post(path + "/withdraw").is(303)
	anyone.get(path + "/withdraw").is(200).well().has("nothing to withdraw")
}

func TestHelpPage(t *testing.T) {
	h := newHouse(t)
	h.setUp()
	h.furnish()
	anyone := h.browser()
	anyone.get("/help").is(200).well().has("nothing you paste is kept")
	a := anyone.post("/help", "text", "TypeError: <b>no</b> range\n    at ruleRange (/home/ann/.vscode/extensions/acme.theme-1.0.0/out/theme.js:10:5)\n    at x (/home/ann/.vscode/extensions/acme.theme-1.0.0/out/theme.js:10:5)")
	a.is(200).well().has("Most likely acme Theme", "ruleRange", "Nothing is published").hasNot("<b>no</b>", "/home/ann")
	anyone.post("/help", "text", "hello").is(422).well().has("No stack trace was found")
	anyone.post("/help", "text", strings.Repeat("x", diagnose.MaxText+1)).is(422).well().has("256 KB")
	limited := false
	for range helpBurst {
		limited = limited || anyone.post("/help", "text", "hello").StatusCode == 429
	}
	if !limited {
		t.Error("one address may ask as often as it likes")
	}
}
