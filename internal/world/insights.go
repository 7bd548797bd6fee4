package world

import (
	"net/http"
	"strings"
	"time"
)

// Application Insights clients post arrays of envelopes, each with the key.

func insightsRequest(s *subject, list []object) Request {
	return Request{Path: "/v2/track", Body: encode(list), Header: http.Header{"Content-Type": {"application/json"}}}
}

func insightsEnvelope(s *subject, p *person, at time.Time, kind string, data object) object {
	props := object{
		"common.extname": string(s.ext), "common.extversion": p.version, "common.vscodeversion": p.hostVersion, "common.product": "desktop",
		"common.os": map[string]string{"windows": "win32", "macos": "darwin", "linux": "linux"}[p.os], "common.platformversion": p.osVersion,
		"common.nodeArch": p.arch, "common.vscodemachineid": p.id,
	}
	if more, ok := data["properties"].(object); ok {
		for k, v := range more {
			props[k] = v
		}
	}
	data["ver"], data["properties"] = 2, props
	return object{
		"time": rfc3339(at), "iKey": dashed(s.key.Public), "name": "Microsoft.ApplicationInsights." + s.key.Public + "." + strings.TrimSuffix(kind, "Data"),
		"tags": object{"ai.user.id": p.id, "ai.user.authUserId": p.id, "ai.session.id": p.id + "-s", "ai.internal.sdkVersion": "javascript:3.4.4", "ai.application.ver": p.version},
		"data": object{"baseType": kind, "baseData": data},
	}
}

// dashed writes a key as a UUID.
func dashed(k string) string {
	if len(k) != 32 {
		return k
	}
	return k[:8] + "-" + k[8:12] + "-" + k[12:16] + "-" + k[16:20] + "-" + k[20:]
}

func insightsCrash(s *subject, r report) Request {
	severity := 4
	if r.f.handled {
		severity = 3
	}
	trace := r.trace()
	message, _, _ := strings.Cut(trace, "\n")
	_, message, _ = strings.Cut(message, ": ")
	return insightsRequest(s, []object{insightsEnvelope(s, &r.who, r.at, "ExceptionData", object{
		"severityLevel": severity,
		"exceptions":    []object{{"typeName": r.f.typ, "message": message, "hasFullStack": true, "stack": trace}},
	})})
}

func insightsEvents(s *subject, events []event) Request {
	var list []object
	for i := range events {
		e := &events[i]
		list = append(list, insightsEnvelope(s, &e.who, e.at, "EventData", object{
			"name": string(s.ext) + "/" + e.name, "properties": object{"trigger": "menu"}, "measurements": object{"count": e.count},
		}))
	}
	return insightsRequest(s, list)
}
