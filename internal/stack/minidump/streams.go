package minidump

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// system reads what the processor and the operating system were.
func (d *Dump) system(b []byte) {
	if len(b) < 32 {
		return
	}
	switch d.o.Uint16(b) {
	case 0, 10:
		d.Arch = "x86"
	case 5:
		d.Arch = "arm"
	case 9:
		d.Arch = "x64"
	case 12, 0x8003:
		d.Arch = "arm64"
	}
	switch p := d.o.Uint32(b[20:]); p {
	case 0, 1, 2, 3:
		d.OS = "windows"
	case 0x8101:
		d.OS = "macos"
	case 0x8102:
		d.OS = "ios"
	case 0x8201:
		d.OS = "linux"
	case 0x8203:
		d.OS = "android"
	case 0x8206:
		d.OS = "fuchsia"
	}
	major, minor, build := d.o.Uint32(b[8:]), d.o.Uint32(b[12:]), d.o.Uint32(b[16:])
	if major|minor|build != 0 {
		d.OSVersion = fmt.Sprintf("%d.%d.%d", major, minor, build)
	} else if f := strings.Fields(d.utf16(d.o.Uint32(b[24:]))); len(f) > 1 && (f[0] == "Linux" || f[0] == "Android") {
		d.OSVersion = eco.Clean(f[1], 64) // the release of the kernel, of "Linux 6.1.0 #1 SMP …"
	}
}

// threads reads the thread list: 48 bytes each.
func (d *Dump) threads(b []byte) {
	b, n := d.list(b, 48, MaxThreads)
	for ; n > 0; n, b = n-1, b[48:] {
		t := Thread{ID: d.o.Uint32(b)}
		t.stack.at = d.o.Uint64(b[24:])
		t.stack.data, _ = d.at(d.o.Uint32(b[36:]), d.o.Uint32(b[32:]))
		t.context, _ = d.at(d.o.Uint32(b[44:]), d.o.Uint32(b[40:]))
		d.Threads = append(d.Threads, t)
	}
}

// threadNames reads the names of threads: 12 bytes each.
func (d *Dump) threadNames(b []byte) {
	b, n := d.list(b, 12, MaxThreads)
	names := make(map[uint32]uint64, n)
	for ; n > 0; n, b = n-1, b[12:] {
		names[d.o.Uint32(b)] = d.o.Uint64(b[4:])
	}
	for i := range d.Threads {
		if rva := names[d.Threads[i].ID]; rva > 0 && rva < 1<<32 {
			d.Threads[i].Name = d.utf16(uint32(rva))
		}
	}
}

const moduleSize = 108

// modules reads the module list.
func (d *Dump) modules(b []byte) {
	b, n := d.list(b, moduleSize, MaxModules)
	for ; n > 0; n, b = n-1, b[moduleSize:] {
		m := Module{Base: d.o.Uint64(b), Size: uint64(d.o.Uint32(b[8:])), CodeFile: d.utf16(d.o.Uint32(b[20:]))}
		if m.Base+m.Size < m.Base || m.Size == 0 {
			continue
		}
		if v := b[24:]; d.o.Uint32(v) == 0xfeef04bd { // VS_FIXEDFILEINFO
			hi, lo := d.o.Uint32(v[8:]), d.o.Uint32(v[12:])
			if hi|lo != 0 {
				m.Version = fmt.Sprintf("%d.%d.%d.%d", hi>>16, hi&0xffff, lo>>16, lo&0xffff)
			}
		}
		if cv, ok := d.at(d.o.Uint32(b[80:]), d.o.Uint32(b[76:])); ok {
			d.codeView(&m, cv)
		}
		if m.CodeID == "" && d.OS == "windows" {
			m.CodeID = fmt.Sprintf("%08X%x", d.o.Uint32(b[16:]), m.Size)
		}
		if m.DebugFile == "" {
			m.DebugFile = base(m.CodeFile)
		}
		d.Modules = append(d.Modules, m)
	}
}

