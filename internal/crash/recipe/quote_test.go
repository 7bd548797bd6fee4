package recipe

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault/needs"
)

// hostile are texts that mean something in a shell, in PowerShell, Python or Markdown.
var hostile = []string{
	"'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "a\ntouch pwned\n", "a\r\ntouch pwned", `"; touch pwned; "`, `\`, `\'`, "''", `"""` + "\nopen('pwned','w')\n" + `"""`,
	"'''\nopen('pwned', 'w')", "%s%n %(x)s {0}", "$env:PATH ${HOME} $HOME", "‘; New-Item pwned; ’", "\u202Egnp.exe", "\x00\x1b]0;title\a", "# heading", "* [x](javascript:alert(1)) <script>alert(1)</script>",
	"| a | b |", "&& touch pwned || touch pwned &", "> pwned", "!!", "-n -e", "\\u000atouch pwned", "\xff\xfe", "~/x *", "é “ü”",
}

func active(id, version string) eco.Active {
	return eco.Active{ID: eco.ExtensionID(id), Version: version}
}

func crumb(category, message string) eco.Breadcrumb {
	return eco.Breadcrumb{Category: category, Message: message}
}

// hostileInput is a family all of whose words are hostile.
func hostileInput() Input {
	in := Input{Registered: func(eco.ExtensionID) bool { return true }, Family: crash.Family{ID: "F-1", Title: hostile[9], Blame: "acme.theme", Host: "studio"}, Kind: VSCode,
		Hosts: []crash.Share{{Value: "$(id)", Crashes: 9, Part: 1}}, Releases: []crash.Share{{Value: "1.2.0", Crashes: 9, Part: 1}}, OSes: []crash.Share{{Value: "linux", Crashes: 9, Part: 1}}}
	for range 9 {
		d := crash.Document{Version: 1, Crash: eco.Crash{Tags: map[string]string{}}}
		for _, h := range hostile {
			d.Crash.Tags[h] = h
			d.Crash.Breadcrumbs = append(d.Crash.Breadcrumbs, crumb(h, h))
			d.Crash.Active = append(d.Crash.Active, active(h, "1"), active("rival.icons", h))
		}
		d.Crash.Active = append(d.Crash.Active, active("-x.y", "1"), active("--install.y", "1"), active("acme.theme", "1.2.0"))
		in.Crashes = append(in.Crashes, d)
	}
	return in
}

func file(t *testing.T, r Recipe, name string) string {
	t.Helper()
	files, err := r.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name == name {
			return f.Body
		}
	}
	t.Fatalf("no file %s", name)
	return ""
}

func TestIdsAndVersions(t *testing.T) {
	r := Of(hostileInput())
	if r.HostVersion.Value != "" {
		t.Errorf("host version %q", r.HostVersion.Value)
	}
	if len(r.Active) != 2 || r.Active[0].at() != "acme.theme@1.2.0" || r.Active[1].ID != "rival.icons" || r.Active[1].Version != "" {
		t.Errorf("active %+v", r.Active)
	}
	if !strings.Contains(strings.Join(r.Reasons, "\n"), "left out: an id or a version") {
		t.Errorf("no note in %q", r.Reasons)
	}
	for _, bad := range []string{"", "-1", ".1", "1 2", "1;2", "1\n2", "$(x)", "1'", "é", strings.Repeat("1", 65)} {
		if versionLike(bad) {
			t.Errorf("%q passes for a version", bad)
		}
	}
	for _, good := range []string{"1", "1.2.0-rc.1+b7", "v2_1", "2026.11"} {
		if !versionLike(good) {
			t.Errorf("%q is no version", good)
		}
	}
}

// The real shell prints what was said and runs nothing of it.
func TestShell(t *testing.T) {
	sh := needs.Program(t, "sh")
	dir := t.TempDir()
	r := Of(hostileInput())
	if err := os.WriteFile(filepath.Join(dir, "launch.sh"), []byte(file(t, r, "launch.sh")), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fake"), []byte("#!/bin/sh\nprintf 'code'; printf ' <%s>' \"$@\"; echo\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), sh, "launch.sh")
	c.Dir, c.Env = dir, append(os.Environ(), "CODE=./fake")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const dirs = " <--extensions-dir> <./ext> <--user-data-dir> <./data>"
	want := strings.Join(r.said(), "\n") + "\ncode <--version>\ncode" + dirs + " <--force> <--install-extension> <acme.theme@1.2.0>\ncode" + dirs + " <--force> <--install-extension> <rival.icons>\ncode" + dirs + " <--new-window>\n"
	if string(out) != want {
		t.Errorf("said %s\nwant %s", out, want)
	}
	nothingElse(t, dir, "fake", "launch.sh")
}

// Python itself reads the same lines.
func TestPython(t *testing.T) {
	py := needs.Program(t, "python3")
	dir := t.TempDir()
	in := hostileInput()
	in.Kind = Blender
	r := Of(in)
	for name, body := range map[string]string{"repro.py": file(t, r, "repro.py"), "addon_utils.py": "def enable(m, default_set): return None\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), py, "-B", "-c", "import json, io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()):\n    import repro\nprint(json.dumps([repro.SAY, repro.ADDONS]))")
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct{ say, addons json.RawMessage }
	if err := json.Unmarshal(out, &[]any{&got.say, &got.addons}); err != nil {
		t.Fatal(err)
	}
	var say []string
	if err := json.Unmarshal(got.say, &say); err != nil || strings.Join(say, "\n") != strings.Join(r.said(), "\n") {
		t.Errorf("said %q (%v)\nwant %q", say, err, r.said())
	}
	if string(got.addons) != `[["theme", "1.2.0"], ["icons", ""]]` {
		t.Errorf("add-ons %s", got.addons)
	}
	nothingElse(t, dir, "addon_utils.py", "repro.py")
}

func nothingElse(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q", got)
	}
}

// A word of PowerShell is ASCII, and its quotes are all doubled.
func TestPowerShell(t *testing.T) {
	for _, h := range hostile {
		q := inPowerShell(h)
		inner := strings.ReplaceAll(q[1:len(q)-1], "''", "")
		if q[0] != '\'' || q[len(q)-1] != '\'' || strings.ContainsAny(inner, "'\r\n\x00\x1b") {
			t.Errorf("%q became %q", h, q)
		}
		for _, c := range []byte(q) {
			if c >= 0x80 {
				t.Errorf("%q became %q: not ASCII", h, q)
			}
		}
	}
}

// No mark is left alone, and no text makes a line of its own.
func TestMarkdown(t *testing.T) {
	for _, h := range hostile {
		q := inMarkdown(h)
		for i := 0; i < len(q); i++ {
			switch c := q[i]; {
			case c == '\\':
				i++ // what follows is taken as it is
			case strings.IndexByte("`*_[]()<>#|!&~$+-.:\"'{}=@^%,;/?\n\r", c) >= 0:
				t.Errorf("%q became %q: %q means something", h, q, c)
			}
		}
	}
}
