package symbol

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a source map. Each is checked before memory is taken: 4 million
// mappings of 20 bytes are the largest part, whatever "mappings" says.
const (
	MaxMappings = 4_000_000
	maxLines    = 1_000_000 // of generated code
	maxNames    = 1_000_000 // in all sections together
	maxSources  = 100_000
	maxSections = 10_000
	maxDepth    = 4 // sections within sections
	maxScopes   = 1_000_000
)

// Map is a parsed source map: where each piece of a generated file came from.
type Map struct {
	File    string // the generated file, as the map names it
	DebugID string // canonical, "" when the map has none

	sources []string
	names   []string
	scopes  [][]scope // by source: the functions of its content; nil without content
	lines   []int32   // by generated line: its first mapping
	m       []mapping
	size    int64
}

// mapping is one segment. Columns count UTF-16 units, lines and columns from 0.
type mapping struct{ col, line, srcCol, source, name int32 } // source and name -1: none

// Origin is a place in the source that was written.
type Origin struct {
	Source   string
	Line     int    // from 1
	Col      int    // from 1
	Name     string // that the map gives to this very place: often the callee's
	Function string // around the place, "" when unknown or at the top level
	Known    bool   // the map has the source, so that Function is what it says
}

// ParseMap reads a source map of version 3, flat or with sections.
func ParseMap(data []byte) (*Map, error) {
	if len(data) > MaxFile {
		return nil, tooLarge("A source map has at most 64 MB.")
	}
	if i := bytes.IndexByte(data[:min(len(data), 256)], '\n'); i > 0 && bytes.HasPrefix(data, []byte(")]}")) {
		data = data[i:] // the guard against inclusion that the format allows
	}
	r := mapReader{m: &Map{}}
	if err := r.read(jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))); err != nil {
		return nil, err
	}
	r.finish()
	return r.m, nil
}

// Find returns where the generated place (line and column from 1) came from.
func (m *Map) Find(line, col int) (Origin, bool) {
	l, c := line-1, int32(min(max(col-1, 0), math.MaxInt32))
	if l < 0 || l >= len(m.lines) {
		return Origin{}, false
	}
	from, to := m.lines[l], int32(len(m.m))
	if l+1 < len(m.lines) {
		to = m.lines[l+1]
	}
	seg := m.m[from:to]
	i, found := slices.BinarySearchFunc(seg, c, func(x mapping, c int32) int { return cmp.Compare(x.col, c) })
	if !found {
		i--
	}
	if i < 0 || seg[i].source < 0 {
		return Origin{}, false
	}
	x := seg[i]
	o := Origin{Source: m.sources[x.source], Line: int(x.line) + 1, Col: int(x.srcCol) + 1}
	if x.name >= 0 {
		o.Name = clip(m.names[x.name])
	}
	if sc := m.scopes[x.source]; sc != nil {
		o.Known = true
		o.Function = clip(enclosing(sc, x.line, x.srcCol))
	}
	return o, true
}

// Mappings is the number of segments.
func (m *Map) Mappings() int { return len(m.m) }

// Size is about how many bytes of memory the map takes.
func (m *Map) Size() int64 { return m.size }

// cleanSource makes a source's name readable and the same in every bundler:
// "webpack://name/./src/a.ts?1b2c" and "../../src/a.ts" become "src/a.ts".
func cleanSource(root, s string) string {
	if root != "" && !strings.Contains(s, "://") && !strings.HasPrefix(s, "/") {
		s = strings.TrimSuffix(root, "/") + "/" + s
	}
	if i := strings.Index(s, "://"); i >= 0 {
		scheme, rest := s[:i], s[i+3:]
		switch scheme {
		case "webpack", "webpack-internal", "ng", "turbopack", "rollup", "vite":
			if j := strings.IndexByte(rest, '/'); j >= 0 { // the name of the library
				rest = rest[j+1:]
			}
			s = rest
		case "file":
			s = rest
		}
		if j := strings.LastIndexByte(s, '?'); j > 0 {
			s = s[:j]
		}
	}
	s = strings.TrimPrefix(s, "\x00") // rollup marks what it made itself
	for {
		t := s
		s = strings.TrimPrefix(strings.TrimPrefix(s, "./"), "../")
		if s == t {
			break
		}
	}
	return clip(s)
}
