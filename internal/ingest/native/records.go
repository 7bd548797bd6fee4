package native

import (
	"math"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// update reads one update of a session, or a bucket of a client's own aggregates.
func (d *decoder) update(it *item.Item) {
	r := d.r
	s := new(eco.Session)
	it.Name, it.Kind, it.Update = "session", eco.KindSession, s
	const most = 1_000_000
	r.Fields(func(key []byte) {
		switch string(key) {
		case "id":
			it.Session = item.Raw(r.Str(item.MaxID))
		case "time":
			it.Time = d.time()
		case "status":
			s.Status = r.Str(16)
		case "init":
			s.Init = truth(r.Bool())
		case "seq":
			s.Seq = r.Int(1 << 60)
		case "started":
			s.Started = d.time()
		case "duration":
			if v, ok := r.Num(); ok && v >= 0 && v < 1e8 {
				s.Duration = v
			}
		case "errors":
			s.Errors = r.Int(most)
		case "active":
			s.Active = d.actives([]eco.Active{})
		case "exited":
			s.Exited = r.Int(most)
		case "errored":
			s.Errored = r.Int(most)
		case "crashed":
			s.Crashed = r.Int(most)
		case "abnormal":
			s.Abnormal = r.Int(most)
		case "extension_version":
			it.Hints.ExtVersion = r.Str(item.MaxVersion)
		default:
			r.Skip()
		}
	})
	buckets := s.Exited + s.Errored + s.Crashed + s.Abnormal
	drop := ""
	switch {
	case s.Started == 0:
		drop = "schema:started"
	case it.Session == "" && buckets == 0:
		drop = "schema:id"
	case it.Session == "":
		s.Status, s.Init, s.Seq, s.Errors = "exited", false, 0, 0
	default:
		s.Exited, s.Errored, s.Crashed, s.Abnormal = 0, 0, 0, 0
		switch s.Status {
		case "":
			s.Status = "ok"
		case "ok", "exited", "abnormal", "errored", "unhandled":
		case "crashed":
			s.Errors = max(s.Errors, 1)
		default:
			drop = "schema:status"
		}
		if s.Init {
			s.Seq = 0
		}
		it.Repeat = string(it.Session) + "|" + s.Status + "|" + strconv.FormatInt(s.Seq, 10) + "|" + strconv.FormatInt(s.Errors, 10)
	}
	if drop != "" {
		it.Kind, it.Update, it.Drop = "", nil, drop
	}
}

// event reads a named event, a span or a metric point.
func (d *decoder) event(it *item.Item) {
	r := d.r
	e := new(eco.Event)
	kind := "event"
	finite := true
	r.Fields(func(key []byte) {
		switch string(key) {
		case "id":
			it.ClientID = r.Str(item.MaxID)
		case "time":
			it.Time = d.time()
		case "kind":
			kind = r.Str(16)
		case "name":
			e.Name = r.Str(item.MaxEventName)
		case "value":
			if r.Kind() == 'n' {
				r.Skip()
			} else {
				e.Value, finite = r.Num()
			}
		case "unit":
			e.Unit = r.Str(32)
		case "attrs":
			e.Attrs = d.pairs(item.MaxAttrs, item.MaxValue)
		case "weight":
			it.Weight, _ = r.Num()
		case "extension_version":
			it.Hints.ExtVersion = r.Str(item.MaxVersion)
		default:
			r.Skip()
		}
	})
	it.Event = e
	switch kind {
	case "event":
		it.Name, it.Kind = "event", eco.KindEvent
		if e.Name == "feature_flag.evaluation" {
			it.Name = e.Name
		}
	case "span":
		it.Name, it.Kind = "span", eco.KindSpan
		e.Unit = "ms"
	case "metric":
		it.Name, it.Kind = "metric", eco.KindMetric
	default:
		it.Name, it.Drop = "event", "schema:kind"
	}
	switch {
	case e.Name == "":
		it.Drop = "schema:name"
	case !finite || math.IsNaN(e.Value):
		it.Drop = "schema:value"
	}
	if it.Drop != "" {
		it.Kind, it.Event = "", nil
	}
}
