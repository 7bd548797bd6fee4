package item

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func TestPlace(t *testing.T) {
	type want struct {
		ext         eco.ExtensionID
		extVersion  string
		host        string
		hostVersion string
		owner       eco.ExtensionID
	}
	for _, tt := range []struct {
		name  string
		ext   eco.ExtensionID
		host  string
		hints Hints
		want  want
	}{
		{"extension: release", "acme.linter", "", Hints{Release: "linter@3.1.0"}, want{"acme.linter", "3.1.0", "", "", ""}},
		{"extension: bare version", "acme.linter", "", Hints{Release: "3.1.0"}, want{"acme.linter", "3.1.0", "", "", ""}},
		{"extension: its own version beside the host's release", "acme.linter", "", Hints{Release: "editor@1.2", ExtVersion: "3.1.0", Host: "editor", HostVersion: "1.2"}, want{"acme.linter", "3.1.0", "editor", "1.2", ""}},
		{"extension: a record about another", "acme.linter", "", Hints{Ext: "acme.linter", ExtVersion: "3.1.0", For: "acme.theme", ForVersion: "1"}, want{"acme.linter", "3.1.0", "", "", "acme.theme"}},
		{"extension: a record about itself", "acme.linter", "", Hints{Release: "9", For: "ACME.linter", ForVersion: "3.1.0"}, want{"acme.linter", "3.1.0", "", "", ""}},
		{"extension: a host that is no id", "acme.linter", "", Hints{Host: "no such <thing>"}, want{"acme.linter", "", "", "", ""}},
		{"host: release", "", "editor", Hints{Release: "editor@1.2"}, want{"", "", "editor", "1.2", ""}},
		{"host: another host's name is not believed", "", "editor", Hints{Host: "other", HostVersion: "7"}, want{"", "", "editor", "7", ""}},
		{"host: for an extension", "", "editor", Hints{Release: "1.2", Ext: "acme.linter", ExtVersion: "3.1.0"}, want{"", "", "editor", "1.2", "acme.linter"}},
		{"host: no id", "", "editor", Hints{Ext: "linter"}, want{"", "", "editor", "", ""}},
	} {
		it := &Item{Hints: tt.hints, Crash: &eco.Crash{}}
		Place(it, tt.ext, tt.host)
		o := it.Origin
		if got := (want{o.Extension, o.ExtVersion, o.Host, o.HostVersion, it.Crash.Owner}); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if it.Crash.Owner != "" && (len(it.Crash.Active) != 1 || it.Crash.Active[0].ID != it.Crash.Owner) {
			t.Errorf("%s: active %+v", tt.name, it.Crash.Active)
		}
	}
	it := &Item{Hints: Hints{Ext: "acme.linter", ExtVersion: "3.1.0"}, Event: &eco.Event{Name: "n"}}
	Place(it, "", "editor")
	if it.Event.Attrs["extension"] != "acme.linter" || it.Event.Attrs["extension.version"] != "3.1.0" {
		t.Errorf("event %+v", it.Event)
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{"Windows NT": "windows", "Mac OS X": "macos", "Darwin": "macos", "iOS": "ios", "Debian": "linux", "Arch Linux": "linux", "BeOS": "other", "": ""} {
		if got := OS(in); got != want {
			t.Errorf("OS(%q) = %q", in, got)
		}
	}
	for in, want := range map[string]string{"AMD64": "x64", "aarch64": "arm64", "i686": "x86", "riscv64": "riscv64"} {
		if got := Arch(in); got != want {
			t.Errorf("Arch(%q) = %q", in, got)
		}
	}
	for in, want := range map[string]string{"critical": "fatal", "log": "info", "WARN": "warning", "loud": ""} {
		if got := Level(in); got != want {
			t.Errorf("Level(%q) = %q", in, got)
		}
	}
	for in, want := range map[string]string{"node": "javascript", "kotlin": "java", "cocoa": "native", "cobol": "other", "": ""} {
		if got := Platform(in); got != want {
			t.Errorf("Platform(%q) = %q", in, got)
		}
	}
}
