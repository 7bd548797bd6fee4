package dump

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// The annotations that are read, by what they tell. Everything else a client sends
// beside a dump (switches of the command line, features, addresses, cards, urls,
// logs) is never looked at. Letter case does not count, nor does a leading _.
var words = map[string]string{
	"prod": "host", "product": "host", "productname": "host",
	"ver": "version", "version": "version", "productversion": "version",
	"channel": "channel", "releasechannel": "channel",
	"guid": "install", "client_id": "install", "clientid": "install",
	"ptype": "process_type", "process_type": "process_type", "processtype": "process_type",
	"plat": "platform", "platform": "platform", "buildid": "build_id", "build_id": "build_id",
	"extension": "extension", "extension.id": "extension", "extension.version": "extension.version", "extension_version": "extension.version",
	"release": "release", "environment": "environment", "command": "command", "bellwether.active": "active", "active_extensions": "active",
	"exceptionname": "exception_name", "mozcrashreason": "message",
}

// notes is what an upload says of itself, by the words above. The first to say wins:
// the form, then its address, then the dump.
type notes struct {
	said   map[string]string
	active []eco.Active
}

func (n *notes) add(key, value string) {
	key = strings.TrimPrefix(strings.ToLower(key), "_")
	value = strings.TrimSpace(value)
	if value == "" {
		return
	}
	if num, ok := strings.CutPrefix(key, "extension-"); ok { // Chromium: the extensions of a process, by their ids
		if _, err := strconv.Atoi(num); err == nil && chromiumID(value) {
			n.active = item.AddActive(n.active, "browser."+value, "")
		}
		return
	}
	word, ok := words[key]
	if !ok {
		return
	}
	if word == "active" {
		for s := range strings.SplitSeq(value, ",") {
			id, version, _ := strings.Cut(strings.TrimSpace(s), "@")
			n.active = item.AddActive(n.active, id, version)
		}
		return
	}
	if n.said == nil {
		n.said = map[string]string{}
	}
	if _, have := n.said[word]; !have {
		n.said[word] = eco.Clean(value, item.MaxValue)
	}
}

// chromiumID: 32 letters a to p.
func chromiumID(s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'p' {
			return false
		}
	}
	return true
}

// read collects from everything that came with a dump.
func (n *notes) read(f *Form, query url.Values, dump map[string]string) {
	for _, x := range f.Fields {
		n.add(x.Name, string(x.Value))
	}
	if len(f.Extra) > 0 {
		var extra map[string]any
		if json.Unmarshal(f.Extra, &extra) == nil {
			for _, k := range keys(extra) {
				if s, ok := extra[k].(string); ok {
					n.add(k, s)
				}
			}
		}
	}
	for _, k := range keys(query) {
		n.add(k, query.Get(k))
	}
	for _, k := range keys(dump) {
		n.add(k, dump[k])
	}
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// fill writes what was said into an item.
func (n *notes) fill(it *item.Item) {
	c, h := it.Crash, &it.Hints
	tag := func(key, value string) {
		if value == "" {
			return
		}
		if c.Tags == nil {
			c.Tags = map[string]string{}
		}
		c.Tags[key] = value
	}
	h.Host, h.AppVersion, h.Channel = item.HostID(n.said["host"]), n.said["version"], n.said["channel"]
	h.Ext, h.ExtVersion, h.Release = n.said["extension"], n.said["extension.version"], n.said["release"]
	it.Origin.Environment = eco.Clean(n.said["environment"], item.MaxWord)
	it.Install = item.Raw(n.said["install"])
	c.Active, c.Command, c.Message = n.active, eco.Clean(n.said["command"], item.MaxKey), n.said["message"]
	for _, k := range []string{"process_type", "platform", "build_id", "exception_name"} {
		tag(k, eco.Clean(n.said[k], item.MaxWord))
	}
}
