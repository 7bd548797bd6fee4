package symbol

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// mapReader reads a map token by token, so that nothing is kept that is not wanted
// (the sources' texts are reduced to their functions at once).
type mapReader struct {
	m        *Map
	lineOff  int // of the section
	colOff   int
	sections int
	depth    int
	nScopes  int
	last     int // generated line of the newest mapping
	unsorted bool
}

// section is one object: the whole map, or the map of a section.
type section struct {
	version  int
	root     string
	mappings string
	sources  []string
	content  [][]scope
	names    []string
	flat     bool
	indexed  bool
}

var errShape = errors.New("a value of another kind was expected")

func (r *mapReader) read(d *jsontext.Decoder) error {
	err := r.object(d)
	if err == nil || fault.CodeOf(err) == fault.TooLarge || fault.CodeOf(err) == fault.Invalid {
		return err
	}
	return invalid("This is no source map of version 3.", err)
}

// object reads one map. Its parts may come in any order, so it is put together at its end.
func (r *mapReader) object(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return errShape
	}
	if r.depth++; r.depth > maxDepth {
		return tooLarge("A source map has at most four levels of sections.")
	}
	defer func() { r.depth-- }()
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	s := section{}
	for d.PeekKind() != '}' {
		key, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := r.field(d, key.String(), &s); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	switch {
	case s.version != 3:
		return invalid("This is no source map of version 3.", nil)
	case s.indexed:
		return nil
	case !s.flat:
		return invalid("A source map has mappings or sections.", nil)
	}
	return r.add(&s)
}

func (r *mapReader) field(d *jsontext.Decoder, key string, s *section) (err error) {
	switch key {
	case "version":
		var v string
		if v, err = text(d); err == nil {
			s.version, _ = strconv.Atoi(v)
		}
	case "file":
		if r.depth == 1 {
			r.m.File, err = text(d)
			r.m.File = clip(r.m.File)
			return err
		}
		return d.SkipValue()
	case "debugId", "debug_id":
		var id string
		if id, err = text(d); err == nil && r.depth == 1 {
			r.m.DebugID = DebugID(id)
		}
	case "sourceRoot":
		s.root, err = text(d)
		s.root = clip(s.root)
	case "mappings":
		s.flat = true
		s.mappings, err = text(d)
	case "sources":
		return list(d, maxSources-len(r.m.sources), "A source map has at most 100,000 sources.", func() error {
			v, err := text(d)
			s.sources = append(s.sources, v)
			return err
		})
	case "names":
		return list(d, maxNames-len(r.m.names), "A source map has at most a million names.", func() error {
			v, err := text(d)
			s.names = append(s.names, v)
			return err
		})
	case "sourcesContent":
		return list(d, maxSources-len(r.m.sources), "A source map has at most 100,000 sources.", func() error {
			v, err := text(d)
			if err != nil {
				return err
			}
			var sc []scope
			if v != "" {
				sc = scopesOf(v, maxScopes-r.nScopes)
				r.nScopes += len(sc)
			}
			s.content = append(s.content, sc)
			return nil
		})
	case "sections":
		s.indexed = true
		return r.readSections(d)
	default:
		return d.SkipValue()
	}
	return err
}

