package web

import (
	"regexp"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
)

func familiesOf(t *testing.T, body string) []string {
	t.Helper()
	var out []string
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`href="/families/(F-[0-9A-Za-z]+)"`).FindAllStringSubmatch(body, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			out = append(out, m[1])
		}
	}
	return out
}

func TestMergeAndSplitPages(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	h.send(h.crash("acme.theme", "parseColour", 1), h.crash("acme.theme", "parseColour", 2))
	h.drain()
	ids := familiesOf(t, b.get("/crashes?extension=acme.theme").is(200).body)
	if len(ids) < 2 {
		t.Fatalf("families %v", ids)
	}
	b.get("/crashes/merge").is(200).well().has("No families chosen")
	b.get("/crashes/merge?id=" + ids[0]).is(200).well().has("Everything goes into").hasNot("Merge 1")
	b.get("/crashes/merge?id="+ids[0]+"&id="+ids[1]).is(200).well().has("After the merge", "Merge 2 families", "an install that had several counts once")
	b.get("/crashes/merge?id=" + ids[0] + "&more=" + ids[1] + "&into=" + ids[1]).is(200).well().has("After the merge")
	b.get("/crashes/merge?id=" + ids[0] + "&more=F-nothing").is(422).well().has("There is no family F-nothing")
	to := b.post("/crashes/merge", "id", ids[0], "id", ids[1], "into", ids[0], "note", "One cause.").is(303).Header.Get("Location")
	if to != "/families/"+ids[0]+"?done=merged" {
		t.Errorf("leads to %s", to)
	}
	page := b.get(to).is(200).well().has("The families are one now.", "One cause.", "Take it back", ids[1])
	if got := b.get("/families/" + ids[1]).is(303).Header.Get("Location"); got != "/families/"+ids[0] {
		t.Errorf("the merged family leads to %s", got)
	}
	b.post("/crashes/merge", "id", ids[0], "id", ids[1]).is(422).well().has("one already")

	// What was merged has two signatures: one of them is split off again, and taken back.
	split := b.get("/families/" + ids[0] + "/split").is(200).well()
	sig := first(t, split.body, `name="signature" value="([0-9a-f]{16})"`)
	b.get("/families/"+ids[0]+"/split?signature="+sig).is(200).well().has("After the split", "Split 1 signature off")
	b.get("/families/" + ids[0] + "/split?containing=zzzz").is(422).well().has("Choose at least one")
	made := b.post("/families/"+ids[0]+"/split", "signature", sig).is(303).Header.Get("Location")
	b.get(made).is(200).well().has("This is a family of its own now.", "split this off")
	family, _, _ := strings.Cut(made, "?")
	change := first(t, b.get(family).body, `name="change" value="([^"]+)"><button class="btn small quiet" type="submit" aria-label="Take back: split`)
	b.post(family+"/regroup/undo", "change", change).is(303)
	merge := first(t, page.body, `name="change" value="([^"]+)"><button class="btn small quiet" type="submit" aria-label="Take back: merged`)
	b.post("/families/"+ids[0]+"/regroup/undo", "change", merge).is(303)
	b.get("/families/" + ids[1]).is(200).well().has("(taken back)")

	jo := h.member("jo@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	theirs := familiesOf(t, b.get("/crashes?extension=rival.theme").is(200).body)[0]
	jo.get("/crashes/merge?id=" + ids[0] + "&id=" + theirs).is(404)
	jo.post("/crashes/merge", "id", ids[0], "id", theirs).is(404)
	jo.get("/families/" + theirs + "/split").is(404)
	sup := h.member("su@example.org", account.Grant{Role: account.Support})
	sup.post("/crashes/merge", "id", ids[0], "id", ids[1]).is(403)
}
