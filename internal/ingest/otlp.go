package ingest

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/otlp"
)

const (
	signalLogs    = otlp.Logs
	signalTraces  = otlp.Traces
	signalMetrics = otlp.Metrics
)

var otlpCORS = door.CORS{
	Methods: "POST",
	Headers: "content-type, content-encoding, authorization, x-sentry-auth, x-bellwether-key, user-agent, traceparent, tracestate",
	Expose:  "retry-after, x-bellwether-receipt",
}

var otlpLimit = door.Limit{Compressed: MaxOTLPRaw, Decompressed: MaxOTLP}

// otlp serves one of /v1/logs, /v1/traces and /v1/metrics, or those of a Sentry
// project (0: the key alone tells). Answers and errors come in the encoding of
// the request.
func (s *Server) otlp(signal otlp.Signal, project int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if otlpCORS.Preflight(w, r) {
			return
		}
		otlpCORS.Set(w, r)
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		asJSON := kind == "application/json"
		var err error
		switch {
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", "POST, OPTIONS")
			err = door.WithStatus(fault.E("ingest.otlp", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
		case !asJSON && kind != "application/x-protobuf" && kind != "application/protobuf":
			err = door.WithStatus(fault.E("ingest.otlp", fault.Invalid, "The Content-Type is application/x-protobuf or application/json.", nil), http.StatusUnsupportedMediaType)
		}
		if err == nil {
			err = s.export(w, r, signal, project, asJSON)
		}
		if err != nil {
			otlpFail(w, r, err, asJSON)
		}
	})
}

func (s *Server) export(w http.ResponseWriter, r *http.Request, signal otlp.Signal, project int64, asJSON bool) error {
	g, err := s.otlpGate(r, project)
	if err != nil {
		return err
	}
	b, err := s.read(w, r, otlpLimit)
	if err != nil {
		return err
	}
	defer b.release()
	g.header = w.Header()
	rejected, message, err := s.records(r.Context(), g, signal, b.bytes, asJSON)
	if err != nil {
		return err
	}
	out := otlpResponse(signal, rejected, message, asJSON)
	w.Header().Set("Content-Type", otlpType(asJSON))
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out)
	return nil
}

func (s *Server) otlpGate(r *http.Request, project int64) (gate, error) {
	key, err := headerKey(r.Header)
	if project != 0 && err == nil && key == "" { // below a Sentry project the key may be in the query
		key, err = sentryAuth(r)
	}
	if err == nil && project < 0 {
		err = fault.E("ingest.otlp", fault.Invalid, "The project in the address is not a number.", nil)
	}
	if err != nil {
		return gate{}, err
	}
	if err := s.full(); err != nil {
		return gate{}, err
	}
	g, err := s.open(r, otlp.Protocol, key, project)
	if err != nil {
		return g, err
	}
	return g, s.take(&g)
}

var decoders = sync.Pool{New: func() any { return new(otlp.Decoder) }}

// records decodes a request of a signal and keeps what may be kept. It returns
// how many records were not kept, and why.
func (s *Server) records(ctx context.Context, g gate, signal otlp.Signal, b []byte, asJSON bool) (rejected int64, message string, err error) {
	if len(b) == 0 { // an empty request is a success
		return 0, "", nil
	}
	var parts int
	if asJSON {
		parts, err = otlp.GuardJSON(b)
	} else {
		parts, err = otlp.Guard(b, signal, MaxRecords)
	}
	if err != nil {
		return 0, "", err
	}
	memory := int64(parts) * otlp.PartBytes
	if !s.budget.Take(memory) {
		return 0, "", door.Later(fault.E("ingest.otlp", fault.Unavailable, "Too many requests at once; try again shortly.", nil), 2*time.Second)
	}
	defer s.budget.Give(memory)
	batch := s.newBatch(g)
	appended := false
	defer func() { batch.done(appended) }()
	t := tally{batch: batch}
	d := decoders.Get().(*otlp.Decoder)
	defer decoders.Put(d)
	if err := decode(d, signal, b, asJSON, &t); err != nil {
		return 0, "", err
	}
	t.record()
	if t.n > MaxRecords {
		return 0, "", fault.E("ingest.otlp", fault.TooLarge, "The request has too many records.", nil)
	}
	door.InfoOf(ctx).SetItems(t.n)
	hash := batchHash(g.key.Key.Public, b)
	if s.recent.has(hash, g.now) {
		batch.repeated()
	} else {
		if err := batch.flush(ctx); err != nil {
			return 0, "", err
		}
		if batch.receiptHeader(g.header); batch.kept > 0 {
			s.recent.add(hash, g.now)
		}
	}
	appended = true
	return t.rejected, t.message(), nil
}

