// Package native_test lets a real browser die and has its own crash reporter send
// what it wrote to a running server.
package native_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
)

const (
	browser = "/usr/bin/chromium"
	handler = "/usr/lib/chromium/chrome_crashpad_handler"
)

func TestMain(m *testing.M) {
	server.Main()
	os.Exit(m.Run())
}

// TestChromium: a native extension that a renderer loaded dies by a real SIGSEGV;
// Crashpad writes the dump; its uploader, pointed at the server, sends it; the crash
// stands on its page by module and offset. Then the extension's author uploads the
// binary: the kept dump is unwound again by its rules, every frame of the extension
// has its name, file and line, and the family is told.
func TestChromium(t *testing.T) {
	for _, file := range []string{browser, handler} {
		if testing.Short() || !cgo {
			t.Skip("needs cgo and not -short")
		}
		if _, err := os.Stat(file); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("chromium with its crash handler is missing: %v", err)
			}
			t.Skip("needs chromium with its crash handler")
		}
	}
	dir := t.TempDir()
	key, err := server.Seed(dir)
	if err != nil {
		t.Fatal(err)
	}
	token, err := server.Token(dir, "ann@example.org", "a long enough password", account.ScopeRead, account.ScopeSymbols, account.ScopeRegistry)
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := server.Session(dir, "ann@example.org", "a long enough password")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := server.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(dir, addr, server.How{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(s.PID(), syscall.SIGTERM) }()
	c := client{t: t, base: s.URL, token: token, cookie: cookie}
	c.send("PUT", fmt.Sprintf("/api/v1/projects/%d/dumps", key.Project), `{"days":3}`)

	library := compile(t, dir)
	dumps := filepath.Join(dir, "crashes")
	die(t, dir, dumps, library)
	id := upload(t, dumps, fmt.Sprintf("http://%s/api/v1/intake/minidump/%s", addr, key.Public))

	page := ""
	wait(t, "the crash on its page", func() bool {
		status := 0
		status, page = c.page("/crashes/" + id)
		return status == 200
	})
	for _, want := range []string{"SIGSEGV", "libacme.so&#43;0x", "low trust", "Minidump", "Kept encrypted", "renderer", "acme worker"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#43;", "+")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "--type=renderer") || strings.Contains(page, filepath.Join(dir, "profile")) {
		t.Error("the page shows a command line or a path of the profile")
	}
	before := c.crash(id)
	if f := before.Crash.Exceptions[0].Frames; f[0].Function != "" || !strings.HasPrefix(f[0].Addr, "+0x") || f[0].Module != "libacme.so" {
		t.Errorf("without symbols: %+v", f[0])
	}

	wait(t, "line in the list of what is missing", func() bool {
		_, b := c.do("GET", "/api/v1/symbols/missing?extension=acme.linter", "")
		return bytes.Contains(b, []byte(`"file":"libacme.so"`))
	})
	libc, err := filepath.Glob("/lib/*-linux-gnu/libc.so.6")
	if err != nil || len(libc) == 0 {
		t.Fatal("no libc", err)
	}
	said := command(t, "symbols", "upload", library, libc[0], "--ext", "acme.linter", "--server", s.URL, "--token", token)
	if !strings.Contains(said, "2 uploaded, 0 skipped") || !strings.Contains(said, "asked for them") {
		t.Errorf("the command says:\n%s", said)
	}
	var doc document
	wait(t, "crash with names", func() bool {
		doc = c.crash(id)
		return doc.Crash.Exceptions[0].Frames[0].Function != ""
	})
	frames := doc.Crash.Exceptions[0].Frames
	if len(frames) < 4 {
		t.Fatalf("%d frames: %+v", len(frames), frames)
	}
	for i, want := range []eco.Frame{
		{Function: "acme_parse_manifest", Line: 15, Trust: eco.TrustContext},
		{Function: "acme_load_extension", Line: 23, Trust: eco.TrustCFI},
		{Function: "acme_worker", Line: 30, Trust: eco.TrustCFI},
	} {
		f := frames[i]
		if f.Function != want.Function || f.Line != want.Line || f.Trust != want.Trust || filepath.Base(f.File) != "acme.c" || f.Module != "libacme.so" || !f.Renamed {
			t.Errorf("frame %d is %+v, want %s of libacme.so, line %d, by %s", i, f, want.Function, want.Line, want.Trust)
		}
	}
	for _, f := range frames[3:] {
		if f.Module != "libc.so.6" || f.Trust != eco.TrustCFI {
			t.Errorf("who started the thread: %+v", f)
		}
	}
	if len(frames) > 6 { // pthread's start, and clone, which nobody called
		t.Errorf("%d frames, the last %+v", len(frames), frames[len(frames)-1])
	}
	if last := doc.Steps[len(doc.Steps)-1]; !strings.Contains(last.Note, "libacme.so") {
		t.Errorf("lineage %+v", doc.Steps)
	}
	wait(t, "note for the family", func() bool {
		_, page = c.page("/families/" + doc.Placement.Family)
		return strings.Contains(page, "1 crash was symbolicated by") && strings.Contains(page, "Its kept minidump was unwound again.") && strings.Contains(page, "acme_parse_manifest")
	})
	if _, page = c.page("/crashes/" + id); !strings.Contains(page, "Unwound again when its symbols came.") || !strings.Contains(page, "acme_load_extension") {
		t.Error("the page does not say that the stack was unwound again")
	}
}

