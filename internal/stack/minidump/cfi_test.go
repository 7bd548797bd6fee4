package minidump

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// ruled are symbols of one module with one function and its rules.
type ruled struct{ rules []string }

func (r ruled) Lookup(_, _ string, offset uint64) (string, string, int, bool) {
	return "", "", 0, offset < 0x1000
}

func (r ruled) CFI(_, _ string, offset uint64) ([]string, bool) { return r.rules, offset < 0x1000 }

// small is a dump of one module at 0x400000 and a stack at 0x7000 whose words are given.
func small(words ...uint64) (*Dump, regs) {
	b := make([]byte, 8*len(words))
	for i, w := range words {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
	d := &Dump{Arch: "x64", o: binary.LittleEndian, Modules: []Module{{Base: 0x400000, Size: 0x2000, CodeFile: "/a/engine.so", DebugID: "x"}}, byBase: []int32{0}}
	d.regions = []region{{at: 0x7000, data: b}}
	return d, regs{pc: 0x400010, sp: 0x7000, fp: 0x7fff, ok: true}
}

func TestUnwind(t *testing.T) {
	for name, tt := range map[string]struct {
		rules []string
		want  regs // pc 0: no rule holds
	}{
		"on the stack":                {[]string{".cfa: $rsp 24 + .ra: .cfa -8 + ^"}, regs{pc: 0x400100, sp: 0x7018, fp: 0x7fff, ok: true}},
		"the frame pointer was saved": {[]string{".cfa: $rsp 24 + .ra: .cfa -8 + ^", "$rbp: .cfa -16 + ^"}, regs{pc: 0x400100, sp: 0x7018, fp: 0x7040, ok: true}},
		"later rules win":             {[]string{".cfa: $rsp 8 + .ra: .cfa -8 + ^", ".cfa: $rsp 24 +"}, regs{pc: 0x400100, sp: 0x7018, fp: 0x7fff, ok: true}},
		"not into code":               {[]string{".cfa: $rsp 8 + .ra: .cfa -8 + ^"}, regs{}},
		"a register nobody knows":     {[]string{".cfa: $r10 8 + .ra: .cfa -8 + ^"}, regs{}},
		"outside the stack":           {[]string{".cfa: $rsp 99999 + .ra: .cfa -8 + ^"}, regs{}},
		"downwards":                   {[]string{".cfa: $rsp -8 + .ra: .cfa 24 + ^"}, regs{}},
		"no frame":                    {[]string{".ra: $rsp ^"}, regs{}},
		"too little":                  {[]string{".cfa: + .ra: ^"}, regs{}},
		"divided by nothing":          {[]string{".cfa: $rsp 0 / .ra: ^"}, regs{}},
		"without end":                 {[]string{".cfa: " + strings.Repeat("1 ", 3000)}, regs{}},
		"nothing":                     {nil, regs{}},
	} {
		d, r := small(7, 0x7040, 0x400100, 0, 0)
		w := walker{d: d, s: ruled{tt.rules}, stack: d.regions[0], left: maxScan}
		got, ok := w.unwind(r, 0)
		if ok != (tt.want.pc != 0) || ok && got != tt.want {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
}

// TestRulesBeforeGuesses: where rules hold, what lies on the stack between is no frame.
func TestRulesBeforeGuesses(t *testing.T) {
	words := []uint64{0x400200, 0x400300, 0x400400, 0, 0, 0} // two return addresses of earlier calls, and the real one
	d, r := small(words...)
	d.Threads = []Thread{{stack: d.regions[0], context: make([]byte, 256)}}
	binary.LittleEndian.PutUint64(d.Threads[0].context[248:], r.pc)
	binary.LittleEndian.PutUint64(d.Threads[0].context[152:], r.sp)
	guessed := d.Walk(0, nil)
	if guessed[1].Trust != eco.TrustScan || guessed[1].Offset != 0x1ff {
		t.Errorf("without rules: %+v", guessed[1])
	}
	exact := d.Walk(0, ruled{[]string{".cfa: $rsp 24 + .ra: .cfa -8 + ^"}})
	if exact[1].Trust != eco.TrustCFI || exact[1].Offset != 0x3ff {
		t.Errorf("with rules: %+v", exact[1])
	}
}

// TestFirstFrame: rules that say that nobody called end a walk; nothing is guessed
// behind it, and no frame is repeated.
func TestFirstFrame(t *testing.T) {
	for _, last := range []string{".ra: 0", ".ra: .undef"} {
		d, r := small(0x400200, 0x400300, 0x400400, 0, 0, 0)
		d.Threads = []Thread{{stack: d.regions[0], context: make([]byte, 256)}}
		binary.LittleEndian.PutUint64(d.Threads[0].context[248:], r.pc)
		binary.LittleEndian.PutUint64(d.Threads[0].context[152:], r.sp)
		if got := d.Walk(0, ruled{[]string{".cfa: $rsp 8 + .ra: .cfa -8 + ^", last}}); len(got) != 1 {
			t.Errorf("%s: %d frames: %+v", last, len(got), got)
		}
	}
}

// FuzzCFI: rules that anybody may upload cost a bounded walk, whatever they say.
func FuzzCFI(f *testing.F) {
	for _, r := range []string{
		".cfa: $rsp 8 + .ra: .cfa -8 + ^\n$rbp: .cfa -16 + ^", ".cfa: $rsp .ra: $rip", ".ra: .undef .cfa: 1", ".cfa: $rsp 0 % .ra: 0",
		".cfa: $rsp 16 @ 9223372036854775807 * .ra: .cfa ^ ^ ^", ": : .cfa:", ".cfa: $rbp 1 + .ra: 4194576",
	} {
		f.Add(r, uint64(0x400100), uint64(0x7010))
	}
	f.Fuzz(func(t *testing.T, rules string, a, b uint64) {
		d, r := small(a, b, 0x400100, a^b, 0x7020, 0x400ffe)
		d.Threads = []Thread{{stack: d.regions[0], context: make([]byte, 256)}}
		binary.LittleEndian.PutUint64(d.Threads[0].context[248:], r.pc)
		binary.LittleEndian.PutUint64(d.Threads[0].context[152:], r.sp)
		got := d.Walk(0, ruled{strings.Split(rules, "\n")})
		if len(got) == 0 || len(got) > 8 { // six words, and each frame takes one at least
			t.Errorf("%d frames", len(got))
		}
		for _, x := range got[1:] {
			if x.Module == nil {
				t.Errorf("a frame outside all modules: %+v", x)
			}
		}
	})
}
