package symbol

import (
	"path"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Need is what a frame asks for: a symbol file by its debug id, else the one that
// the release of the frame's owner has for a file. A file alone is never enough.
type Need struct {
	Kind    Kind
	Owner   eco.ExtensionID // of the frame; "" when nobody is known
	Host    bool            // the frame is the host's or the runtime's own
	DebugID string          // canonical; "" when the report names none
	File    string          // "~/dist/extension.js": the generated file as BundleFile writes it, or the binary's name; "" for a mapping
}

// Artifact is a parsed symbol file; one of the three is set.
type Artifact struct {
	ID      string // of the file, for lineage
	Name    string
	Map     *Map
	Mapping *Mapping
	Module  *Breakpad
}

// Library finds a symbol file; ok is false when there is none. A nil one is empty:
// then Apply only looks for what is missing, which costs next to nothing.
type Library func(Need) (Artifact, bool)

// Result is what Apply did.
type Result struct {
	Renamed int        // frames
	Used    []Artifact // each once
	Missing []Need     // each once: what the crash asks for and the library does not have
}

// maxNeeds bounds the different symbol files that one crash may ask for.
const maxNeeds = 64

// maxFrames bounds the frames of one exception after inlined ones were put in.
const maxFrames = 600

// Apply renames the frames of a crash with what the library has. A frame keeps what
// came in its Orig fields, its class and its owner; inlined functions become frames
// of their own. It may be called again on its own result, when more files are there.
func Apply(c *eco.Crash, lib Library) Result {
	a := applier{c: c, lib: lib, known: map[Need]answer{}}
	for i := range c.Exceptions {
		x := &c.Exceptions[i]
		switch {
		case c.Platform == "java":
			a.exception(x)
			x.Frames = a.frames(x.Frames, a.jvm)
		default:
			x.Frames = a.frames(x.Frames, a.frame)
		}
	}
	return a.r
}

type applier struct {
	c     *eco.Crash
	lib   Library
	known map[Need]answer
	r     Result
}

type answer struct {
	a  Artifact
	ok bool
}

// find asks the library once for each need; what is missing is noted when the
// frame is worth a file.
func (a *applier) find(n Need, worth bool) (Artifact, bool) {
	got, asked := a.known[n]
	if !asked {
		if len(a.known) >= maxNeeds {
			return Artifact{}, false
		}
		if a.lib != nil {
			got.a, got.ok = a.lib(n)
		}
		a.known[n] = got
		if got.ok {
			a.use(got.a)
		}
	}
	if !got.ok && worth {
		a.miss(n)
	}
	return got.a, got.ok
}

func (a *applier) use(x Artifact) {
	for i := range a.r.Used {
		if a.r.Used[i].ID == x.ID {
			return
		}
	}
	a.r.Used = append(a.r.Used, x)
}

func (a *applier) miss(n Need) {
	for _, have := range a.r.Missing {
		if have == n {
			return
		}
	}
	a.r.Missing = append(a.r.Missing, n)
}

// frames renames frame by frame; one may become several.
func (a *applier) frames(in []eco.Frame, one func(fs []eco.Frame, i int) []eco.Frame) []eco.Frame {
	var out []eco.Frame
	for i := range in {
		if in[i].Renamed || in[i].Inlined {
			if out != nil {
				out = append(out, in[i])
			}
			continue
		}
		made := one(in, i)
		if made == nil {
			if out != nil {
				out = append(out, in[i])
			}
			continue
		}
		if out == nil {
			out = append(make([]eco.Frame, 0, len(in)+len(made)), in[:i]...)
		}
		a.r.Renamed++
		if len(out)+len(made)+len(in)-i > maxFrames {
			made = made[len(made)-1:]
		}
		out = append(out, made...)
	}
	if out == nil {
		return in
	}
	return out
}

func (a *applier) frame(fs []eco.Frame, i int) []eco.Frame {
	switch f := &fs[i]; {
	case f.Addr != "" && f.Package != "":
		return a.native(f)
	case f.Line > 0 && f.Col > 0 && script(f.File):
		return a.script(fs, i)
	}
	return nil
}

// renamed begins the new form of a frame: it remembers the old one.
func renamed(f *eco.Frame) eco.Frame {
	n := *f
	n.Orig, n.OrigModule, n.OrigFile, n.OrigLine, n.OrigCol, n.Renamed = f.Function, f.Module, f.File, f.Line, f.Col, true
	return n
}

func ofHost(f *eco.Frame) bool { return f.Class == eco.FrameHost || f.Class == eco.FrameRuntime }

// script reports whether a file is JavaScript that a bundler may have made.
func script(file string) bool {
	file, _, _ = strings.Cut(file, "?")
	switch path.Ext(file) {
	case ".js", ".mjs", ".cjs", ".jsx", ".bundle", ".jsbundle":
		return !strings.HasPrefix(file, "node:") && !strings.Contains(file, "/node_modules/")
	}
	return false
}

// minified reports whether a frame looks as if a bundler had made its file, so that
// a missing map is worth a person's while.
func minified(f *eco.Frame, debugID string) bool {
	if debugID != "" || f.Line <= 10 && f.Col > 200 || f.Col > 1000 {
		return true
	}
	base := path.Base(f.File)
	fn := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
	return strings.Contains(base, ".min.") || len(fn) > 0 && len(fn) <= 2 && f.Col > 100
}

// script renames a frame of generated JavaScript. The name is that of the function
// around the place in the original source; without the source, the one that the map
// gives to the place where the caller calls it.
func (a *applier) script(fs []eco.Frame, i int) []eco.Frame {
	f := &fs[i]
	o, ok := a.place(f, true)
	if !ok {
		return nil
	}
	n := renamed(f)
	n.File, n.Line, n.Col, n.Module = o.Source, o.Line, o.Col, ""
	switch {
	case o.Known:
		if n.Function = o.Function; strings.HasPrefix(f.Function, "async ") && n.Function != "" {
			n.Function = "async " + n.Function
		}
	case i+1 < len(fs):
		if at, ok := a.place(&fs[i+1], false); ok && at.Name != "" {
			n.Function = at.Name
		}
	}
	return []eco.Frame{n}
}

// place is where a frame of generated code came from.
func (a *applier) place(f *eco.Frame, worth bool) (Origin, bool) {
	if f.Renamed || f.Line <= 0 || f.Col <= 0 || !script(f.File) {
		return Origin{}, false
	}
	id := ""
	for k := range a.c.DebugImages {
		if d := &a.c.DebugImages[k]; d.CodeFile == f.File && d.DebugID != "" {
			id = DebugID(d.DebugID)
			break
		}
	}
	if worth = worth && minified(f, id); !worth && a.lib == nil {
		return Origin{}, false
	}
	x, ok := a.find(Need{Kind: SourceMap, Owner: f.Owner, Host: ofHost(f), DebugID: id, File: BundleFile(f.File)}, worth)
	if !ok || x.Map == nil {
		return Origin{}, false
	}
	return x.Map.Find(f.Line, f.Col)
}

// BundleFile names a generated file the way uploads do: "~/" and its path without
// scheme, host, query and, where an extension's own folder is in it, what is above
// that folder.
func BundleFile(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	if i := strings.IndexAny(file, "?#"); i > 0 {
		file = file[:i]
	}
	if i := strings.Index(file, "://"); i >= 0 {
		file = file[i+3:]
		if j := strings.IndexByte(file, '/'); j >= 0 {
			file = file[j+1:]
		}
	}
	for _, folder := range [...]string{"/extensions/", "/plugins/", "/addons/"} {
		if i := strings.LastIndex(file, folder); i >= 0 {
			if _, rest, ok := strings.Cut(file[i+len(folder):], "/"); ok {
				file = rest
			}
		}
	}
	return clip("~/" + strings.TrimLeft(strings.TrimPrefix(file, "~/"), "/"))
}

// native renames a frame of a binary: Package names the image, Addr is the offset
// in it, written "+0x1a2b".
func (a *applier) native(f *eco.Frame) []eco.Frame {
	hex, ok := strings.CutPrefix(f.Addr, "+0x")
	offset, err := strconv.ParseUint(hex, 16, 64)
	if !ok || err != nil {
		return nil
	}
	base := fileBase(f.Package)
	id := ""
	for k := range a.c.DebugImages {
		if d := &a.c.DebugImages[k]; d.DebugID != "" && (d.CodeFile == f.Package || fileBase(d.CodeFile) == base) {
			id = DebugID(d.DebugID)
			break
		}
	}
	if id == "" { // a binary's name is never enough
		return nil
	}
	x, ok := a.find(Need{Kind: Sym, Owner: f.Owner, Host: ofHost(f), DebugID: id, File: clip(base)}, true)
	if !ok || x.Module == nil {
		return nil
	}
	places, ok := x.Module.Lookup(offset)
	if !ok {
		return nil
	}
	out := make([]eco.Frame, 0, len(places))
	for _, p := range places {
		n := *f
		if !p.Inlined {
			n = renamed(f)
		}
		n.Function, n.File, n.Line, n.Inlined = p.Function, p.File, p.Line, p.Inlined
		out = append(out, n)
	}
	return out
}

func fileBase(p string) string { return p[strings.LastIndexAny(p, `/\`)+1:] }

// jvmNeed is the one mapping of a crash: by the id that R8 or the client states,
// else that of the release.
func (a *applier) jvmNeed(f *eco.Frame) Need {
	n := Need{Kind: ProGuard}
	if f != nil {
		n.Owner, n.Host = f.Owner, ofHost(f)
	}
	for k := range a.c.DebugImages {
		if d := &a.c.DebugImages[k]; d.Type == "proguard" || d.Type == "jvm" {
			n.DebugID = DebugID(d.DebugID)
		}
	}
	return n
}

// obfuscated reports whether a class looks renamed: its last part has one or two
// letters, and so has the package above it or its file is not named.
func obfuscated(class, file string) bool {
	parts := strings.Split(class, ".")
	last := parts[len(parts)-1]
	if len(last) == 0 || len(last) > 2 {
		return strings.HasPrefix(file, "r8-map-id-")
	}
	return file == "" || file == "SourceFile" || file == "Unknown Source" || strings.HasPrefix(file, "r8-map-id-") || len(parts) == 1 || len(parts[len(parts)-2]) <= 2
}

func (a *applier) jvm(fs []eco.Frame, i int) []eco.Frame {
	f := &fs[i]
	if f.Module == "" {
		return nil
	}
	need := a.jvmNeed(f)
	x, ok := a.find(need, need.DebugID != "" && f.Class != eco.FrameRuntime || obfuscated(f.Module, f.File))
	if !ok || x.Mapping == nil {
		return nil
	}
	class, known := x.Mapping.Class(f.Module)
	answers, ok := x.Mapping.Retrace(f.Module, f.Function, f.Line)
	switch {
	case !ok && (!known || class == f.Module):
		return nil
	case !ok:
		answers = [][]Call{{{Class: class, Method: f.Function, File: sourceOf(class)}}}
	case len(answers) == 1 && len(answers[0]) == 1 && answers[0][0].Class == f.Module && answers[0][0].Method == f.Function && answers[0][0].Line == f.Line:
		return nil // kept as it was
	}
	var others []string
	for _, o := range answers[1:] {
		others = append(others, o[len(o)-1].Class+"."+o[len(o)-1].Method)
	}
	out := make([]eco.Frame, 0, len(answers[0]))
	for k, call := range answers[0] {
		n := *f
		if n.Inlined = k < len(answers[0])-1; !n.Inlined {
			n = renamed(f)
			n.Or = clip(strings.Join(others, ", "))
		}
		n.Module, n.Function, n.File, n.Line, n.Col = clip(call.Class), clip(call.Method), clip(call.File), call.Line, 0
		out = append(out, n)
	}
	return out
}

// exception restores the class of a JVM exception.
func (a *applier) exception(x *eco.Exception) {
	full := x.Type
	if x.Module != "" {
		full = x.Module + "." + x.Type
	}
	m, ok := a.find(a.jvmNeed(nil), false)
	if !ok || m.Mapping == nil {
		return
	}
	name, ok := m.Mapping.Class(full)
	if !ok || name == full {
		return
	}
	if x.Module == "" {
		x.Type = name
		return
	}
	i := strings.LastIndexByte(name, '.')
	x.Module, x.Type = name[:max(i, 0)], name[i+1:]
}
