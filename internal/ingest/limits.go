package ingest

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/ingest/dump"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
	"github.com/bellwether-project/bellwether/internal/ingest/otlp"
	"github.com/bellwether-project/bellwether/internal/ingest/reporting"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// The bounds of requests. Those of one item are in item/limits.go; Limits lists
// both.
const (
	MaxSentry    = 20 << 20  // bytes of an envelope, after decompression
	MaxSentryRaw = 10 << 20  // bytes of it on the wire
	MaxEvent     = 1 << 20   // bytes of a JSON item of an envelope, and of a body of the store address
	MaxOTLP      = 16 << 20  // bytes of an OTLP request, after decompression
	MaxOTLPRaw   = 8 << 20   // bytes of it on the wire
	MaxTrack     = 4 << 20   // bytes of an Application Insights request
	MaxReports   = 1 << 20   // bytes of a request of the Reporting API
	MaxNative    = 4 << 20   // bytes of a request in our own JSON
	MaxDumpBody  = 34 << 20  // bytes of an upload with a minidump, after its Content-Encoding
	MaxDumpRaw   = 34 << 20  // bytes of it on the wire
	MaxRecords   = 20_000    // records of one OTLP request; more is refused before memory is taken for them
	MaxBatch     = 2_000     // items of an Application Insights or native request
	MaxAppend    = 7 << 20   // bytes of records that one request may append; the rest is dropped, and told
	MaxUnfolded  = 96 << 20  // bytes that the items of an Application Insights or native request may take in memory
	MaxInFlight  = 256 << 20 // bytes of all bodies under way together; then the answer is "later"

	maxDiscard     = 256 << 20 // bytes that are read of a minidump that is not taken
	maxKeys        = 100_000   // token buckets of keys in memory
	maxAddresses   = 50_000    // token buckets of addresses in memory, for failures only
	failuresPerSec = 5.0       // requests without a usable key an address may make a second
	failureBurst   = 100.0     // and at once
	maxRecent      = 16_384    // OTLP and Application Insights batches remembered against repeats
	recentLife     = 10 * time.Minute
	maxWeight      = 1e6              // of one record: a greater one is a mistake or a forgery
	maxAhead       = 5 * 60 * 1000    // ms a time may lie after its receipt
	readTime       = 60 * time.Second // a body may take to arrive
	laterSeconds   = 30               // what "later" means when we are full
	stopSeconds    = 86_400           // for which a client is told to stop sending what is not wanted
)

// Bound is one line of the table of limits.
type Bound struct {
	Name  string
	Value int64
	Unit  string
	Past  string // what happens past it
}

// Limits is the table of every bound at the door, for the documentation.
func Limits() []Bound {
	return []Bound{
		{"Sentry envelope on the wire", MaxSentryRaw, "bytes", "413"},
		{"Sentry envelope, decompressed", MaxSentry, "bytes", "413"},
		{"Sentry JSON item, store body", MaxEvent, "bytes", "item dropped, limit:item_size; store: 413"},
		{"Sentry items of an envelope", sentry.MaxItems, "items", "413"},
		{"OTLP request on the wire", MaxOTLPRaw, "bytes", "413; gRPC RESOURCE_EXHAUSTED"},
		{"OTLP request, decompressed", MaxOTLP, "bytes", "413; gRPC RESOURCE_EXHAUSTED"},
		{"OTLP parts (records, attributes, values …) of a request", otlp.MaxMessages, "parts", "413; gRPC RESOURCE_EXHAUSTED"},
		{"OTLP records of a request", MaxRecords, "records", "413; gRPC RESOURCE_EXHAUSTED"},
		{"Application Insights request", MaxTrack, "bytes", "413"},
		{"Reporting API request", MaxReports, "bytes", "413"},
		{"browser reports of a request", reporting.MaxReports, "reports", "rest dropped, limit:reports"},
		{"native request", MaxNative, "bytes", "413"},
		{"whole report (Node.js, JVM, macOS, profile, trace)", native.MaxReport, "bytes", "413"},
		{"minidump upload", MaxDumpBody, "bytes", "200 and dropped, limit:too_large"},
		{"minidump, unpacked", dump.MaxDump, "bytes", "200 and dropped, limit:too_large"},
		{"parts of a minidump upload", dump.MaxParts, "parts", "400"},
		{"event beside a minidump", dump.MaxEvent, "bytes", "not read"},
		{"threads, modules of a minidump, each", minidump.MaxThreads, "", "first kept"},
		{"memory regions of a minidump", minidump.MaxRegions, "", "first kept"},
		{"annotations of a minidump", minidump.MaxNotes, "", "first kept"},
		{"frames of a minidump's stack", minidump.MaxFrames, "", "innermost kept"},
		{"items of an Application Insights or native request", MaxBatch, "items", "413"},
		{"records appended by one request", MaxAppend, "bytes", "rest dropped, limit:append"},
		{"what such a request unfolds to in memory, by its objects, members and lines", MaxUnfolded, "bytes", "413"},
		{"all bodies under way, with what their parts take", MaxInFlight, "bytes", "503, later; minidump: 200 and dropped, later"},
		{"decompressed to compressed, above 1 MiB", door.MaxRatio, ": 1", "413"},
		{"nesting of JSON and of OTLP values", item.MaxDepth, "levels", "400"},
		{"exceptions of a crash", item.MaxExceptions, "", "outermost kept"},
		{"frames of an exception", item.MaxFrames, "", "innermost 200 and outermost 100 kept"},
		{"breadcrumbs of a crash", item.MaxCrumbs, "", "last kept"},
		{"tags of a crash", item.MaxTags, "", "first kept"},
		{"modules of a crash", item.MaxModules, "", "first kept"},
		{"debug images of a crash", item.MaxImages, "", "first kept"},
		{"extensions of an active set", item.MaxActive, "", "first kept"},
		{"attributes of an event", item.MaxAttrs, "", "first kept"},
		{"buckets of a sessions item", item.MaxBuckets, "", "first kept, limit:buckets"},
		{"lines of a client report", item.MaxDiscards, "", "first kept"},
		{"exceptions of a span", item.MaxSpanEvents, "", "first kept, limit:span_events"},
		{"text of a trace", item.MaxText, "bytes", "cut"},
		{"message, value of an exception", item.MaxMessage, "bytes", "cut"},
		{"feedback", item.MaxFeedback, "bytes", "cut"},
		{"function, module, file, type", item.MaxName, "bytes", "cut"},
		{"name of an event", item.MaxEventName, "bytes", "cut"},
		{"key of a tag or attribute", item.MaxKey, "bytes", "cut"},
		{"value of a tag or attribute", item.MaxValue, "bytes", "cut"},
		{"version", item.MaxVersion, "bytes", "cut"},
		{"word (environment, runtime, SDK …)", item.MaxWord, "bytes", "cut"},
		{"identifier", item.MaxID, "bytes", "cut"},
		{"weight of a record", maxWeight, "", "cut"},
		{"requests without a usable key, by address", int64(failuresPerSec), "a second", "429"},
		{"OTLP and Application Insights batches remembered against repeats", maxRecent, "batches", "oldest forgotten"},
	}
}
