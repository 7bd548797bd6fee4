package api

import (
	"context"
	"fmt"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// What is held is seen, let go and thrown away by its own author, and then counts.
func TestHeld(t *testing.T) {
	h := newHouse(t)
	acme := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	var last eco.ID
	hold := func(n int) {
		for range n {
			e := h.crashOf("acme.theme", h.project["acme"], "")
			e.Quarantined, e.Steps = true, []eco.Step{{Stage: "received", Note: "quarantined: 40 crashes in a minute"}}
			h.send(e)
			last = e.ID
		}
		h.drain()
	}
	hold(3)
	var sums list[crash.HeldSum]
	h.want(200, &sums, acme, "GET", "/api/v1/held", "")
	if len(sums.Items) != 1 || sums.Items[0].Project != h.project["acme"] || sums.Items[0].Crashes != 3 {
		t.Fatalf("%+v", sums)
	}
	path := fmt.Sprintf("/api/v1/projects/%d/held", h.project["acme"])
	var held crash.Held
	h.want(200, &held, acme, "GET", path, "")
	if held.Crashes != 3 || len(held.Groups) != 1 || held.Groups[0].Why != "40 crashes in a minute" || !held.Groups[0].Known {
		t.Fatalf("%+v", held)
	}
	var fams families
	h.want(200, &fams, acme, "GET", "/api/v1/families", "")
	if fams.Crashes != 1 || fams.Installs > 1 {
		t.Fatalf("before: %+v", fams)
	}
	h.want(400, nil, acme, "POST", path, `{"do":"something"}`)
	// The receipt that the client of a held report was given holds on, once it was let go.
	given := "/api/v1/receipts/" + h.book.ID(last)
	told := func(want receipt.State) {
		t.Helper()
		h.refresh()
		var v answers.View
		if h.want(200, &v, "", "GET", given, ""); v.Answer.State != want {
			t.Errorf("%+v, want %s", v.Answer, want)
		}
	}
	told(receipt.Held)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.worker.Run(ctx) }()
	var r pipeline.HeldResult
	h.want(200, &r, acme, "POST", path, `{"do":"release"}`)
	cancel()
	if err := <-ended; err != nil || r.Crashes != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	h.want(200, &fams, acme, "GET", "/api/v1/families", "")
	if fams.Crashes != 4 || fams.Total != 1 {
		t.Errorf("after: %+v", fams)
	}
	told(receipt.Known)
	h.want(200, nil, "", "POST", given+"/withdraw", "")
	told(receipt.Withdrawn)
	h.want(200, &fams, acme, "GET", "/api/v1/families", "")
	if fams.Crashes != 3 {
		t.Errorf("withdrawn by its old receipt: %+v", fams)
	}
	hold(2)
	h.want(200, &r, acme, "POST", path, `{"do":"discard"}`)
	h.want(200, &held, acme, "GET", path, "")
	if r.Crashes != 2 || held.Crashes != 0 {
		t.Errorf("%+v, %+v", r, held)
	}
}

// Authors read what users wrote; who wrote it is for support.
func TestFeedback(t *testing.T) {
	h := newHouse(t)
	about := h.crashOf("acme.theme", h.project["acme"], "")
	about.ClientID = "c0ffee"
	h.send(about)
	e := h.crashOf("acme.theme", h.project["acme"], "")
	e.Kind, e.Tier, e.Class, e.Crash = eco.KindFeedback, eco.Support, eco.ClassSupport, nil
	e.Feedback = &eco.Feedback{Message: "it broke when I pressed save", Contact: "ann@example.org", Name: "Ann", CrashID: "c0ffee"}
	h.send(e)
	h.drain()
	for name, want := range map[string]struct {
		n       int
		contact string
	}{"acme": {1, ""}, "zeta": {0, ""}, "red": {1, ""}, "support": {1, "ann@example.org"}, "blue": {0, ""}} {
		var l list[crash.Feedback]
		h.want(200, &l, h.enter(name), "GET", "/api/v1/feedback?extension=acme.theme", "")
		if len(l.Items) != want.n {
			t.Errorf("%s reads %d", name, len(l.Items))
			continue
		}
		if want.n == 0 {
			continue
		}
		f := l.Items[0]
		if f.Contact != want.contact || (f.Name != "") != (want.contact != "") || !f.HasContact || f.Crash != about.ID || f.Family != h.family["acme"] || f.Message != e.Feedback.Message {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestSearch(t *testing.T) {
	h := newHouse(t)
	acme := h.enter("acme")
	var f found
	h.want(200, &f, acme, "GET", "/api/v1/search?q=THEME", "")
	if len(f.Extensions) != 1 || f.Extensions[0].ID != "acme.theme" {
		t.Errorf("%+v", f)
	}
	h.want(200, &f, acme, "GET", "/api/v1/search?q="+h.crash["acme"], "")
	if f.Crash.String() != h.crash["acme"] || f.Total != 1 || f.Families[0].ID != h.family["acme"] {
		t.Errorf("%+v", f)
	}
	f = found{}
	h.want(200, &f, acme, "GET", "/api/v1/search?q=lint", "")
	if len(f.Extensions)+len(f.Families) != 0 {
		t.Errorf("%+v", f)
	}
	h.want(400, nil, acme, "GET", "/api/v1/search", "")
}

// A filter that a route does not have is an error: it must not answer about everything.
func TestUnknownParameters(t *testing.T) {
	h := newHouse(t)
	acme := h.enter("acme")
	for _, path := range []string{"/crashes?host_version=1.0", "/families?Extension=acme.theme", "/me?x", "/intake/counts?project_id=1"} {
		p := problemOf(t, h.want(400, nil, acme, "GET", "/api/v1"+path, "").Body.Bytes())
		if p.Code != fault.Invalid || len(p.Errors) != 1 || p.Errors[0].Field != "query" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	var f flow
	h.want(200, &f, h.enter("operator"), "GET", "/api/v1/intake", "")
	if len(f.Classes) != 1 || f.Classes[0].Rows != f.Rows || f.Classes[0].Days != 90 {
		t.Errorf("%+v", f)
	}
}
