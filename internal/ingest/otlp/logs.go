package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Logs emits the items of log records. Each record gives one item, a
// session.start that names the session before gives two; record is called before
// the items of each.
func (d *Decoder) Logs(ld plog.Logs, record func(), emit item.Emit) {
	d.emit = emit
	for _, rl := range ld.ResourceLogs().All() {
		d.resource(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			d.scope(sl.Scope())
			for _, r := range sl.LogRecords().All() {
				record()
				d.log(r)
			}
		}
	}
}

func (d *Decoder) log(r plog.LogRecord) {
	at := r.Timestamp()
	if at == 0 {
		at = r.ObservedTimestamp()
	}
	attrs := r.Attributes()
	name := r.EventName()
	if name == "" {
		name = attr(attrs, "event.name", item.MaxEventName)
	}
	switch name {
	case "session.start", "session.end":
		d.session(name, attrs, at)
		return
	case "app.crash", "exception":
		d.crashed("log.crash", attrs, at, name, r)
		return
	case "app.screen.click", "app.widget.click": // only that there was one
		it := d.fresh("log.event", at)
		d.named(it, eco.KindEvent, name)
		d.emit(it)
		return
	}
	if _, ok := attrs.Get("exception.type"); ok {
		d.crashed("log.crash", attrs, at, name, r)
		return
	}
	if _, ok := attrs.Get("exception.message"); ok {
		d.crashed("log.crash", attrs, at, name, r)
		return
	}
	switch name {
	case "":
		it := d.fresh("log", at)
		it.Drop = "no_event_name"
		d.emit(it)
		return
	case "feature_flag.evaluation":
		it := d.fresh(name, at)
		e := d.named(it, eco.KindEvent, name)
		for _, k := range []string{"feature_flag.key", "feature_flag.result.variant", "feature_flag.result.reason",
			"feature_flag.provider.name", "feature_flag.version", "feature_flag.set.id"} {
			if s := attr(attrs, k, item.MaxValue); s != "" {
				e.Attrs[k] = s
			}
		}
		d.emit(it)
		return
	}
	kind := "log.event"
	if name == "app.jank" {
		kind = "log.jank"
	}
	it := d.fresh(kind, at)
	e := d.named(it, eco.KindEvent, name)
	d.read(e.Attrs, attrs, it)
	delete(e.Attrs, "event.name")
	d.emit(it)
}

// session emits the update of a session. A start that names the session before
// ends that one.
func (d *Decoder) session(name string, attrs pcommon.Map, at pcommon.Timestamp) {
	id := attr(attrs, "session.id", item.MaxID)
	if id == "" {
		it := d.fresh("log.session", at)
		it.Kind, it.Drop = "", "schema:session_id"
		d.emit(it)
		return
	}
	if prev := attr(attrs, "session.previous_id", item.MaxID); prev != "" && prev != id && name == "session.start" {
		d.update = eco.Session{Status: "exited", Seq: 1, Started: millis(at)}
		d.sessionItem(prev, at)
	}
	d.update = eco.Session{Status: "ok", Init: true, Started: millis(at)}
	if name == "session.end" {
		d.update = eco.Session{Status: "exited", Seq: 1, Started: millis(at)}
	}
	d.sessionItem(id, at)
}

func (d *Decoder) sessionItem(id string, at pcommon.Timestamp) {
	it := d.fresh("log.session", at)
	it.Kind, it.Session, it.Update = eco.KindSession, item.Raw(id), &d.update
	it.Repeat = id + "|" + d.update.Status
	d.update.Active = d.active
	d.emit(it)
}

func levelOf(n plog.SeverityNumber) string {
	switch {
	case n >= plog.SeverityNumberFatal:
		return "fatal"
	case n >= plog.SeverityNumberError:
		return "error"
	case n >= plog.SeverityNumberWarn:
		return "warning"
	case n >= plog.SeverityNumberInfo:
		return "info"
	case n > 0:
		return "debug"
	}
	return "error"
}

// crashed emits the crash that a record or span event tells of. The attributes
// of app.crash override the resource: its reporter may be another process.
func (d *Decoder) crashed(name string, attrs pcommon.Map, at pcommon.Timestamp, event string, r plog.LogRecord) {
	it := d.fresh(name, at)
	it.Kind = eco.KindCrash
	c := &d.crash
	*c = eco.Crash{Platform: item.Platform(d.lang), Level: "error", Tags: map[string]string{}, Active: append([]eco.Active(nil), d.active...)}
	it.Crash = c
	d.read(c.Tags, attrs, it)
	delete(c.Tags, "event.name")
	if r != (plog.LogRecord{}) {
		c.Level = levelOf(r.SeverityNumber())
		if b := r.Body(); b.Type() == pcommon.ValueTypeStr {
			c.Message = eco.Clean(b.Str(), item.MaxMessage)
		}
	}
	if s := attr(attrs, "session.id", item.MaxID); s != "" {
		it.Session = item.Raw(s)
	}
	if event == "app.crash" {
		unhandled := false
		c.Level, c.Handled = "fatal", &unhandled
		it.ClientID = attr(attrs, "app.crash.id", item.MaxID)
		if s := attr(attrs, "os.name", item.MaxWord); s != "" {
			it.Origin.OS = item.OS(s)
			delete(c.Tags, "os.name")
		}
		if s := attr(attrs, "os.version", item.MaxVersion); s != "" {
			it.Origin.OSVersion = s
			delete(c.Tags, "os.version")
		}
		if s := attr(attrs, "service.version", item.MaxVersion); s != "" {
			it.Hints.Release, it.Hints.HostVersion = s, ""
			delete(c.Tags, "service.version")
		}
		delete(c.Tags, "app.crash.id")
	}
	if attr(attrs, "exception.escaped", 8) == "true" {
		unhandled := false
		c.Handled = &unhandled
	}
	item.Trace(c, attr(attrs, "exception.type", item.MaxName), attr(attrs, "exception.message", item.MaxMessage), attr(attrs, "exception.stacktrace", item.MaxText))
	if len(c.Exceptions) == 0 && c.Text == "" && c.Message == "" {
		it.Kind, it.Crash, it.Drop = "", nil, "schema:empty"
	}
	d.emit(it)
}
