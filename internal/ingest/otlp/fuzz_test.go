package otlp

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

func plain(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../testdata/wire/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("Content-Encoding") == "" {
			if all[f], err = io.ReadAll(r.Body); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func run(d *Decoder, s Signal, b []byte, asJSON bool, emit item.Emit) error {
	type request interface {
		UnmarshalProto([]byte) error
		UnmarshalJSON([]byte) error
	}
	read := func(r request) error {
		if asJSON {
			return r.UnmarshalJSON(b)
		}
		return r.UnmarshalProto(b)
	}
	switch s {
	case Logs:
		r := plogotlp.NewExportRequest()
		if err := read(r); err != nil {
			return err
		}
		d.Logs(r.Logs(), func() {}, emit)
	case Traces:
		r := ptraceotlp.NewExportRequest()
		if err := read(r); err != nil {
			return err
		}
		d.Traces(r.Traces(), func() {}, emit)
	default:
		r := pmetricotlp.NewExportRequest()
		if err := read(r); err != nil {
			return err
		}
		d.Metrics(r.Metrics(), func() {}, emit)
	}
	return nil
}

func check(t *testing.T) item.Emit {
	return func(it *item.Item) {
		if it.Kind == "" && it.Drop == "" {
			t.Fatal("an item that is neither kept nor dropped for a reason")
		}
		if it.Event != nil && (it.Event.Name == "" || len(it.Event.Attrs) > item.MaxAttrs+8) {
			t.Fatalf("event %+v", it.Event)
		}
		if it.Weight < 0 {
			t.Fatalf("weight %v", it.Weight)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, p := range []string{"otel-js/http-json-*.http", "otel-collector/http-json-none-*.http"} {
		for _, b := range plain(f, p) {
			for s := range 3 {
				f.Add(uint8(s), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s uint8, b []byte) {
		if _, err := GuardJSON(b); err == nil {
			_ = run(new(Decoder), Signal(s%3), b, true, check(t))
		}
	})
}

func FuzzProto(f *testing.F) {
	for _, p := range []string{"otel-js/http-proto-*.http", "otel-go/http-proto-*.http"} {
		for _, b := range plain(f, p) {
			for s := range 3 {
				f.Add(uint8(s), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s uint8, b []byte) {
		if _, err := Guard(b, Signal(s%3), 1000); err == nil {
			_ = run(new(Decoder), Signal(s%3), b, false, check(t))
		}
	})
}

// The guard counts what the decoder will find.
func TestGuardCounts(t *testing.T) {
	for f, b := range plain(t, "otel-go/http-proto-logs-*.http") {
		if _, err := Guard(b, Logs, 15); err != nil {
			t.Errorf("%s: 15 records: %v", f, err)
		}
		if _, err := Guard(b, Logs, 14); err == nil {
			t.Errorf("%s: 15 records passed a limit of 14", f)
		}
	}
}

func TestWeight(t *testing.T) {
	for in, want := range map[string]float64{"": 0, "ot=th:8": 2, "ot=th:c;rv:1": 4, "a=b, ot=rv:2;th:0": 1, "ot=th:zz": 0, "ot=th:123456789012345": 0, "vendor=th:8": 0} {
		if got := Weight(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, c := range map[string]struct {
		file   string
		signal Signal
		json   bool
	}{
		"logs-proto-15": {"otel-go/http-proto-logs-01.http", Logs, false}, "logs-json-15": {"otel-collector/http-json-none-01.http", Logs, true},
		"traces-proto-9": {"otel-go/http-proto-traces-01.http", Traces, false}, "metrics-proto": {"otel-go/http-proto-metrics-01.http", Metrics, false},
	} {
		b.Run(name, func(b *testing.B) {
			for _, body := range plain(b, c.file) {
				d := new(Decoder)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Guard(body, c.signal, 1000); !c.json && err != nil {
						b.Fatal(err)
					}
					if err := run(d, c.signal, body, c.json, func(*item.Item) {}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
