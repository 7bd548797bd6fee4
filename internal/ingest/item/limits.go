package item

// The bounds of what one item may hold. What is past a bound is left out, never
// the item. ingest.Limits lists these together with the bounds of requests.
const (
	MaxDepth      = 96       // nesting of JSON, and of values in OTLP; deeper is refused
	MaxExceptions = 50       // exceptions of a crash
	MaxFrames     = 300      // frames of an exception: the innermost 200 and outermost 100 when there are more
	MaxCrumbs     = 100      // breadcrumbs, the last ones
	MaxTags       = 200      // tags of a crash
	MaxModules    = 200      // modules of a crash
	MaxImages     = 100      // debug images of a crash
	MaxActive     = 512      // extensions of an active set
	MaxAttrs      = 128      // attributes of an event, span or metric
	MaxBuckets    = 100      // buckets of a sessions item
	MaxDiscards   = 100      // lines of a client report
	MaxSpanEvents = 32       // exceptions of one span
	MaxText       = 64 << 10 // bytes of a text trace
	MaxMessage    = 8192     // bytes of a message or of an exception's value
	MaxFeedback   = 4096     // bytes of what a user wrote
	MaxName       = 512      // bytes of a function, module, file or type
	MaxEventName  = 128      // bytes of the name of an event, span or metric
	MaxKey        = 128      // bytes of a key of a tag, attribute or module
	MaxValue      = 512      // bytes of the value of a tag or attribute
	MaxVersion    = 64       // bytes of a version
	MaxWord       = 64       // bytes of an environment, runtime, category, SDK …
	MaxID         = 128      // bytes of an identifier
)
