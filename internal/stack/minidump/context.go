package minidump

// regs are the registers that a walk needs.
type regs struct {
	pc, sp, fp, lr uint64
	fp2            uint64 // 32-bit ARM: Thumb code and Apple chain through r7
	ok             bool
}

// word is the size of an address in bytes, 0 where no walk is known.
func (d *Dump) word() uint64 {
	switch d.Arch {
	case "x86", "arm":
		return 4
	case "x64", "arm64":
		return 8
	}
	return 0
}

// registers reads a context record.
func (d *Dump) registers(b []byte) (r regs) {
	u32 := func(at int) uint64 { return uint64(d.o.Uint32(b[at:])) }
	u64 := func(at int) uint64 { return d.o.Uint64(b[at:]) }
	switch {
	case d.Arch == "x86" && len(b) >= 204:
		r = regs{pc: u32(184), sp: u32(196), fp: u32(180), ok: true}
	case d.Arch == "x64" && len(b) >= 256:
		r = regs{pc: u64(248), sp: u64(152), fp: u64(160), ok: true}
	case d.Arch == "arm" && len(b) >= 72:
		r = regs{pc: u32(64), sp: u32(56), lr: u32(60), fp: u32(48), fp2: u32(32), ok: true}
	case d.Arch == "arm64" && len(b) >= 272: // the old layout has these at the same places
		r = regs{pc: d.plain(u64(264)), sp: u64(256), fp: u64(240), lr: d.plain(u64(248)), ok: true}
	}
	return r
}

// plain takes the pointer authentication code off an address.
func (d *Dump) plain(a uint64) uint64 {
	if d.Arch == "arm64" {
		return a & (1<<47 - 1)
	}
	return a
}