func decode(d *otlp.Decoder, signal otlp.Signal, b []byte, asJSON bool, t *tally) error {
	bad := func(err error) error {
		return fault.E("ingest.otlp", fault.Invalid, "The body is not a valid request of this service.", err)
	}
	switch signal {
	case otlp.Logs:
		req := plogotlp.NewExportRequest()
		if err := unmarshal(req, b, asJSON); err != nil {
			return bad(err)
		}
		d.Logs(req.Logs(), t.record, t.add)
	case otlp.Traces:
		req := ptraceotlp.NewExportRequest()
		if err := unmarshal(req, b, asJSON); err != nil {
			return bad(err)
		}
		d.Traces(req.Traces(), t.record, t.add)
	default:
		req := pmetricotlp.NewExportRequest()
		if err := unmarshal(req, b, asJSON); err != nil {
			return bad(err)
		}
		d.Metrics(req.Metrics(), t.record, t.add)
	}
	return nil
}

func unmarshal(req interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
}, b []byte, asJSON bool,
) error {
	if asJSON {
		return req.UnmarshalJSON(b)
	}
	return req.UnmarshalProto(b)
}

// tally counts the records of which nothing was kept.
type tally struct {
	batch    *batch
	n        int
	open     bool // a record is being read
	kept     bool // something of it was kept
	rejected int64
	reasons  []string
	first    string // reason of the present record
}

// record ends the record before and begins the next.
func (t *tally) record() {
	if t.open && !t.kept {
		t.rejected++
		known := false
		for _, r := range t.reasons {
			known = known || r == t.first
		}
		if !known && len(t.reasons) < 8 {
			t.reasons = append(t.reasons, t.first)
		}
	}
	if t.open {
		t.n++
	}
	t.open, t.kept, t.first = true, false, ""
}

func (t *tally) add(it *item.Item) {
	out := t.batch.add(it)
	t.kept = t.kept || out.Kept
	if t.first == "" {
		t.first = out.Reason
	}
}

func (t *tally) message() string {
	if t.rejected == 0 {
		return ""
	}
	return fmt.Sprintf("%d records were not kept (%s).", t.rejected, strings.Join(t.reasons, ", "))
}

func otlpType(asJSON bool) string {
	if asJSON {
		return "application/json"
	}
	return "application/x-protobuf"
}

// otlpResponse is the answer of a success: empty, or with what was rejected.
func otlpResponse(signal otlp.Signal, rejected int64, message string, asJSON bool) []byte {
	name := [...]string{otlp.Logs: "rejectedLogRecords", otlp.Traces: "rejectedSpans", otlp.Metrics: "rejectedDataPoints"}[signal]
	switch {
	case asJSON && rejected == 0:
		return []byte("{}")
	case asJSON:
		text, _ := json.Marshal(message)
		return fmt.Appendf(nil, `{"partialSuccess":{"%s":"%d","errorMessage":%s}}`, name, rejected, text)
	case rejected == 0:
		return nil
	}
	// partial_success = 1 { rejected = 1, error_message = 2 }, the same for all three.
	inner := protoText(protoInt(nil, 1, uint64(rejected)), 2, message)
	return protoText(nil, 1, string(inner))
}

// otlpFail answers a google.rpc.Status in the encoding of the request. 429 and
// 503 may be repeated by the client, everything else may not.
func otlpFail(w http.ResponseWriter, r *http.Request, err error, asJSON bool) {
	door.InfoOf(r.Context()).SetError(err)
	if after, ok := door.RetryAfter(err); ok {
		door.SetRetryAfter(w.Header(), after)
	}
	code, text := grpcCode(err), fault.TextOf(err)
	w.Header().Set("Content-Type", otlpType(asJSON))
	w.WriteHeader(door.StatusOf(err))
	if asJSON {
		msg, _ := json.Marshal(text)
		_, _ = fmt.Fprintf(w, `{"code":%d,"message":%s}`, code, msg)
		return
	}
	_, _ = w.Write(rpcStatus(code, text, 0))
}
