package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// plan is the requests of a run: templates that are sent in turn, each time with
// new ids, so that no request repeats another.
type plan struct {
	kind      Kind
	items     int // in each request
	templates []template
}

type template struct {
	bytes []byte // head and body
	body  int    // bytes of the body
	ids   []int  // places of 32 hex digits
}

// mark stands where an id goes.
const mark = "f00dfacef00dfacef00dfacef00dface"

// variants is how many templates there are: as many different crashes, too.
const variants = 96

func plans(o Options, host string, now time.Time) (*plan, error) {
	p := &plan{kind: o.Kind, items: 1}
	for i := range variants {
		var path, auth, contentType string
		var body []byte
		var err error
		contentType = "application/json"
		auth = "Authorization: Bearer " + o.Key
		switch o.Kind {
		case Event:
			path, body = "/api/v1/intake/events", event(i, now)
		case OTLP:
			p.items = o.Batch
			path, contentType = "/v1/logs", "application/x-protobuf"
			body, err = logs(i, o.Batch, now)
		case Crash2K, Crash50K, Session:
			if o.Project <= 0 {
				return nil, fault.E("load.Run", fault.Invalid, "This kind needs the number of the project.", nil)
			}
			path, contentType = fmt.Sprintf("/api/%d/envelope/", o.Project), "application/x-sentry-envelope"
			auth = "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=bellwether.load/1, sentry_key=" + o.Key
			switch o.Kind {
			case Crash2K:
				body = crash(i, now, 10, 3)
			case Crash50K:
				body = crash(i, now, 200, 90)
			default:
				body = session(i, now)
			}
		default:
			return nil, fault.E("load.Run", fault.Invalid, "There is no such kind of load.", nil)
		}
		if err != nil {
			return nil, fault.E("load.Run", fault.Internal, "", err)
		}
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, host, auth, contentType, len(body))
		t := template{bytes: append([]byte(head), body...), body: len(body)}
		for at := 0; ; {
			j := bytes.Index(t.bytes[at:], []byte(mark))
			if j < 0 {
				break
			}
			t.ids = append(t.ids, at+j)
			at += j + len(mark)
		}
		p.templates = append(p.templates, t)
	}
	return p, nil
}

type object = map[string]any

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("load: " + err.Error()) // all values are made here, and can be encoded
	}
	return b
}

func install(i int) string {
	return fmt.Sprintf("%08x-0000-4000-a000-%012x", i*7919, i*104729)
}

func event(i int, now time.Time) []byte {
	return encode(object{
		"sdk":    object{"name": "bellwether.load", "version": "1"},
		"source": object{"host": "studio", "host_version": "1.102.3", "extension_version": fmt.Sprintf("1.%d.0", i%4), "os": []string{"linux", "windows", "macos"}[i%3], "arch": "x64", "install": install(i)},
		"events": []object{{"id": mark, "time": now.UnixMilli(), "name": fmt.Sprintf("command.%d", i%12), "attrs": object{"trigger": "keyboard", "count": i}}},
	})
}

func logs(i, batch int, now time.Time) ([]byte, error) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for k, v := range map[string]string{"service.name": "studio", "service.version": "1.102.3", "os.type": []string{"linux", "windows", "darwin"}[i%3],
		"host.arch": "amd64", "app.installation.id": install(i), "telemetry.sdk.language": "nodejs"} {
		rl.Resource().Attributes().PutStr(k, v)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetVersion(fmt.Sprintf("1.%d.0", i%4))
	for n := range batch {
		r := sl.LogRecords().AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(now))
		r.SetEventName(fmt.Sprintf("command.%d", (i+n)%12))
		r.SetSeverityNumber(plog.SeverityNumberInfo)
		r.Attributes().PutStr("trigger", []string{"keyboard", "menu", "palette"}[n%3])
		r.Attributes().PutInt("count", int64(n))
		r.Attributes().PutStr("outcome", "ok")
		if n == 0 {
			r.Attributes().PutStr("run", mark)
		}
	}
	return plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
}

// crash is an error with so many frames and breadcrumbs; variants differ in what
// a family is made of.
func crash(i int, now time.Time, frames, crumbs int) []byte {
	folder := fmt.Sprintf("/home/u%d/.studio/extensions/acme.linter-1.%d.0/out", i, i%4)
	var fs, bs []object
	for n := range frames {
		file := fmt.Sprintf("%s/%s/module%d.js", folder, words[(i+n)%len(words)], (i*31+n)%200)
		fs = append(fs, object{"function": fmt.Sprintf("%s.%s", words[(i+n)%len(words)], words[(i*3+n*5)%len(words)]), "filename": file, "lineno": 10 + (i*17+n*13)%900, "colno": 1 + n%70, "in_app": true})
	}
	for n := range crumbs {
		bs = append(bs, object{"timestamp": now.Unix() - int64(crumbs-n), "category": "command", "level": "info", "message": "ran " + strings.Join(words[n%4:4+n%8], " ")})
	}
	return envelope("event", object{
		"event_id": mark, "timestamp": now.Unix(), "platform": "node", "level": "error", "release": fmt.Sprintf("acme.linter@1.%d.0", i%4), "environment": "production",
		"exception":   object{"values": []object{{"type": "TypeError", "value": fmt.Sprintf("Cannot read properties of undefined (reading '%s')", words[i%len(words)]), "stacktrace": object{"frames": fs}, "mechanism": object{"type": "generic", "handled": i%3 > 0}}}},
		"breadcrumbs": object{"values": bs}, "user": object{"id": install(i)}, "tags": object{"channel": "stable", "host": "studio"},
		"contexts": object{"os": object{"name": []string{"Linux", "Windows", "macOS"}[i%3], "version": "1"}, "runtime": object{"name": "node", "version": "v22.19.0"}},
	})
}

func session(i int, now time.Time) []byte {
	return envelope("session", object{
		"sid": mark, "did": install(i), "init": true, "started": now.Format(time.RFC3339), "timestamp": now.Format(time.RFC3339), "status": "exited", "errors": i % 2, "duration": 61.5,
		"attrs": object{"release": fmt.Sprintf("acme.linter@1.%d.0", i%4), "environment": "production"},
	})
}

func envelope(kind string, payload object) []byte {
	head := object{"sdk": object{"name": "bellwether.load", "version": "1"}}
	if kind == "event" {
		head["event_id"] = mark
	}
	return bytes.Join([][]byte{encode(head), encode(object{"type": kind}), encode(payload)}, []byte("\n"))
}

var words = []string{"resolve", "render", "Buffer", "Parser", "visit", "Scope", "update", "Cache", "load", "Worker", "apply", "Token", "flush", "Session", "Range", "dispatch"}
