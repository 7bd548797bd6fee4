package symbol

import (
	"strings"
	"testing"
)

// Each line with a mark «» lies in the function that the mark names.
const scopesSample = `
import x from 'y'; «»
function plain(a, b = {}) { const t = a / b / 2; «plain» }
async function* gen() { yield /[}"/]/.test(s); «gen» }
const arrow = (x) => { return x; «arrow» };
const typed: Handler<Foo> = async (x: string): Promise<{ a: string }> => { «typed»
};
const short = y => y.trim(«short»);
export const after = 1; «»
const o = { key: function () { «key» }, method(a) { «method» }, get prop() { return 1 «prop» }, 'quoted-key': () => { «quoted-key» }, [computed]() { «<anonymous>» } };
exports.loadManifest = function () { «loadManifest» };
export class ExtensionRegistry extends Base<{ a: 1 }> implements I {
  private handlers = new Map<string, () => void>();
  constructor(private readonly source: string) { super(); «new ExtensionRegistry» }
  @logged()
  async runCommand<T>(name: string, opts?: { x: number }): Promise<T> { «ExtensionRegistry.runCommand»
    const found = this.list.find((c) => c.name === name && "}" «<anonymous>» );
    if (found) { return found; «ExtensionRegistry.runCommand» }
    for (const c of this.list) { c.run(); «ExtensionRegistry.runCommand» }
    return ` + "`text ${this.list.map(c => { return c «<anonymous>» }).join()} } {`" + `; «ExtensionRegistry.runCommand»
  }
  handle = (e: Event) => { this.x(); «ExtensionRegistry.handle» };
  static of(s: string): ExtensionRegistry { return new ExtensionRegistry(s); «ExtensionRegistry.of» }
  #secret() { «ExtensionRegistry.#secret» }
}
const C = class { run() { «C.run» } };
button.addEventListener('click', () => { «<anonymous>»
  window.go(); «<anonymous>»
});
(function () { «<anonymous>» })();
!function named() { «named» }();
const el = <div onClick={() => go(«<anonymous>» )}>Don't {items.map(i => <b>{i}</b>)} </div>;
function later() { «later» }
export default function () { «default» }
const q = cond ? call(x) : { a: 1 }; «»
`

func TestScopes(t *testing.T) {
	src, clean := scopesSample, ""
	type place struct {
		line, col int32
		want      string
	}
	var marks []place
	line, col := int32(0), int32(0)
	for i := 0; i < len(src); {
		if strings.HasPrefix(src[i:], "«") {
			end := strings.Index(src[i:], "»")
			marks = append(marks, place{line, col, src[i+len("«") : i+end]})
			i += end + len("»")
			continue
		}
		clean += src[i : i+1]
		if col++; src[i] == '\n' {
			line, col = line+1, 0
		}
		i++
	}
	sc := scopesOf(clean, maxScopes)
	for _, m := range marks {
		if got := enclosing(sc, m.line, m.col); got != m.want {
			t.Errorf("%d:%d lies in %q, found %q: %s", m.line, m.col, m.want, got, strings.Split(clean, "\n")[m.line])
		}
	}
}

// TestScopesBounded: brackets without end and functions without number.
func TestScopesBounded(t *testing.T) {
	scopesOf(strings.Repeat("(", 1<<20), 10)
	scopesOf(strings.Repeat("x=>", 1<<18), maxScopes)
	scopesOf(strings.Repeat("`${", 1<<18), maxScopes)
	if n := len(scopesOf(strings.Repeat("function f(){}", 1000), 10)); n != 10 {
		t.Errorf("%d functions of at most 10", n)
	}
	// The column counts UTF-16 units.
	sc := scopesOf("const s = '\U0001F600é'; function f() { x }", 10)
	if got := enclosing(sc, 0, 33); got != "f" || sc[0].col != 30 {
		t.Errorf("%q %+v", got, sc)
	}
}

func FuzzScopes(f *testing.F) {
	f.Add(scopesSample)
	f.Add("class{constructor(){`${()=>{}}`}}")
	f.Fuzz(func(t *testing.T, src string) {
		sc := scopesOf(src, 1000)
		for i, s := range sc {
			if s.endLine < s.line || s.endLine == s.line && s.endCol < s.col || int(s.parent) >= i {
				t.Fatalf("%+v", s)
			}
			if i > 0 && (sc[i-1].line > s.line || sc[i-1].line == s.line && sc[i-1].col > s.col) {
				t.Fatalf("%+v before %+v", sc[i-1], s)
			}
			enclosing(sc, s.endLine, s.endCol)
		}
	})
}
