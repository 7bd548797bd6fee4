package sentry

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Protocol is this protocol's name in envelopes, counts and consent.
const Protocol = "sentry"

// minDrift is the least difference between a client's clock and ours that is
// corrected; a smaller one may be the time on the way.
const minDrift = 60_000

// decoder turns the pieces of one request into items.
type decoder struct {
	head     Header
	now      int64
	drift    int64
	feedback bool // the envelope holds feedback: its attachments belong to it
	events   int
	reports  int
	sessions int
	native   *item.Item // of the dump beside the event, until it is emitted; nil = none
	dumped   bool       // a dump was read: further ones are not
	emit     item.Emit
}

func newDecoder(h Header, now int64, emit item.Emit) *decoder {
	d := &decoder{head: h, now: now, emit: emit}
	if h.SentAt != 0 {
		if drift := now - h.SentAt; drift > minDrift || drift < -minDrift {
			d.drift = drift
		}
	}
	return d
}

// at corrects a client's time; 0 stays 0.
func (d *decoder) at(ms int64) int64 {
	if ms == 0 {
		return 0
	}
	return ms + d.drift
}

func (d *decoder) drop(name, category, reason string, n int64) {
	d.emit(&item.Item{Name: name, Category: category, Drop: reason, N: n})
}

// categories names the data category of each item type, as the rate-limit header
// speaks of it.
var categories = map[string]string{
	"event": "error", "transaction": "transaction", "span": "span", "attachment": "attachment", "session": "session", "sessions": "session",
	"feedback": "feedback", "user_report": "feedback", "client_report": "internal", "log": "log_item", "check_in": "monitor",
	"trace_metric": "trace_metric", "statsd": "metric_bucket", "metric_buckets": "metric_bucket", "profile": "profile",
	"profile_chunk": "profile_chunk", "replay_event": "replay", "replay_recording": "replay", "replay_video": "replay",
	"security": "security", "nel": "default", "unreal_report": "error",
}

func (d *decoder) piece(p *piece) {
	switch p.typ {
	case "event":
		if d.events++; d.events > 1 {
			d.drop("event", "error", "limit:one_event", 1)
			return
		}
		d.event(p.payload)
	case "session":
		if d.sessions++; d.sessions > item.MaxBuckets {
			d.drop("session", "session", "limit:sessions", 1)
			return
		}
		d.session(p.payload)
	case "sessions":
		d.aggregates(p.payload)
	case "client_report":
		d.clientReport(p.payload)
	case "feedback":
		if d.reports++; d.reports > 1 {
			d.drop("feedback", "feedback", "limit:one_feedback", 1)
			return
		}
		d.userFeedback(p.payload)
	case "user_report":
		if d.reports++; d.reports > 1 {
			d.drop("user_report", "feedback", "limit:one_feedback", 1)
			return
		}
		d.userReport(p.payload)
	case "attachment":
		name := "attachment"
		switch {
		case d.feedback:
			name = "attachment.feedback"
		case p.dump():
			if d.dumped {
				return // it was read before the event
			}
			name = "attachment.minidump"
		case strings.HasSuffix(p.attachment, "applecrashreport"):
			name = "attachment.applecrashreport"
		case strings.HasSuffix(p.attachment, "view_hierarchy"):
			name = "attachment.view_hierarchy"
		}
		d.drop(name, "attachment", "not_kept", 1)
	default:
		cat, known := categories[p.typ]
		if !known {
			d.drop("unknown", "", "unknown_item", 1)
			return
		}
		d.drop(p.typ, cat, "not_served", max(1, p.count))
	}
}

func (d *decoder) session(b []byte) {
	it := &item.Item{Name: "session", Category: "session", Kind: eco.KindSession}
	s := &eco.Session{Status: "ok"}
	var at, seq int64
	var status string
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	r.Fields(func(name []byte) {
		switch string(name) {
		case "sid":
			it.Session = item.Raw(r.Str(item.MaxID))
		case "did":
			it.Install = item.Raw(r.Str(item.MaxID))
		case "seq":
			seq = r.Int(1 << 60)
		case "timestamp":
			at = r.Time()
		case "started":
			s.Started = r.Time()
		case "init":
			if v := r.Bool(); v != nil {
				s.Init = *v
			}
		case "duration":
			if v, ok := r.Num(); ok && v >= 0 && v < maxDuration {
				s.Duration = v
			}
		case "status":
			status = r.Str(16)
		case "errors":
			s.Errors = r.Int(maxCount)
		case "attrs":
			d.attrs(r, it)
		default:
			r.Skip()
		}
	})
	if status != "" {
		s.Status = status
	}
	if s.Seq = seq; s.Init {
		s.Seq = 0
	} else if seq == 0 {
		s.Seq = at
	}
	if s.Status == "crashed" {
		s.Errors = max(s.Errors, 1)
	}
	started := d.at(s.Started)
	switch {
	case r.End() != nil:
		d.drop("session", "session", "schema:json", 1)
		return
	case s.Started == 0:
		d.drop("session", "session", "schema:started", 1)
		return
	case it.Hints.Release == "":
		d.drop("session", "session", "schema:release", 1)
		return
	case !sessionStatus(s.Status):
		d.drop("session", "session", "schema:status", 1)
		return
	case d.now-started > sessionLife:
		d.drop("session", "session", "late", 1)
		return
	}
	if s.Started, it.Time = started, d.at(at); it.Time == 0 {
		it.Time = started
	}
	if it.Session != "" {
		it.Repeat = string(it.Session) + "|" + s.Status + "|" + itoa(s.Seq) + "|" + itoa(s.Errors)
	}
	it.Update = s
	d.emit(it)
}