// readSections reads [{"offset":{"line":…,"column":…},"map":{…}}]. A section whose
// map is elsewhere ("url") is left out: nothing is fetched.
func (r *mapReader) readSections(d *jsontext.Decoder) error {
	baseLine, baseCol := r.lineOff, r.colOff
	defer func() { r.lineOff, r.colOff = baseLine, baseCol }()
	return list(d, maxSections, "A source map has at most 10,000 sections.", func() error {
		if r.sections++; r.sections > maxSections {
			return tooLarge("A source map has at most 10,000 sections.")
		}
		if d.PeekKind() != '{' {
			return errShape
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() != '}' {
			key, err := d.ReadToken()
			if err != nil {
				return err
			}
			switch key.String() { // the offset comes first in every tool's output; the format says no order
			case "offset":
				line, col, err := offset(d)
				if err != nil {
					return err
				}
				r.lineOff, r.colOff = baseLine+line, baseCol
				if line == 0 {
					r.colOff += col
				} else {
					r.colOff = col
				}
			case "map":
				if err := r.object(d); err != nil {
					return err
				}
			default:
				if err := d.SkipValue(); err != nil {
					return err
				}
			}
		}
		_, err := d.ReadToken()
		return err
	})
}

func offset(d *jsontext.Decoder) (line, col int, err error) {
	if d.PeekKind() != '{' {
		return 0, 0, errShape
	}
	if _, err = d.ReadToken(); err != nil {
		return 0, 0, err
	}
	for d.PeekKind() != '}' {
		key, err := d.ReadToken()
		if err != nil {
			return 0, 0, err
		}
		name := key.String()
		v, err := text(d)
		if err != nil {
			return 0, 0, err
		}
		n, _ := strconv.Atoi(v)
		if n < 0 || n > 1<<30 {
			return 0, 0, invalid("The offset of a section is out of range.", nil)
		}
		switch name {
		case "line":
			line = n
		case "column":
			col = n
		}
	}
	_, err = d.ReadToken()
	return line, col, err
}

// text reads a string, a number or null.
func text(d *jsontext.Decoder) (string, error) {
	switch d.PeekKind() {
	case '"', '0', 'n':
		t, err := d.ReadToken()
		if err != nil || t.Kind() == 'n' {
			return "", err
		}
		return t.String(), nil
	case 'f', 't', '{', '[':
		return "", d.SkipValue()
	}
	_, err := d.ReadToken()
	return "", errors.Join(err, errShape)
}

// list reads an array of at most limit elements.
func list(d *jsontext.Decoder, limit int, full string, one func() error) error {
	if d.PeekKind() != '[' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for n := 0; d.PeekKind() != ']'; n++ {
		if n >= limit {
			return tooLarge(full)
		}
		if err := one(); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// add puts one map's mappings at its section's place.
func (r *mapReader) add(s *section) error {
	m := r.m
	source, name := int64(len(m.sources)), int64(len(m.names))
	for i, f := range s.sources {
		m.sources = append(m.sources, cleanSource(s.root, f))
		var sc []scope
		if i < len(s.content) {
			sc = s.content[i]
		}
		m.scopes = append(m.scopes, sc)
	}
	m.names = append(m.names, s.names...)
	v := vlq{s: s.mappings}
	line, col := r.lineOff, int64(r.colOff)
	src, srcLine, srcCol, nm := source, int64(0), int64(0), name
	for v.i < len(v.s) {
		switch v.s[v.i] {
		case ';':
			v.i++
			line, col = line+1, 0
			continue
		case ',':
			v.i++
			continue
		}
		x := mapping{source: -1, name: -1}
		col += v.next()
		if v.more() {
			src, srcLine, srcCol = src+v.next(), srcLine+v.next(), srcCol+v.next()
			x.source = int32(src)
			if v.more() {
				nm += v.next()
				x.name = int32(nm)
				if nm < name || nm >= int64(len(m.names)) {
					x.name = -1
				}
			}
			if src < source || src >= int64(len(m.sources)) || srcLine < 0 || srcLine > 1<<30 || srcCol < 0 || srcCol > 1<<30 {
				return invalid("A mapping points outside the sources of its map.", nil)
			}
		}
		if v.bad || v.more() || col < 0 || col > 1<<30 {
			return invalid("The mappings are no list of base 64 numbers.", nil)
		}
		x.col, x.line, x.srcCol = int32(col), int32(srcLine), int32(srcCol)
		if err := r.put(line, x); err != nil {
			return err
		}
	}
	return nil
}

// put appends a mapping of a generated line. Lines only go up; a section that
// begins before the one before it is refused.
func (r *mapReader) put(line int, x mapping) error {
	m := r.m
	switch {
	case line >= maxLines:
		return tooLarge("A source map covers at most a million lines.")
	case len(m.m) >= MaxMappings:
		return tooLarge("A source map has at most 4 million mappings.")
	case line < r.last:
		return invalid("The sections of a source map stand in order.", nil)
	}
	for len(m.lines) <= line {
		m.lines = append(m.lines, int32(len(m.m)))
	}
	if r.last == line && len(m.m) > int(m.lines[line]) && m.m[len(m.m)-1].col > x.col {
		r.unsorted = true
	}
	r.last = line
	m.m = append(m.m, x)
	return nil
}

func (r *mapReader) finish() {
	m := r.m
	m.m, m.lines = slices.Clip(m.m), slices.Clip(m.lines)
	if r.unsorted {
		for l := range m.lines {
			to := len(m.m)
			if l+1 < len(m.lines) {
				to = int(m.lines[l+1])
			}
			slices.SortStableFunc(m.m[m.lines[l]:to], func(a, b mapping) int { return cmp.Compare(a.col, b.col) })
		}
	}
	m.size = int64(cap(m.m))*20 + int64(cap(m.lines))*4 + 1024
	for _, list := range [][]string{m.sources, m.names} {
		for _, s := range list {
			m.size += int64(len(s)) + 16
		}
	}
	for _, sc := range m.scopes {
		m.size += 24
		for i := range sc {
			m.size += 32 + int64(len(sc[i].name))
		}
	}
}

// DebugID brings a debug id into its canonical form: lower case, dashes of a UUID
// where it has 32 digits. "" for what is none.
func DebugID(s string) string {
	hex := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "-", ""))
	if len(hex) < 32 || len(hex) > 40 || strings.Trim(hex, "0123456789abcdef") != "" || strings.Trim(hex, "0") == "" {
		return ""
	}
	id := hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:32]
	if age := strings.TrimLeft(hex[32:], "0"); age != "" { // a pdb's age; 0 says nothing
		id += "-" + age
	}
	return id
}
