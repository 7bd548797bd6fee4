package clients_test

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	otelmetric "go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	scopeName    = "acme.otel-go"
	scopeVersion = "3.1.0"
)

// sendOTelGo reports over HTTP and gRPC: two spans each, one of them with an
// error; two events, an exception and a nameless line each; two metric points.
func sendOTelGo(t *testing.T, s *server, p project) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	headers := map[string]string{"authorization": "Bearer " + p.Key}
	res := resource.NewSchemaless(attribute.String("service.name", "editor"), attribute.String("service.version", "1.102.3"), attribute.String("os.type", "linux"),
		attribute.String("app.installation.id", "install-1"), attribute.String("host.name", "a-host-name"), attribute.String("telemetry.sdk.language", "go"))

	th, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(s.addr), otlptracehttp.WithInsecure(), otlptracehttp.WithHeaders(headers), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	check(err)
	tg, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(s.addr), otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(headers), otlptracegrpc.WithCompressor("gzip"))
	check(err)
	for _, exporter := range []sdktrace.SpanExporter{th, tg} {
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
		tracer := provider.Tracer(scopeName, trace.WithInstrumentationVersion(scopeVersion))
		_, span := tracer.Start(ctx, "activate")
		span.RecordError(errors.New("cannot parse"), trace.WithStackTrace(true))
		span.SetStatus(codes.Error, "cannot parse")
		span.End()
		_, span = tracer.Start(ctx, "save")
		span.End()
		check(provider.ForceFlush(ctx))
		check(provider.Shutdown(ctx))
	}

	lh, err := otlploghttp.New(ctx, otlploghttp.WithEndpoint(s.addr), otlploghttp.WithInsecure(), otlploghttp.WithHeaders(headers))
	check(err)
	lg, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(s.addr), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(headers))
	check(err)
	for _, exporter := range []sdklog.Exporter{lh, lg} {
		provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)), sdklog.WithResource(res))
		logger := provider.Logger(scopeName, log.WithInstrumentationVersion(scopeVersion))
		emit := func(name, body string, severity log.Severity, attrs ...attribute.KeyValue) {
			var r log.Record
			r.SetTimestamp(time.Now())
			r.SetEventName(name)
			r.SetSeverity(severity)
			if body != "" {
				r.SetBody(attribute.StringValue(body))
			}
			r.AddAttributes(attrs...)
			logger.Emit(ctx, r)
		}
		emit("extension.activated", "", log.SeverityInfo, attribute.Bool("cold", true))
		emit("extension.saved", "", log.SeverityInfo, attribute.Int("documents", 3))
		emit("exception", "", log.SeverityError, attribute.String("exception.type", "*errors.errorString"), attribute.String("exception.message", "cannot save"), attribute.String("exception.stacktrace", string(debug.Stack())))
		emit("", "a line of a log", log.SeverityInfo)
		// The exporters hand on what the server says of the nameless line.
		if err := provider.ForceFlush(ctx); err == nil || !strings.Contains(err.Error(), "1 records were not kept (no_event_name)") {
			t.Errorf("the partial success did not reach the client: %v", err)
		}
		check(provider.Shutdown(ctx))
	}

	mh, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(s.addr), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHeaders(headers))
	check(err)
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(mh, metric.WithInterval(time.Hour))), metric.WithResource(res))
	meter := meters.Meter(scopeName, otelmetric.WithInstrumentationVersion(scopeVersion))
	counter, err := meter.Int64Counter("activations")
	check(err)
	counter.Add(ctx, 3)
	times, err := meter.Float64Histogram("activation.duration", otelmetric.WithUnit("ms"))
	check(err)
	times.Record(ctx, 12)
	check(meters.Shutdown(ctx))
}
