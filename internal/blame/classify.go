package blame

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// maxFrames bounds how many frames of one crash are classified; the rest keep
// the class unknown.
const maxFrames = 2000

// verdict is whose code a frame is.
type verdict struct {
	class      eco.FrameClass
	owner      eco.ExtensionID
	version    string
	candidates []eco.ExtensionID
	local      string // an id of the host that nobody registered
}

// Classify sets Class and Owner of every frame of every exception. A frame is an
// extension's by the path of its file first, then by its class or module, then by
// the client's in_app flag when the project belongs to one extension. A library
// that several extensions carry goes to the one that calls it.
func (w *World) Classify(c *eco.Crash, o eco.Origin) {
	m := memo{w: w, o: &o}
	n := 0
	for i := range c.Exceptions {
		frames := c.Exceptions[i].Frames
		for j := range frames {
			if n++; n > maxFrames {
				return
			}
			f := &frames[j]
			v := m.frame(f)
			f.Class, f.Owner = v.class, v.owner
			if len(v.candidates) > 0 {
				f.Owner = w.carrier(frames[j+1:], v.candidates, &o)
			}
		}
	}
}

// carrier says whose copy of a library it is: that of the nearest caller which
// carries it, else that of the project, else, in a host's project, that of the only
// candidate.
func (w *World) carrier(callers []eco.Frame, candidates []eco.ExtensionID, o *eco.Origin) eco.ExtensionID {
	for i := range callers {
		p := w.byModule(callers[i].Module)
		if p == nil || p.class != eco.FrameExtension {
			continue
		}
		for _, id := range candidates {
			if id == p.id {
				return id
			}
		}
		break // another extension calls into the library of somebody
	}
	for _, id := range candidates {
		if id == o.Extension {
			return id
		}
	}
	if len(candidates) == 1 && o.Extension == "" { // another's project has its own copy, though nobody said so
		return candidates[0]
	}
	return ""
}

// memo keeps the answer for the last file, module and binary: neighbours repeat them.
type memo struct {
	w            *World
	o            *eco.Origin
	file, module string
	binary       string
	last         verdict
	set          bool
	segs         [maxSegments]string
}

func (m *memo) frame(f *eco.Frame) verdict {
	if !m.set || m.file != f.File || m.module != f.Module || m.binary != f.Package {
		m.last = m.w.look(f, m.o, m.segs[:0])
		m.file, m.module, m.binary, m.set = f.File, f.Module, f.Package, true
	}
	v := m.last
	if v.class == eco.FrameUnknown {
		v = foreign(f, m.o)
	}
	return v
}

// foreign judges a frame that no rule knows: in a project of one extension the
// client's own word counts.
func foreign(f *eco.Frame, o *eco.Origin) verdict {
	switch {
	case f.File == "" && f.Module == "" && f.Function == "":
		return verdict{class: eco.FrameUnknown}
	case o.Extension != "" && f.InApp != nil && *f.InApp:
		return verdict{class: eco.FrameExtension, owner: o.Extension, version: o.ExtVersion}
	case o.Extension != "" && f.InApp == nil && !nativeFrame(f) && relative(f.File):
		return verdict{class: eco.FrameExtension, owner: o.Extension, version: o.ExtVersion}
	}
	return verdict{class: eco.FrameUnknown}
}

// nativeFrame reports whether a frame is an offset in a binary.
func nativeFrame(f *eco.Frame) bool { return strings.HasPrefix(f.Addr, "+0x") }

