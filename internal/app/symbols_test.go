//go:build cgo

package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
)

const maps = "../symbol/testdata"

// report sends the crash of a real browser to the
// house's project, with another id.
func (h *house) report(capture, id string) {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join("../symbol/testdata", capture))
	if err != nil {
		h.t.Fatal(err)
	}
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	var head struct {
		EventID string `json:"event_id"`
	}
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if err := json.Unmarshal(first, &head); err != nil {
		h.t.Fatal(err)
	}
	body = bytes.ReplaceAll(body, []byte(head.EventID), []byte(id))
	u := h.URL() + "/api/" + strconv.FormatInt(h.key.Project, 10) + "/envelope/?sentry_version=7&sentry_key=" + h.key.Public
	r, _ := http.NewRequestWithContext(h.t.Context(), "POST", u, bytes.NewReader(body))
	if a := h.do(r); a.StatusCode != 200 {
		h.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

// crash waits until a crash is stored, and returns it.
func (h *house) crash(id string) (doc crash.Document) {
	h.t.Helper()
	h.until("crash "+id, func() bool {
		var err error
		doc, err = h.desk.Crash(h.t.Context(), facts.Everything(), id)
		return err == nil
	})
	return doc
}

// upload sends a file to the API as an author would.
func (h *house) upload(token, file string, q url.Values) answer {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(maps, file))
	if err != nil {
		h.t.Fatal(err)
	}
	q.Set("name", file)
	r, _ := http.NewRequestWithContext(h.t.Context(), "POST", h.URL()+"/api/v1/symbols?"+q.Encode(), bytes.NewReader(data))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/octet-stream")
	return h.do(r)
}

func (h *house) token(scopes ...account.Scope) string {
	h.t.Helper()
	ok := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	ctx, acc := h.t.Context(), h.Records.Accounts
	_, link, err := acc.Invite(ctx, account.System("test"), "ada@example.org", "Ada", []account.Grant{{Role: account.Author, Publisher: "acme"}})
	ok(err)
	in, err := acc.Accept(ctx, link, account.NewAccount{Email: "ada@example.org", Name: "Ada", Password: "wine-dark sea at 4 in the morning"})
	ok(err)
	p, err := acc.Session(ctx, in.Token)
	ok(err)
	_, t, err := acc.CreateToken(ctx, p, "build", scopes, time.Time{})
	ok(err)
	return t
}

func top(doc crash.Document) string {
	f := doc.Crash.Exceptions[0].Frames[0]
	return f.Function + " " + f.File + ":" + strconv.Itoa(f.Line) + " < " + f.Orig
}

// TestSymbols: a crash that comes after its source map has names; one that came
// before gets them when the map comes, its family is told, and the next crash of
// the same kind joins that family.
func TestSymbols(t *testing.T) {
	h := newHouse(t, options(t.TempDir()))
	token := h.token(account.ScopeRead, account.ScopeSymbols)
	const named = "ExtensionRegistry.runCommand web/src/registry.ts:10 < y.runCommand"

	const early, late = "11111111111111111111111111111111", "22222222222222222222222222222222"
	h.report("debugid-error-02.http", early)
	before := h.crash(early)
	if got := top(before); !strings.HasPrefix(got, "y.runCommand ") {
		t.Fatalf("without a map: %s", got)
	}
	h.until("the map is missing", func() bool {
		list, err := h.Records.Symbols.Missing(t.Context(), nil, true)
		return err == nil && len(list) == 1 && list[0].DebugID == "d86c8f7a-f7de-4e81-acd9-1a99c646bee3" && list[0].Crashes == 1
	})

	a := h.upload(token, "app-EB66TTGU.js.map", url.Values{"extension": {"acme.linter"}})
	if a.StatusCode != 201 || !strings.Contains(a.body, `"helps":1`) {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	h.until("the crash has names", func() bool { return top(h.crash(early)) == named })
	family := before.Placement.Family
	h.until("the family is told", func() bool {
		d, err := h.desk.Family(t.Context(), facts.Everything(), family, crash.Period{})
		return err == nil && len(d.History) == 1 && strings.Contains(d.History[0].Note, "1 crash was symbolicated by app-EB66TTGU.js.map (") &&
			strings.Contains(d.Title, "runCommand")
	})
	h.until("nothing is missing", func() bool {
		list, err := h.Records.Symbols.Missing(t.Context(), nil, true)
		return err == nil && len(list) == 0
	})

	h.report("debugid-error-02.http", late)
	after := h.crash(late)
	if got := top(after); got != named {
		t.Errorf("with the map: %s", got)
	}
	if after.Placement.Family != family {
		t.Errorf("it went to %s, not to %s", after.Placement.Family, family)
	}

	// By release and file: app.min.js has no debug id.
	const third = "33333333333333333333333333333333"
	q := url.Values{"extension": {"acme.linter"}, "file": {"~/www/app.min.js"}}
	if a := h.upload(token, "app.min.js.map", q); a.StatusCode != 400 || !strings.Contains(a.body, "never enough") {
		t.Errorf("without a release: %d %s", a.StatusCode, a.body)
	}
	q.Set("release", "2.0.1")
	if a := h.upload(token, "app.min.js.map", q); a.StatusCode != 201 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	h.report("error-02.http", third)
	if got := top(h.crash(third)); got != "ExtensionRegistry.runCommand web/src/registry.ts:10 < d.runCommand" {
		t.Errorf("by release: %s (%+v)", got, h.crash(third).Origin)
	}
}
