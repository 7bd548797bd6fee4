package web

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/keyring"
)

// From the form to the mail, from the mail's link to yes, and to no more.
func TestFollowingPages(t *testing.T) {
	h := newHouse(t)
	h.setUp()
	h.furnish()
	if err := h.answers.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	mail, alerts := h.mails(alert.Options{
		Seal: func(b []byte) ([]byte, error) { return ring.Seal("notify", b) }, Unseal: func(b []byte) ([]byte, error) { return ring.Unseal("notify", b) },
		Reporters: &alert.Reporters{Answers: h.answers, Hash: func(purpose, raw string) uint64 { return ring.Hash64("receipt", purpose, raw) }}})
	page, err := h.desk.Families(t.Context(), facts.Everything(), crash.Filter{Extension: "acme.theme"})
	if err != nil || len(page.Families) == 0 {
		t.Fatal(err)
	}
	path := "/receipts/" + h.book.ID(page.Families[0].Representative)
	anyone := h.browser()
	anyone.get(path).is(200).well().has("Be told when something changes", "Mail me").hasNot("Tell this browser", "Tell nobody")
	anyone.post(path+"/follow", "email", "nonsense <script>").is(422).well().has("name@example.org", "nonsense &lt;script&gt;")
	anyone.post(path+"/follow", "email", "ann@reporter.example").is(303)
	anyone.get(path+"?done=follow-asked").is(200).well().has("A mail with a link is on its way", "1 address has not said yes yet", "Tell nobody").hasNot("ann@")
	if _, err := alerts.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := mail.Sent()
	if len(sent) != 1 || sent[0].To != "ann@reporter.example" {
		t.Fatalf("%+v", sent)
	}
	link, stop := strings.TrimPrefix(sent[0].Link, h.url), strings.TrimPrefix(sent[0].Unsubscribe, h.url)
	token := first(t, link, `token=(.+)`)
	anyone.get(link).is(200).well().has("Yes, tell me", "acme.theme").hasNot(strings.TrimPrefix(path, "/receipts/"))
	anyone.get(path).is(200).has("has not said yes yet") // looking at the link changed nothing
	anyone.post("/following", "token", token).is(303)
	anyone.get(path).is(200).well().has("1 address will be told")
	// RFC 8058: a mail program's one click, without a cookie, to the address of the header.
	anyone.get(stop).is(200).well().has("Get no more of these?")
	anyone.post(stop, "List-Unsubscribe", "One-Click").is(200).well().has("your address is forgotten")
	anyone.post(stop, "List-Unsubscribe", "One-Click").is(200)
	anyone.get(path).is(200).hasNot("will be told")
	anyone.get(link).is(404).well()
	anyone.get("/following?token=x").is(404).well()
	w := anyone.get("/receipts/worker.js").is(200)
	if w.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(w.body, "showNotification") {
		t.Errorf("%v", w.Header)
	}
	anyone.post(path + "/unfollow").is(303)
}