// relative reports whether a file is named from the project's own root, as
// bundlers and source maps do.
func relative(file string) bool {
	switch {
	case file == "":
		return false
	case strings.HasPrefix(file, "webpack://"), strings.HasPrefix(file, "app:///"), strings.HasPrefix(file, "./"), strings.HasPrefix(file, "~/"):
		return true
	}
	return !absolute(file) && !strings.Contains(file, ":") && strings.ContainsAny(file, `/\`)
}

func absolute(file string) bool {
	return file[0] == '/' || file[0] == '\\' || len(file) > 2 && file[1] == ':' && (file[2] == '\\' || file[2] == '/')
}

// look applies the rules to one frame.
func (w *World) look(f *eco.Frame, o *eco.Origin, buf []string) verdict {
	file := f.File
	if len(file) > 5 && strings.HasPrefix(file, "file:") {
		file = strings.TrimLeft(file[5:], "/")
		if !absolute(file+"  ") || file == "" {
			file = "/" + file
		}
	}
	if nativeFrame(f) && strings.ContainsAny(f.Package, `/\`) {
		file = f.Package // of native code the binary tells, not the path it was built from
	}
	var segs []string
	if file != "" {
		segs = split(file, buf)
		if v, ok := w.byPath(file, segs, o); ok {
			return v
		}
		if !absolute(file+"  ") && strings.HasSuffix(file, ".go") && len(segs) > 1 && w.goStd[segs[0]] {
			return verdict{class: eco.FrameRuntime}
		}
	}
	if strings.ContainsAny(f.Package, `/\`) { // the jar, library or module file
		in := split(f.Package, nil)
		if v, ok := w.byPath(f.Package, in, o); ok {
			return v
		}
		if file == "" {
			file, segs = f.Package, in
		}
	}
	if p := w.byModule(f.Module); p != nil {
		return verdict{class: p.class, owner: p.id, candidates: p.candidates}
	}
	if f.Module == "" && f.Package != "" {
		if p := w.byModule(f.Package); p != nil {
			return verdict{class: p.class, owner: p.id, candidates: p.candidates}
		}
	}
	if len(segs) > 0 {
		if class := w.byPlace(segs, absolute(file)); class != "" {
			return verdict{class: class}
		}
	}
	return verdict{class: eco.FrameUnknown}
}

// byPath finds the extension's folder in a path.
func (w *World) byPath(file string, segs []string, o *eco.Origin) (verdict, bool) {
	var f found
	hit := false
	var low [64]byte
	for i := len(segs) - 1; i >= 0 && !hit; i-- {
		s := segs[i]
		if len(s) > len(low) {
			continue
		}
		for _, p := range w.anchors[string(lower(low[:0], s))] {
			if w.applies(p, o) && p.match(segs, i, &f) {
				hit = true
				break
			}
			f = found{}
		}
	}
	if !hit {
		for _, p := range w.inline {
			if w.applies(p, o) && len(file) > len(p.inline) && strings.EqualFold(file[:len(p.inline)], p.inline) {
				f = found{local: strings.ToLower(strings.TrimSpace(file[len(p.inline):])), end: len(segs), kind: p.kind}
				hit = true
				break
			}
		}
	}
	if !hit {
		return verdict{}, false
	}
	v := verdict{class: eco.FrameExtension, owner: f.id, version: f.version}
	if v.owner == "" {
		v.owner, v.local = w.byLocal(&f, o)
	}
	if v.owner == o.Extension && v.version == "" {
		v.version = o.ExtVersion
	}
	for _, s := range segs[min(f.end, len(segs)):] {
		if len(s) <= len(low) && w.vendored[string(lower(low[:0], s))] {
			v.class = eco.FrameVendored
			break
		}
	}
	return v, true
}

// applies reports whether a pattern is for the host of the report: when the host
// is known, its own patterns and those of its kind; else all.
func (w *World) applies(p *pattern, o *eco.Origin) bool {
	h, ok := w.Hosts[o.Host]
	if !ok || p.kind == o.Host {
		return true
	}
	if _, foreign := w.Hosts[p.kind]; foreign {
		return false
	}
	return h.Kind == "" || h.Kind == p.kind || h.Kind == "generic"
}

// local is the extension of the report's host that has this id there.
func (w *World) local(id string, o *eco.Origin) eco.ExtensionID {
	for _, e := range w.locals[id] {
		if h := w.Extensions[e].Host; h == "" || o.Host == "" || h == o.Host {
			return e
		}
	}
	return ""
}

// byLocal maps the id by which a host knows an extension to the registered one:
// as registered, else by the letters of the full id, else the project's own
// extension when its name is the same. An id nobody knows becomes "kind.local",
// so that crashes of one unregistered extension stay together; an unknown id of
// one installation names nobody.
func (w *World) byLocal(f *found, o *eco.Origin) (eco.ExtensionID, string) {
	if id := w.local(f.local, o); id != "" {
		return id, ""
	}
	if f.uuid {
		return o.Extension, f.local
	}
	s := slug(f.local)
	if o.Extension != "" {
		full := string(o.Extension)
		_, name, _ := strings.Cut(full, ".")
		if s != "" && (s == slug(full) || s == slug(name)) {
			return o.Extension, ""
		}
	}
	if id := w.slugs[s]; id != "" {
		return id, ""
	}
	id, err := eco.ParseExtensionID(f.kind + "." + f.local)
	if err != nil {
		return "", f.local
	}
	return id, f.local
}

// byModule finds the longest registered prefix of a class or module name, with or
// without the JVM's module and loader before a slash ("app//com.acme.Main").
func (w *World) byModule(module string) *owner {
	if p := w.byPrefix(module); p != nil {
		return p
	}
	if i := strings.LastIndexByte(module, '/'); i >= 0 {
		return w.byPrefix(module[i+1:])
	}
	return nil
}

func (w *World) byPrefix(module string) *owner {
	if module == "" {
		return nil
	}
	if len(module) > w.longest+1 {
		// Only prefixes up to the longest registered one can match.
		if i := strings.LastIndexAny(module[:w.longest+1], ".$"); i > 0 {
			module = module[:i]
		} else {
			return nil
		}
	}
	for {
		if p := w.prefixes[module]; p != nil {
			return p
		}
		i := len(module) - 1
		for i >= 0 && module[i] != '.' && module[i] != '$' && module[i] != '/' {
			i--
		}
		if i <= 0 {
			return nil
		}
		module = module[:i]
	}
}

// byPlace judges by well-known folders: of several the deepest wins. Folders of
// hosts count in absolute paths only.
func (w *World) byPlace(segs []string, abs bool) eco.FrameClass {
	var low [64]byte
	for i := len(segs) - 1; i >= 0; i-- {
		s := segs[i]
		if len(s) > len(low) {
			continue
		}
		key := lower(low[:0], s)
		if w.vendored[string(key)] && string(key) != "vendor" {
			return eco.FrameVendored
		}
		for _, p := range w.places[string(key)] {
			if (abs || p.class != eco.FrameHost) && matchPlace(p.segs[1:], segs[i+1:]) {
				return p.class
			}
		}
	}
	if len(segs) > 0 {
		for _, p := range w.globs {
			if hasFold(segs[0], p.segs[0]) && matchPlace(p.segs[1:], segs[1:]) {
				return p.class
			}
		}
	}
	return ""
}

func matchPlace(want, segs []string) bool {
	if len(want) > len(segs) {
		return false
	}
	for i, s := range want {
		if !hasFold(segs[i], s) {
			return false
		}
	}
	return true
}

// hasFold reports whether s is want; a last * in want matches any rest.
func hasFold(s, want string) bool {
	if pre, ok := strings.CutSuffix(want, "*"); ok {
		return len(s) >= len(pre) && strings.EqualFold(s[:len(pre)], pre)
	}
	return strings.EqualFold(s, want)
}

func lower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
