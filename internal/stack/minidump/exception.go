package minidump

import (
	"fmt"
	"strconv"
)

// exception is the exception stream.
type exception struct {
	set         bool
	thread      uint32
	code, flags uint32
	address     uint64
	info        [15]uint64
	n           uint32
	context     []byte
}

func (d *Dump) exception(b []byte) {
	if len(b) < 168 {
		return
	}
	e := &d.ex
	e.set, e.thread, e.code, e.flags = true, d.o.Uint32(b), d.o.Uint32(b[8:]), d.o.Uint32(b[12:])
	e.address, e.n = d.o.Uint64(b[24:]), min(d.o.Uint32(b[32:]), 15)
	for i := range e.info {
		e.info[i] = d.o.Uint64(b[40+8*i:])
	}
	e.context, _ = d.at(d.o.Uint32(b[164:]), d.o.Uint32(b[160:]))
}

// finish names the crash and finds its thread.
func (d *Dump) finish() {
	e := &d.ex
	thread, named := d.requests, d.requests != 0
	if e.set {
		d.Address, d.Addressed = e.address, true
		switch d.OS {
		case "windows":
			d.windows()
		case "macos", "ios":
			d.mach()
		case "linux", "android":
			d.linux()
		default:
			d.Reason = fmt.Sprintf("exception 0x%08x", e.code)
		}
		if d.Arch == "x86" || d.Arch == "arm" {
			d.Address &= 0xffffffff
		}
		thread, named = e.thread, true
	}
	if !named {
		return
	}
	for i := range d.Threads {
		if d.Threads[i].ID == thread {
			d.Crashed = i
			return
		}
	}
}

// linux: the code is the signal, the flags are its si_code.
func (d *Dump) linux() {
	e := &d.ex
	sig, ok := signals[e.code]
	switch {
	case e.code == 0xffffffff: // Breakpad's and Crashpad's word for a dump without a crash
		d.Reason, d.Addressed = "DUMP_REQUESTED", false
		return
	case e.code == 0x0517a7ed:
		d.Reason, d.Addressed = "SIMULATED", false
		return
	case !ok:
		d.Reason, d.Addressed = "signal "+strconv.FormatUint(uint64(e.code), 10), false
		return
	}
	d.Reason = sig
	switch codes := faults[sig]; {
	case codes == nil: // a signal that was sent: the address is who sent it
		d.Addressed = false
	case e.flags >= 1 && int(e.flags) <= len(codes):
		d.Reason += " /" + codes[e.flags-1]
	case e.flags == 0x80:
		d.Reason, d.Addressed = d.Reason+" /SI_KERNEL", false // the processor does not tell the address
	case int32(e.flags) < 0: // sent by kill() and the like; 0 is what old writers have for all
		d.Addressed = false
	}
}

