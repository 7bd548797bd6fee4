package stack

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile texts: nested, endless, wide. Each is a report by its words.
func hostile() map[string]string {
	wide := func(n int, head, one, tail string) string { return head + strings.Repeat(one+",", n) + one + tail }
	nodes := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"nodes":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":%d,"callFrame":{"functionName":"f","url":"/x%d/a.js","lineNumber":1},"hitCount":1,"children":[%d,1]}`, i+1, i, i+2)
		}
		b.WriteString(`],"startTime":0,"endTime":5000000}`)
		return b.String()
	}
	return map[string]string{
		"node: 100,000 deep":        `{"javascriptStack":` + strings.Repeat(`{"a":[`, 50_000) + strings.Repeat(`]}`, 50_000) + `}`,
		"node: unclosed":            `{"javascriptStack":` + strings.Repeat(`[`, 100_000),
		"node: 1,000,000 frames":    wide(1_000_000, `{"javascriptStack":{"message":"E: x","stack":[`, `"at f (/a.js:1:1)"`, `]}}`),
		"node: a message of 64 MB":  `{"javascriptStack":{"message":"` + strings.Repeat("x", 64<<20) + `","stack":["at f (/a.js:1:1)"]}}`,
		"ips: 1,000,000 threads":    wide(1_000_000, `{"usedImages":[],"exception":{"type":"EXC_CRASH"},"threads":[`, `{"frames":[{"imageIndex":0}]}`, `]}`),
		"ips: 1,000,000 images":     wide(1_000_000, `{"threads":[],"exception":{"type":"E"},"usedImages":[`, `{"path":"/x"}`, `]}`),
		"ips: 1,000,000 frames":     wide(1_000_000, `{"usedImages":[],"threads":[{"frames":[`, `{"imageIndex":0,"symbol":"f"}`, `]}]}`),
		"profile: a chain of nodes": nodes(maxNodes),
		"profile: too many nodes":   nodes(maxNodes + 1),
		"profile: endless samples":  wide(4_000_000, `{"nodes":[{"id":1,"callFrame":{"functionName":"f","url":"/a.js"}}],"samples":[`, `1`, `],"timeDeltas":[1]}`),
		"jvm: a line of 64 MB":      jvmFatalHead + ":\n#\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=1\n# Problematic frame:\n# C  [x.so+0x1]" + strings.Repeat("(", 64<<20),
		"jvm: 1,000,000 frames":     jvmFatalHead + ":\n#\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=1\nNative frames:\n" + strings.Repeat("j  a.B.c()V+0\n", 1_000_000),
		"go: 1,000,000 goroutines":  "panic: x\n\n" + strings.Repeat("goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1\n\n", 1_000_000),
		"python: 1,000,000 threads": "Fatal Python error: Aborted\n\n" + strings.Repeat("Thread 0x1 (most recent call first):\n  File \"a.py\", line 1 in f\n\n", 1_000_000),
		"apple: 1,000,000 threads":  "Exception Type:  EXC_CRASH (SIGABRT)\n" + strings.Repeat("Thread 1 Crashed:\n0   x  0x1 f + 1\n\n", 1_000_000),
		"apple: a line of 64 MB":    "Exception Type:  EXC_CRASH (" + strings.Repeat("x", 64<<20),
	}
}

// TestHostile: hostile reports cost bounded time and memory, whatever they are, and
// what comes out keeps its bounds.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			tr, ok := Parse(text)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			got := after.TotalAlloc - before.TotalAlloc
			// All that was ever allocated, live or not: a few copies of the text at most, and a fixed rest.
			if bound := uint64(4*len(text)) + 96<<20; got > bound {
				t.Errorf("%d MiB allocated for %d MiB", got>>20, len(text)>>20)
			}
			if took > 20*time.Second {
				t.Errorf("%v for %d MiB", took, len(text)>>20)
			}
			t.Logf("%d MiB: %v, %d MiB allocated, ok=%v %v", len(text)>>20, took.Round(time.Millisecond), got>>20, ok, tr.Why[len(tr.Why)-1].What)
			checkForm(t, tr)
		})
	}
}
