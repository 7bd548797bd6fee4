package world

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Our own JSON: a request tells of one install.

func nativeRequest(s *subject, list string, at time.Time, p *person, body object) Request {
	source := object{"host": hostName, "host_version": p.hostVersion, "os": p.os, "os_version": p.osVersion, "arch": p.arch, "channel": string(p.channel), "environment": "production"}
	if s.ext != "" {
		source["extension"], source["extension_version"] = string(s.ext), p.version
	}
	if p.id != "" {
		source["install"] = p.id
	}
	body["sent_at"], body["sdk"], body["source"] = rfc3339(at), object{"name": "bellwether.js", "version": "1.0.0"}, source
	return Request{Path: "/api/v1/intake/" + list, Body: encode(body), Header: http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.key.Public},
	}}
}

func actives(list []eco.Active) []object {
	out := make([]object, len(list))
	for i, a := range list {
		out[i] = object{"id": string(a.ID), "version": a.Version}
	}
	return out
}

// nativeCrash sends frames where the client has them, and a text trace for the
// helpers in other languages.
func nativeCrash(s *subject, r report) Request {
	c := object{"id": hexID(r.dice), "time": r.at.UnixMilli(), "handled": r.f.handled, "level": "fatal", "platform": r.f.lang}
	if r.f.handled {
		c["level"] = "error"
	}
	if r.sess != "" {
		c["session"] = r.sess
	}
	if r.active != nil {
		c["active"] = actives(r.active)
	}
	if r.f.lang == "ruby" || r.f.lang == "php" {
		c["text"] = r.trace()
	} else {
		var frames []object
		for _, f := range r.frames() {
			frames = append(frames, object{"function": f.function, "file": f.file, "line": f.line, "col": f.col, "in_app": !f.foreign})
		}
		c["exceptions"] = []object{{"type": r.f.typ, "value": fill(r.f.message, &r.who, r.dice), "parent": -1, "frames": frames}}
	}
	return nativeRequest(s, "crashes", r.at, &r.who, object{"crashes": []object{c}})
}

// nativeSession is a host's session with the extensions that were active in it.
func nativeSession(s *subject, at time.Time, x sess) Request {
	return nativeRequest(s, "sessions", at, &x.who, object{"sessions": []object{{
		"id": x.id, "status": x.status, "init": true, "started": x.at.UnixMilli(), "time": at.UnixMilli(), "duration": float64(int(x.duration*10)) / 10,
		"errors": x.errors, "active": actives(x.active),
	}}})
}

// nativeTally is what one version counted in an hour; it names no install.
func nativeTally(s *subject, started, at time.Time, version string, t *tally) Request {
	p := person{s: s, version: version, channel: eco.Stable}
	if s.ext == "" {
		p.hostVersion = version
	}
	return nativeRequest(s, "sessions", at, &p, object{"sessions": []object{{
		"started": started.UnixMilli(), "exited": t.exited, "errored": t.errored, "crashed": t.crashed,
	}}})
}

// nativeEvents are the events of one install.
func nativeEvents(s *subject, at time.Time, events []event) Request {
	var list []object
	for i := range events {
		e := &events[i]
		list = append(list, object{"id": e.id, "time": e.at.UnixMilli(), "name": e.name, "attrs": object{"count": e.count}},
			object{"time": e.at.UnixMilli(), "kind": "span", "name": e.name, "value": float64(int(e.duration))})
	}
	return nativeRequest(s, "events", at, &events[0].who, object{"events": list})
}
