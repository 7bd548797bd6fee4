// Package clients_test lets real, unmodified clients report to a running server
// and asks its API what came of it.
package clients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// need skips a test when a part is missing; in CI a missing part is a failure.
func need(t *testing.T, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing", what)
}

// server is a running bellwether with a data folder of its own.
type server struct {
	bin, dir, addr, token string
	projects              map[string]project
}

// project is where one client reports to.
type project struct {
	ID               int64
	Key, DSN, Base   string
	Extension        string
	ConnectionString string
}

// start registers one extension for each client, and runs the server.
func start(t *testing.T, extensions map[string]string) *server {
	t.Helper()
	bin := os.Getenv("BELLWETHER_BIN")
	need(t, bin != "", "BELLWETHER_BIN (the path of the built server)")
	bin, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{bin: bin, dir: t.TempDir(), addr: freeAddr(t), projects: map[string]project{}}
	for name, tiers := range extensions {
		s.run(t, "", "extension", "add", "acme."+name, "--kind=vscode", "--tiers="+tiers)
		var keys struct {
			Items []struct {
				Public  string `json:"public"`
				Project int64  `json:"project"`
				Forms   struct {
					DSN              string `json:"dsn"`
					ConnectionString string `json:"connection_string"`
				} `json:"forms"`
			} `json:"items"`
		}
		// The first line lists projects, the second the keys of the first.
		lines := strings.Split(strings.TrimSpace(s.run(t, "", "extension", "keys", "acme."+name, "--json", "--url=http://"+s.addr)), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &keys); err != nil || len(keys.Items) != 1 {
			t.Fatalf("keys of %s: %v %q", name, err, lines)
		}
		k := keys.Items[0]
		s.projects[name] = project{ID: k.Project, Key: k.Public, DSN: k.Forms.DSN, Base: "http://" + s.addr, Extension: "acme." + name, ConnectionString: k.Forms.ConnectionString}
	}
	s.run(t, "a long pass phrase of mine\n", "user", "add", "operator@example.test")
	out := strings.Fields(s.run(t, "", "token", "create", "operator@example.test"))
	s.token = out[len(out)-1]
	cmd := exec.Command(bin, s.args("serve", "--listen="+s.addr)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("server: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", log.String())
		}
		for _, secret := range []string{"person@example.test", "install-1", "a-machine-id", "a-host-name"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the server's log names %s", secret)
			}
		}
	})
	s.eventually(t, "the server is ready", func() bool {
		res, err := http.Get("http://" + s.addr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return s
}

func (s *server) args(command ...string) []string {
	return append(command, "--data="+filepath.Join(s.dir, "data"), "--keyring="+filepath.Join(s.dir, "keys"))
}

func (s *server) run(t *testing.T, stdin string, command ...string) string {
	t.Helper()
	cmd := exec.Command(s.bin, s.args(command...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("bellwether %s: %v\n%s%s", strings.Join(command, " "), err, out, stderr.String())
	}
	return string(out)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually waits for what happens in other processes.
func (s *server) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within two minutes: %s", what)
		case <-tick.C:
		}
	}
}

// get asks the API.
func (s *server) get(t *testing.T, path string, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %v %s", path, res.StatusCode, err, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatalf("GET %s: %v %s", path, err, b)
	}
}

// counts returns what came of a project's items: "stored crash" -> 3, "dropped log no_event_name" -> 1.
func (s *server) counts(t *testing.T, project int64) map[string]int {
	t.Helper()
	var list struct {
		Items []struct {
			Project               int64
			Kind, Outcome, Reason string
			N                     int
		} `json:"items"`
	}
	s.get(t, "/intake/counts", &list)
	got := map[string]int{}
	for _, c := range list.Items {
		if c.Project == project {
			got[strings.TrimSpace(c.Outcome+" "+c.Kind+" "+c.Reason)] += c.N
		}
	}
	return got
}

// want waits until exactly these counts are there.
func (s *server) want(t *testing.T, p project, want map[string]int) {
	t.Helper()
	var got map[string]int
	defer func() {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Logf("%s: counts\n got %v\nwant %v", p.Extension, got, want)
		}
	}()
	s.eventually(t, "the counts of "+p.Extension, func() bool {
		got = s.counts(t, p.ID)
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
}

// family is what the API shows of a crash family.
type family struct {
	ID, Title, Type, Blame, Target, State string
	Crashes                               int
	Installs                              int
	FirstRelease                          string `json:"first_release"`
}

func (s *server) families(t *testing.T, p project) []family {
	t.Helper()
	var list struct {
		Items []family `json:"items"`
	}
	s.get(t, "/families?extension="+p.Extension, &list)
	return list.Items
}
