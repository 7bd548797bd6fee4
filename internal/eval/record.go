package eval

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of one input file.
const (
	maxLine    = 16 << 20
	maxRecords = 2_000_000
)

// label is what only the scorer may see.
type label struct {
	Group string `json:"group"`
	Blame string `json:"blame"`
	Kind  string `json:"kind"`
}

// record is one line of a data set without its labels.
type record struct {
	ID         string            `json:"id"`
	Timestamp  int64             `json:"timestamp"`
	Platform   string            `json:"platform"`
	Exception  string            `json:"exception"`
	Message    string            `json:"message"`
	Frames     []frame           `json:"frames"`
	Causes     []throwable       `json:"causes"`
	Suppressed []throwable       `json:"suppressed"`
	Release    string            `json:"release"`
	OS         string            `json:"os"`
	Host       string            `json:"host"`
	Active     []string          `json:"active"`
	Versions   map[string]string `json:"versions"`
}

type frame struct {
	Function string `json:"function"`
	Module   string `json:"module"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
}

type throwable struct {
	Exception string  `json:"exception"`
	Message   string  `json:"message"`
	Frames    []frame `json:"frames"`
	More      int     `json:"more"`
	OfSuppr   bool    `json:"cause_of_suppressed"`
}

// Set is a data set in the order in which crashes are fed: by time, then by id.
type Set struct {
	records []record
	labels  []label // beside records
	World   *blame.World
}

// Len is the number of crashes.
func (s *Set) Len() int { return len(s.records) }

// ReadSet reads JSON lines, plain or gzip, and an optional class map.
func ReadSet(in io.Reader, classmap io.Reader) (*Set, error) {
	const op = "eval.ReadSet"
	br := bufio.NewReaderSize(in, 1<<16)
	if head, _ := br.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fault.E(op, fault.Invalid, "The input is not valid gzip.", err)
		}
		br = bufio.NewReaderSize(z, 1<<16)
	}
	s := &Set{}
	sc := bufio.NewScanner(br)
	sc.Buffer(make([]byte, 1<<16), maxLine)
	lenient := json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for sc.Scan() {
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 {
			continue
		}
		if len(s.records) == maxRecords {
			return nil, fault.E(op, fault.TooLarge, "The input has too many lines.", nil)
		}
		var r record
		if err := json.Unmarshal(line, &r, lenient); err != nil {
			return nil, fault.E(op, fault.Invalid, "A line of the input is not a crash in JSON.", err)
		}
		var l label
		if err := json.Unmarshal(line, &l, lenient); err != nil {
			return nil, fault.E(op, fault.Invalid, "A line of the input has labels that are not texts.", err)
		}
		s.records = append(s.records, r)
		s.labels = append(s.labels, l)
	}
	if err := sc.Err(); err != nil {
		return nil, fault.E(op, fault.Invalid, "The input could not be read.", err)
	}
	s.sort()
	var err error
	s.World, err = readWorld(classmap)
	return s, err
}

func (s *Set) sort() {
	order := make([]int, len(s.records))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.records[a].Timestamp, s.records[b].Timestamp), strings.Compare(s.records[a].ID, s.records[b].ID))
	})
	records, labels := make([]record, len(order)), make([]label, len(order))
	for i, k := range order {
		records[i], labels[i] = s.records[k], s.labels[k]
	}
	s.records, s.labels = records, labels
}

// readWorld turns a class map (package prefix -> extension, ambiguous libraries,
// host and runtime prefixes) into the rules that a registry would hold.
func readWorld(classmap io.Reader) (*blame.World, error) {
	const op = "eval.classmap"
	var m struct {
		Classmap  map[string]string   `json:"classmap"`
		Ambiguous map[string][]string `json:"ambiguous"`
		Host      []string            `json:"host"`
		Runtime   []string            `json:"runtime"`
	}
	if classmap != nil {
		if err := json.UnmarshalRead(io.LimitReader(classmap, maxLine), &m); err != nil {
			return nil, fault.E(op, fault.Invalid, "The class map is not valid JSON.", err)
		}
	}
	exts := map[eco.ExtensionID]blame.ExtRules{}
	for prefix, id := range m.Classmap {
		e := exts[eco.ExtensionID(id)]
		e.Prefixes = append(e.Prefixes, prefix)
		e.Shaded = append(e.Shaded, prefix+".shaded")
		exts[eco.ExtensionID(id)] = e
	}
	for prefix, ids := range m.Ambiguous {
		for _, id := range ids {
			e := exts[eco.ExtensionID(id)]
			e.Libraries = append(e.Libraries, prefix)
			exts[eco.ExtensionID(id)] = e
		}
	}
	hosts := map[string]blame.HostRules{"host": {Prefixes: append(m.Host, "host."), Runtime: m.Runtime}}
	return blame.NewWorld(hosts, exts)
}

// crash is a record as the door would hand it on.
func (r *record) crash() (*eco.Crash, eco.Origin) {
	c := &eco.Crash{Platform: r.Platform}
	c.Exceptions = append(c.Exceptions, eco.Exception{Type: r.Exception, Value: r.Message, Frames: frames(r.Frames), Parent: -1})
	for i, t := range r.Causes {
		c.Exceptions = append(c.Exceptions, eco.Exception{Type: t.Exception, Value: t.Message, Frames: frames(t.Frames), Parent: i, More: t.More})
	}
	for _, t := range r.Suppressed {
		parent := 0
		if t.OfSuppr {
			parent = len(c.Exceptions) - 1
		}
		c.Exceptions = append(c.Exceptions, eco.Exception{Type: t.Exception, Value: t.Message, Frames: frames(t.Frames), Parent: parent, More: t.More, Suppressed: true})
	}
	for _, id := range r.Active {
		c.Active = append(c.Active, eco.Active{ID: eco.ExtensionID(id), Version: r.Versions[id]})
	}
	o := eco.Origin{OS: r.OS, HostVersion: r.Host}
	if id, version, ok := strings.Cut(r.Release, "@"); ok {
		if ext, err := eco.ParseExtensionID(id); err == nil {
			o.Extension, o.ExtVersion = ext, version
		}
	}
	return c, o
}

func frames(in []frame) []eco.Frame {
	out := make([]eco.Frame, len(in))
	for i, f := range in {
		out[i] = eco.Frame{Function: f.Function, Module: f.Module, File: f.File, Line: f.Line, Col: f.Col}
	}
	return out
}
