// Package blame finds whose code a frame is and which extension a crash is
// attributed to, always with a reason and a confidence. Patterns of paths and
// classes are data: the embedded defaults of each kind of host, and what the
// registry knows of hosts and extensions. It decides from one report alone;
// correlation over many reports (step 6) is a finding, not a rule here.
package blame

import "github.com/bellwether-project/bellwether/internal/eco"

// HostRules is what is known of one host application.
type HostRules struct {
	Kind     string   `json:"kind,omitempty"`     // vscode, obsidian, jetbrains, blender, qgis, grafana, browser, generic: which embedded patterns apply; "" = all
	Paths    []string `json:"paths,omitempty"`    // further patterns, e.g. "addons/{local}/" or "plugins/{publisher}.{name}-{version}/"
	Prefixes []string `json:"prefixes,omitempty"` // class or module prefixes of the host's own code, e.g. "com.studio.host"
	Files    []string `json:"files,omitempty"`    // path parts of the host's own code, e.g. "resources/app/out/"
}

// ExtRules is what is known of one extension.
type ExtRules struct {
	Host      string   `json:"host,omitempty"`      // the host it is for; "" = any
	Locals    []string `json:"locals,omitempty"`    // ids by which its host knows it: Obsidian or Blender id, browser id, folder name
	Prefixes  []string `json:"prefixes,omitempty"`  // class or module prefixes of its own code
	Shaded    []string `json:"shaded,omitempty"`    // prefixes of libraries relocated into it: surely its own copy
	Libraries []string `json:"libraries,omitempty"` // prefixes of libraries it carries under their public names: maybe somebody else's copy
}

// World is an immutable, compiled snapshot of all rules; safe for concurrent use.
type World struct {
	Hosts      map[string]HostRules
	Extensions map[eco.ExtensionID]ExtRules

	c *compiled
}

type compiled struct{}

// NewWorld compiles the embedded defaults together with hosts and extensions.
// An invalid pattern is a fault.Invalid error.
func NewWorld(hosts map[string]HostRules, exts map[eco.ExtensionID]ExtRules) (*World, error) {
	return &World{Hosts: hosts, Extensions: exts, c: &compiled{}}, nil
}

// CheckPattern reports whether a path pattern is well formed, for forms.
func CheckPattern(p string) error { return nil }

// Classify sets Class and Owner of every frame of every exception.
func (w *World) Classify(c *eco.Crash, o eco.Origin) {}

// Decide attributes a classified crash (steps 1 to 5 and 7).
func Decide(w *World, c *eco.Crash, o eco.Origin) eco.Blame { return eco.Blame{Target: "unknown"} }
