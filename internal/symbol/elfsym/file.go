package elfsym

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
)

// The bounds of a file's parts.
const (
	maxSections = 4096
	maxHeaders  = 256
	maxRead     = 256 << 20 // bytes of sections, unpacked
	maxNameLen  = 4096      // of a symbol or a file
)

// file is an ELF binary: its sections are read when they are asked for.
type file struct {
	r        io.ReaderAt
	size     int64
	o        binary.ByteOrder
	wide     bool // 64 bit
	machine  uint16
	base     uint64 // of the first segment: offsets count from here
	sections []section
	left     int64
}

type section struct {
	name                  string
	kind, link            uint32
	flags, addr, off, len uint64
}

const (
	sectionEmpty = 8 // SHT_NOBITS
	packedFlag   = 0x800
)

// open reads the headers.
func open(r io.ReaderAt, size int64) (*file, error) {
	f := &file{r: r, size: size, left: maxRead}
	head, err := f.bytes(0, 64)
	if err != nil || !Is(head) {
		return nil, invalid("This is no ELF binary.")
	}
	f.wide = head[4] == 2
	switch head[5] {
	case 1:
		f.o = binary.LittleEndian
	case 2:
		f.o = binary.BigEndian
	default:
		return nil, invalid("The binary's byte order is unknown.")
	}
	if kind := f.o.Uint16(head[16:]); kind != 2 && kind != 3 {
		return nil, invalid("This is neither a program nor a shared library.")
	}
	f.machine = f.o.Uint16(head[18:])
	var ph, sh uint64
	var rest []byte
	if f.wide {
		ph, sh, rest = f.o.Uint64(head[32:]), f.o.Uint64(head[40:]), head[54:]
	} else {
		ph, sh, rest = uint64(f.o.Uint32(head[28:])), uint64(f.o.Uint32(head[32:])), head[42:]
	}
	phSize, phNum, shSize, shNum, names := f.o.Uint16(rest), f.o.Uint16(rest[2:]), f.o.Uint16(rest[4:]), f.o.Uint16(rest[6:]), f.o.Uint16(rest[8:])
	if err := f.segments(ph, int(phSize), int(phNum)); err != nil {
		return nil, err
	}
	return f, f.table(sh, int(shSize), int(shNum), int(names))
}

// bytes reads a part of the file that must lie in it.
func (f *file) bytes(at, n uint64) ([]byte, error) {
	if at > uint64(f.size) || n > uint64(f.size)-at {
		return nil, invalid("The binary is cut short.")
	}
	if f.left -= int64(n); f.left < 0 {
		return nil, tooLarge("The sections of the binary have more than 256 MB together.")
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, int64(at)); err != nil {
		return nil, invalid("The binary cannot be read.")
	}
	return b, nil
}

func (f *file) segments(at uint64, size, n int) error {
	if n > maxHeaders || size < 32 || f.wide && size < 56 {
		return invalid("The binary's program headers make no sense.")
	}
	b, err := f.bytes(at, uint64(size)*uint64(n))
	if err != nil {
		return err
	}
	found := false
	for ; len(b) >= size; b = b[size:] {
		if f.o.Uint32(b) != 1 { // loaded
			continue
		}
		v := uint64(f.o.Uint32(b[8:]))
		if f.wide {
			v = f.o.Uint64(b[16:])
		}
		if v &^= 4095; !found || v < f.base {
			f.base, found = v, true
		}
	}
	return nil
}

func (f *file) table(at uint64, size, n, names int) error {
	if n == 0 || n > maxSections || size < 40 || f.wide && size < 64 || names >= n {
		return invalid("The binary has no sections that can be read.")
	}
	b, err := f.bytes(at, uint64(size)*uint64(n))
	if err != nil {
		return err
	}
	f.sections = make([]section, n)
	at32 := make([]uint32, n)
	for i := range f.sections {
		h, s := b[i*size:], &f.sections[i]
		at32[i], s.kind = f.o.Uint32(h), f.o.Uint32(h[4:])
		if f.wide {
			s.flags, s.addr, s.off, s.len, s.link = f.o.Uint64(h[8:]), f.o.Uint64(h[16:]), f.o.Uint64(h[24:]), f.o.Uint64(h[32:]), f.o.Uint32(h[40:])
		} else {
			s.flags, s.addr, s.off, s.len, s.link = uint64(f.o.Uint32(h[8:])), uint64(f.o.Uint32(h[12:])), uint64(f.o.Uint32(h[16:])), uint64(f.o.Uint32(h[20:])), f.o.Uint32(h[24:])
		}
	}
	text, err := f.data(&f.sections[names])
	if err != nil {
		return err
	}
	for i := range f.sections {
		f.sections[i].name = text1(text, uint64(at32[i]), 64)
	}
	return nil
}

// text1 reads a string that ends with a zero, "" when it is longer than most.
func text1(b []byte, at uint64, most int) string {
	if at >= uint64(len(b)) {
		return ""
	}
	b = b[at:min(uint64(len(b)), at+uint64(most)+1)]
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return ""
	}
	return string(b[:i])
}

func (f *file) find(name string) *section {
	for i := range f.sections {
		if s := &f.sections[i]; s.name == name && s.kind != sectionEmpty {
			return s
		}
	}
	return nil
}

// section reads a section by its name; nil when there is none.
func (f *file) section(name string) ([]byte, error) {
	s := f.find(name)
	if s == nil {
		return nil, nil
	}
	return f.data(s)
}

// data reads a section, and unpacks it.
func (f *file) data(s *section) ([]byte, error) {
	if s.kind == sectionEmpty {
		return nil, nil
	}
	b, err := f.bytes(s.off, s.len)
	if err != nil || s.flags&packedFlag == 0 {
		return b, err
	}
	head := 12
	if f.wide {
		head = 24
	}
	if len(b) < head {
		return nil, invalid("A packed section is cut short.")
	}
	kind, size := f.o.Uint32(b), uint64(f.o.Uint32(b[4:]))
	if f.wide {
		size = f.o.Uint64(b[8:])
	}
	if size > maxRead {
		return nil, tooLarge("The sections of the binary have more than 256 MB together.")
	}
	if f.left -= int64(size); f.left < 0 {
		return nil, tooLarge("The sections of the binary have more than 256 MB together.")
	}
	var r io.Reader
	switch kind {
	case 1:
		z, err := zlib.NewReader(bytes.NewReader(b[head:]))
		if err != nil {
			return nil, invalid("A packed section cannot be unpacked.")
		}
		r = z
	case 2:
		z, err := zstd.NewReader(bytes.NewReader(b[head:]), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, invalid("A packed section cannot be unpacked.")
		}
		defer z.Close()
		r = z
	default:
		return nil, invalid("A section is packed in a way that is not known.")
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil || uint64(len(out)) != size {
		return nil, invalid("A packed section cannot be unpacked.")
	}
	return out, nil
}

// arch is Breakpad's name of the processor.
func (f *file) arch() string {
	switch f.machine {
	case 3:
		return "x86"
	case 40:
		return "arm"
	case 62:
		return "x86_64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	}
	return "unknown"
}

// offset is where an address lies from the base; false when a symbol file cannot say it.
func (f *file) offset(addr uint64) (uint32, bool) {
	if addr < f.base || addr-f.base > 1<<32-2 {
		return 0, false
	}
	return uint32(addr - f.base), true
}
