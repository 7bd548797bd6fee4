package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// object is a JSON object; encoding/json writes its keys in order, so bytes repeat.
type object = map[string]any

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("world: " + err.Error()) // all values are made here, and can be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func rfc3339(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// sdk is the client by its language.
func sdk(s *subject, lang string) (name, version, platform string) {
	switch {
	case s.ext == "pixelforge.palette":
		return "sentry.javascript.browser", "11.12.0", "javascript"
	case s.speaks == sentryGo:
		return "sentry.go", "0.50.0", "go"
	}
	switch lang {
	case "python":
		return "sentry.python", "2.41.0", "python"
	case "java":
		return "sentry.java", "8.24.0", "java"
	case "csharp":
		return "sentry.dotnet", "5.16.1", "csharp"
	}
	return "sentry.javascript.node", "11.12.0", "node"
}

func (s *subject) lang() string {
	if len(s.families) > 0 {
		return s.families[0].lang
	}
	return "javascript"
}

// envelope joins headers and items into a request of the subject's client.
func (w *World) envelope(s *subject, at time.Time, eventID string, items ...[2]any) Request {
	name, version, _ := sdk(s, s.lang())
	head := object{"sent_at": rfc3339(at), "sdk": object{"name": name, "version": version}}
	if eventID != "" {
		head["event_id"] = eventID
	}
	r := Request{Path: fmt.Sprintf("/api/%d/envelope/", s.key.ID), Header: http.Header{"User-Agent": {name + "/" + version}}}
	if s.speaks == sentryGo {
		r.Header.Set("Content-Type", "application/x-sentry-envelope")
		r.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client="+name+"/"+version+", sentry_key="+s.key.Public)
		scheme, host, _ := strings.Cut(w.o.Base, "://")
		head["dsn"] = fmt.Sprintf("%s://%s@%s/%d", scheme, s.key.Public, host, s.key.ID)
	} else {
		r.Path += "?" + url.Values{"sentry_version": {"7"}, "sentry_key": {s.key.Public}, "sentry_client": {name + "/" + version}}.Encode()
		if name == "sentry.javascript.browser" {
			r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		}
	}
	var b bytes.Buffer
	b.Write(encode(head))
	for _, it := range items {
		payload := encode(it[1])
		h := object{"type": it[0]}
		if s.speaks == sentryGo {
			h["length"] = len(payload)
		}
		fmt.Fprintf(&b, "\n%s\n%s", encode(h), payload)
	}
	r.Body = b.Bytes()
	return r
}

