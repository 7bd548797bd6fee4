// Package blame finds whose code a frame is and which extension a crash is
// attributed to, always with a reason and a confidence. Patterns of paths and
// classes are data: the embedded defaults of each kind of host (rules/*.txt), and
// what the registry knows of hosts and extensions. It decides from one report
// alone; association over many reports (step 6) is package blame/evidence.
package blame

import (
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// HostRules is what is known of one host application.
type HostRules struct {
	Kind     string   `json:"kind,omitempty"`     // vscode, obsidian, jetbrains, blender, qgis, grafana, browser, generic: which embedded patterns apply; "" = all
	Paths    []string `json:"paths,omitempty"`    // further patterns, e.g. "addons/{local}/" or "plugins/{publisher}.{name}-{version}/"
	Prefixes []string `json:"prefixes,omitempty"` // class or module prefixes of the host's own code, e.g. "com.studio.host"
	Runtime  []string `json:"runtime,omitempty"`  // further prefixes of the language runtime
	Files    []string `json:"files,omitempty"`    // path parts of the host's own code, e.g. "resources/app/out"
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
// Make one with NewWorld.
type World struct {
	Hosts      map[string]HostRules
	Extensions map[eco.ExtensionID]ExtRules

	anchors  map[string][]*pattern        // by lower-case anchor segment
	inline   []*pattern                   // "plugin:{local}"
	prefixes map[string]*owner            // class prefix without its last dot
	locals   map[string][]eco.ExtensionID // by lower-case id of the host
	slugs    map[string]eco.ExtensionID   // letters and digits of the full id
	places   map[string][]place           // by lower-case first segment
	globs    []place                      // whose first segment ends with *
	vendored map[string]bool              // lower-case segment
	goStd    map[string]bool              // first folder of Go's own library
	longest  int                          // bytes of the longest prefix
}

// owner is what a class prefix says.
type owner struct {
	class      eco.FrameClass
	id         eco.ExtensionID
	candidates []eco.ExtensionID // ambiguous library: who carries it, sorted
}

// place is a row of path segments that says whose code it is.
type place struct {
	class eco.FrameClass
	segs  []string // lower case; a last * matches the rest of a segment
}

// NewWorld compiles the embedded defaults together with hosts and extensions. An
// invalid pattern is a fault.Invalid error. The maps must not change afterwards.
func NewWorld(hosts map[string]HostRules, exts map[eco.ExtensionID]ExtRules) (*World, error) {
	w := &World{
		Hosts: hosts, Extensions: exts,
		anchors: map[string][]*pattern{}, prefixes: map[string]*owner{},
		locals: map[string][]eco.ExtensionID{}, slugs: map[string]eco.ExtensionID{},
		places: map[string][]place{}, vendored: map[string]bool{}, goStd: map[string]bool{},
	}
	for f := range lines(pathRules) {
		if err := w.addPattern(f[0], f[1]); err != nil {
			return nil, err
		}
	}
	for f := range lines(placeRules) {
		if part := strings.Join(f[1:], " "); f[0] == string(eco.FrameVendored) {
			w.vendored[part] = true
		} else {
			w.addPlace(eco.FrameClass(f[0]), part)
		}
	}
	for f := range lines(goRules) {
		for _, folder := range f {
			w.goStd[folder] = true
		}
	}
	for f := range lines(prefixRules) {
		w.addPrefix(f[0], owner{class: eco.FrameRuntime})
	}
	for _, name := range sorted(hosts) {
		h := hosts[name]
		for _, p := range h.Paths {
			if err := w.addPattern(name, p); err != nil {
				return nil, err
			}
		}
		for _, p := range h.Prefixes {
			w.addPrefix(p, owner{class: eco.FrameHost})
		}
		for _, p := range h.Runtime {
			w.addPrefix(p, owner{class: eco.FrameRuntime})
		}
		for _, p := range h.Files {
			w.addPlace(eco.FrameHost, strings.Trim(strings.ToLower(p), "/"))
		}
	}
	for _, id := range sorted(exts) {
		w.addExtension(id, exts[id])
	}
	return w, nil
}

// CheckPattern reports whether a path pattern is well formed, for forms.
func CheckPattern(p string) error {
	_, err := compilePattern("", p)
	return err
}

// CheckPrefix reports whether a class or module prefix is usable: at least two
// letters, so that nobody claims the whole world.
func CheckPrefix(p string) error {
	if p = strings.Trim(p, "."); len(p) < 2 || len(p) > 256 || strings.ContainsAny(p, " \t\n") {
		return fault.E("blame.CheckPrefix", fault.Invalid, "A prefix has 2 to 256 characters and no spaces.", nil)
	}
	return nil
}

func (w *World) addPattern(kind, text string) error {
	p, err := compilePattern(kind, text)
	if err != nil {
		return err
	}
	if p.inline != "" {
		w.inline = append(w.inline, p)
		return nil
	}
	key := p.segs[p.anchor].text
	w.anchors[key] = append(w.anchors[key], p)
	return nil
}

func (w *World) addPlace(class eco.FrameClass, part string) {
	if part == "" {
		return
	}
	p := place{class: class, segs: strings.Split(part, "/")}
	if strings.HasSuffix(p.segs[0], "*") {
		w.globs = append(w.globs, p)
		return
	}
	w.places[p.segs[0]] = append(w.places[p.segs[0]], p)
}

func (w *World) addPrefix(text string, o owner) {
	text = strings.Trim(text, ".")
	if CheckPrefix(text) != nil {
		return
	}
	if w.prefixes[text] != nil {
		return // the first claim stands: runtime, host, then extensions in the order of their ids
	}
	w.longest = max(w.longest, len(text))
	w.prefixes[text] = &o
}

func (w *World) addExtension(id eco.ExtensionID, e ExtRules) {
	for _, l := range e.Locals {
		if l = strings.ToLower(l); l != "" {
			w.locals[l] = append(w.locals[l], id)
		}
	}
	w.slugs[slug(string(id))] = id
	for _, p := range e.Prefixes {
		w.addPrefix(p, owner{class: eco.FrameExtension, id: id})
	}
	for _, p := range e.Shaded {
		w.addPrefix(p, owner{class: eco.FrameVendored, id: id})
	}
	for _, p := range e.Libraries {
		key := strings.Trim(p, ".")
		if CheckPrefix(key) != nil {
			continue
		}
		o := w.prefixes[key]
		switch {
		case o == nil:
			w.longest = max(w.longest, len(key))
			w.prefixes[key] = &owner{class: eco.FrameVendored, candidates: []eco.ExtensionID{id}}
		case o.class == eco.FrameVendored && o.id == "":
			o.candidates = append(o.candidates, id)
		}
	}
}

// slug keeps the letters and digits of an id, so that a folder "acme_todo" is
// found again as "acme.todo".
func slug(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
			b = append(b, c)
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		}
	}
	return string(b)
}

func sorted[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
