package symbol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// mapping has the forms that the documents of ProGuard and R8 describe.
const jvmSample = `# compiler: R8
# compiler_version: 8.7.18
# pg_map_id: 4f2a9c1
acme.lint.Linter -> a.b:
# {"id":"sourceFile","fileName":"Linter.kt"}
    java.lang.String name -> a
    1:1:void <init>():12:12 -> <init>
    1:5:void check(java.lang.String):40:44 -> a
    6:6:void acme.lint.Rules.each(int):7:7 -> a
    6:6:void check(java.lang.String):46 -> a
    7:9:int count():60:60 -> a
    # {"id":"com.android.tools.r8.residualsignature","signature":"(I)V"}
    void close() -> b
    boolean open(int) -> b
    void kept() -> c
acme.lint.RulesKt$each$1 -> a.c:
    void invoke() -> a
`

func TestMapping(t *testing.T) {
	m, err := ParseMapping([]byte(jvmSample))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "4f2a9c1" || m.Methods() != 9 {
		t.Errorf("%q, %d methods", m.ID, m.Methods())
	}
	for _, c := range []struct {
		class, method string
		line          int
		want          string
	}{
		{"a.b", "a", 3, "acme.lint.Linter.check(Linter.kt:42)"},
		{"a.b", "a", 6, "acme.lint.Rules.each(Rules.java:7) < acme.lint.Linter.check(Linter.kt:46)"},
		{"a.b", "a", 8, "acme.lint.Linter.count(Linter.kt:60)"},
		{"a.b", "<init>", 1, "acme.lint.Linter.<init>(Linter.kt:12)"},
		{"a.b", "b", 9, "acme.lint.Linter.close(Linter.kt:9) | acme.lint.Linter.open(Linter.kt:9)"},
		{"a.b", "a", 0, "acme.lint.Linter.check(Linter.kt:0) | acme.lint.Linter.count(Linter.kt:0)"},
		{"a.b", "a", 77, "acme.lint.Linter.check(Linter.kt:0) | acme.lint.Linter.count(Linter.kt:0)"},
		{"a.c", "a", 0, "acme.lint.RulesKt$each$1.invoke(Rules.kt:0)"},
		{"a.b", "zz", 1, ""},
		{"z", "a", 1, ""},
	} {
		answers, _ := m.Retrace(c.class, c.method, c.line)
		var all []string
		for _, a := range answers {
			var one []string
			for _, f := range a {
				one = append(one, fmt.Sprintf("%s.%s(%s:%d)", f.Class, f.Method, f.File, f.Line))
			}
			all = append(all, strings.Join(one, " < "))
		}
		if got := strings.Join(all, " | "); got != c.want {
			t.Errorf("%s.%s:%d = %s", c.class, c.method, c.line, got)
		}
	}
	if n, ok := m.Class("a.c"); !ok || n != "acme.lint.RulesKt$each$1" {
		t.Error(n)
	}
}

func TestMappingHostile(t *testing.T) {
	for _, bad := range []string{"", "hello", "a -> b", " a b() -> c\n", "{}"} {
		if _, err := ParseMapping([]byte(bad)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ParseMapping([]byte("A -> a:\n" + strings.Repeat(" a b() -> c\n", maxMethods+1))); fault.CodeOf(err) != fault.TooLarge {
		t.Error(err)
	}
	m, err := ParseMapping([]byte("A -> a:\n" + strings.Repeat(" 1:4294967295:a b():4294967295:4294967295 -> c\n", 5000)))
	if err != nil {
		t.Fatal(err)
	}
	if answers, _ := m.Retrace("a", "c", 1<<31); len(answers) != 1 || len(answers[0]) != maxInlineJVM {
		t.Errorf("%d answers", len(answers))
	}
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(jvmSample), "a.b", "a", 6)
	f.Fuzz(func(t *testing.T, data []byte, class, name string, line int) {
		m, err := ParseMapping(data)
		if err != nil {
			return
		}
		if _, ok := m.Class(class); ok {
			m.Retrace(class, name, line)
		}
		for short, c := range m.classes {
			for i := range c.methods {
				if answers, ok := m.Retrace(short, c.methods[i].short, line); !ok || len(answers) > maxCandidates {
					t.Errorf("%d answers", len(answers))
				}
			}
		}
	})
}
