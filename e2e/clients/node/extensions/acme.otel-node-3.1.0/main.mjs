// An extension that reports with OpenTelemetry's exporters: JSON, protobuf and gRPC.
import { SeverityNumber } from "@opentelemetry/api-logs";
import { SpanStatusCode } from "@opentelemetry/api";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { OTLPLogExporter as LogsJSON } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogsProto } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as TracesJSON } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as TracesProto } from "@opentelemetry/exporter-trace-otlp-proto";
import { OTLPTraceExporter as TracesGRPC } from "@opentelemetry/exporter-trace-otlp-grpc";
import { Metadata } from "@grpc/grpc-js";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const endpoint = process.env.ENDPOINT;
const headers = { authorization: `Bearer ${process.env.KEY}` };
const resource = resourceFromAttributes({ "service.name": "editor", "service.version": "1.102.3", "app.installation.id": "install-1", "host.name": "a-host-name" });
const scope = ["acme.otel-node", "3.1.0"];

for (const exporter of [new LogsJSON({ url: `${endpoint}/v1/logs`, headers, compression: CompressionAlgorithm.GZIP }), new LogsProto({ url: `${endpoint}/v1/logs`, headers })]) {
  const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger(...scope);
  logger.emit({ eventName: "extension.activated", severityNumber: SeverityNumber.INFO, attributes: { cold: true } });
  const error = new TypeError("document is undefined");
  logger.emit({ eventName: "exception", severityNumber: SeverityNumber.ERROR, attributes: { "exception.type": "TypeError", "exception.message": error.message, "exception.stacktrace": error.stack } });
  logger.emit({ body: "a line of a log", severityNumber: SeverityNumber.INFO });
  await provider.forceFlush();
  await provider.shutdown();
}

const metadata = new Metadata();
metadata.set("authorization", headers.authorization);
const traces = [new TracesJSON({ url: `${endpoint}/v1/traces`, headers }), new TracesProto({ url: `${endpoint}/v1/traces`, headers }), new TracesGRPC({ url: endpoint, metadata })];
for (const exporter of traces) {
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const span = provider.getTracer(...scope).startSpan("activate");
  span.recordException(new RangeError("too many documents"));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
}

const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, headers }), exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ resource, readers: [reader] });
const meter = meters.getMeter(...scope);
meter.createCounter("activations").add(3);
meter.createHistogram("activation.duration", { unit: "ms" }).record(12);
await meters.shutdown();
