package consent

import "github.com/bellwether-project/bellwether/internal/eco"

// Item is a line of the table that maps what clients send to tiers.
type Item struct {
	Protocol string   // sentry, otlp, appinsights, glean, reporting, minidump, gotelemetry, native
	Name     string   // the protocol's own word, with our suffix where one word covers two things
	Tier     eco.Tier // what it needs; Never when nothing can cover it
	Why      string   // for the public page
}

// TierOf returns the tier that an item of a protocol needs. The name is the
// protocol's own: a Sentry item type, an OTLP signal, an Application Insights
// baseType, a Reporting API type, our Kind for native items. An item that the
// table does not know needs a tier that no policy covers.
func TierOf(protocol, item string) eco.Tier {
	if t, ok := table[key{protocol, item}]; ok {
		return t
	}
	return Never
}

// Items returns the table, in the order of the documentation.
func Items() []Item { return append([]Item(nil), items...) }

type key struct{ protocol, name string }

var table = func() map[key]eco.Tier {
	m := make(map[key]eco.Tier, len(items))
	for _, it := range items {
		m[key{it.Protocol, it.Name}] = it.Tier
	}
	return m
}()

var items = []Item{
	{"sentry", "client_report", eco.Essential, "counts of what the client dropped; names nobody"},
	{"sentry", "event", eco.TierCrash, "an error or a crash"},
	{"sentry", "event.message", eco.Usage, "a message without an exception and below fatal is a record of use"},
	{"sentry", "session", eco.TierCrash, "the denominator of crash-free rates"},
	{"sentry", "sessions", eco.TierCrash, "the same, counted by the client"},
	{"sentry", "minidump", eco.TierCrash, "a crash of native code"},
	{"sentry", "unreal_report", eco.TierCrash, "a crash of native code"},
	{"sentry", "security", eco.TierCrash, "a broken security policy is an error of the page"},
	{"sentry", "nel", eco.Performance, "network errors as seen by the browser"},
	{"sentry", "transaction", eco.Performance, "timings of an operation"},
	{"sentry", "span", eco.Performance, "timings of an operation"},
	{"sentry", "trace_metric", eco.Performance, "a number the extension measured"},
	{"sentry", "statsd", eco.Performance, "a number the extension measured"},
	{"sentry", "metric_buckets", eco.Performance, "numbers the extension measured"},
	{"sentry", "check_in", eco.Performance, "whether a periodic job ran"},
	{"sentry", "log", eco.Usage, "log lines tell what a user did"},
	{"sentry", "feedback", eco.Support, "what a user wrote to support"},
	{"sentry", "user_report", eco.Support, "what a user wrote to support"},
	{"sentry", "attachment.feedback", eco.Support, "a file sent along with feedback"},
	{"sentry", "attachment", Never, "a file beside an event: nothing declares what is in it"},
	{"sentry", "attachment.minidump", eco.TierCrash, "a crash of native code"},
	{"sentry", "attachment.applecrashreport", eco.TierCrash, "a crash of native code, as text"},
	{"sentry", "attachment.view_hierarchy", Never, "what was on the screen"},
	{"sentry", "attachment.screenshot", Never, "what was on the screen"},
	{"sentry", "replay_event", Never, "a recording of the screen"},
	{"sentry", "replay_recording", Never, "a recording of the screen"},
	{"sentry", "replay_video", Never, "a recording of the screen"},
	{"sentry", "profile", Never, "samples of everything the process ran"},
	{"sentry", "profile_chunk", Never, "samples of everything the process ran"},
	{"sentry", "request.data", Never, "the body of a request"},
	{"sentry", "request.cookies", Never, "cookies"},
	{"sentry", "user.email", Never, "an e-mail address outside support"},

	{"otlp", "log.crash", eco.TierCrash, "the event app.crash, or a record with an exception"},
	{"otlp", "log.session", eco.TierCrash, "the events session.start and session.end"},
	{"otlp", "log.jank", eco.Performance, "slow frames, counts only"},
	{"otlp", "log.event", eco.Usage, "a named event"},
	{"otlp", "log", eco.Usage, "log lines tell what a user did"},
	{"otlp", "span", eco.Performance, "timings of an operation"},
	{"otlp", "span.exception", eco.TierCrash, "an exception recorded on a span"},
	{"otlp", "metric", eco.Performance, "numbers the extension measured"},
	{"otlp", "profile", Never, "samples of everything the process ran"},

	{"appinsights", "ExceptionData", eco.TierCrash, "an error"},
	{"appinsights", "EventData", eco.Usage, "a named event"},
	{"appinsights", "MessageData", eco.Usage, "log lines tell what a user did"},
	{"appinsights", "PageviewData", eco.Usage, "which view was open"},
	{"appinsights", "PageViewData", eco.Usage, "which view was open"},
	{"appinsights", "MetricData", eco.Performance, "numbers the extension measured"},
	{"appinsights", "RemoteDependencyData", eco.Performance, "timings of calls to other services"},
	{"appinsights", "RequestData", eco.Performance, "timings of requests"},
	{"appinsights", "AvailabilityData", eco.Performance, "whether a service answered"},
	{"appinsights", "PageViewPerformanceData", eco.Performance, "timings of a view"},

	{"glean", "deletion-request", eco.Essential, "a user switched collection off and wants erasure"},
	{"glean", "events", eco.Usage, "named events and counters"},
	{"glean", "ping", eco.Usage, "any ping that its catalog gives no other tier"},
	{"glean", "timing", eco.Performance, "timing and memory distributions"},
	{"glean", "crash", eco.TierCrash, "the crash ping"},

	{"reporting", "crash", eco.TierCrash, "a page or its process died"},
	{"reporting", "network-error", eco.Performance, "network errors as seen by the browser"},
	{"reporting", "csp-violation", eco.TierCrash, "a broken security policy is an error of the page"},
	{"reporting", "integrity-violation", eco.TierCrash, "an error of the page"},
	{"reporting", "permissions-policy-violation", eco.TierCrash, "an error of the page"},
	{"reporting", "document-policy-violation", eco.TierCrash, "an error of the page"},
	{"reporting", "coep", eco.TierCrash, "an error of the page"},
	{"reporting", "coop", eco.TierCrash, "an error of the page"},
	{"reporting", "deprecation", eco.Usage, "which old features a page uses"},
	{"reporting", "intervention", eco.Usage, "what the browser refused to do"},

	{"minidump", "minidump", eco.TierCrash, "a crash of native code"},
	{"gotelemetry", "stack", eco.TierCrash, "crash stacks of Go programs"},
	{"gotelemetry", "counter", eco.Usage, "counters of Go programs"},

	{"native", "crash", eco.TierCrash, "an error or a crash"},
	{"native", "session", eco.TierCrash, "the denominator of crash-free rates"},
	{"native", "event", eco.Usage, "a named event"},
	{"native", "feature_flag.evaluation", eco.Usage, "which variant of a feature was on"},
	{"otlp", "feature_flag.evaluation", eco.Usage, "which variant of a feature was on"},
	{"native", "span", eco.Performance, "timings of an operation"},
	{"native", "metric", eco.Performance, "numbers the extension measured"},
	{"native", "feedback", eco.Support, "what a user wrote to support"},
	{"native", "attachment", eco.Support, "a file sent along with feedback"},
	{"native", "receipt", eco.Essential, "a record of a consent"},
	{"native", "erasure", eco.Essential, "a request for access or erasure"},
	{"native", "client_report", eco.Essential, "counts of what the client dropped; names nobody"},
}
