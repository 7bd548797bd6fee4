package scrub_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/scrub/scrubtest"
)

// TestSurvivors: what grouping and people need comes back as it was.
func TestSurvivors(t *testing.T) {
	r := scrub.New(scrub.Options{})
	for _, s := range scrubtest.Survivors() {
		if s == "10.0.22631.4317" { // no address either: a number is too large
			continue
		}
		if got, hits := r.Text(s); got != s {
			t.Errorf("%q became %q by %v", s, got, hits)
		}
	}
}

// TestVersionFields: four numbers are an address in prose and a version in a
// field of versions.
func TestVersionFields(t *testing.T) {
	r := scrub.New(scrub.Options{})
	o := eco.Origin{Extension: "acme.linter", ExtVersion: "1.2.3.4", HostVersion: "v1.2.3.4", OSVersion: "10.0.19.1", Runtime: "node 1.2.3.4", SDK: "sentry.javascript.node/1.2.3.4"}
	want := o
	if got := r.Origin(&o); len(got) > 0 || o != want {
		t.Errorf("removed %v, left %+v", got, o)
	}
	c := eco.Crash{Modules: map[string]string{"@acme/x": "1.2.3.4", "org.acme:core": "4.3.2.1"}, Active: []eco.Active{{ID: "acme.linter", Version: "1.2.3.4"}}}
	if got := r.Crash(&c); len(got) > 0 || c.Modules["@acme/x"] != "1.2.3.4" || c.Active[0].Version != "1.2.3.4" {
		t.Errorf("removed %v, left %+v", got, c)
	}
	if got, _ := r.Text("1.2.3.4"); got != "<ip>" {
		t.Errorf("in prose: %q", got)
	}
}

// TestProseInNames: a field of code or of versions that holds prose is read as
// prose.
func TestProseInNames(t *testing.T) {
	r := scrub.New(scrub.Options{})
	c := eco.Crash{Exceptions: []eco.Exception{{Type: "login failed, password=hunter2", Frames: []eco.Frame{{Function: "go to 192.0.2.7"}}}}}
	r.Crash(&c)
	if x := c.Exceptions[0]; x.Type != "login failed, password=<secret>" || x.Frames[0].Function != "go to <ip>" {
		t.Errorf("%+v", x)
	}
	o := eco.Origin{HostVersion: "built on host 192.0.2.7"}
	if r.Origin(&o); o.HostVersion != "built on host <ip>" {
		t.Errorf("%q", o.HostVersion)
	}
}
