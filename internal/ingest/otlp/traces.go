package otlp

import (
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Traces emits the items of spans: the span, then its exceptions. record is
// called before the items of each span.
func (d *Decoder) Traces(td ptrace.Traces, record func(), emit item.Emit) {
	d.emit = emit
	for _, rs := range td.ResourceSpans().All() {
		d.resource(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			d.scope(ss.Scope())
			for _, sp := range ss.Spans().All() {
				record()
				d.span(sp)
			}
		}
	}
}

func (d *Decoder) span(sp ptrace.Span) {
	it := d.fresh("span", sp.StartTimestamp())
	weight := Weight(sp.TraceState().AsRaw())
	it.Weight = weight
	e := d.named(it, eco.KindSpan, sp.Name())
	d.read(e.Attrs, sp.Attributes(), it)
	if end, start := sp.EndTimestamp(), sp.StartTimestamp(); end > start {
		e.Value = float64(end-start) / 1e6
	}
	e.Unit = "ms"
	switch sp.Status().Code() {
	case ptrace.StatusCodeError:
		e.Attrs["status"] = "error"
	case ptrace.StatusCodeOk:
		e.Attrs["status"] = "ok"
	}
	if e.Name == "" {
		it.Kind, it.Event, it.Drop = "", nil, "schema:name"
	}
	hints := it.Hints
	d.emit(it)
	n := 0
	for _, ev := range sp.Events().All() {
		if ev.Name() != "exception" {
			continue
		}
		if n++; n > item.MaxSpanEvents {
			over := d.fresh("span.exception", ev.Timestamp())
			over.Drop = "limit:span_events"
			d.emit(over)
			continue
		}
		saved := d.base.Hints
		d.base.Hints = hints // an extension named by the span is that of its exceptions
		d.base.Weight = weight
		d.crashed("span.exception", ev.Attributes(), ev.Timestamp(), "exception", plog.LogRecord{})
		d.base.Hints, d.base.Weight = saved, 0
	}
}

// Weight reads the sampling threshold of a tracestate ("ot=th:8;rv:…", 56 bits
// with the trailing zeros cut) and returns 1 / probability, or 0 when there is none.
func Weight(tracestate string) float64 {
	for len(tracestate) > 0 {
		var member string
		member, tracestate, _ = strings.Cut(tracestate, ",")
		fields, ok := strings.CutPrefix(strings.TrimSpace(member), "ot=")
		if !ok {
			continue
		}
		for f := range strings.SplitSeq(fields, ";") {
			th, ok := strings.CutPrefix(f, "th:")
			if !ok || th == "" || len(th) > 14 {
				continue
			}
			v, err := strconv.ParseUint(th, 16, 64)
			if err != nil {
				return 0
			}
			v <<= 4 * (14 - uint(len(th)))
			return math.Exp2(56) / (math.Exp2(56) - float64(v))
		}
	}
	return 0
}
