package stack

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// seeds adds every trace of the cases to a fuzz target.
func seeds(f *testing.F) {
	_ = filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "fuzz") {
			return err
		}
		if strings.HasSuffix(path, ".txtar") {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			for _, x := range ar.Files {
				if strings.HasPrefix(x.Name, "trace") {
					f.Add(string(x.Data))
				}
			}
		} else if strings.Contains(path, "crash-text") && !strings.HasSuffix(path, ".want") {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(b) < 16<<10 {
				f.Add(string(b))
			}
		}
		return nil
	})
}

// FuzzParse: no panic, the form of every trace, and normalising changes nothing.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		tr, ok := Parse(s)
		if ok == (len(tr.Exceptions) == 0) || len(tr.Why) == 0 || ok && tr.Platform == "" {
			t.Errorf("ok=%v, %d exceptions, platform %q", ok, len(tr.Exceptions), tr.Platform)
		}
		checkForm(t, tr)
		c := eco.Crash{Text: s}
		Fill(&c)
	})
}

// fuzzDialect holds one reader to the same, also on texts that Parse would not
// give it.
func fuzzDialect(f *testing.F, name Dialect) {
	seeds(f)
	var d *dialect
	for i := range dialects {
		if dialects[i].name == name {
			d = &dialects[i]
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines, _ := split(s)
		for _, l := range lines {
			d.evidence(l)
		}
		tr := &tree{}
		root, _ := d.parse(tr, lines)
		if root == nil {
			return
		}
		xs := tr.flatten(root)
		normaliseAll(xs, d.platform)
		checkForm(t, Trace{Platform: d.platform, Exceptions: xs})
		if tr.made > MaxExceptions {
			t.Errorf("%d exceptions made", tr.made)
		}
	})
}

func FuzzParseV8(f *testing.F)     { fuzzDialect(f, V8) }
func FuzzParseGecko(f *testing.F)  { fuzzDialect(f, Firefox) }
func FuzzParsePython(f *testing.F) { fuzzDialect(f, Python) }
func FuzzParseJVM(f *testing.F)    { fuzzDialect(f, JVM) }
func FuzzParseGo(f *testing.F)     { fuzzDialect(f, Go) }
func FuzzParseDotNet(f *testing.F) { fuzzDialect(f, DotNet) }
func FuzzParseRuby(f *testing.F)   { fuzzDialect(f, Ruby) }
func FuzzParsePHP(f *testing.F)    { fuzzDialect(f, PHP) }
func FuzzParseRust(f *testing.F)   { fuzzDialect(f, Rust) }

func FuzzParseJVMFatal(f *testing.F) { fuzzDialect(f, JVMFatal) }
func FuzzParseApple(f *testing.F)    { fuzzDialect(f, AppleCrash) }

// fuzzJSON holds one reader of reports in JSON to the same.
func fuzzJSON(f *testing.F, name Dialect) {
	seeds(f)
	at := 0
	for i := range jsonReports {
		if jsonReports[i].name == name {
			at = i
		}
	}
	d := &jsonReports[at]
	f.Fuzz(func(t *testing.T, s string) {
		tr := &tree{}
		root, err := d.read(tr, s)
		if root == nil {
			return
		}
		if err != nil {
			t.Error("read and refused")
		}
		xs := tr.flatten(root)
		normaliseAll(xs, d.platform)
		checkForm(t, Trace{Platform: d.platform, Exceptions: xs})
		for i := range xs {
			if p, s, ok := Share(&xs[i]); ok && (p < 0 || p > 100.1 || s <= 0) {
				t.Errorf("share %v of %v", p, s)
			}
		}
		if len(tr.tr.Images) > 32 || len(tr.tr.Tags) > 16 {
			t.Errorf("%d images, %d tags", len(tr.tr.Images), len(tr.tr.Tags))
		}
	})
}

func FuzzNodeReport(f *testing.F) { fuzzJSON(f, NodeReport) }
func FuzzIPS(f *testing.F)        { fuzzJSON(f, AppleIPS) }
func FuzzProfile(f *testing.F)    { fuzzJSON(f, CPUProfile) }

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"node/uncaught", "java/lambda", "python/chained", "go/nil-deref"} {
		text, err := os.ReadFile("testdata/crash-text/" + name + ".txt")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			s := string(text)
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(s)
			}
		})
	}
}
