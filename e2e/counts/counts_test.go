// Package counts_test walks with a client that asks before it sends, from the
// outside: the real server, its doors, its API and its pages.
package counts_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func TestMain(m *testing.M) {
	server.Main()
	os.Exit(m.Run())
}

// client is somebody with a key, and the team's token beside it.
type client struct {
	*server.Server
	t     *testing.T
	key   registry.Key
	token string
}

func (c *client) call(method, path string, head map[string]string, in, out any) int {
	c.t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			c.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.URL+path, &body)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range head {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	switch out := out.(type) {
	case nil:
	case *string:
		*out = string(b)
	default:
		if err := json.Unmarshal(b, out); err != nil {
			c.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, b)
		}
	}
	return resp.StatusCode
}

func (c *client) team(method, path string, in, out any) {
	c.t.Helper()
	if code := c.call(method, "/api/v1"+path, map[string]string{"Authorization": "Bearer " + c.token}, in, out); code >= 300 {
		c.t.Fatalf("%s %s: %d %v", method, path, code, out)
	}
}

type told struct {
	State, Wanted, Signature, Receipt string
	URL                               string `json:"receipt_url"`
	Send                              *struct {
		Method, URL string
		Body        map[string]any
		Add         []string
	}
}

type sent struct {
	Kept, Dropped int
	Items         []struct {
		ID, Outcome, Reason, Detail string
		Answer                      *told
	}
}

func (c *client) send(address string, body any) sent {
	c.t.Helper()
	var a sent
	u, err := url.Parse(address)
	if err != nil {
		c.t.Fatal(err)
	}
	if code := c.call("POST", u.Path, map[string]string{"X-Bellwether-Key": c.key.Public}, body, &a); code != 200 || len(a.Items) != 1 {
		c.t.Fatalf("%d %+v", code, a)
	}
	return a
}

func (c *client) ask(signature string) (a told) {
	c.t.Helper()
	if code := c.call("GET", "/api/v1/intake/interest?key="+c.key.Public+"&signature="+signature+"&release=1.0.0", nil, nil, &a); code != 200 {
		c.t.Fatal(code)
	}
	return a
}

// until asks until the server knows; it looks for news every few seconds.
func (c *client) until(what string, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatal("not within a minute: " + what)
		}
	}
}

type family struct {
	ID, State, Title           string
	Crashes, Installs, Counted int64
}

func (c *client) family(id string) (f family) {
	c.t.Helper()
	if _, err := c.Stored(); err != nil {
		c.t.Fatal(err)
	}
	c.team("GET", "/families/"+id, nil, &f)
	return f
}

func from(install, version string) map[string]any {
	return map[string]any{"extension_version": version, "host": "studio", "host_version": "5.0", "channel": "stable", "os": "linux", "install": install}
}