// compile makes the native part of an extension.
func compile(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(dir, "libacme.so")
	cmd := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-g", "-O2", "-fomit-frame-pointer", "-Wl,--build-id", "-ffile-prefix-map="+wd(t)+"/testdata=src", "-o", out, wd(t)+"/testdata/acme.c", "-lpthread")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, b)
	}
	return out
}

func wd(t *testing.T) string {
	t.Helper()
	d, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// command runs the real program with arguments.
func command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := server.Command(t.Context(), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args[:2], err, out)
	}
	return string(out)
}

// document is what is read of a crash.
type document struct {
	Crash     eco.Crash  `json:"crash"`
	Steps     []eco.Step `json:"steps"`
	Placement struct {
		Family string `json:"family"`
	} `json:"placement"`
}

// client asks the server as a signed-in person, or with a token.
type client struct {
	t                   *testing.T
	base, token, cookie string
}

func (c *client) do(method, path, body string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/api/") {
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.AddCookie(&http.Cookie{Name: "bellwether", Value: c.cookie})
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, b
}

func (c *client) page(path string) (int, string) {
	c.t.Helper()
	status, b := c.do("GET", path, "")
	return status, string(b)
}

func (c *client) send(method, path, body string) {
	c.t.Helper()
	if status, b := c.do(method, path, body); status/100 != 2 {
		c.t.Fatalf("%s %s: %d %s", method, path, status, b)
	}
}

func (c *client) crash(id string) (d document) {
	c.t.Helper()
	status, b := c.do("GET", "/api/v1/crashes/"+id, "")
	if err := json.Unmarshal(b, &d); err != nil || status != 200 || len(d.Crash.Exceptions) == 0 || len(d.Crash.Exceptions[0].Frames) == 0 {
		c.t.Fatalf("crash %s: %d %v %.300s", id, status, err, b)
	}
	return d
}

// wait asks until something is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(2 * time.Minute)
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("in two minutes there was no %s", what)
		}
	}
}

// die starts the browser with the library in its processes, lets a renderer of it
// die in it, and waits for the dump.
func die(t *testing.T, dir, dumps, library string) {
	t.Helper()
	profile := filepath.Join(dir, "profile")
	if err := os.Mkdir(dumps, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir="+profile,
		"--no-zygote", "--enable-crash-reporter", "--enable-crash-reporter-for-testing", "--remote-debugging-port=0", "about:blank")
	sign := filepath.Join(dir, "die")
	cmd.Env = append(os.Environ(), "CHROME_HEADLESS=1", "BREAKPAD_DUMP_LOCATION="+dumps, "LD_PRELOAD="+library, "ACME_DIE="+sign)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	one := "" // of the renderers
	wait(t, "renderer", func() bool {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			b, _ := os.ReadFile(f)
			if bytes.Contains(b, []byte("--type=renderer")) && bytes.Contains(b, []byte(profile)) && ready(profile) && atWork(filepath.Dir(f)) {
				one = filepath.Base(filepath.Dir(f))
				return true
			}
		}
		return false
	})
	if err := os.WriteFile(sign+"."+one, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait(t, "dump", func() bool {
		files, _ := filepath.Glob(filepath.Join(dumps, "pending", "*.dmp"))
		return len(files) > 0
	})
}

// atWork says that a renderer is up: its crash handler is in place long before it
// has workers of its own, and the library's thread waits.
func atWork(proc string) bool {
	names := ""
	files, _ := filepath.Glob(proc + "/task/*/comm")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		names += string(b)
	}
	return strings.Contains(names, "acme worker") && strings.Contains(names, "Compositor")
}

func ready(profile string) bool {
	_, err := os.Stat(filepath.Join(profile, "DevToolsActivePort"))
	return err == nil
}

// upload switches uploads on, as a user does in the settings, and runs the
// browser's own handler on its database until the report is sent. Crashpad keeps
// the answer as the report's id.
func upload(t *testing.T, dumps, url string) (id string) {
	t.Helper()
	settings := filepath.Join(dumps, "settings.dat")
	b, err := os.ReadFile(settings)
	if err != nil || len(b) < 12 {
		t.Fatalf("Crashpad's settings: %d bytes, %v", len(b), err)
	}
	b[8] |= 1 // options: uploads are enabled
	if err := os.WriteFile(settings, b, 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	cmd := exec.CommandContext(t.Context(), handler, "--database="+dumps, "--url="+url, "--no-rate-limit", "--initial-client-fd=3")
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	defer func() {
		_ = ours.Close() // the last client is gone: it ends
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	wait(t, "upload", func() bool {
		files, _ := filepath.Glob(filepath.Join(dumps, "completed", "*.meta"))
		for _, f := range files {
			b, _ := os.ReadFile(f)
			id = string(regexp.MustCompile(`[0-9a-f]{32}`).Find(b))
		}
		return id != ""
	})
	return id
}
