package eco

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fullEnvelope() *Envelope {
	yes, no := true, false
	return &Envelope{
		ID: ID{1, 2, 3, 15: 9}, Received: 1795218758365, Time: -5, Protocol: "sentry", Kind: KindCrash,
		Tier: TierCrash, Class: ClassCrash, ClientID: "0225620de0054d85bfa87c6bafbeceb7", Dedup: 1<<64 - 1, Weight: 2.5, Quarantined: true,
		Origin: Origin{Project: 44, Extension: "acme.linter", ExtVersion: "3.1.0", Host: "editor", HostVersion: "1.102.3", Channel: Beta,
			OS: "linux", OSVersion: "12", Arch: "x64", Runtime: "node/20", Environment: "production", Country: "FR", SDK: "sentry.go/0.50.0", Install: 77},
		Crash: &Crash{Platform: "javascript", Level: "error", Handled: &no, Mechanism: "onerror", Message: "tête",
			Exceptions: []Exception{
				{Type: "TypeError", Module: "m", Value: "x is undefined", Parent: -1, Mechanism: "generic", More: 3, Frames: []Frame{
					{Function: "f", Module: "m", File: "/a/b.js", Line: 12, Col: 7, InApp: &yes, Package: "p", Addr: "0x1", Async: true,
						Class: FrameExtension, Owner: "acme.linter", Orig: "a", Trust: TrustScan,
						OrigModule: "m", OrigFile: "dist/x.min.js", OrigLine: 1, OrigCol: 4711, Renamed: true, Or: "g, h"}, {Function: "in", Inlined: true}, {Function: "g"}}},
				{Type: "Error", Suppressed: true, Grouped: true},
			},
			Text: "trace", Thread: "main", Breadcrumbs: []Breadcrumb{{Time: 1, Category: "ui", Message: "click", Level: "info", Type: "default"}},
			Tags: map[string]string{"a": "b", "c": ""}, Modules: map[string]string{"left-pad": "1.0.0"},
			Active: []Active{{ID: "acme.theme", Version: "1.0.0"}}, Command: "run", Owner: "acme.linter", SessionID: "s",
			DebugImages: []DebugImage{{Type: "sourcemap", CodeFile: "app.js", DebugID: "d86c"}}, Counted: "00112233445566aa"},
		Session:  &Session{Key: 9, Status: "crashed", Init: true, Seq: 4, Started: 5, Duration: 1.5, Errors: 2, Active: []Active{{ID: "a.b"}}, Exited: 1, Errored: 2, Crashed: 3, Abnormal: 4},
		Event:    &Event{Name: "activated", Value: 12.5, Unit: "ms", Attrs: map[string]string{"k": "v"}},
		Feedback: &Feedback{Message: "m", Contact: "c", Name: "n", CrashID: "i", URLOrigin: "https://app.example.test"},
		Removed:  []Removal{{Rule: "email", Place: "message", Count: 2}},
		Steps:    []Step{{Stage: "received", Version: "1", Note: "n", At: 7}},
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	for name, e := range map[string]*Envelope{"full": fullEnvelope(), "empty": {}} {
		b := EncodeEnvelope([]byte("before"), e)
		if string(b[:6]) != "before" {
			t.Fatalf("%s: the destination was overwritten", name)
		}
		got, err := DecodeEnvelope(b[6:])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestDecodeBefore reads records of the releases before.
func TestDecodeBefore(t *testing.T) {
	e := fullEnvelope()
	e.Crash.Exceptions = []Exception{{Type: "T", Parent: -1, Frames: []Frame{{Function: "f", Orig: "an original name"}}}}
	e.Crash.Counted = ""
	b := EncodeEnvelope(nil, e)
	end := bytes.Index(b, []byte("d86c")) + len("d86c") // what version 4 writes behind a crash
	at := bytes.Index(b, []byte("an original name")) + len("an original name")
	for version, drop := range map[byte][2]int{ // what the releases before did not write: trust, and whether it was renamed
		1: {at, at + 2},
		2: {at + 1, at + 2},
		3: {at, at},
	} {
		old := append(append([]byte{version}, b[1:drop[0]]...), b[drop[1]:end]...)
		old = append(old, b[end+1:]...)
		got, err := DecodeEnvelope(old)
		if err != nil {
			t.Fatal(version, err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Errorf("version %d (-want +got):\n%s", version, d)
		}
	}
}

func TestDecodeEnvelopeRefusesDamage(t *testing.T) {
	b := EncodeEnvelope(nil, fullEnvelope())
	for i := range b {
		if _, err := DecodeEnvelope(b[:i]); err == nil {
			t.Fatalf("a record cut at %d of %d bytes was accepted", i, len(b))
		}
	}
	if _, err := DecodeEnvelope(append(b, 0)); err == nil {
		t.Error("a byte behind the end was accepted")
	}
	b[0] = 9
	if _, err := DecodeEnvelope(b); err == nil {
		t.Error("an unknown version was accepted")
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(EncodeEnvelope(nil, fullEnvelope()))
	f.Add(EncodeEnvelope(nil, &Envelope{Kind: KindEvent, Event: &Event{Name: "x"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEnvelope(b)
		if err != nil {
			return
		}
		again, err := DecodeEnvelope(EncodeEnvelope(nil, e))
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		// NaN is not equal to itself.
		if e.Weight != e.Weight || e.Event != nil && e.Event.Value != e.Event.Value || e.Session != nil && e.Session.Duration != e.Session.Duration {
			return
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Fatalf("(-first +second):\n%s", d)
		}
	})
}

func smallEvent() *Envelope {
	return &Envelope{ID: ID{1}, Received: 1795218758365, Time: 1795218758365, Protocol: "otlp", Kind: KindEvent, Tier: Usage, Class: Standard,
		Origin: Origin{Project: 44, Extension: "acme.linter", ExtVersion: "3.1.0", Host: "editor", HostVersion: "1.102.3", OS: "linux", SDK: "opentelemetry/1.47.0", Install: 77},
		Event:  &Event{Name: "extension.activated", Value: 12, Attrs: map[string]string{"cold": "true", "duration_ms": "12", "kind": "startup"}},
		Steps:  []Step{{Stage: "received", At: 1795218758365}, {Stage: "consent", Version: "1", At: 1795218758365}, {Stage: "scrub", Version: "scrub/1", At: 1795218758365}}}
}

func BenchmarkEncodeEnvelope(b *testing.B) {
	for name, e := range map[string]*Envelope{"event": smallEvent(), "full": fullEnvelope()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = EncodeEnvelope(buf[:0], e)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	for name, e := range map[string]*Envelope{"event": smallEvent(), "full": fullEnvelope()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			rec := EncodeEnvelope(nil, e)
			b.SetBytes(int64(len(rec)))
			for b.Loop() {
				if _, err := DecodeEnvelope(rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