// codeView reads how a module's symbols are found.
func (d *Dump) codeView(m *Module, b []byte) {
	if len(b) < 4 {
		return
	}
	switch d.o.Uint32(b) {
	case 0x53445352: // RSDS, a PDB 7
		if len(b) < 24 {
			return
		}
		m.DebugID = d.guid(b[4:20])
		if m.DebugID != "" {
			if age := d.o.Uint32(b[20:]); age != 0 {
				m.DebugID += "-" + strconv.FormatUint(uint64(age), 16)
			}
		}
		m.DebugFile = base(cString(b[24:]))
	case 0x3031424e: // NB10, a PDB 2
		if len(b) < 16 {
			return
		}
		m.DebugID = fmt.Sprintf("%08x-%x", d.o.Uint32(b[8:]), d.o.Uint32(b[12:]))
		m.DebugFile = base(cString(b[16:]))
	case 0x4270454c: // an ELF build id
		id := b[4:min(len(b), 4+64)]
		if allZero(id) {
			return
		}
		m.CodeID = hex.EncodeToString(id)
		var g [16]byte
		copy(g[:], id)
		m.DebugID = d.guid(g[:])
	}
}

// guid writes 16 bytes as a GUID: its first three parts are numbers.
func (d *Dump) guid(b []byte) string {
	if allZero(b) {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", d.o.Uint32(b), d.o.Uint16(b[4:]), d.o.Uint16(b[6:]), b[8:10], b[10:16])
}

// BreakpadID turns a debug id into the form of Breakpad's symbol stores: upper
// case, no dashes, the age behind it.
func BreakpadID(id string) string {
	plain := strings.ToUpper(strings.ReplaceAll(id, "-", ""))
	if len(plain) == 32 {
		plain += "0"
	}
	return plain
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return eco.Clean(string(b[:min(len(b), maxString)]), maxString)
}

// base is the last part of a path of any system.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// memory reads the memory list: 16 bytes each.
func (d *Dump) memory(b []byte) {
	b, n := d.list(b, 16, MaxRegions)
	for ; n > 0; n, b = n-1, b[16:] {
		if data, ok := d.at(d.o.Uint32(b[12:]), d.o.Uint32(b[8:])); ok && len(data) > 0 {
			d.regions = append(d.regions, region{d.o.Uint64(b), data})
		}
	}
}

// memory64 reads the memory list of full dumps: 16 bytes each, the bytes in a row.
func (d *Dump) memory64(b []byte) {
	if len(b) < 16 {
		return
	}
	n, at := d.o.Uint64(b), d.o.Uint64(b[8:])
	b = b[16:]
	for ; n > 0 && len(b) >= 16 && len(d.regions) < MaxRegions; n, b = n-1, b[16:] {
		size := d.o.Uint64(b[8:])
		data, ok := cut(d.b, at, size)
		if !ok {
			return
		}
		d.regions = append(d.regions, region{d.o.Uint64(b), data})
		at += size
	}
}

// memoryInfo reads which mappings are executable.
func (d *Dump) memoryInfo(b []byte) {
	if len(b) < 16 {
		return
	}
	head, size, n := d.o.Uint32(b), d.o.Uint32(b[4:]), d.o.Uint64(b[8:])
	if size < 48 || head < 16 || uint64(head) > uint64(len(b)) {
		return
	}
	b = b[head:]
	for ; n > 0 && uint64(len(b)) >= uint64(size) && len(d.exec) < MaxRegions; n, b = n-1, b[size:] {
		from, length := d.o.Uint64(b), d.o.Uint64(b[24:])
		if protect := d.o.Uint32(b[36:]); protect&0xf0 != 0 && from+length > from {
			d.exec = append(d.exec, span{from, from + length})
		}
	}
}

// maps reads which mappings are executable out of /proc/self/maps; names and the
// rest of it are not looked at.
func (d *Dump) maps(b []byte) {
	for len(b) > 0 && len(d.exec) < MaxRegions {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		f, rest, _ := bytes.Cut(line[:min(len(line), 64)], []byte{' '})
		lo, hi, ok := strings.Cut(string(f), "-")
		if !ok || len(rest) < 3 || rest[2] != 'x' {
			continue
		}
		from, err1 := strconv.ParseUint(lo, 16, 64)
		to, err2 := strconv.ParseUint(hi, 16, 64)
		if err1 == nil && err2 == nil && to > from {
			d.exec = append(d.exec, span{from, to})
		}
	}
}

// assertion reads the assertion that failed: expression, function, file in 256
// bytes of UTF-16 each, then the line.
func (d *Dump) assertion(b []byte) {
	if len(b) < 3*256+8 {
		return
	}
	expr, file, line := d.wide(b[:256]), d.wide(b[512:768]), d.o.Uint32(b[768:])
	if expr == "" {
		return
	}
	d.Assertion = expr
	if file != "" {
		d.Assertion += " (" + base(file) + ":" + strconv.FormatUint(uint64(line), 10) + ")"
	}
}
