package symbol

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oracle "github.com/go-sourcemap/sourcemap"

	"github.com/bellwether-project/bellwether/internal/fault"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMapReal: places of crashes that real browsers reported from these bundles.
func TestMapReal(t *testing.T) {
	for _, c := range []struct {
		file      string
		line, col int
		want      string
	}{
		{"app.min.js.map", 1, 1114, "web/src/registry.ts:10 ExtensionRegistry.runCommand"},
		{"app.min.js.map", 1, 1720, "web/src/app.ts:12 <anonymous>"},
		{"app-EB66TTGU.js.map", 1, 1760, "web/src/registry.ts:10 ExtensionRegistry.runCommand"},
		{"app-EB66TTGU.js.map", 1, 2366, "web/src/app.ts:12 <anonymous>"},
	} {
		m, err := ParseMap(read(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		o, ok := m.Find(c.line, c.col)
		if got := fmt.Sprintf("%s:%d %s", o.Source, o.Line, o.Function); !ok || got != c.want {
			t.Errorf("%s %d:%d = %s (%q)", c.file, c.line, c.col, got, o.Name)
		}
	}
	m, _ := ParseMap(read(t, "app-EB66TTGU.js.map"))
	id, url := ScriptID(read(t, "app-EB66TTGU.js"))
	if m.DebugID != "d86c8f7a-f7de-4e81-acd9-1a99c646bee3" || id != m.DebugID || url != "" {
		t.Errorf("%q, %q, %q", m.DebugID, id, url)
	}
}

// TestMapOracle: every place of the bundles is found where another reader finds it.
func TestMapOracle(t *testing.T) {
	for _, name := range []string{"app.min.js.map", "app-EB66TTGU.js.map"} {
		data := read(t, name)
		m, err := ParseMap(data)
		if err != nil {
			t.Fatal(err)
		}
		other, err := oracle.Parse("", data)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for col := 1; col < 6000; col++ {
			source, fn, line, c, found := other.Source(1, col-1)
			o, ok := m.Find(1, col)
			if !ok {
				continue
			}
			n++
			if !found || cleanSource("", source) != o.Source || line != o.Line || c != o.Col-1 || fn != o.Name {
				t.Errorf("%s:%d: %+v, oracle %s:%d:%d %q", name, col, o, source, line, c, fn)
			}
		}
		if n < 3000 {
			t.Errorf("%s: only %d places", name, n)
		}
	}
}

func TestMapSections(t *testing.T) {
	const inner = `{"version":3,"sources":["a.ts"],"names":["one"],"mappings":"AAAAA,IAAI","sourceRoot":"webpack://lib/./src"}`
	m, err := ParseMap([]byte(`{"version":3,"file":"b.js","sections":[{"offset":{"line":0,"column":0},"map":` + inner +
		`},{"offset":{"line":0,"column":100},"map":` + inner + `},{"offset":{"line":2,"column":10},"map":{"version":3,"sections":[{"offset":{"line":1,"column":5},"map":` + inner + `}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, col int
		want      string
	}{{1, 1, "src/a.ts:1:1 one"}, {1, 6, "src/a.ts:1:5 "}, {1, 101, "src/a.ts:1:1 one"}, {1, 106, "src/a.ts:1:5 "}, {4, 6, "src/a.ts:1:1 one"}, {4, 5, ""}, {3, 11, ""}, {9, 1, ""}} {
		o, ok := m.Find(c.line, c.col)
		got := ""
		if ok {
			got = fmt.Sprintf("%s:%d:%d %s", o.Source, o.Line, o.Col, o.Name)
		}
		if got != c.want {
			t.Errorf("%d:%d = %q", c.line, c.col, got)
		}
	}
}

func TestCleanSource(t *testing.T) {
	for in, want := range map[string]string{
		"../../web/src/app.ts":                    "web/src/app.ts",
		"webpack://my-ext/./src/a.ts?1b2c":        "src/a.ts",
		"webpack:///./node_modules/left/index.js": "node_modules/left/index.js",
		"file:///home/x/a.ts":                     "/home/x/a.ts",
		"\x00commonjsHelpers.js":                  "commonjsHelpers.js",
		"https://cdn.example.test/a.js":           "https://cdn.example.test/a.js",
	} {
		if got := cleanSource("", in); got != want {
			t.Errorf("%q = %q", in, got)
		}
	}
	if got := cleanSource("../src/", "a.ts"); got != "src/a.ts" {
		t.Error(got)
	}
}

// TestMapHostile: what a file claims costs neither time nor memory.
func TestMapHostile(t *testing.T) {
	flat := func(rest string) string { return `{"version":3,"sources":["a"],"names":[],` + rest + `}` }
	for name, c := range map[string]struct {
		text string
		code fault.Code
	}{
		"not JSON":             {"hello", fault.Invalid},
		"empty":                {"", fault.Invalid},
		"an array":             {"[]", fault.Invalid},
		"cut off":              {`{"version":3,"mappings":"AAAA`, fault.Invalid},
		"version 2":            {`{"version":2,"mappings":""}`, fault.Invalid},
		"nothing":              {`{"version":3}`, fault.Invalid},
		"no base 64":           {flat(`"mappings":"AAAA,!!"`), fault.Invalid},
		"a number too long":    {flat(`"mappings":"ggggggggggggB"`), fault.Invalid},
		"no such source":       {flat(`"mappings":"AEAA"`), fault.Invalid},
		"five hundred fields":  {flat(`"mappings":"` + strings.Repeat("A", 500) + `"`), fault.Invalid},
		"negative column":      {flat(`"mappings":"D"`), fault.Invalid},
		"millions of segments": {flat(`"mappings":"` + strings.Repeat("A,", MaxMappings+1) + `"`), fault.TooLarge},
		"millions of lines":    {flat(`"mappings":"` + strings.Repeat(";", maxLines) + `A"`), fault.TooLarge},
		"millions of names":    {`{"version":3,"names":[` + strings.Repeat(`"",`, maxNames) + `""],"mappings":""}`, fault.TooLarge},
		"many sources":         {`{"version":3,"sources":[` + strings.Repeat(`null,`, maxSources) + `""],"mappings":""}`, fault.TooLarge},
		"many sections":        {`{"version":3,"sections":[` + strings.Repeat(`{},`, maxSections) + `{}]}`, fault.TooLarge},
		"deep sections":        {strings.Repeat(`{"version":3,"sections":[{"map":`, 5000), fault.TooLarge},
		"deep elsewhere":       {`{"x":` + strings.Repeat(`[`, 1<<20), fault.Invalid},
		"sections backwards":   {`{"version":3,"sections":[{"offset":{"line":9,"column":0},"map":` + flat(`"mappings":"A"`) + `},{"offset":{"line":1,"column":0},"map":` + flat(`"mappings":"A"`) + `}]}`, fault.Invalid},
		"a far section":        {`{"version":3,"sections":[{"offset":{"line":1000000000,"column":0},"map":` + flat(`"mappings":"A"`) + `}]}`, fault.TooLarge},
		"an offset below zero": {`{"version":3,"sections":[{"offset":{"line":-1},"map":{}}]}`, fault.Invalid},
	} {
		before := time.Now()
		if _, err := ParseMap([]byte(c.text)); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(before); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	if _, err := ParseMap(make([]byte, MaxFile+1)); fault.CodeOf(err) != fault.TooLarge {
		t.Error(err)
	}
}

func TestDebugID(t *testing.T) {
	for in, want := range map[string]string{
		"D86C8F7A-F7DE-4E81-ACD9-1A99C646BEE3": "d86c8f7a-f7de-4e81-acd9-1a99c646bee3",
		"5A9832E5287241C1838ED98914E9B7FF1":    "5a9832e5-2872-41c1-838e-d98914e9b7ff-1",
		"BBA6FA10B8AAB33D00000000000000000":    "bba6fa10-b8aa-b33d-0000-000000000000",
		"00000000000000000000000000000000":     "",
		"d86c":                                 "",
		"d86c8f7a-f7de-4e81-acd9-1a99c646beeg": "",
	} {
		if got := DebugID(in); got != want {
			t.Errorf("%s = %q", in, got)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add(read(f, "app.min.js.map"), 1, 1114)
	f.Add([]byte(`{"version":3,"sections":[{"offset":{"line":0,"column":2},"map":{"version":3,"sources":["a"],"sourcesContent":["function f(){}"],"names":["n"],"mappings":"AAAAA;A,C"}}]}`), 1, 3)
	f.Fuzz(func(t *testing.T, data []byte, line, col int) {
		m, err := ParseMap(data)
		if err != nil {
			return
		}
		m.Find(line, col)
		if m.Mappings() > len(data) || m.Size() > 40*int64(len(data))+2048 {
			t.Errorf("%d mappings, %d bytes of %d", m.Mappings(), m.Size(), len(data))
		}
		for l := range m.lines {
			m.Find(l+1, 1<<30)
		}
	})
}
