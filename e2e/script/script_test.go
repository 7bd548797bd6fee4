// Package script runs the commands as people run them: each testdata/*.txtar is a
// session at a console with a folder of its own. `bellwether` is the real command
// line; the commands below are what a console cannot do in a line.
package script

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bellwether-project/bellwether/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"bellwether": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
			stop()
			os.Exit(code)
		},
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, params("testdata"))
}

// TestStatic runs the scripts of the build without cgo. It needs the cache of a
// build that ./check has made before; without it the build takes minutes.
func TestStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a second binary")
	}
	bin := filepath.Join(t.TempDir(), "bellwether-static")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "../../cmd/bellwether")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := params("testdata/static")
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("PATH", filepath.Dir(bin)+string(os.PathListSeparator)+e.Getenv("PATH"))
		return setup(e)
	}
	testscript.Run(t, p)
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "facts": // there is an embedded facts engine
				return hasFacts, nil
			case "root": // file permissions do not bind
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Setup: func(e *testscript.Env) error {
			root, err := filepath.Abs("../..")
			e.Setenv("ROOT", root)
			e.Values[serversKey{}] = &servers{list: map[string]*server{}}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": cmdServe, "stop": cmdStop, "capture": cmdCapture, "rewrite": cmdRewrite, "crashes": cmdCrashes, "post": cmdPost,
		},
	}
}

// server is `bellwether serve` in the background. What it prints goes straight to a
// file: a copy in between could be late.
type server struct {
	cmd *exec.Cmd
	out string
	end chan error
}

func (s *server) said() string {
	b, _ := os.ReadFile(s.out)
	return string(b)
}

type serversKey struct{}

type servers struct{ list map[string]*server }

var address = regexp.MustCompile(`is up: (http\S+)`)

// startLimit bounds a start; it takes well under a second on a machine at rest.
const startLimit = 2 * time.Minute

// cmdServe: serve NAME [ARG…] starts a server on a free port, sets NAME_URL (and URL)
// once it is ready, and keeps what it prints in NAME.out.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve NAME [ARG…]")
	}
	var path string
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if path = filepath.Join(dir, "bellwether"); fileExists(path) {
			break
		}
	}
	s := &server{cmd: exec.Command(path, append([]string{"serve", "--listen=127.0.0.1:0"}, args[1:]...)...), out: ts.MkAbs(args[0] + ".out"), end: make(chan error, 1)}
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "BELLWETHER_CONFIG", "TESTSCRIPT_COMMAND", "GOCOVERDIR"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	s.cmd.Env = slices.DeleteFunc(s.cmd.Env, func(v string) bool { return strings.HasSuffix(v, "=") })
	out, err := os.Create(s.out)
	ts.Check(err)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	err = s.cmd.Start()
	_ = out.Close()
	ts.Check(err)
	go func() { s.end <- s.cmd.Wait() }()
	all := ts.Value(serversKey{}).(*servers)
	all.list[args[0]] = s
	ts.Defer(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(startLimit)
	for {
		select {
		case err := <-s.end:
			ts.Fatalf("the server ended: %v\n%s", err, s.said())
		case <-limit:
			ts.Fatalf("the server does not start\n%s", s.said())
		case <-tick.C:
		}
		m := address.FindStringSubmatch(s.said())
		if m == nil {
			continue
		}
		resp, err := http.Get(m[1] + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			ts.Setenv("URL", m[1])
			ts.Setenv(args[0]+"_URL", m[1])
			return
		}
	}
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// cmdStop: stop NAME sends SIGTERM and wants exit code 0; NAME.out is then complete.
func cmdStop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stop NAME")
	}
	s := ts.Value(serversKey{}).(*servers).list[args[0]]
	if s == nil {
		ts.Fatalf("there is no server %s", args[0])
	}
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-s.end:
		if err != nil {
			ts.Fatalf("the server ended with %v\n%s", err, s.said())
		}
	case <-time.After(startLimit):
		ts.Fatalf("the server does not stop\n%s", s.said())
	}
}

// cmdCapture: capture NAME FILE REGEXP sets the variable NAME to the first group.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture NAME FILE REGEXP")
	}
	m := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(m) < 2 {
		ts.Fatalf("%s has no match of %s", args[1], args[2])
	}
	ts.Setenv(args[0], m[1])
}

// cmdRewrite: rewrite FILE OLD NEW puts NEW, as long as OLD, in OLD's first place.
func cmdRewrite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || len(args[1]) != len(args[2]) {
		ts.Fatalf("usage: rewrite FILE OLD NEW, of one length")
	}
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	at := bytes.Index(b, []byte(args[1]))
	if at < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	copy(b[at:], args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// cmdCrashes: crashes DIR READ UNREAD lists the reports below DIR, a line each: in
// READ those a trace is read from, in UNREAD those whose .want says that none is.
func cmdCrashes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: crashes DIR READ UNREAD")
	}
	lists := map[bool]string{}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(p string, d os.DirEntry, err error) error {
		if ext := filepath.Ext(p); err != nil || ext != ".txt" && ext != ".log" {
			return err
		}
		want, err := os.ReadFile(p + ".want")
		lists[!bytes.HasPrefix(want, []byte("no trace:"))] += p + "\n"
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(lists[true]), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(lists[false]), 0o600))
}

// cmdPost: post URL CONTENT-TYPE FILE [HEADER=VALUE…] sends a file; ! post wants a refusal.
func cmdPost(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: post URL CONTENT-TYPE FILE [HEADER=VALUE…]")
	}
	req, err := http.NewRequest(http.MethodPost, args[0], strings.NewReader(ts.ReadFile(args[2])))
	ts.Check(err)
	req.Header.Set("Content-Type", args[1])
	for _, h := range args[3:] {
		name, value, _ := strings.Cut(h, "=")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, b.String())
	if refused := resp.StatusCode >= 400; refused != neg {
		ts.Fatalf("%s\n%s", resp.Status, b.String())
	}
}
