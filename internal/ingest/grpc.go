package ingest

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/otlp"
)

// gRPC's unary calls are small enough to serve from net/http's own HTTP/2: one
// frame in (a flag, a length, a message), one frame out, and trailers. So the
// three methods share the port, the limits and the log of everything else.
const (
	grpcLogs    = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	grpcTraces  = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	grpcMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
)

// The codes of gRPC that are answered.
const (
	grpcOK                = 0
	grpcInvalid           = 3
	grpcNotFound          = 5
	grpcPermission        = 7
	grpcExhausted         = 8
	grpcUnimplemented     = 12
	grpcInternal          = 13
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
	grpcAcceptedEncodings = "gzip,deflate,zstd,snappy"
)

func grpcCode(err error) int {
	switch fault.CodeOf(err) {
	case "":
		return grpcOK
	case fault.Invalid:
		if door.StatusOf(err) == http.StatusUnsupportedMediaType {
			return grpcUnimplemented
		}
		return grpcInvalid
	case fault.Unauthenticated:
		return grpcUnauthenticated
	case fault.Forbidden:
		return grpcPermission
	case fault.NotFound:
		return grpcNotFound
	case fault.TooLarge:
		return grpcExhausted // without RetryInfo: permanent
	case fault.RateLimited:
		return grpcExhausted // with RetryInfo: later
	case fault.Unavailable:
		return grpcUnavailable
	}
	return grpcInternal
}

func (s *Server) grpc(w http.ResponseWriter, r *http.Request) {
	kind := r.Header.Get("Content-Type")
	if kind != "application/grpc" && kind != "application/grpc+proto" || r.ProtoMajor != 2 {
		door.Fail(w, r, door.WithStatus(fault.E("ingest.grpc", fault.Invalid, "This address speaks gRPC with protobuf.", nil), http.StatusUnsupportedMediaType))
		return
	}
	signal := otlp.Logs
	switch r.URL.Path {
	case grpcTraces:
		signal = otlp.Traces
	case grpcMetrics:
		signal = otlp.Metrics
	}
	rejected, message, err := s.call(w, r, signal)
	if err != nil {
		door.InfoOf(r.Context()).SetError(err)
		after, _ := door.RetryAfter(err)
		grpcAnswer(w, grpcCode(err), fault.TextOf(err), after, nil)
		return
	}
	grpcAnswer(w, grpcOK, "", 0, otlpResponse(signal, rejected, message, false))
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, signal otlp.Signal) (int64, string, error) {
	g, err := s.otlpGate(r, 0)
	if err != nil {
		return 0, "", err
	}
	g.header = w.Header() // the initial metadata of the answer
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime))
	var head [5]byte
	if _, err := io.ReadFull(r.Body, head[:]); err != nil {
		return 0, "", fault.E("ingest.grpc", fault.Invalid, "The call carries no message.", err)
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if head[0] > 1 || size > MaxOTLP || head[0] == 1 && size > MaxOTLPRaw {
		return 0, "", fault.E("ingest.grpc", fault.TooLarge, "The message is larger than this address takes.", nil)
	}
	var encodings []string
	if head[0] == 1 {
		encodings = []string{r.Header.Get("Grpc-Encoding")}
	}
	home := s.bodies.Get().(*[]byte)
	b := body{s: s, home: home, had: cap(*home)}
	frame := &io.LimitedReader{R: r.Body, N: size}
	b.bytes, err = door.ReadAll(frame, encodings, door.Limit{Compressed: MaxOTLP, Decompressed: MaxOTLP, Budget: s.budget}, (*home)[:0])
	if err != nil {
		s.bodies.Put(home)
		return 0, "", err
	}
	defer b.release()
	if frame.N > 0 {
		return 0, "", fault.E("ingest.grpc", fault.Invalid, "The message is shorter than it states.", nil)
	}
	if n, err := r.Body.Read(head[:1]); n > 0 || err != nil && !errors.Is(err, io.EOF) {
		return 0, "", fault.E("ingest.grpc", fault.Invalid, "The call carries more than one message.", nil)
	}
	return s.records(r.Context(), g, signal, b.bytes, false)
}

// grpcAnswer writes the one frame of a success, or the trailers of a failure.
func grpcAnswer(w http.ResponseWriter, code int, text string, after time.Duration, message []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Accept-Encoding", grpcAcceptedEncodings)
	if code != grpcOK {
		h.Set("Grpc-Status", strconv.Itoa(code))
		h.Set("Grpc-Message", grpcText(text))
		h.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(rpcStatus(code, text, after)))
		w.WriteHeader(http.StatusOK)
		return
	}
	h.Set("Trailer", "Grpc-Status")
	frame := make([]byte, 5, 5+len(message))
	binary.BigEndian.PutUint32(frame[1:], uint32(len(message)))
	_, _ = w.Write(append(frame, message...))
	h.Set("Grpc-Status", "0")
}

// grpcText encodes a message for a header: percent for all but printable ASCII.
func grpcText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// rpcStatus is a google.rpc.Status: code = 1, message = 2, details = 3; after > 0
// adds a RetryInfo, which says that the call may be repeated then.
func rpcStatus(code int, text string, after time.Duration) []byte {
	b := protoText(protoInt(nil, 1, uint64(code)), 2, text)
	if after <= 0 {
		return b
	}
	seconds := uint64(max(1, (after+time.Second-1)/time.Second))
	delay := protoText(nil, 1, string(protoInt(nil, 1, seconds)))
	detail := protoText(protoText(nil, 1, "type.googleapis.com/google.rpc.RetryInfo"), 2, string(delay))
	return protoText(b, 3, string(detail))
}

func protoInt(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(field)<<3), v)
}

func protoText(b []byte, field int, s string) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
