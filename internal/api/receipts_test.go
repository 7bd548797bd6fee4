package api

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// receiptOf is the id of the receipt of a tenant's crash.
func (h *house) receiptOf(tenant string) string {
	h.t.Helper()
	id, err := eco.ParseID(h.crash[tenant])
	if err != nil {
		h.t.Fatal(err)
	}
	return h.book.ID(id)
}

func (h *house) refresh() {
	h.t.Helper()
	if err := h.answers.Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// A reporter's whole walk: arrived, known with a workaround, fixed, withdrawn.
func TestReceipt(t *testing.T) {
	h := newHouse(t)
	me := h.as("me", append(everything(), account.Grant{Role: account.Author, Publisher: "acme"})...)
	path := "/api/v1/receipts/" + h.receiptOf("acme")
	read := func() (v answers.View) {
		t.Helper()
		body := h.want(200, &v, "", "GET", path, "").Body.String()
		for _, secret := range []string{h.family["acme"], h.key["acme"], "zeta", "5e55104e", "4242424"} {
			if strings.Contains(body, secret) {
				t.Errorf("the receipt names %q: %s", secret, body)
			}
		}
		return v
	}
	if v := read(); v.Answer.State != receipt.Received || v.About.ID != "acme.theme" {
		t.Errorf("before the board is filled: %+v", v)
	}
	h.refresh()
	if v := read(); v.Answer.State != receipt.New || v.Answer.Installs != 0 || v.Answer.Others || v.Release != "1.0.0" {
		t.Errorf("%+v", v)
	}
	var words answers.Words
	answer := "/api/v1/families/" + h.family["acme"] + "/answer"
	h.want(200, &words, me, "GET", answer, "")
	h.want(200, &words, me, "PUT", answer, `{"workaround":"Turn **it** off.","impact":"Text is lost.","expected":"2027-01-31"}`)
	if words.Version != 1 {
		t.Errorf("%+v", words)
	}
	h.want(409, nil, me, "PUT", answer, `{"workaround":"x"}`)
	h.want(400, nil, me, "PUT", answer, `{"expected":"soon","version":1}`)
	for range 3 {
		e := h.crashOf("acme.theme", h.project["acme"], "")
		h.send(e)
	}
	h.drain()
	h.now = h.now.Add(10 * time.Minute)
	h.refresh()
	if v := read(); v.Answer.State != receipt.Known || !v.Answer.Others || v.Answer.Installs != 0 || v.Answer.Workaround == "" || v.Answer.Expected != "2027-01-31" {
		t.Errorf("%+v", v.Answer)
	}
	h.want(200, nil, me, "POST", "/api/v1/families/"+h.family["acme"]+"/state", `{"state":"resolved","resolved_in":"1.1.0"}`)
	h.refresh()
	v := read()
	if v.Answer.State != receipt.Fixed || v.Answer.FixedIn != "1.1.0" || v.Answer.HaveFix == nil || *v.Answer.HaveFix {
		t.Errorf("%+v", v.Answer)
	}
	var key verifierBody
	h.want(200, &key, "", "GET", "/api/v1/receipts/key", "")
	if text, err := receipt.Check(v.Signed, key.Verifier); err != nil || !strings.Contains(text, "state fixed\nfixed-in 1.1.0\n") {
		t.Errorf("%q %v", text, err)
	}

	h.want(400, nil, "", "POST", path+"/notes", `{"message":"I saved.","agree":false}`)
	for range answers.MaxAdded {
		h.want(200, &v, "", "POST", path+"/notes", `{"message":"I saved.","agree":true}`)
	}
	h.want(409, nil, "", "POST", path+"/notes", `{"message":"I saved.","agree":true}`)
	if v.Added != answers.MaxAdded || len(h.notes) != answers.MaxAdded {
		t.Errorf("%d %d", v.Added, len(h.notes))
	}

	var before, after struct{ Crashes int64 }
	family := "/api/v1/families/" + h.family["acme"]
	h.want(200, &before, me, "GET", family, "")
	v = answers.View{}
	h.want(200, &v, "", "POST", path+"/withdraw", "")
	if v.Answer.State != receipt.Withdrawn || v.Gone.Before(h.now.AddDate(0, 0, 7)) || v.What != "" {
		t.Errorf("%+v", v)
	}
	if text, err := receipt.Check(v.Signed, key.Verifier); err != nil || !strings.Contains(text, "state withdrawn\ngone-by ") {
		t.Errorf("%q %v", text, err)
	}
	h.want(200, &after, me, "GET", family, "")
	if before.Crashes != 4 || after.Crashes != 3 {
		t.Errorf("%d crashes, then %d", before.Crashes, after.Crashes)
	}
	h.want(404, nil, me, "GET", "/api/v1/crashes/"+h.crash["acme"], "")
	h.want(200, nil, "", "POST", path+"/withdraw", "")
	h.want(409, nil, "", "POST", path+"/notes", `{"message":"I saved.","agree":true}`)
	if again := read(); !again.Withdrawn.Equal(v.Withdrawn) {
		t.Errorf("%v, then %v", v.Withdrawn, again.Withdrawn)
	}
	if r, err := h.log.Verify(t.Context()); err != nil || !r.OK() {
		t.Errorf("%+v %v", r, err)
	}
}

// A browser that follows a report: asked for, counted, ended; nothing of it is told.
func TestFollowers(t *testing.T) {
	h := newHouse(t)
	h.refresh()
	path := "/api/v1/receipts/" + h.receiptOf("acme") + "/followers"
	var f followed
	h.want(200, &f, "", "GET", path, "")
	if f.Mail || f.Ways.Push == "" || f.Told.Any() {
		t.Errorf("%+v", f)
	}
	push := func(endpoint string) string {
		return `{"push":{"endpoint":"` + endpoint + `","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`
	}
	h.want(202, &f, "", "POST", path, push("https://push.example.net/one"))
	if f.Told.Push != 1 {
		t.Errorf("%+v", f)
	}
	h.want(400, nil, "", "POST", path, `{}`)
	h.want(400, nil, "", "POST", path, push("http://push.example.net/one"))
	h.want(400, nil, "", "POST", path, push("https://push.example.net:22/one"))
	h.want(403, nil, "", "POST", path, push("https://10.0.0.1/one"))
	h.want(503, nil, "", "POST", path, `{"mail":"ann@reporter.example"}`) // no mail is configured
	h.want(404, nil, "", "POST", "/api/v1/followers/confirm", `{"token":"x"}`)
	h.want(404, nil, "", "POST", "/api/v1/followers/stop", `{"token":"x"}`)
	h.want(204, nil, "", "DELETE", path, "")
	f = followed{}
	h.want(200, &f, "", "GET", path, "")
	if f.Told.Any() {
		t.Errorf("%+v", f)
	}
}

// A report that is withdrawn before it is stored never is.
func TestWithdrawnOnItsWay(t *testing.T) {
	h := newHouse(t)
	h.refresh()
	e := h.crashOf("acme.theme", h.project["acme"], "")
	e.ID = eco.NewID(h.now, e.ID)
	path := "/api/v1/receipts/" + h.book.ID(e.ID)
	var v answers.View
	h.want(200, &v, "", "GET", path, "")
	if v.Answer.State != receipt.Received {
		t.Errorf("%+v", v.Answer)
	}
	h.want(200, &v, "", "POST", path+"/withdraw", "")
	if !h.answers.Erased(e) {
		t.Error("the flow is not told")
	}
	other := *e
	other.ID[15] ^= 1
	if h.answers.Erased(&other) {
		t.Error("another one is taken for it")
	}
	h.now = h.now.Add(26 * time.Hour)
	if _, err := h.answers.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	h.want(200, &v, "", "GET", path, "")
	if v.Answer.State != receipt.Withdrawn {
		t.Errorf("a day later: %+v", v.Answer)
	}
	h.now = h.now.AddDate(0, 0, 20)
	if _, err := h.answers.Sweep(t.Context()); err != nil || h.answers.Erased(e) {
		t.Errorf("remembered for ever: %v", err)
	}
	if h.want(200, &v, "", "GET", path, ""); v.Answer.State != receipt.Withdrawn {
		t.Errorf("three weeks later: %+v", v.Answer)
	}
}

// The id that a foreign client makes itself: its event id and the project's key.
func TestClientsOwnReceipt(t *testing.T) {
	h := newHouse(t)
	e := h.crashOf("acme.theme", h.project["acme"], "")
	e.ClientID = strings.Repeat("ab", 16)
	h.send(e)
	h.drain()
	h.refresh()
	var v answers.View
	h.want(200, &v, "", "GET", "/api/v1/receipts/"+receipt.ClientID(e.ClientID, h.key["acme"]), "")
	if v.ID != h.book.ID(e.ID) {
		t.Errorf("%+v", v)
	}
	for _, id := range []string{receipt.ClientID(e.ClientID, h.key["zeta"]), receipt.ClientID(strings.Repeat("cd", 16), h.key["acme"]), receipt.ClientID(e.ClientID, strings.Repeat("0", 32)), h.crash["acme"], e.ClientID} {
		h.want(404, nil, "", "GET", "/api/v1/receipts/"+id, "")
	}
}
