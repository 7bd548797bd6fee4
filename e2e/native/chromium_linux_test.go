// Package native_test lets a real browser die and has its own crash reporter send
// what it wrote to a running server.
package native_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
)

const (
	browser = "/usr/bin/chromium"
	handler = "/usr/lib/chromium/chrome_crashpad_handler"
)

func TestMain(m *testing.M) {
	server.Main()
	os.Exit(m.Run())
}

// TestChromium: a renderer gets a real SIGSEGV; Crashpad writes the dump; its
// uploader, pointed at the server, sends it; the crash has a page.
func TestChromium(t *testing.T) {
	for _, file := range []string{browser, handler} {
		if _, err := os.Stat(file); err != nil || testing.Short() || !cgo {
			t.Skip("needs chromium with its crash handler, cgo and not -short")
		}
	}
	dir := t.TempDir()
	key, err := server.Seed(dir)
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

	dumps := filepath.Join(dir, "crashes")
	die(t, dir, dumps)
	id := upload(t, dumps, fmt.Sprintf("http://%s/api/v1/intake/minidump/%s", addr, key.Public))

	page := ""
	wait(t, "the crash on its page", func() bool {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("http://%s/crashes/%s", addr, id), nil)
		r.AddCookie(&http.Cookie{Name: "bellwether", Value: cookie})
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		page = string(body)
		return resp.StatusCode == 200
	})
	for _, want := range []string{"SIGSEGV", "chromium&#43;0x", "frame_pointer", "Minidump", "not kept", "renderer"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#43;", "+")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "--type=renderer") || strings.Contains(page, dir) {
		t.Error("the page shows a command line or a path of the profile")
	}
}

// wait asks until something is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("in a minute there was no %s", what)
		}
	}
}

// die starts the browser, lets a renderer of it die, and waits for the dump.
func die(t *testing.T, dir, dumps string) {
	t.Helper()
	profile := filepath.Join(dir, "profile")
	if err := os.Mkdir(dumps, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir="+profile,
		"--enable-crash-reporter", "--enable-crash-reporter-for-testing", "--remote-debugging-port=0", "about:blank")
	cmd.Env = append(os.Environ(), "CHROME_HEADLESS=1", "BREAKPAD_DUMP_LOCATION="+dumps)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	pid := 0
	wait(t, "renderer", func() bool {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			b, _ := os.ReadFile(f)
			if bytes.Contains(b, []byte("--type=renderer")) && bytes.Contains(b, []byte(profile)) && ready(profile) {
				pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(f)))
				return true
			}
		}
		return false
	})
	wait(t, "dump", func() bool {
		_ = syscall.Kill(pid, syscall.SIGSEGV) // it may come before the handler is in place
		files, _ := filepath.Glob(filepath.Join(dumps, "pending", "*.dmp"))
		return len(files) > 0
	})
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
