package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

func TestHeldPages(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	held := func(n int) {
		for i := range n {
			e := h.crash("acme.theme", "forged", i)
			e.Quarantined, e.Steps = true, []eco.Step{{Stage: "received", Note: "quarantined: 44 crashes in a minute"}}
			h.send(e)
		}
		h.drain()
	}
	held(4)
	acme := h.member("ann@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	rival := h.member("rob@rival.example", account.Grant{Role: account.Author, Publisher: "rival"})
	acme.get("/extensions/acme.theme").is(200).has("4 crashes are held", "/projects/1/held").well()
	acme.get("/intake").is(200).has("a burst looked forged").well()
	rival.get("/intake").is(200).hasNot("/projects/1/held")
	page := acme.get("/projects/1/held").is(200).has("44 crashes in a minute", "only in the burst", "Release all of them").well()
	rival.get("/projects/1/held").is(404)
	_, rest, _ := strings.Cut(page.body, `name="before" value="`)
	before, _, _ := strings.Cut(rest, `"`)
	rival.post("/projects/1/held", "do", "release", "before", before).is(404)
	acme.post("/projects/1/held", "do", "release").is(400)
	acme.post("/projects/1/held", "do", "keep", "before", before).is(400)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.worker.Run(ctx) }()
	acme.post("/projects/1/held", "do", "release", "before", before).is(http.StatusSeeOther)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	acme.get("/projects/1/held?done=released").is(200).has("Nothing is held", "Released.").well()
	fams, err := h.desk.Families(t.Context(), facts.Only([]eco.ExtensionID{"acme.theme"}, nil), crash.Filter{Query: "forged"})
	if err != nil || fams.Crashes != 4 {
		t.Errorf("%+v, %v", fams, err)
	}
	held(1)
	acme.post("/projects/1/held", "do", "discard", "before", time.Now().Add(time.Minute).Format(time.RFC3339Nano)).is(http.StatusSeeOther)
	acme.get("/projects/1/held").is(200).has("Nothing is held")
}

func TestFeedbackPages(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	c := h.crash("acme.theme", "paint", 1)
	e := h.envelope(eco.KindFeedback, "acme.theme")
	e.Class, e.Feedback = eco.ClassSupport, &eco.Feedback{Message: "the <b>colours</b> are gone", Contact: "zoe@example.org", CrashID: c.ClientID}
	h.send(c, e)
	h.drain()
	acme := h.member("ann@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	rival := h.member("rob@rival.example", account.Grant{Role: account.Author, Publisher: "rival"})
	support := h.member("sue@example.org", account.Grant{Role: account.Support})
	for _, path := range []string{"/extensions/acme.theme", "/feedback", "/feedback?extension=acme.theme"} {
		acme.get(path).is(200).has("the &lt;b&gt;colours&lt;/b&gt; are gone", "wants an answer", "/crashes/"+c.ID.String()).hasNot("zoe@example.org").well()
	}
	support.get("/feedback?extension=acme.theme").is(200).has("zoe@example.org")
	rival.get("/feedback").is(200).has("Nobody wrote").hasNot("colours")
	rival.get("/feedback?extension=acme.theme").is(404)
}
