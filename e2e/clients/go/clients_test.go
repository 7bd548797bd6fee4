package clients_test

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const everything = "crash,performance,usage,support"

func TestClients(t *testing.T) {
	s := start(t, map[string]string{
		"go": everything, "otel-go": everything, "node": everything, "otel-node": everything, "vscode": everything,
		"browser": everything, "python": everything, "silent": "support",
	})
	t.Run("sentry-go", func(t *testing.T) {
		p := s.projects["go"]
		sendSentryGo(t, p)
		s.want(t, p, map[string]int{"accepted crash": 4, "stored crash": 4, "accepted event": 1, "stored event": 1})
		s.crashes(t, p, 4, "*errors.errorString", "runtime.boundsError") // a family stands on the cause
	})
	t.Run("opentelemetry-go", func(t *testing.T) {
		p := s.projects["otel-go"]
		sendOTelGo(t, s, p)
		s.want(t, p, map[string]int{
			"accepted crash": 4, "stored crash": 4, "accepted span": 4, "stored span": 4, "accepted event": 4, "stored event": 4,
			"accepted metric": 2, "stored metric": 2, "dropped log no_event_name": 2,
		})
		s.crashes(t, p, 4, "*errors.errorString")
	})
	t.Run("sentry-node", func(t *testing.T) {
		p := s.projects["node"]
		node(t, "extensions/acme.node-1.4.2/main.mjs", "DSN="+p.DSN)
		s.want(t, p, map[string]int{"accepted crash": 3, "stored crash": 3, "accepted session": 1, "stored session": 1})
		s.crashes(t, p, 3, "SyntaxError", "TypeError")
		s.blamed(t, p)
	})
	t.Run("opentelemetry-node", func(t *testing.T) {
		p := s.projects["otel-node"]
		node(t, "extensions/acme.otel-node-3.1.0/main.mjs", "ENDPOINT="+p.Base, "KEY="+p.Key)
		s.want(t, p, map[string]int{
			"accepted crash": 5, "stored crash": 5, "accepted event": 2, "stored event": 2, "accepted span": 3, "stored span": 3,
			"accepted metric": 2, "stored metric": 2, "dropped log no_event_name": 2,
		})
		s.crashes(t, p, 5, "TypeError", "RangeError")
		s.blamed(t, p)
	})
	t.Run("vscode extension-telemetry", func(t *testing.T) {
		p := s.projects["vscode"]
		base, ca := withTLS(t, p.Base) // its sender speaks nothing but https
		connection := strings.Replace(p.ConnectionString, p.Base, base, 1)
		if !strings.Contains(connection, base) {
			t.Fatalf("connection string %q", connection)
		}
		node(t, "extensions/acme.vscode-2.0.0/main.cjs", "CONNECTION_STRING="+connection, "NODE_EXTRA_CA_CERTS="+ca)
		s.want(t, p, map[string]int{"accepted event": 3, "stored event": 3, "accepted crash": 1, "stored crash": 1})
		s.crashes(t, p, 1, "TypeError")
		s.blamed(t, p)
	})
	t.Run("sentry-python", func(t *testing.T) {
		p := s.projects["python"]
		python := os.Getenv("BELLWETHER_PYTHON")
		need(t, python != "", "BELLWETHER_PYTHON (an interpreter with python/requirements.txt installed)")
		run(t, exec.Command(python, "../python/send.py"), "DSN="+p.DSN)
		s.want(t, p, map[string]int{"accepted crash": 2, "stored crash": 2, "accepted event": 1, "stored event": 1})
		s.crashes(t, p, 2, "ValueError")
	})
	t.Run("sentry-browser", func(t *testing.T) {
		p := s.projects["browser"]
		chromium := os.Getenv("CHROMIUM")
		if chromium == "" {
			chromium = "/usr/bin/chromium"
		}
		_, err := os.Stat(chromium)
		need(t, err == nil, "Chromium")
		node(t, "browser.mjs", "DSN="+p.DSN, "CHROMIUM="+chromium)
		s.eventually(t, "the page's reports", func() bool {
			c := s.counts(t, p.ID)
			return c["stored crash"] == 1 && c["stored session"] >= 1 && c["accepted feedback"] == 1 && c["accepted session"] == c["stored session"]
		})
		s.crashes(t, p, 1, "TypeError")
		s.blamed(t, p)
	})
	// The project's users were asked for support only. The first error is dropped,
	// and the answer makes the client keep the second.
	t.Run("a client that is told to stop", func(t *testing.T) {
		p := s.projects["silent"]
		node(t, "extensions/acme.node-1.4.2/stop.mjs", "DSN="+p.DSN)
		s.want(t, p, map[string]int{"dropped crash consent:crash": 1})
	})
	t.Run("a server that is gone", func(t *testing.T) {
		p := s.projects["go"]
		p.DSN = strings.Replace(p.DSN, s.addr, freeAddr(t), 1)
		sendSentryGo(t, p) // it must end, and break nothing
	})
}

// crashes checks that the API shows all crashes of a project in families of these types.
func (s *server) crashes(t *testing.T, p project, n int, types ...string) {
	t.Helper()
	sum := 0
	for _, f := range s.families(t, p) {
		sum += f.Crashes
		if !slices.Contains(types, f.Type) {
			t.Errorf("%s: a family of the type %q: %s", p.Extension, f.Type, f.Title)
		}
		if f.Blame != "" && f.Blame != p.Extension {
			t.Errorf("%s: family %q is blamed on %s", p.Extension, f.Title, f.Blame)
		}
	}
	if sum != n {
		t.Errorf("%s: families hold %d crashes, want %d: %+v", p.Extension, sum, n, s.families(t, p))
	}
}

// blamed checks that every family is blamed on the extension: its files say so.
func (s *server) blamed(t *testing.T, p project) {
	t.Helper()
	for _, f := range s.families(t, p) {
		if f.Blame != p.Extension {
			t.Errorf("%s: family %q is blamed on %q (%s)", p.Extension, f.Title, f.Blame, f.Target)
		}
	}
}

func node(t *testing.T, script string, env ...string) {
	t.Helper()
	run(t, nodeCmd(t, script), env...)
}

func nodeCmd(t *testing.T, script string, env ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("node")
	need(t, err == nil, "node")
	dir, err := filepath.Abs("../node")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(dir, "node_modules", "@sentry", "node"))
	need(t, err == nil, "e2e/clients/node/node_modules (npm ci)")
	cmd := exec.Command(path, script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd, env ...string) {
	t.Helper()
	cmd.Env = append(os.Environ(), env...)
	out := make(chan error, 1)
	var text []byte
	go func() {
		var err error
		text, err = cmd.CombinedOutput()
		out <- err
	}()
	select {
	case err := <-out:
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, text)
		}
	case <-time.After(90 * time.Second):
		_ = cmd.Process.Kill()
		<-out
		t.Fatalf("%s did not end\n%s", strings.Join(cmd.Args, " "), text)
	}
}

// withTLS puts TLS before the server and returns its address and the file of its
// certificate.
func withTLS(t *testing.T, base string) (string, string) {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	t.Cleanup(proxy.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return proxy.URL, ca
}