// sentryCrash is one event. Frames go out as this protocol has them: oldest first.
func (w *World) sentryCrash(s *subject, r report) Request {
	_, _, platform := sdk(s, r.f.lang)
	frames := r.frames()
	wire := make([]object, len(frames))
	for i, f := range frames {
		o := object{"function": f.function, "in_app": !f.foreign}
		if f.file != "" {
			o["filename"], o["abs_path"] = f.file[strings.LastIndexAny(f.file, `/\`)+1:], f.file
		}
		if f.line > 0 {
			o["lineno"] = f.line
		}
		if f.col > 0 {
			o["colno"] = f.col
		}
		if f.module != "" {
			o["module"] = f.module
		}
		wire[len(frames)-1-i] = o
	}
	level := "fatal"
	if r.f.handled {
		level = "error"
	}
	x := object{"type": r.f.typ, "value": fill(r.f.message, &r.who, r.dice), "stacktrace": object{"frames": wire},
		"mechanism": object{"type": "generic", "handled": r.f.handled}}
	values := []object{x}
	if r.f.cause != "" {
		values = []object{{"type": r.f.causeType, "value": r.f.cause, "stacktrace": object{"frames": wire[:1]}}, x}
	}
	id := hexID(r.dice)
	e := object{
		"event_id": id, "timestamp": float64(r.at.UnixMilli()) / 1000, "platform": platform, "level": level,
		"release": s.name() + "@" + r.who.version, "environment": "production",
		"exception": object{"values": values}, "breadcrumbs": crumbs(s, r), "user": object{"id": r.who.id},
		"server_name": r.who.login + "-laptop",
		"tags":        object{"channel": string(r.who.channel), "host": hostOf(s), "host.version": r.who.hostVersion, "ui.theme": []string{"dark", "light"}[r.dice.IntN(2)]},
		"contexts": object{
			"os":      object{"name": map[string]string{"windows": "Windows", "macos": "macOS", "linux": "Ubuntu"}[r.who.os], "version": r.who.osVersion},
			"device":  object{"arch": r.who.arch, "free_memory": r.dice.Int64N(1 << 34)},
			"runtime": runtime(r.f.lang),
		},
	}
	if r.sess != "" {
		e["contexts"].(object)["session"] = object{"id": r.sess}
	}
	return w.envelope(s, r.at, id, [2]any{"event", e})
}

func hostOf(s *subject) string {
	switch s.ext {
	case "pixelforge.blender":
		return "blender"
	case "pixelforge.palette":
		return "chromium"
	}
	return hostName
}

func runtime(lang string) object {
	switch lang {
	case "python":
		return object{"name": "CPython", "version": "3.12.7"}
	case "java":
		return object{"name": "OpenJDK", "version": "21.0.5"}
	case "go":
		return object{"name": "go", "version": "go1.26.0"}
	case "csharp":
		return object{"name": ".NET", "version": "9.0.4"}
	}
	return object{"name": "node", "version": "v22.19.0"}
}

func crumbs(s *subject, r report) object {
	var list []object
	for i := 3 + r.dice.IntN(6); i > 0; i-- {
		c := object{"timestamp": float64(r.at.Add(-time.Duration(i)*7*time.Second).UnixMilli()) / 1000, "level": "info"}
		switch r.dice.IntN(3) {
		case 0:
			c["category"], c["message"] = "command", s.usage[r.dice.IntN(len(s.usage))]
		case 1:
			c["category"], c["message"] = "file", "opened "+fill("{home}/projects/{word}/{word}.txt", &r.who, r.dice)
		default:
			c["category"], c["message"], c["level"] = "host", "configuration changed", "debug"
		}
		list = append(list, c)
	}
	return object{"values": list}
}

// sentrySessions is what one extension counted in one hour.
func (w *World) sentrySessions(s *subject, started, at time.Time, versions []string, tallies map[string]*tally, single []sess) Request {
	var items [][2]any
	for _, v := range versions {
		t := tallies[v]
		bucket := object{"started": rfc3339(started)}
		for k, n := range map[string]int{"exited": t.exited, "errored": t.errored, "crashed": t.crashed} {
			if n > 0 {
				bucket[k] = n
			}
		}
		items = append(items, [2]any{"sessions", object{"aggregates": []object{bucket}, "attrs": object{"release": s.name() + "@" + v, "environment": "production"}}})
	}
	for _, x := range single[:min(len(single), 90)] {
		items = append(items, [2]any{"session", object{
			"sid": x.id, "did": x.who.id, "init": true, "started": rfc3339(x.at), "timestamp": rfc3339(at), "status": x.status,
			"errors": x.errors, "duration": float64(int(x.duration*10)) / 10, "attrs": object{"release": s.name() + "@" + x.who.version, "environment": "production"},
		}})
	}
	return w.envelope(s, at, "", items...)
}

var pleas = []string{
	"It crashed while I was typing, third time today. Please write to {email}.",
	"After the last update nothing works any more, I had to go back to the old version.",
	"Happens whenever I open the project {word}. Is there a workaround?",
	"Thanks for the extension! This error pops up now and then, no harm done.",
}

func (w *World) sentryFeedback(s *subject, r report) Request {
	id := hexID(r.dice)
	return w.envelope(s, r.at.Add(time.Minute), id, [2]any{"feedback", object{
		"event_id": id, "timestamp": float64(r.at.Add(time.Minute).UnixMilli()) / 1000, "platform": "javascript", "level": "info",
		"release": s.name() + "@" + r.who.version, "environment": "production", "user": object{"id": r.who.id},
		"contexts": object{"feedback": object{"message": fill(pleas[r.dice.IntN(len(pleas))], &r.who, r.dice), "contact_email": r.who.login + "@mail.example.org", "name": r.who.login}},
	}})
}
