package sentry

import (
	"net/netip"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// event is what is read of an event while its fields come by in any order.
type event struct {
	d          *decoder
	r          *jsonin.Reader
	it         item.Item
	c          eco.Crash
	id         string
	logger     string
	formatted  bool // the message is the formatted one
	exceptions ring[exception]
	thread     *thread // the one that crashed, or runs
	user       string  // user.id
	device     string  // contexts.device.id, app.device_app_hash: when there is no user id
	feedback   *eco.Feedback
	images     []image
}

type exception struct {
	x       eco.Exception
	id      int64
	parent  int64
	linked  bool // the client linked it by exception_id and parent_id
	group   bool
	thread  string
	handled *bool
}

// Event reads one event of the store address.
func Event(b []byte, now int64, emit item.Emit) (id string, err error) {
	if e, ok := newDecoder(Header{}, now, emit).event(b); ok {
		return e.id, nil
	}
	return "", malformed("The event is not an object of JSON.")
}

// event emits a crash, or a named event for a message below fatal without an exception.
func (d *decoder) event(b []byte) (*event, bool) {
	e, ok := d.read(b)
	if !ok {
		d.drop("event", "error", "schema:json", 1)
		return e, false
	}
	it, c := &e.it, &e.c
	it.Category, it.Kind = "error", eco.KindCrash
	e.finishExceptions()
	e.finishThread()
	e.finishAddresses()
	if d.native != nil {
		e.merge(d.native)
		d.native, it.Crash = nil, c
		d.emit(it)
		return e, true
	}
	if c.Level == "" {
		c.Level = "error"
	}
	it.Name = "event"
	if e.exceptions.added == 0 && c.Level != "fatal" {
		it.Name, it.Category, it.Kind = "event.message", "default", eco.KindEvent
		if c.Message == "" && e.thread == nil {
			d.drop(it.Name, it.Category, "schema:empty", 1)
			return e, true
		}
		it.Event = &eco.Event{Name: "message", Attrs: map[string]string{"level": c.Level, "message": eco.Clean(c.Message, item.MaxValue)}}
		if e.logger != "" {
			it.Event.Attrs["logger"] = e.logger
		}
		d.emit(it)
		return e, true
	}
	it.Crash = c
	d.emit(it)
	return e, true
}

// userFeedback emits the feedback of an event-shaped item.
func (d *decoder) userFeedback(b []byte) {
	e, ok := d.read(b)
	if !ok || e.feedback == nil || strings.TrimSpace(e.feedback.Message) == "" {
		d.drop("feedback", "feedback", "schema:feedback", 1)
		return
	}
	if e.feedback.CrashID == e.id {
		e.feedback.CrashID = ""
	}
	e.it.Name, e.it.Category, e.it.Kind, e.it.Feedback = "feedback", "feedback", eco.KindFeedback, e.feedback
	d.emit(&e.it)
}

func (d *decoder) read(b []byte) (*event, bool) {
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	e := &event{d: d, r: r, exceptions: newRing[exception](0, item.MaxExceptions)}
	e.it.Origin.SDK = d.head.SDK
	object := r.Fields(e.field)
	if r.End() != nil || !object {
		return e, false
	}
	if d.head.EventID != "" {
		e.id = d.head.EventID
	}
	it := &e.it
	it.ClientID, it.Time = e.id, d.at(it.Time)
	it.Install = item.Raw(e.user)
	if it.Install == "" {
		it.Install = item.Raw(e.device)
	}
	if it.Hints.Release == "" {
		it.Hints.Release = d.head.Release
	}
	if it.Origin.Environment == "" {
		it.Origin.Environment = d.head.Environment
	}
	return e, true
}

func (e *event) field(name []byte) {
	r, it, c := e.r, &e.it, &e.c
	switch string(name) {
	case "event_id":
		e.id = eventID(r.Str(64))
	case "timestamp":
		it.Time = r.Time()
	case "platform":
		c.Platform = item.Platform(r.Str(item.MaxWord))
	case "level":
		c.Level = item.Level(r.Str(item.MaxWord))
	case "release":
		it.Hints.Release = r.Str(item.MaxName)
	case "environment":
		it.Origin.Environment = r.Str(item.MaxWord)
	case "logger":
		e.logger = r.Str(item.MaxWord)
	case "message", "logentry":
		e.message()
	case "exception":
		r.Values(1<<30, func(int) { e.exception() })
	case "threads":
		r.Values(maxThreads, func(int) { e.threadValue() })
	case "stacktrace":
		if frames := e.stacktrace(); frames != nil && e.thread == nil {
			e.thread = &thread{frames: frames}
		}
	case "breadcrumbs":
		e.breadcrumbs()
	case "contexts":
		e.contexts()
	case "tags":
		e.tags()
	case "user":
		e.userID()
	case "modules":
		e.modules()
	case "debug_meta":
		e.debugMeta()
	case "sdk":
		if s := sdk(r); s != "" {
			it.Origin.SDK = s
		}
	case "extra":
		r.Fields(func(name []byte) {
			if string(name) == "bellwether" {
				e.bellwether()
			} else {
				r.Skip()
			}
		})
	default: // server_name, request, culprit, fingerprint …: never read
		r.Skip()
	}
}

func (e *event) message() {
	r := e.r
	if r.Kind() != '{' {
		if s := r.Str(item.MaxMessage); !e.formatted {
			e.c.Message = s
		}
		return
	}
	r.Fields(func(name []byte) {
		switch string(name) {
		case "formatted":
			if s := r.Str(item.MaxMessage); s != "" {
				e.c.Message, e.formatted = s, true
			}
		case "message":
			if s := r.Str(item.MaxMessage); !e.formatted {
				e.c.Message = s
			}
		default:
			r.Skip()
		}
	})
}

// userID reads the id only, and not one that is an address of a person or machine.
func (e *event) userID() {
	r := e.r
	r.Fields(func(name []byte) {
		if string(name) != "id" {
			r.Skip()
			return
		}
		e.user = r.Str(item.MaxID)
		if strings.ContainsRune(e.user, '@') {
			e.user = ""
		} else if _, err := netip.ParseAddr(e.user); err == nil {
			e.user = ""
		}
	})
}

func (e *event) breadcrumbs() {
	r := e.r
	crumbs := newRing[eco.Breadcrumb](0, item.MaxCrumbs)
	r.Values(1<<30, func(int) {
		b := crumbs.next()
		r.Fields(func(name []byte) { // data is never read: addresses, arguments
			switch string(name) {
			case "timestamp":
				b.Time = r.Time()
			case "category":
				b.Category = r.Str(item.MaxKey)
			case "message":
				b.Message = r.Str(item.MaxValue)
			case "level":
				b.Level = item.Level(r.Str(item.MaxWord))
			case "type":
				b.Type = r.Str(item.MaxWord)
			default:
				r.Skip()
			}
		})
		b.Time = e.d.at(b.Time)
	})
	e.c.Breadcrumbs = crumbs.oldestFirst()
}

func (e *event) modules() {
	r := e.r
	put := func(name, version string) {
		if name == "" || len(e.c.Modules) >= item.MaxModules {
			return
		}
		if e.c.Modules == nil {
			e.c.Modules = make(map[string]string, 16)
		}
		e.c.Modules[name] = version
	}
	if r.Kind() == '[' {
		r.Each(item.MaxModules, func(int) {
			var name, version string
			r.Fields(func(key []byte) {
				switch string(key) {
				case "name":
					name = r.Str(item.MaxKey)
				case "version":
					version = r.Str(item.MaxVersion)
				default:
					r.Skip()
				}
			})
			put(name, version)
		})
		return
	}
	r.Fields(func(key []byte) {
		if len(e.c.Modules) >= item.MaxModules {
			r.Skip()
			return
		}
		name := eco.Clean(string(key), item.MaxKey)
		put(name, r.Str(item.MaxVersion))
	})
}

func (e *event) debugMeta() {
	r := e.r
	r.Fields(func(name []byte) {
		if string(name) != "images" {
			r.Skip()
			return
		}
		r.Each(item.MaxImages, func(int) {
			var d eco.DebugImage
			var at image
			defer func() { e.images = append(e.images, at) }() // also an empty one: frames count them
			r.Fields(func(name []byte) {
				switch string(name) {
				case "image_addr":
					at.from, at.ok = address(r.Str(32))
				case "image_size":
					at.size = uint64(max(0, r.Int(1<<62)))
				case "type":
					d.Type = r.Str(item.MaxWord)
				case "code_file":
					d.CodeFile = r.Str(item.MaxName)
				case "debug_id":
					d.DebugID = r.Str(item.MaxID)
				default:
					r.Skip()
				}
			})
			if d != (eco.DebugImage{}) {
				e.c.DebugImages = append(e.c.DebugImages, d)
				at.file = d.CodeFile
			}
		})
	})
}
