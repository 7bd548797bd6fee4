package minidump

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// MaxImages bounds the debug images of a crash: those with frames come first.
const MaxImages = 100

// Crash is the report of a dump: its exception with the frames of a walk (its own,
// when frames is nil), and the modules of those frames. It holds no memory of the
// process, no command line and no environment. Annotations are not in it: which
// of them may be read is for the door to say.
func (d *Dump) Crash(frames []Frame) eco.Crash {
	if frames == nil {
		frames = d.Walk(d.Crashed, nil)
	}
	no := false
	c := eco.Crash{Platform: "native", Level: "fatal", Handled: &no, Mechanism: "minidump"}
	x := eco.Exception{Type: d.Reason, Value: d.Value(), Parent: -1, Mechanism: "minidump"}
	if x.Type == "" {
		x.Type = "DUMP_REQUESTED"
	}
	if d.Crashed >= 0 {
		c.Thread = d.Threads[d.Crashed].Name
	}
	x.Frames = make([]eco.Frame, 0, len(frames))
	for i := range frames {
		x.Frames = append(x.Frames, frames[i].eco())
	}
	c.Exceptions = []eco.Exception{x}
	add := func(m *Module) {
		if m == nil || m.DebugID == "" || len(c.DebugImages) >= MaxImages {
			return
		}
		img := eco.DebugImage{Type: d.imageType(), CodeFile: m.CodeFile, DebugID: m.DebugID}
		if !slices.Contains(c.DebugImages, img) {
			c.DebugImages = append(c.DebugImages, img)
		}
	}
	for i := range frames {
		add(frames[i].Module)
	}
	for i := range d.Modules {
		add(&d.Modules[i])
	}
	return c
}

func (d *Dump) imageType() string {
	switch d.OS {
	case "windows":
		return "pe"
	case "macos", "ios":
		return "macho"
	}
	return "elf"
}

func (f *Frame) eco() eco.Frame {
	out := eco.Frame{Function: f.Function, File: f.File, Line: f.Line, Trust: f.Trust}
	if f.Module == nil { // an address of nowhere: it would tell nothing but the layout of memory
		return out
	}
	out.Module, out.Package, out.Addr = base(f.Module.CodeFile), f.Module.CodeFile, hexOffset(f.Offset)
	return out
}

// Value says what could not be done, for people: the class of the address, never
// the address itself, which differs from run to run.
func (d *Dump) Value() string {
	if d.Assertion != "" {
		return "assertion failed: " + d.Assertion
	}
	if !d.Addressed {
		return ""
	}
	return d.AddressClass()
}

// AddressClass says what kind of address the crash is about: "null", "null+0x45",
// "in the stack", "in code of libfoo.so", "freed or filled memory", "not canonical", "wild".
func (d *Dump) AddressClass() string {
	a := d.Address
	switch {
	case a == 0:
		return "null"
	case a < 64<<10:
		return fmt.Sprintf("null+0x%x", a)
	case filled(a):
		return "freed or filled memory"
	case d.word() == 4 && a > 0xffff_0000:
		return fmt.Sprintf("null-0x%x", 0x1_0000_0000-a)
	case d.word() == 8 && a > 0xffff_ffff_ffff_0000:
		return fmt.Sprintf("null-0x%x", -a)
	case d.Arch == "x64" && a>>47 != 0 && a>>47 != 1<<17-1:
		return "not canonical"
	}
	if m := d.moduleAt(a); m != nil {
		return "in " + base(m.CodeFile)
	}
	if d.Crashed >= 0 {
		t := &d.Threads[d.Crashed]
		r := d.registers(d.ex.context)
		switch {
		case r.ok && a < r.sp && r.sp-a < 64<<10 && !t.stack.holds(a):
			return "below the stack"
		case t.stack.holds(a):
			return "in the stack"
		}
	}
	return "wild"
}

// filled knows the patterns that allocators and debuggers fill memory with.
func filled(a uint64) bool {
	if a>>32 == a&0xffffffff { // the same in both halves
		a &= 0xffffffff
	}
	switch a &^ 0xffff { // and an offset behind the pointer
	case 0xe5e50000, 0xcdcd0000, 0xdddd0000, 0xfdfd0000, 0xfeee0000, 0xbaad0000, 0xdead0000, 0xefef0000, 0xabab0000, 0x5a5a0000, 0xa5a50000, 0xcccc0000:
		return true
	}
	switch a &^ 0xffff {
	case 0xe5e5e5e5e5e50000, 0xcdcdcdcdcdcd0000, 0xddddddddddd0000, 0xfeeefeeefeee0000, 0xefefefefefef0000, 0x5a5a5a5a5a5a0000, 0xcccccccccccc0000:
		return true
	}
	return false
}

// Sure reports whether every frame up to the nth was found by rule, not by guess.
func Sure(frames []Frame, n int) bool {
	return !slices.ContainsFunc(frames[:min(n, len(frames))], func(f Frame) bool { return f.Trust == eco.TrustScan })
}

// Tally counts frames by trust, for the lineage: "1 context, 5 frame_pointer, 10 scan".
func Tally(frames []eco.Frame) string {
	count := map[eco.FrameTrust]int{}
	for _, f := range frames {
		count[f.Trust]++
	}
	var parts []string
	for _, t := range []eco.FrameTrust{eco.TrustContext, eco.TrustCFI, eco.TrustFP, eco.TrustScan} {
		if count[t] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[t], strings.ReplaceAll(string(t), "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}
