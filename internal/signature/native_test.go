package signature_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// TestUnnamed signs native frames without symbols: the module and the offset are
// the key, and the signature says that it is not to be trusted.
func TestUnnamed(t *testing.T) {
	frame := func(class eco.FrameClass, fn, module, addr string, trust eco.FrameTrust) eco.Frame {
		return eco.Frame{Class: class, Function: fn, Module: module, Package: "/opt/" + module, Addr: addr, Trust: trust}
	}
	for _, tt := range []struct {
		name   string
		frames []eco.Frame
		key    string
		title  string
		low    bool
	}{
		{"offset", []eco.Frame{frame("", "", "libdraw.so", "+0x1f26", eco.TrustContext)}, "SIGSEGV | u|libdraw.so|+0x1f26", "SIGSEGV in libdraw.so+0x1f26", true},
		{"the runtime above", []eco.Frame{frame(eco.FrameRuntime, "", "libc.so.6", "+0x99", eco.TrustContext), frame("", "paint", "libdraw.so", "+0x1f26", eco.TrustFP)},
			"SIGSEGV | u|libdraw.so|paint", "SIGSEGV in paint", false},
		{"a guess above", []eco.Frame{frame(eco.FrameRuntime, "", "libc.so.6", "+0x99", eco.TrustContext), frame("", "paint", "libdraw.so", "+0x1f26", eco.TrustScan)},
			"SIGSEGV | u|libdraw.so|paint", "SIGSEGV in paint", true},
		{"a guess below", []eco.Frame{frame("", "paint", "libdraw.so", "+0x1", eco.TrustContext), frame("", "main", "app", "+0x2", eco.TrustScan)}, "SIGSEGV | u|libdraw.so|paint", "SIGSEGV in paint", false},
		{"the host, then a guess", []eco.Frame{frame(eco.FrameHost, "", "editor", "+0x7", eco.TrustContext), frame("", "", "libx.so", "+0x2", eco.TrustScan)}, "SIGSEGV | h|editor|+0x7", "SIGSEGV in editor+0x7", true},
		{"nowhere, then offset", []eco.Frame{{Trust: eco.TrustContext}, frame("", "", "app", "+0x2", eco.TrustFP)}, "SIGSEGV | u|app|+0x2", "SIGSEGV in app+0x2", true},
		{"an absolute address is no name", []eco.Frame{frame("", "", "app", "0x7ffe0012", "")}, "SIGSEGV | u|app|", "SIGSEGV", false},
	} {
		s := signature.Explain(&eco.Crash{Platform: "native", Exceptions: []eco.Exception{{Type: "SIGSEGV", Parent: -1, Frames: tt.frames}}})
		if s.Key != tt.key || s.Title != tt.title || s.Low != tt.low {
			t.Errorf("%s: key %q, title %q, low %v", tt.name, s.Key, s.Title, s.Low)
		}
	}
}
