package sentry

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// contexts reads the few contexts that say what software ran; device, culture,
// cloud and the like are passed over, but for the processor and an install id.
func (e *event) contexts() {
	r, it := e.r, &e.it
	r.Fields(func(name []byte) {
		switch string(name) {
		case "os":
			name, version := e.nameVersion("name", "version")
			it.Origin.OS, it.Origin.OSVersion = item.OS(name), version
		case "runtime":
			name, version := e.nameVersion("name", "version")
			it.Origin.Runtime = nameVersion(name, version)
		case "host":
			e.host(e.nameVersion("name", "version"))
		case "device":
			r.Fields(func(name []byte) {
				switch string(name) {
				case "arch":
					it.Origin.Arch = item.Arch(r.Str(item.MaxWord))
				case "id":
					e.device = r.Str(item.MaxID)
				default:
					r.Skip()
				}
			})
		case "app":
			e.app()
		case "feedback":
			e.readFeedback()
		case "bellwether":
			e.bellwether()
		default:
			r.Skip()
		}
	})
}

func (e *event) nameVersion(nameKey, versionKey string) (name, version string) {
	r := e.r
	r.Fields(func(key []byte) {
		switch string(key) {
		case nameKey:
			name = strings.TrimSpace(r.Str(item.MaxWord))
		case versionKey:
			version = strings.TrimSpace(r.Str(item.MaxVersion))
		default:
			r.Skip()
		}
	})
	return name, version
}

func (e *event) host(name, version string) {
	if name != "" {
		e.it.Hints.Host = item.HostID(name)
	}
	if version != "" {
		e.it.Hints.HostVersion = version
	}
}

// app is the application: the host, as far as nothing better names it.
func (e *event) app() {
	r, h := e.r, &e.it.Hints
	var name, version string
	r.Fields(func(key []byte) {
		switch string(key) {
		case "app_name":
			name = r.Str(item.MaxWord)
		case "app_version":
			version = r.Str(item.MaxVersion)
		case "device_app_hash":
			if s := r.Str(item.MaxID); e.device == "" {
				e.device = s
			}
		default:
			r.Skip()
		}
	})
	if h.Host == "" && name != "" {
		h.Host = item.HostID(name)
		if h.HostVersion == "" {
			h.HostVersion = version
		}
	}
}

func (e *event) readFeedback() {
	r := e.r
	f := new(eco.Feedback)
	r.Fields(func(name []byte) {
		switch string(name) {
		case "message":
			f.Message = r.Str(item.MaxFeedback)
		case "contact_email":
			f.Contact = r.Str(item.MaxValue)
		case "name":
			f.Name = r.Str(item.MaxValue)
		case "associated_event_id":
			f.CrashID = eventID(r.Str(64))
		case "url":
			f.URLOrigin = origin(r.Str(2048))
		default:
			r.Skip()
		}
	})
	e.feedback = f
}

// origin keeps scheme and host of an address; its path and query may name a person.
func origin(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || strings.ContainsAny(scheme, " /?#") {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return eco.Clean(scheme+"://"+rest, 255)
}

// bellwether reads what our own helpers add, as a context or an extra field:
// which extensions were active, and for which one the host was running.
//
//	{"host":"editor","host_version":"1.102.3","extension":"acme.linter","extension_version":"3.1.0","channel":"beta",
//	 "command":"linter.fix","active":{"acme.theme":"1.0.0"} or [{"id":"acme.theme","version":"1.0.0"}] or ["acme.theme@1.0.0"]}
func (e *event) bellwether() {
	r, h, c := e.r, &e.it.Hints, &e.c
	r.Fields(func(name []byte) {
		switch string(name) {
		case "host":
			h.Host = item.HostID(r.Str(item.MaxWord))
		case "host_version":
			h.HostVersion = r.Str(item.MaxVersion)
		case "extension":
			h.Ext = r.Str(item.MaxID)
		case "extension_version":
			h.ExtVersion = r.Str(item.MaxVersion)
		case "channel":
			h.Channel = r.Str(item.MaxWord)
		case "command":
			c.Command = r.Str(item.MaxKey)
		case "active":
			c.Active = ReadActive(r, c.Active)
		default:
			r.Skip()
		}
	})
}

// tags reads {k:v}, [[k,v]] and [{"key":k,"value":v}].
func (e *event) tags() {
	r := e.r
	if r.Kind() == '{' {
		n := 0
		r.Fields(func(name []byte) {
			if n++; n > item.MaxTags {
				r.Skip()
				return
			}
			key := eco.Clean(string(name), item.MaxKey)
			e.tag(key, r.Str(item.MaxValue))
		})
		return
	}
	r.Each(item.MaxTags, func(int) {
		var key, value string
		if r.Kind() == '[' {
			r.Each(2, func(i int) {
				if i == 0 {
					key = r.Str(item.MaxKey)
				} else {
					value = r.Str(item.MaxValue)
				}
			})
		} else {
			r.Fields(func(name []byte) {
				switch string(name) {
				case "key":
					key = r.Str(item.MaxKey)
				case "value":
					value = r.Str(item.MaxValue)
				default:
					r.Skip()
				}
			})
		}
		e.tag(key, value)
	})
}

func (e *event) tag(key, value string) {
	h, c := &e.it.Hints, &e.c
	switch key {
	case "":
		return
	case "host":
		h.Host = item.HostID(value)
	case "host.version":
		h.HostVersion = value
	case "extension", "extension.id":
		h.Ext = value
	case "extension.version":
		h.ExtVersion = value
	case "channel":
		h.Channel = value
	case "command":
		c.Command = eco.Clean(value, item.MaxKey)
	default:
		if identifies(key) {
			return
		}
		if c.Tags == nil {
			c.Tags = make(map[string]string, 8)
		}
		c.Tags[key] = value
	}
}

// identifies says that a tag names a person or a machine by its very purpose.
func identifies(key string) bool {
	k := strings.ToLower(key)
	switch k {
	case "server_name", "hostname", "host.name", "user", "username", "email", "ip", "ip_address", "url", "device", "device.name":
		return true
	}
	return strings.HasPrefix(k, "user.") || strings.HasPrefix(k, "sentry:user")
}
