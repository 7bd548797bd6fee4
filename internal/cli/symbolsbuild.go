package cli

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
	"github.com/bellwether-project/bellwether/internal/symbol/elfsym"
)

// maxBuild bounds the files of a build that are looked at.
const maxBuild = 20_000

// build is the output of a build: what in it is worth uploading, and why the rest
// is not.
type build struct {
	prefix  string
	release string
	inject  bool
	dry     bool

	files   []buildFile
	scripts map[string]string // path -> below its folder
	seen    int
}

// buildFile is a candidate.
type buildFile struct {
	path     string
	below    string // its path below the folder that was named
	file     string // the generated file it is for, as crashes name it
	debugID  string
	script   string // path of the script of a map
	why      string // it is not uploaded
	elf      bool   // a binary: its symbols are made here and sent
	injected bool
	sent     int
	known    int
	helps    int64
}

func (f *buildFile) name() string { return filepath.Base(f.path) }

// load reads what is sent of a file: of a binary its symbols, so that it may be
// larger than an upload.
func (f *buildFile) load() ([]byte, error) {
	if !f.elf {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
		}
		return data, nil
	}
	r, err := os.Open(f.path)
	if err != nil {
		return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	return elfsym.Convert(r, info.Size(), f.name())
}

// isELF looks at the first bytes of a file that may be a binary by its name.
func isELF(p string) bool {
	if ext := filepath.Ext(p); ext != "" && ext != ".so" && ext != ".debug" && ext != ".node" && !strings.Contains(filepath.Base(p), ".so.") {
		return false
	}
	r, err := os.Open(p)
	if err != nil {
		return false
	}
	defer r.Close()
	head := make([]byte, 4)
	_, err = r.Read(head)
	return err == nil && elfsym.Is(head)
}

// collect finds candidates in a folder, or takes a file as one.
func (b *build) collect(root string) error {
	if b.scripts == nil {
		b.scripts = map[string]string{}
	}
	info, err := os.Stat(root)
	if err != nil {
		return fault.E("cli.symbols", fault.Invalid, "There is no "+root+".", nil)
	}
	if !info.IsDir() {
		b.take(root, filepath.Base(root), true)
		if s := strings.TrimSuffix(root, ".map"); s != root {
			if _, err := os.Stat(s); err == nil {
				b.scripts[s] = filepath.Base(s)
			}
		}
		return nil
	}
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.E("cli.symbols", fault.Invalid, "A folder cannot be read.", err)
		}
		if d.IsDir() {
			if n := d.Name(); p != root && (n == "node_modules" || n == ".git") {
				return fs.SkipDir
			}
			return nil
		}
		if b.seen++; b.seen > maxBuild {
			return fault.E("cli.symbols", fault.TooLarge, "The folder has more than 20,000 files: name the build's output.", nil)
		}
		below, err := filepath.Rel(root, p)
		if err == nil && d.Type().IsRegular() {
			b.take(p, filepath.ToSlash(below), false)
		}
		return nil
	})
}

func (b *build) take(p, below string, named bool) {
	switch ext := strings.ToLower(filepath.Ext(p)); {
	case ext == ".js" || ext == ".mjs" || ext == ".cjs":
		b.scripts[p] = below
	case ext == ".map" || ext == ".sym" || ext == ".zip" || named || strings.HasPrefix(filepath.Base(p), "mapping") && ext == ".txt":
		if strings.HasSuffix(p, ".css.map") || strings.HasSuffix(p, ".d.ts.map") {
			b.files = append(b.files, buildFile{path: p, below: below, why: "a map of styles or types names no frame"})
			return
		}
		b.files = append(b.files, buildFile{path: p, below: below, elf: isELF(p)})
	default:
		if isELF(p) {
			b.files = append(b.files, buildFile{path: p, below: below, elf: true})
		}
	}
}

// pair finds the script of each map: the one whose last line names it, else the one
// of its name. Maps get the script's debug id, or a new one with --inject.
func (b *build) pair() error {
	named := map[string]string{} // map -> script
	ids := map[string]string{}
	for p := range b.scripts {
		data, err := readTail(p)
		if err != nil {
			return err
		}
		id, m := symbol.ScriptID(data)
		ids[p] = id
		if m != "" && !strings.Contains(m, ":") {
			named[filepath.Join(filepath.Dir(p), filepath.FromSlash(m))] = p
		}
	}
	slices.SortFunc(b.files, func(x, y buildFile) int { return strings.Compare(x.path, y.path) })
	for i := range b.files {
		f := &b.files[i]
		if f.why != "" || filepath.Ext(f.path) != ".map" {
			if f.why == "" && b.release == "" && strings.HasSuffix(f.path, ".txt") {
				f.why = "a mapping needs --release"
			}
			if b.dry && f.elf {
				if _, err := f.load(); err != nil {
					f.why = fault.TextOf(err)
				}
			}
			continue
		}
		if f.script = named[f.path]; f.script == "" {
			if s := strings.TrimSuffix(f.path, ".map"); b.scripts[s] != "" {
				f.script = s
			}
		}
		below := strings.TrimSuffix(f.below, ".map")
		if f.script != "" {
			below, f.debugID = b.scripts[f.script], ids[f.script]
		}
		f.file = strings.TrimSuffix(b.prefix, "/") + "/" + path.Clean(below)
		if err := b.identify(f); err != nil {
			return err
		}
	}
	return nil
}

// identify reads a map, gives it an id when that is asked for, and says why it
// cannot be uploaded.
func (b *build) identify(f *buildFile) error {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	a, _, err := symbols.Parse(data)
	if err != nil {
		f.why = fault.TextOf(err)
		return nil
	}
	if a.Map == nil {
		f.file = ""
		return nil
	}
	if f.debugID == "" {
		f.debugID = a.Map.DebugID
	}
	switch {
	case b.inject && f.debugID == "" && f.script == "":
		f.why = "its script is not there, so that no debug id can be injected"
		if b.release != "" {
			f.why = ""
		}
	case b.inject && f.debugID == "":
		f.injected = true
		if f.debugID = newDebugID(data); !b.dry {
			return injectInto(f.script, f.path, f.debugID)
		}
	}
	if f.why == "" && f.debugID == "" && b.release == "" {
		f.why = "no debug id: use --inject, or say --release"
	}
	return nil
}

func readTail(p string) ([]byte, error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	buf := make([]byte, min(st.Size(), 8192))
	_, err = f.ReadAt(buf, st.Size()-int64(len(buf)))
	if err != nil {
		return nil, fault.E("cli.symbols", fault.Invalid, "A file cannot be read.", err)
	}
	return buf, nil
}
