package web

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

func fixEntry() answers.Fix {
	a, b := estimate.Wilson(60, 600), estimate.Wilson(0, 410)
	return answers.Fix{ID: "7kq2mdx4", Revision: 2, Subject: eco.Ref{Kind: "extension", ID: "acme.markdown-lint"}, Title: "Lint <stopped> at an empty list", Signatures: []string{"sig/1:a91c03f2be770011"}, Affected: "2.3.0 to 2.4.0", FixedIn: "2.4.1",
		Notes: "Sorry & **thanks**.", Workaround: "Take `MD013` out.", Before: answers.Rate{Installs: 600, Hit: 60, Share: &a, Days: 28}, After: answers.Rate{Installs: 410, Share: &b, Days: 12}, Sure: "sure",
		Sentence: "Before the fix 10.0 % of 600 installations met it.", Published: fixNow.AddDate(0, 0, -12), Updated: fixNow.AddDate(0, 0, -1)}
}

func fixFixed(v viewer) fixedPage {
	e := fixEntry()
	return fixedPage{Shell: Shell{Title: "Fixed", Public: true, Section: "fixed"}, Q: "lint", Subject: "acme.markdown-lint", Name: "Markdown Lint", Feed: "/fixed.atom", First: "/fixed", Next: "/fixed?cursor=1.x",
		Rows: []fixedRow{{e, "/fixed/" + e.ID, "Markdown Lint", v.at(e.Published)}}}
}

func fixFixedOne() fixedOnePage {
	e := answers.ProvenFix{Fix: fixEntry(), Log: answers.Proof{Record: "{}", Index: 7, Leaf: "abc=", Path: []string{"def="}, Size: 9, Root: "ghi="}}
	return (&Server{}).fixedOneOf(e, fixNow, Shell{Title: e.Title, Public: true, Section: "fixed"}, "Markdown Lint")
}

// What RFC 4287 wants of a feed: ids and times, links by relation, categories by term.
func TestAtom(t *testing.T) {
	h := newHouse(t)
	base, _ := url.Parse("https://b.example:8443")
	self, _ := url.Parse("/fixed.atom?extension=acme.markdown-lint")
	feed, err := h.server.atomOf(base, self, answers.FixedFilter{Subject: "acme.markdown-lint"}, answers.FixedPage{Entries: []answers.Fix{fixEntry()}, Next: "1.x"})
	if err != nil {
		t.Fatal(err)
	}
	body, err := xml.Marshal(feed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:b.example,2026:fixed:acme.markdown-lint</id>`, `<link rel="self" type="application/atom+xml" href="https://b.example:8443/fixed.atom?extension=acme.markdown-lint">`,
		`rel="alternate"`, `rel="prev-archive" type="application/atom+xml" href="https://b.example:8443/fixed.atom?cursor=1.x&amp;extension=acme.markdown-lint"`, `:fixed/7kq2mdx4</id>`, `<category term="acme.markdown-lint"`, `<content type="html">&lt;p&gt;Fixed in 2.4.1`, `&lt;strong&gt;thanks`, `<updated>`, `<published>`, `<author><name>`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

func TestFixedPages(t *testing.T) {
	h := newHouse(t)
	me := h.setUp()
	h.furnish()
	anyone := h.browser()
	anyone.get("/fixed").is(200).well().has("Nothing is published yet")
	family := first(t, me.get("/crashes").is(200).body, `href="(/families/[^"]+)"`)
	me.post(family+"/publish", "do", "publish").is(422).well().has("Resolve the family first")
	me.post(family+"/state", "to", "resolved", "in", "9.0.0").is(303)
	me.post(family+"/answer", "version", "0", "title", "It drew nothing", "notes", "Sorry.").is(303)
	me.post(family+"/publish", "do", "publish").is(303)
	one := first(t, anyone.get("/fixed").is(200).well().body, `href="(/fixed/[0-9a-z]+)"`)
	anyone.get(one).is(200).well().has("It drew nothing", "9.0.0", "tamper-evident").hasNot(strings.TrimPrefix(family, "/families/"))
	anyone.get("/fixed?q=drew").is(200).has("It drew nothing")
	anyone.get("/fixed?q=zzz").is(200).well().has("Nothing fits")
	a := anyone.get("/fixed.atom").is(200).has("It drew nothing", one)
	if k := a.Header.Get("Content-Type"); k != "application/atom+xml; charset=utf-8" || a.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error(k)
	}
	anyone.get("/fixed.json").is(200).has(`"path":`, `"root":`, `"leaf":`, `"index":`)
	anyone.get("/fixed/none").is(404).well()
	me.post(family+"/publish", "do", "unpublish").is(303)
	anyone.get(one).is(404)
	anyone.get("/fixed").is(200).hasNot("It drew nothing")
}