func start(t *testing.T) *client {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	dir := t.TempDir()
	c := &client{t: t}
	addr, err := server.FreeAddr()
	if err == nil {
		c.key, err = server.Seed(dir)
	}
	if err == nil {
		c.token, err = server.Token(dir, "kim@example.org", "a believable password", account.ScopeRead, account.ScopeFamilies)
	}
	if err == nil {
		c.Server, err = server.Start(dir, addr, server.How{Level: "error"})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

const intake = "/api/v1/intake/crashes"

func TestAskThenCount(t *testing.T) {
	c := start(t)
	full := map[string]any{"source": from("machine-1", "1.0.0"), "crashes": []any{map[string]any{"id": "full-1", "platform": "javascript",
		"exceptions": []any{map[string]any{"type": "TypeError", "value": "x is undefined", "frames": []any{
			map[string]any{"function": "lint", "file": "/home/u/.studio/extensions/acme.linter-1.0.0/out/main.js", "line": 3}}}}}}}
	first := c.send(intake, full)
	signature := first.Items[0].Answer.Signature
	var list struct{ Items []family }
	c.until("the family", func() bool { c.team("GET", "/families", nil, &list); return len(list.Items) == 1 })
	id := list.Items[0].ID

	// Nobody said otherwise: a full report is wanted.
	c.until("the board", func() bool { return c.ask(signature).State == "known" })
	if a := c.ask(signature); a.Wanted != "full" || a.Send == nil || a.Send.Body != nil {
		t.Errorf("%+v", a)
	}
	c.team("PUT", "/families/"+id+"/answer", map[string]any{"wanted": "counts", "version": 0}, nil)
	var said struct{ Asked, Why string }
	if c.team("GET", "/families/"+id+"/answer", nil, &said); said.Asked != "counts" || !strings.Contains(said.Why, "owner") {
		t.Errorf("%+v", said)
	}
	a := c.ask(signature)
	if a.Wanted != "counts" || a.Send == nil || a.Send.Method != "POST" || !slices.Contains(a.Send.Add, "id") {
		t.Fatalf("%+v", a)
	}

	// It sends what it was told to, with what it has of "add" and its source.
	count := func(event, install, version string) sent {
		t.Helper()
		b := a.Send.Body
		b["source"] = from(install, version)
		b["crashes"].([]any)[0].(map[string]any)["id"] = event
		return c.send(a.Send.URL, b)
	}
	one := count("count-1", "machine-1", "1.0.0")
	if one.Kept != 1 || one.Items[0].Answer.State != "known" || one.Items[0].Answer.Wanted != "counts" {
		t.Fatalf("%+v", one)
	}
	if f := c.family(id); f.Crashes != 2 || f.Installs != 1 || f.Counted != 1 {
		t.Fatalf("after one count of the same install: %+v", f)
	}
	count("count-2", "machine-2", "1.1.0")
	count("count-2", "machine-2", "1.1.0") // the same event again
	if f := c.family(id); f.Crashes != 3 || f.Installs != 2 || f.Counted != 2 {
		t.Errorf("after a second and its repeat: %+v", f)
	}

	// What nobody knows is not counted, and says so.
	none := c.send(intake, map[string]any{"source": from("machine-3", "1.0.0"), "crashes": []any{map[string]any{"signature": "sig/1:ffffffffffffffff"}}})
	if i := none.Items[0]; none.Dropped != 1 || i.Reason != "signature:unknown" || i.Detail == "" || i.Answer == nil || i.Answer.Wanted != "full" || i.Answer.Receipt != "" {
		t.Errorf("%+v", i)
	}
	if f := c.family(id); f.Crashes != 3 {
		t.Errorf("%+v", f)
	}

	c.look(one.Items[0].ID, signature)
	c.page(one.Items[0].Answer)

	// The sender takes it back by the receipt.
	if code := c.call("POST", "/api/v1/receipts/"+one.Items[0].Answer.Receipt+"/withdraw", nil, nil, nil); code != 200 {
		t.Fatal(code)
	}
	if f := c.family(id); f.Crashes != 2 || f.Installs != 2 || f.Counted != 1 {
		t.Errorf("after a withdrawal: %+v", f)
	}
	if code := c.call("GET", "/api/v1/crashes/"+one.Items[0].ID, map[string]string{"Authorization": "Bearer " + c.token}, nil, nil); code != http.StatusNotFound {
		t.Errorf("withdrawn, and %d", code)
	}
}

// look reads a count as the team does.
func (c *client) look(id, signature string) {
	c.t.Helper()
	var doc struct {
		Crash struct {
			Counted    string
			Exceptions []any
		}
		Blame struct {
			Extension  string
			Candidates []struct{ Reason string }
		}
		Steps  []struct{ Stage string }
		Origin map[string]any
	}
	c.team("GET", "/crashes/"+id, nil, &doc)
	if "sig/1:"+doc.Crash.Counted != signature || len(doc.Crash.Exceptions) != 0 || doc.Blame.Extension != "acme.linter" || len(doc.Blame.Candidates) != 1 ||
		!strings.HasPrefix(doc.Blame.Candidates[0].Reason, "Counted by signature; no stack came with it") || doc.Origin["install"] != nil {
		c.t.Errorf("%+v", doc)
	}
	var steps []string
	for _, s := range doc.Steps {
		steps = append(steps, s.Stage)
	}
	if fmt.Sprint(steps) != "[received consent scrub count store]" {
		c.t.Errorf("lineage %v", steps)
	}
	var list struct {
		Items []struct {
			ID      string
			Counted bool
		}
	}
	c.team("GET", "/crashes?q=counted:yes", nil, &list)
	if len(list.Items) != 2 || !list.Items[0].Counted || list.Items[1].ID != id {
		c.t.Errorf("%+v", list)
	}
}

// page reads the receipt's page as the user does.
func (c *client) page(a *told) {
	c.t.Helper()
	u, err := url.Parse(a.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	var html string
	if code := c.call("GET", u.Path, nil, nil, &html); code != 200 || !strings.Contains(html, "Known, and not fixed yet") || !strings.Contains(html, "not the stack") {
		c.t.Errorf("%d %s", code, html)
	}
}
