package canary_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/bellwether-project/bellwether/internal/registry"
)

// contact is how a user who wrote wants to be reached. It is kept with what the
// user wrote, for the support tier covers it, and nowhere else.
const contact = "zqcontact"

// optOut is in requests whose sender opted out: nothing of them may be kept.
const optOut = "zqoptout"

// feedback is what a user wrote, with canaries in all but the contact.
func feedback(key registry.Key, n int) request {
	p := planter{n: n}
	body := fmt.Sprintf("{\"event_id\":\"%032x\"}\n{\"type\":\"feedback\"}\n", n+1) +
		`{"contexts":{"feedback":{"message":` + quoted(p.plant("message", "it broke").(string)) + `,"contact_email":"` + contact + `@example.org","name":"` + contact + `",
		"url":"https://a.example/zqcanary?x=zqcanary","replay_id":"zqcanary","source":"zqcanary"}},"user":{"email":"zqcanary@leak.example","ip_address":"203.0.113.9"},"server_name":"zqcanary"}`
	body = strings.ReplaceAll(body, ",\n\t\t", ",") + "\n"
	return request{"sentry", fmt.Sprintf("/api/%d/envelope/?sentry_version=7&sentry_key=%s", key.Project, key.Public), map[string]string{"Content-Type": "text/plain"}, []byte(body)}
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// packed sends every request once more, compressed: one in two with gzip, the
// others with zstd; what is OTLP in protobuf also by gRPC, plain and with gzip.
func packed(t *testing.T, list []request) []request {
	t.Helper()
	var out []request
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for i, r := range list {
		small := gz(t, r.body)
		again := request{r.protocol, r.path, maps.Clone(r.header), small}
		again.header["Content-Encoding"] = "gzip"
		if i%2 == 1 {
			again.header["Content-Encoding"] = "zstd"
			again.body = z.EncodeAll(r.body, nil)
		}
		out = append(out, again)
		method := map[string]string{"/v1/logs": "logs.v1.LogsService", "/v1/traces": "trace.v1.TraceService", "/v1/metrics": "metrics.v1.MetricsService"}[r.path]
		if method == "" || r.header["Content-Type"] != "application/x-protobuf" {
			continue
		}
		call := request{"grpc", "/opentelemetry.proto.collector." + method + "/Export", maps.Clone(r.header), frame(0, r.body)}
		call.header["Content-Type"], call.header["Te"] = "application/grpc", "trailers"
		packedCall := request{"grpc", call.path, maps.Clone(call.header), frame(1, small)}
		packedCall.header["Grpc-Encoding"] = "gzip"
		out = append(out, call, packedCall)
	}
	return out
}

func gz(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// frame is a message of gRPC.
func frame(flag byte, b []byte) []byte {
	head := make([]byte, 5, 5+len(b))
	head[0] = flag
	binary.BigEndian.PutUint32(head[1:], uint32(len(b)))
	return append(head, b...)
}

// optedOut are well-formed reports of people whose browser says that it does not
// want to be measured.
func optedOut(key registry.Key) []request {
	var out []request
	for _, header := range []string{"Sec-Gpc", "Dnt"} {
		for path, body := range map[string]string{
			fmt.Sprintf("/api/%d/envelope/?sentry_key=%s", key.Project, key.Public): "{}\n{\"type\":\"event\"}\n{\"exception\":{\"values\":[{\"type\":\"" + optOut + "\",\"value\":\"" + optOut + "\"}]}}\n",
			"/v1/logs":               `{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"acme.linter"},"logRecords":[{"eventName":"` + optOut + `"}]}]}]}`,
			"/v2/track":              `[{"time":"2026-11-20T23:50:00Z","iKey":"` + key.Public + `","data":{"baseType":"EventData","baseData":{"ver":2,"name":"` + optOut + `"}}}]`,
			"/api/v1/intake/events":  `{"events":[{"name":"` + optOut + `"}]}`,
			"/api/v1/intake/crashes": `{"crashes":[{"message":"` + optOut + `"}]}`,
		} {
			out = append(out, request{"opted out", path, map[string]string{"Content-Type": "application/json", "X-Bellwether-Key": key.Public, header: "1"}, []byte(body)})
		}
	}
	return out
}