var signals = map[uint32]string{1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
	10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 16: "SIGSTKFLT", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS"}

// faults names the si_codes of the signals that the processor causes, from 1.
var faults = map[string][]string{
	"SIGSEGV": {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"},
	"SIGBUS":  {"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"},
	"SIGILL":  {"ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK"},
	"SIGFPE":  {"FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"},
	"SIGTRAP": {"TRAP_BRKPT", "TRAP_TRACE"},
}

// windows: the code is an NTSTATUS.
func (d *Dump) windows() {
	e := &d.ex
	name, ok := statuses[e.code]
	if !ok {
		d.Reason = fmt.Sprintf("exception 0x%08x", e.code)
		return
	}
	d.Reason = name
	switch e.code {
	case 0xc0000005, 0xc0000006: // what, where
		if e.n >= 2 {
			d.Address = e.info[1]
			switch e.info[0] {
			case 0:
				d.Reason += "_READ"
			case 1:
				d.Reason += "_WRITE"
			case 8:
				d.Reason += "_EXEC"
			}
		}
	case 0xc0000409:
		if e.n >= 1 {
			if why, ok := failFast[e.info[0]]; ok {
				d.Reason += " /" + why
			}
		}
	}
}

var statuses = map[uint32]string{
	0x40010005: "DBG_CONTROL_C", 0x80000001: "STATUS_GUARD_PAGE_VIOLATION", 0x80000002: "EXCEPTION_DATATYPE_MISALIGNMENT", 0x80000003: "EXCEPTION_BREAKPOINT",
	0x80000004: "EXCEPTION_SINGLE_STEP", 0xc0000005: "EXCEPTION_ACCESS_VIOLATION", 0xc0000006: "EXCEPTION_IN_PAGE_ERROR", 0xc0000008: "EXCEPTION_INVALID_HANDLE",
	0xc000000d: "STATUS_INVALID_PARAMETER", 0xc0000017: "STATUS_NO_MEMORY", 0xc000001d: "EXCEPTION_ILLEGAL_INSTRUCTION",
	0xc0000025: "EXCEPTION_NONCONTINUABLE_EXCEPTION", 0xc0000026: "EXCEPTION_INVALID_DISPOSITION", 0xc000008c: "EXCEPTION_BOUNDS_EXCEEDED",
	0xc000008d: "EXCEPTION_FLT_DENORMAL_OPERAND", 0xc000008e: "EXCEPTION_FLT_DIVIDE_BY_ZERO", 0xc000008f: "EXCEPTION_FLT_INEXACT_RESULT",
	0xc0000090: "EXCEPTION_FLT_INVALID_OPERATION", 0xc0000091: "EXCEPTION_FLT_OVERFLOW", 0xc0000092: "EXCEPTION_FLT_STACK_CHECK", 0xc0000093: "EXCEPTION_FLT_UNDERFLOW",
	0xc0000094: "EXCEPTION_INT_DIVIDE_BY_ZERO", 0xc0000095: "EXCEPTION_INT_OVERFLOW", 0xc0000096: "EXCEPTION_PRIV_INSTRUCTION", 0xc00000fd: "EXCEPTION_STACK_OVERFLOW",
	0xc0000135: "STATUS_DLL_NOT_FOUND", 0xc0000139: "STATUS_ENTRYPOINT_NOT_FOUND", 0xc0000142: "STATUS_DLL_INIT_FAILED", 0xc0000194: "EXCEPTION_POSSIBLE_DEADLOCK",
	0xc0000374: "STATUS_HEAP_CORRUPTION", 0xc0000409: "STATUS_STACK_BUFFER_OVERRUN", 0xc0000417: "STATUS_INVALID_CRUNTIME_PARAMETER", 0xc0000420: "STATUS_ASSERTION_FAILURE",
	0xe06d7363: "CPP_EXCEPTION", 0xe0434352: "CLR_EXCEPTION", 0xe0000008: "OUT_OF_MEMORY", 0x0517a7ed: "SIMULATED",
}

var failFast = map[uint64]string{
	0: "FAST_FAIL_LEGACY_GS_VIOLATION", 1: "FAST_FAIL_VTGUARD_CHECK_FAILURE", 2: "FAST_FAIL_STACK_COOKIE_CHECK_FAILURE", 3: "FAST_FAIL_CORRUPT_LIST_ENTRY",
	4: "FAST_FAIL_INCORRECT_STACK", 5: "FAST_FAIL_INVALID_ARG", 6: "FAST_FAIL_GS_COOKIE_INIT", 7: "FAST_FAIL_FATAL_APP_EXIT", 8: "FAST_FAIL_RANGE_CHECK_FAILURE",
	10: "FAST_FAIL_GUARD_ICALL_CHECK_FAILURE", 14: "FAST_FAIL_INVALID_REFERENCE_COUNT",
}

// mach: the code is the Mach exception, the flags are its first code.
func (d *Dump) mach() {
	e := &d.ex
	name, ok := machExceptions[e.code]
	if !ok {
		d.Reason = fmt.Sprintf("exception 0x%08x", e.code)
		return
	}
	d.Reason = name
	if e.code > 13 { // of Crashpad's own making
		d.Addressed = false
	}
	switch e.code {
	case 1:
		if e.n >= 2 && e.address == 0 {
			d.Address = e.info[1]
		}
		if why, ok := kernReturns[e.flags]; ok {
			d.Reason += " /" + why
		}
	case 5: // a crash signal that the kernel turned into an exception
		d.Addressed = false
		if sig, ok := signals[e.flags>>24&0x7f]; ok {
			d.Reason += " /" + sig
		}
	default:
		if why, ok := machCodes[e.code][e.flags]; ok {
			d.Reason += " /" + why
		}
	}
}

var machExceptions = map[uint32]string{1: "EXC_BAD_ACCESS", 2: "EXC_BAD_INSTRUCTION", 3: "EXC_ARITHMETIC", 4: "EXC_EMULATION", 5: "EXC_SOFTWARE", 6: "EXC_BREAKPOINT",
	7: "EXC_SYSCALL", 8: "EXC_MACH_SYSCALL", 9: "EXC_RPC_ALERT", 10: "EXC_CRASH", 11: "EXC_RESOURCE", 12: "EXC_GUARD", 13: "EXC_CORPSE_NOTIFY", 0x0517a7ed: "SIMULATED",
	0x43506e78: "NSException", 0x43507378: "SIMULATED"}

var kernReturns = map[uint32]string{1: "KERN_INVALID_ADDRESS", 2: "KERN_PROTECTION_FAILURE", 8: "KERN_NO_ACCESS", 9: "KERN_MEMORY_FAILURE", 10: "KERN_MEMORY_ERROR", 50: "KERN_CODESIGN_ERROR",
	13: "EXC_I386_GPFLT", 0x101: "EXC_ARM_DA_ALIGN"}

var machCodes = map[uint32]map[uint32]string{
	2: {1: "EXC_I386_INVOP"},
	3: {1: "EXC_I386_DIV", 2: "EXC_I386_INTO"},
	6: {1: "EXC_I386_SGL", 2: "EXC_I386_BPT"},
}
