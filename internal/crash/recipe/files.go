package recipe

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// File is one file of the sandbox.
type File struct {
	Name string
	Mode fs.FileMode
	Body string
}

// Files writes the recipe down: recipe.json and README.md, and what the kind of
// host can run.
func (r Recipe) Files() ([]File, error) {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fault.E("recipe.Files", fault.Internal, "", err)
	}
	out := []File{{"README.md", 0o644, r.readme()}, {"recipe.json", 0o644, string(body) + "\n"}}
	switch r.Kind {
	case VSCode:
		out = append(out, File{"launch.sh", 0o755, r.launcher(shell)}, File{"launch.ps1", 0o644, r.launcher(powerShell)})
	case Blender:
		out = append(out, File{"repro.py", 0o644, r.python()})
	}
	return out, nil
}

// Zip packs the files; the same recipe gives the same bytes.
func (r Recipe) Zip() ([]byte, error) {
	files, err := r.Files()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(f.Mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(f.Body))
		}
		if err != nil {
			return nil, fault.E("recipe.Zip", fault.Internal, "", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fault.E("recipe.Zip", fault.Internal, "", err)
	}
	return b.Bytes(), nil
}

// said are the lines that a launcher prints before it starts the host.
func (r Recipe) said() []string {
	out := []string{"Wanted: " + strings.TrimSpace(r.Host+" "+r.HostVersion.Value) + orNothing(" on ", r.OS.Value)}
	for _, a := range r.Active {
		if a.Unknown {
			out = append(out, "Left out, since the register of the server does not know it: "+a.at())
		}
	}
	for _, s := range r.Settings {
		out = append(out, fmt.Sprintf("Set: %s = %s (%s)", s.Key, s.Value, percent(s.Share)))
	}
	for i, s := range r.Steps {
		out = append(out, fmt.Sprintf("Step %d: %s (%s)", i+1, s.words(), percent(s.Share)))
	}
	return out
}

func orNothing(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

func (c Crumb) words() string {
	if c.Category == "" || c.Message == "" {
		return c.Category + c.Message
	}
	return c.Category + ": " + c.Message
}

// at is what an extension is installed by.
func (a Addon) at() string { return string(a.ID) + orNothing("@", a.Version) }

// known are the extensions that a launcher may fetch and run.
func (r Recipe) known() (out []Addon) {
	for _, a := range r.Active {
		if !a.Unknown {
			out = append(out, a)
		}
	}
	return out
}

// script is how a shell says what the launcher does.
type script struct {
	head, eol, say, code, last string
	quote                      func(string) string
}

var (
	shell = script{
		head: "#!/bin/sh\n# Starts a clean VS Code with what these crashes have in common. CODE names another\n# program than \"code\". Nothing outside this folder is changed.\nset -eu\ncd \"$(dirname \"$0\")\"\ncode=${CODE:-code}\n\n",
		eol:  "\n", say: "printf '%s\\n' ", code: "\"$code\"", last: "exec ", quote: inShell,
	}
	powerShell = script{
		head: "# Starts a clean VS Code with what these crashes have in common. $env:CODE names\r\n# another program than \"code\". Nothing outside this folder is changed.\r\n$ErrorActionPreference = 'Stop'\r\nSet-Location -LiteralPath $PSScriptRoot\r\n$code = if ($env:CODE) { $env:CODE } else { 'code' }\r\n\r\n",
		eol:  "\r\n", say: "Write-Output ", code: "& $code", quote: inPowerShell,
	}
)

// launcher writes a script that starts a clean VS Code.
func (r Recipe) launcher(s script) string {
	const dirs = " --extensions-dir ./ext --user-data-dir ./data"
	var b strings.Builder
	b.WriteString(s.head)
	for _, line := range r.said() {
		b.WriteString(s.say + s.quote(line) + s.eol)
	}
	b.WriteString(s.eol + s.code + " --version" + s.eol)
	for _, a := range r.known() {
		b.WriteString(s.code + dirs + " --force --install-extension " + s.quote(a.at()) + s.eol)
	}
	b.WriteString(s.last + s.code + dirs + " --new-window" + s.eol)
	return b.String()
}

//go:embed repro.py
var blender string

func (r Recipe) python() string {
	var b strings.Builder
	b.WriteString("ADDONS = [\n")
	for _, a := range r.known() {
		_, name, _ := strings.Cut(string(a.ID), ".")
		fmt.Fprintf(&b, "    (%s, %s),\n", inPython(name), inPython(a.Version))
	}
	b.WriteString("]\nSAY = [\n")
	for _, line := range r.said() {
		b.WriteString("    " + inPython(line) + ",\n")
	}
	b.WriteString("]\n")
	return strings.Replace(blender, "ADDONS = []\nSAY = []\n", b.String(), 1)
}

func (r Recipe) readme() string {
	var b strings.Builder
	b.WriteString("# " + inMarkdown(r.Title) + "\n\nWhat the crashes of family " + inMarkdown(r.Family) + " have in common. " + inMarkdown(r.Sure) + "\n\n")
	switch r.Kind {
	case VSCode:
		b.WriteString("Run `sh launch.sh`, on Windows `launch.ps1`: it installs the extensions into `ext/` and starts VS Code with its data in `data/`.\n\n")
	case Blender:
		b.WriteString("Install the add-ons below, then run `blender --factory-startup --python repro.py`: it switches them on, and nothing else.\n\n")
	default:
		b.WriteString("Start the host with an empty profile, install what is listed, and follow the steps.\n\n")
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		b.WriteString("## " + title + "\n\n")
		for _, l := range lines {
			b.WriteString("* " + inMarkdown(l) + "\n")
		}
		b.WriteByte('\n')
	}
	env := []string{}
	for _, x := range []struct {
		what string
		c    Choice
	}{{strings.TrimSpace("Host " + r.Host), r.HostVersion}, {"System", r.OS}} {
		if x.c.Value != "" {
			env = append(env, fmt.Sprintf("%s %s (%s of the crashes)", x.what, x.c.Value, percent(x.c.Share)))
		}
	}
	list("Where", env)
	var with, set, steps []string
	for _, a := range r.Active {
		line := strings.TrimSpace(string(a.ID)+" "+a.Version) + ": " + a.Why
		if a.Unknown {
			line += " Not in the register of the server: look at it before you install it."
		}
		with = append(with, line)
	}
	for _, s := range r.Settings {
		set = append(set, fmt.Sprintf("%s = %s (%s)", s.Key, s.Value, percent(s.Share)))
	}
	for i, s := range r.Steps {
		steps = append(steps, fmt.Sprintf("%d. %s (%s)", i+1, s.words(), percent(s.Share)))
	}
	list("Extensions", with)
	list("Settings", set)
	list("Steps", steps)
	list("Why", r.Reasons)
	return b.String()
}