// The bounds of what one session may claim: anything past them is a mistake or a forgery.
const (
	maxDuration = 1e8                     // seconds
	maxCount    = 1_000_000               // errors of a session, sessions of a bucket
	sessionLife = 5 * 24 * 60 * 60 * 1000 // ms after its start in which updates are taken
)

func sessionStatus(s string) bool {
	switch s {
	case "ok", "exited", "crashed", "abnormal", "errored", "unhandled":
		return true
	}
	return false
}

// attrs reads what all updates of a session share; its address and user agent are never read.
func (d *decoder) attrs(r *jsonin.Reader, it *item.Item) {
	it.Origin.SDK = d.head.SDK
	r.Fields(func(name []byte) {
		switch string(name) {
		case "release":
			it.Hints.Release = r.Str(item.MaxName)
		case "environment":
			it.Origin.Environment = r.Str(item.MaxWord)
		default:
			r.Skip()
		}
	})
}

type bucket struct {
	started, exited, errored, crashed, abnormal int64
	did                                         string
}

func (d *decoder) aggregates(b []byte) {
	var shared item.Item
	var buckets []bucket
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	over := int64(0)
	r.Fields(func(name []byte) {
		switch string(name) {
		case "aggregates":
			r.Each(1<<30, func(int) {
				if len(buckets) == item.MaxBuckets {
					over++
					r.Skip()
					return
				}
				var k bucket
				r.Fields(func(name []byte) {
					switch string(name) {
					case "started":
						k.started = r.Time()
					case "did":
						k.did = r.Str(item.MaxID)
					case "exited":
						k.exited = r.Int(maxCount)
					case "errored":
						k.errored = r.Int(maxCount)
					case "crashed":
						k.crashed = r.Int(maxCount)
					case "abnormal":
						k.abnormal = r.Int(maxCount)
					default:
						r.Skip()
					}
				})
				buckets = append(buckets, k)
			})
		case "attrs":
			d.attrs(r, &shared)
		default:
			r.Skip()
		}
	})
	if r.End() != nil || shared.Hints.Release == "" {
		d.drop("sessions", "session", "schema:sessions", 1)
		return
	}
	if over > 0 {
		d.drop("sessions", "session", "limit:buckets", over)
	}
	for _, k := range buckets {
		started := d.at(k.started)
		if k.started == 0 || k.exited+k.errored+k.crashed+k.abnormal == 0 {
			d.drop("sessions", "session", "schema:bucket", 1)
			continue
		}
		if d.now-started > sessionLife {
			d.drop("sessions", "session", "late", 1)
			continue
		}
		it := shared
		it.Name, it.Category, it.Kind, it.Time, it.Install = "sessions", "session", eco.KindSession, started, item.Raw(k.did)
		it.Update = &eco.Session{Status: "exited", Started: started, Exited: k.exited, Errored: k.errored, Crashed: k.crashed, Abnormal: k.abnormal}
		d.emit(&it)
	}
}

// reasons are why SDKs drop items themselves; others count as "other".
var reasons = map[string]bool{"queue_overflow": true, "cache_overflow": true, "buffer_overflow": true, "ratelimit_backoff": true, "network_error": true,
	"sample_rate": true, "before_send": true, "event_processor": true, "send_error": true, "internal_sdk_error": true, "insufficient_data": true,
	"backpressure": true, "ignored": true, "too_large": true, "invalid": true, "no_parent_span": true}

var reportCategories = map[string]bool{"default": true, "error": true, "transaction": true, "monitor": true, "span": true, "log_item": true, "security": true,
	"attachment": true, "session": true, "profile": true, "profile_chunk": true, "replay": true, "feedback": true, "trace_metric": true, "internal": true}

// clientReport counts what the SDK dropped before it reached us. Sampled-out
// quantities give the true number of events before sampling.
func (d *decoder) clientReport(b []byte) {
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	n := 0
	r.Fields(func(name []byte) {
		if string(name) != "discarded_events" {
			r.Skip()
			return
		}
		r.Each(item.MaxDiscards, func(int) {
			reason, category, quantity := "other", "default", int64(0)
			r.Fields(func(name []byte) {
				switch string(name) {
				case "reason":
					if s := r.Str(32); reasons[s] {
						reason = s
					}
				case "category":
					if s := r.Str(32); reportCategories[s] {
						category = s
					}
				case "quantity":
					quantity = r.Int(1e9)
				default:
					r.Skip()
				}
			})
			if quantity > 0 && r.Err() == nil {
				n++
				d.emit(&item.Item{Name: "client_report", Category: category, Drop: "client:" + reason, N: quantity})
			}
		})
	})
	if r.End() != nil || n == 0 {
		d.drop("client_report", "internal", "schema:client_report", 1)
	}
}

func (d *decoder) userReport(b []byte) {
	it := &item.Item{Name: "user_report", Category: "feedback", Kind: eco.KindFeedback}
	it.Origin.SDK = d.head.SDK
	f := new(eco.Feedback)
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	r.Fields(func(name []byte) {
		switch string(name) {
		case "event_id":
			f.CrashID = eventID(r.Str(64))
		case "email":
			f.Contact = r.Str(item.MaxValue)
		case "name":
			f.Name = r.Str(item.MaxValue)
		case "comments":
			f.Message = r.Str(item.MaxFeedback)
		default:
			r.Skip()
		}
	})
	if r.End() != nil || strings.TrimSpace(f.Message) == "" {
		d.drop("user_report", "feedback", "schema:user_report", 1)
		return
	}
	it.Feedback = f
	it.Repeat = "report|" + f.CrashID + "|" + f.Message
	d.emit(it)
}
