package world

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func otlpRequest(s *subject, path, contentType string, body []byte) Request {
	return Request{Path: path, Body: body, Header: http.Header{
		"Content-Type": {contentType}, "Authorization": {"Bearer " + s.key.Public}, "User-Agent": {"OTel-OTLP-Exporter-JavaScript/0.223.1"},
	}}
}

// resource says who speaks: the host and the machine. The extension is the scope.
func resource(p *person, lang string) map[string]string {
	return map[string]string{
		"service.name": hostOf(p.s), "service.version": p.hostVersion, "os.type": map[string]string{"windows": "windows", "macos": "darwin", "linux": "linux"}[p.os],
		"os.version": p.osVersion, "host.arch": p.arch, "host.name": p.login + "-laptop", "app.installation.id": p.id,
		"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": lang, "telemetry.sdk.version": "1.39.0",
		"extension.channel": string(p.channel), "deployment.environment.name": "production",
	}
}

func attributes(m map[string]string) []object {
	var out []object
	for _, k := range sortedKeys(m) {
		out = append(out, object{"key": k, "value": object{"stringValue": m[k]}})
	}
	return out
}

func otlpLog(p *person, lang string, record object) object {
	return object{
		"resource":  object{"attributes": attributes(resource(p, lang))},
		"scopeLogs": []object{{"scope": object{"name": string(p.s.ext), "version": p.version}, "logRecords": []object{record}}},
	}
}

func nanos(ms int64) string { return strconv.FormatInt(ms*1e6, 10) }

// otlpCrash is the event app.crash, or a record with an exception where the
// extension went on.
func otlpCrash(s *subject, r report) Request {
	attrs := map[string]string{"exception.type": r.f.typ, "exception.message": fill(r.f.message, &r.who, r.dice), "exception.stacktrace": r.trace()}
	record := object{"timeUnixNano": nanos(r.at.UnixMilli()), "severityNumber": 17, "severityText": "ERROR"}
	if !r.f.handled {
		record["eventName"], record["severityNumber"], record["severityText"] = "app.crash", 21, "FATAL"
		attrs["app.crash.id"] = hexID(r.dice)
		if r.sess != "" {
			attrs["session.id"] = r.sess
		}
	}
	record["attributes"] = attributes(attrs)
	return otlpRequest(s, "/v1/logs", "application/json", encode(object{"resourceLogs": []object{otlpLog(&r.who, r.f.lang, record)}}))
}

// otlpEvents are named log records.
func otlpEvents(s *subject, events []event) Request {
	var logs []object
	for i := range events {
		e := &events[i]
		logs = append(logs, otlpLog(&e.who, "nodejs", object{
			"timeUnixNano": nanos(e.at.UnixMilli()), "severityNumber": 9, "eventName": e.name,
			"attributes": attributes(map[string]string{"count": strconv.Itoa(e.count), "trigger": []string{"keyboard", "menu", "palette"}[e.count%3], "user.name": e.who.login}),
		}))
	}
	return otlpRequest(s, "/v1/logs", "application/json", encode(object{"resourceLogs": logs}))
}

func put(m pcommon.Map, values map[string]string) {
	for _, k := range sortedKeys(values) {
		m.PutStr(k, values[k])
	}
}

// otlpSpans are timed operations, as protobuf under gzip.
func otlpSpans(s *subject, events []event) Request {
	td := ptrace.NewTraces()
	for i := range events {
		e := &events[i]
		rs := td.ResourceSpans().AppendEmpty()
		put(rs.Resource().Attributes(), resource(&e.who, "go"))
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(string(s.ext))
		ss.Scope().SetVersion(e.who.version)
		sp := ss.Spans().AppendEmpty()
		sp.SetName(e.name)
		id := bytes16(e.id)
		sp.SetTraceID(id)
		sp.SetSpanID(pcommon.SpanID(id[8:]))
		sp.SetStartTimestamp(pcommon.Timestamp(e.at.UnixMilli() * 1e6))
		sp.SetEndTimestamp(pcommon.Timestamp(e.at.UnixMilli()*1e6 + int64(e.duration*1e6)))
		sp.TraceState().FromRaw("ot=th:c") // one in four is sent
		sp.Attributes().PutInt("files", int64(e.count))
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	return compressed(otlpRequest(s, "/v1/traces", "application/x-protobuf", body), err)
}

// otlpMetrics are gauges and sums, as protobuf.
func otlpMetrics(s *subject, events []event) Request {
	md := pmetric.NewMetrics()
	for i := range events {
		e := &events[i]
		rm := md.ResourceMetrics().AppendEmpty()
		put(rm.Resource().Attributes(), resource(&e.who, "python"))
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(string(s.ext))
		sm.Scope().SetVersion(e.who.version)
		g := sm.Metrics().AppendEmpty()
		g.SetName("memory.used")
		g.SetUnit("By")
		p := g.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.Timestamp(e.at.UnixMilli() * 1e6))
		p.SetDoubleValue(80e6 + e.duration*4e5)
		c := sm.Metrics().AppendEmpty()
		c.SetName(e.name + ".count")
		sum := c.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		q := sum.DataPoints().AppendEmpty()
		q.SetTimestamp(pcommon.Timestamp(e.at.UnixMilli() * 1e6))
		q.SetIntValue(int64(e.count))
	}
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	return compressed(otlpRequest(s, "/v1/metrics", "application/x-protobuf", body), err)
}

func compressed(r Request, err error) Request {
	if err != nil {
		panic("world: " + err.Error()) // all values are made here, and can be encoded
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	z.Write(r.Body) // a buffer takes everything
	z.Close()
	r.Body = b.Bytes()
	r.Header.Set("Content-Encoding", "gzip")
	return r
}

// bytes16 reads the digits of a UUID.
func bytes16(id string) (out [16]byte) {
	i := 0
	for _, c := range id {
		if v, err := strconv.ParseUint(string(c), 16, 8); err == nil && i < 32 {
			out[i/2] |= byte(v) << (4 * (1 - i%2))
			i++
		}
	}
	return out
}
