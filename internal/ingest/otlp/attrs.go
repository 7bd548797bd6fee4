package otlp

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Attributes that are never kept: they name a person, a machine, a place or a
// query by their very purpose. A rule that ends in a dot covers what begins so.
var dropped = map[string]bool{
	"process.command": true, "process.command_line": true, "process.command_args": true, "process.owner": true,
	"process.executable.path": true, "process.working_directory": true, "process.pid": true, "process.parent_pid": true,
	"url.full": true, "url.query": true, "url.path": true, "url.fragment": true, "http.url": true, "http.target": true,
	"code.file.path": true, "code.filepath": true, "code.stacktrace": true,
	"db.statement": true, "db.query.text": true, "db.user": true, "file.path": true, "file.directory": true, "file.owner.name": true,
	"server.address": true, "peer.hostname": true, "net.host.name": true, "net.peer.name": true, "net.peer.ip": true, "net.sock.peer.addr": true,
	"server_name": true, "username": true, "email": true, "ip": true, "ip_address": true, "app.installation.id": true,
	"feature_flag.context.id": true, "feature_flag.result.value": true, "thread.id": true, "service.instance.id": true,
}

// Further prefixes, by their first part.
var droppedPrefix = map[string]bool{
	"host": true, "user": true, "enduser": true, "client": true, "source": true, "destination": true, "device": true, "session": true,
	"geo": true, "exception": true, "cookie": true, "gen_ai": true, "tls": true, "k8s": true, "container": true, "cloud": true,
}

func isDropped(k string) bool {
	if dropped[k] {
		return true
	}
	if i := strings.IndexByte(k, '.'); i > 0 && droppedPrefix[k[:i]] {
		return true
	}
	return strings.HasPrefix(k, "network.peer.") || strings.HasPrefix(k, "network.local.") || strings.HasPrefix(k, "app.screen.coordinate") ||
		strings.HasPrefix(k, "http.request.header.") || strings.HasPrefix(k, "http.response.header.") || strings.HasPrefix(k, "http.request.body") ||
		strings.HasPrefix(k, "messaging.message.body")
}

// read puts the attributes of a record into dst, takes out what says whose
// record it is, and leaves out what is dropped or no single value.
func (d *Decoder) read(dst map[string]string, attrs pcommon.Map, it *item.Item) {
	for k, v := range attrs.All() {
		switch k {
		case "extension.id", "extension":
			if s := text(v, item.MaxID); s != it.Hints.Ext {
				it.Hints.For = s
			}
			continue
		case "extension.version":
			continue // second pass: it belongs to extension.id
		case "channel", "extension.channel":
			it.Hints.Channel = text(v, item.MaxWord)
			continue
		}
		if isDropped(k) || len(dst) >= item.MaxAttrs {
			continue
		}
		if s := text(v, item.MaxValue); s != "" {
			dst[eco.Clean(k, item.MaxKey)] = s
		}
	}
	if v, ok := attrs.Get("extension.version"); ok {
		if it.Hints.For != "" {
			it.Hints.ForVersion = text(v, item.MaxVersion)
		} else {
			it.Hints.ExtVersion = text(v, item.MaxVersion)
		}
	}
}

// attr returns a single value of a map as text.
func attr(m pcommon.Map, key string, max int) string {
	if v, ok := m.Get(key); ok {
		return text(v, max)
	}
	return ""
}
