//go:build cgo

package app

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// operator is a token of somebody who may upload for everybody.
func (h *house) operator(scopes ...account.Scope) string {
	h.t.Helper()
	ctx, acc := h.t.Context(), h.Records.Accounts
	link, _, err := acc.SetupLink(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	in, err := acc.SetUp(ctx, link, account.NewAccount{Email: "op@example.org", Name: "Op", Password: "wine-dark sea at 4 in the morning"})
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := acc.Session(ctx, in.Token)
	if err != nil {
		h.t.Fatal(err)
	}
	_, t, err := acc.CreateToken(ctx, p, "build", scopes, time.Time{})
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

// capture replays a request of sentry-cli with a token of ours.
func (h *house) capture(file, token string) answer {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata/sentry-cli", file+".http"))
	if err != nil {
		h.t.Fatal(err)
	}
	in, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), in.Method, h.URL()+in.URL.Path, in.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header, r.ContentLength = in.Header, in.ContentLength
	r.Header.Set("Authorization", "Bearer "+token)
	return h.do(r)
}

// TestSentryCLI replays real uploads: pieces, then the files they make. The debug id
// that sentry-cli found in a binary is the one that is kept.
func TestSentryCLI(t *testing.T) {
	h := newHouse(t, options(t.TempDir()))
	if _, err := h.Records.Registry.PutHost(t.Context(), account.System("test").Actor(), registry.Host{ID: "demo", Name: "Demo"}); err != nil {
		t.Fatal(err)
	}
	token := h.operator(account.ScopeSymbols)
	for _, kind := range []string{"sourcemaps-upload", "debug-files-upload"} {
		if a := h.capture(kind+"-01", token); a.StatusCode != 200 || !strings.Contains(a.body, `"hashAlgorithm":"sha1"`) || !strings.Contains(a.body, h.URL()) {
			t.Fatalf("%s: %d %s", kind, a.StatusCode, a.body)
		}
		if a := h.capture(kind+"-02", token); a.StatusCode != 200 || !strings.Contains(a.body, `"state":"not_found","missingChunks":["`) {
			t.Fatalf("%s before its pieces: %d %s", kind, a.StatusCode, a.body)
		}
		if a := h.capture(kind+"-03", token); a.StatusCode != 200 {
			t.Fatalf("%s, pieces: %d %s", kind, a.StatusCode, a.body)
		}
		if a := h.capture(kind+"-04", token); a.StatusCode != 200 || !strings.Contains(a.body, `"state":"ok","missingChunks":[]`) {
			t.Fatalf("%s: %d %s", kind, a.StatusCode, a.body)
		}
	}
	p, err := h.Records.Symbols.Files(t.Context(), symbols.Filter{Subjects: []symbols.Subject{{Host: "demo"}}})
	if err != nil {
		t.Fatal(err)
	}
	said, maps := "", 0
	for _, f := range p.Files {
		said += fmt.Sprintf("%+v\n", f)
		if f.Kind == symbol.SourceMap && f.Release == "2.0.1" {
			maps++
		}
	}
	if !strings.Contains(said, "810abf15-6174-7402-bd68-c341d58ddd9e") || maps == 0 {
		t.Errorf("kept:\n%s", said)
	}

	// Others: no token, one without the scope, one that may not upload for this host,
	// and one that names pieces which somebody else sent.
	for name, tt := range map[string]struct {
		token  string
		status int
	}{
		"nobody":  {"", 401},
		"a guess": {"bw_0000", 401},
	} {
		if a := h.capture("debug-files-upload-04", tt.token); a.StatusCode != tt.status || !strings.Contains(a.body, `"detail"`) {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	author := h.token(account.ScopeSymbols)
	if a := h.capture("debug-files-upload-04", author); a.StatusCode != 403 && a.StatusCode != 404 {
		t.Errorf("another tenant: %d %s", a.StatusCode, a.body)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", h.URL()+"/api/0/projects/any/acme.linter/files/difs/assemble/",
		strings.NewReader(`{"861a7cd18697d884aac3ed7fdd16ce50bee099e1":{"name":"x","chunks":["861a7cd18697d884aac3ed7fdd16ce50bee099e1"]}}`))
	r.Header.Set("Authorization", "Bearer "+author)
	if a := h.do(r); a.StatusCode != 200 || !strings.Contains(a.body, "not_found") {
		t.Errorf("another's pieces: %d %s", a.StatusCode, a.body)
	}
}

// TestRealSentryCLI runs the real program, where it is installed: BELLWETHER_SENTRY_CLI,
// else in PATH.
func TestRealSentryCLI(t *testing.T) {
	cli := os.Getenv("BELLWETHER_SENTRY_CLI")
	if cli == "" {
		var err error
		if cli, err = exec.LookPath("sentry-cli"); err != nil {
			t.Skip("sentry-cli is not installed")
		}
	}
	h := newHouse(t, options(t.TempDir()))
	token := h.token(account.ScopeSymbols)
	dir := t.TempDir()
	for _, name := range []string{"app.min.js", "app.min.js.map", "app-EB66TTGU.js", "app-EB66TTGU.js.map"} {
		b, err := os.ReadFile(filepath.Join("../symbol/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), cli, args...)
		cmd.Env = append(os.Environ(), "SENTRY_URL="+h.URL(), "SENTRY_AUTH_TOKEN="+token, "SENTRY_ORG=acme", "SENTRY_PROJECT=acme.linter", "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("sentry-cli %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("sourcemaps", "upload", "--release", "linter@2.0.1", dir)
	run("debug-files", "upload", "../symbol/elfsym/testdata/tiny64.so")
	run("releases", "new", "linter@2.0.1")
	run("releases", "finalize", "linter@2.0.1")
	p, err := h.Records.Symbols.Files(t.Context(), symbols.Filter{Subjects: []symbols.Subject{{Extension: "acme.linter"}}})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range p.Files {
		have[string(f.Kind)+" "+f.Release+" "+f.File] = true
	}
	if !have["sourcemap 2.0.1 ~/app.min.js"] || !have["sourcemap 2.0.1 ~/app-EB66TTGU.js"] || !have["breakpad  tiny64.so"] {
		t.Errorf("kept: %v", have)
	}
}
