// Package insights reads what Application Insights clients post to "track":
// envelopes of telemetry, as an array or one a line. Events and exceptions become
// items, everything else is only counted. VS Code's raw machine and session ids
// arrive here; the first becomes the item's raw install id, for the edge to hash,
// and the second is never read.
package insights

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Protocol is this protocol's name in envelopes, counts and consent.
const Protocol = "appinsights"

// Envelope is one envelope as it was read: its own key, and its item.
type Envelope struct {
	Key  string
	Item item.Item
}

// Read reads at most max envelopes and calls fn for each, in order. More are
// fault.TooLarge, broken JSON is fault.Invalid; in both cases what came before
// must not be kept.
func Read(b []byte, max int, fn func(e *Envelope)) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return fault.E("insights.Read", fault.Invalid, "The body is empty.", nil)
	}
	n := 0
	if b[0] == '[' {
		r := jsonin.Open(b, item.MaxDepth)
		defer r.Close()
		r.Each(max+1, func(int) {
			if n++; n <= max {
				fn(envelope(r))
			} else {
				r.Skip()
			}
		})
		if err := r.End(); err != nil {
			return err
		}
	} else {
		for line := range bytes.SplitSeq(b, []byte{'\n'}) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if n++; n > max {
				break
			}
			r := jsonin.Open(line, item.MaxDepth)
			e := envelope(r)
			err := r.End()
			r.Close()
			if err != nil {
				return err
			}
			fn(e)
		}
	}
	if n > max {
		return fault.E("insights.Read", fault.TooLarge, "The request has too many items.", nil)
	}
	return nil
}

type reader struct {
	r    *jsonin.Reader
	e    *Envelope
	c    eco.Crash
	attr map[string]string
	nums int
	last float64
	typ  string
	name string

	wrapped bool // reading a report inside a message
}

func envelope(r *jsonin.Reader) *Envelope {
	d := &reader{r: r, e: new(Envelope), attr: map[string]string{}}
	it := &d.e.Item
	r.Fields(func(name []byte) {
		switch string(name) {
		case "time":
			it.Time = r.Time()
		case "iKey":
			d.e.Key = r.Str(64)
		case "sampleRate":
			if v, ok := r.Num(); ok && v > 0 && v < 100 {
				it.Weight = 100 / v
			}
		case "tags":
			d.tags()
		case "data":
			d.data()
		default:
			r.Skip()
		}
	})
	d.finish()
	return d.e
}

func (d *reader) tags() {
	r, it := d.r, &d.e.Item
	r.Fields(func(name []byte) {
		switch string(name) {
		case "ai.user.id":
			it.Install = item.Raw(r.Str(item.MaxID))
		case "ai.application.ver":
			it.Hints.Release = r.Str(item.MaxVersion)
		case "ai.internal.sdkVersion":
			it.Origin.SDK = strings.Replace(r.Str(item.MaxWord), ":", "/", 1)
		default: // names of machines, accounts, sessions and places: never read
			r.Skip()
		}
	})
}

// data reads baseType and baseData, in either order.
func (d *reader) data() {
	r := d.r
	r.Fields(func(name []byte) {
		switch string(name) {
		case "baseType":
			d.typ = r.Str(item.MaxWord)
		case "baseData":
			r.Fields(func(name []byte) {
				switch string(name) {
				case "name":
					d.name = r.Str(item.MaxEventName)
				case "properties":
					d.properties()
				case "measurements":
					d.measurements()
				case "severityLevel":
					d.c.Level = severity(r.Str(16))
				case "exceptions":
					r.Each(item.MaxExceptions, d.exception)
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
}

func severity(s string) string {
	switch s {
	case "0":
		return "debug"
	case "1":
		return "info"
	case "2":
		return "warning"
	case "3":
		return "error"
	case "4":
		return "fatal"
	}
	return item.Level(s)
}

// properties reads what VS Code mixes in as dimensions and the rest as attributes.
func (d *reader) properties() {
	r, it := d.r, &d.e.Item
	n := 0
	r.Fields(func(name []byte) {
		key := eco.Clean(string(name), item.MaxKey)
		if n++; n > 4*item.MaxAttrs {
			r.Skip()
			return
		}
		switch key {
		case "common.extname":
			it.Hints.Ext = r.Str(item.MaxID)
		case "common.extversion":
			it.Hints.ExtVersion = r.Str(item.MaxVersion)
		case "common.vscodeversion":
			it.Hints.HostVersion = r.Str(item.MaxVersion)
			if it.Hints.Host == "" {
				it.Hints.Host = "vscode"
			}
		case "common.os":
			it.Origin.OS = item.OS(r.Str(item.MaxWord))
		case "common.platformversion":
			it.Origin.OSVersion = r.Str(item.MaxVersion)
		case "common.nodeArch":
			it.Origin.Arch = item.Arch(r.Str(item.MaxWord))
		case "common.product", "common.uikind":
			d.put(key, r.Str(item.MaxWord))
		default:
			if strings.HasPrefix(key, "common.") { // machine id, session id, remote name, commit …
				r.Skip()
				return
			}
			d.put(key, r.Str(item.MaxValue))
		}
	})
}

func (d *reader) put(key, value string) {
	if key != "" && value != "" && len(d.attr) < item.MaxAttrs {
		d.attr[key] = value
	}
}

func (d *reader) measurements() {
	r := d.r
	r.Fields(func(name []byte) {
		key := eco.Clean(string(name), item.MaxKey)
		if v, ok := r.Num(); ok && !strings.HasPrefix(key, "common.") {
			d.nums++
			d.last = v
			d.put(key, strconv.FormatFloat(v, 'g', -1, 64))
		}
	})
}

// exception reads one of the exceptions, outermost first.
//
// @vscode/extension-telemetry 1.5 wraps the whole report once more: the type is
// "Object" and the message is the report as JSON, with VS Code's raw machine id in
// its properties. Such a message is taken apart, or left out.
func (d *reader) exception(int) {
	r := d.r
	var typ, message, text string
	var frames []eco.Frame
	r.Fields(func(name []byte) {
		switch string(name) {
		case "typeName":
			typ = r.Str(item.MaxName)
		case "message":
			message = r.Str(item.MaxText)
		case "stack":
			text = r.Str(item.MaxText)
		case "parsedStack":
			frames = d.parsedStack()
		default:
			r.Skip()
		}
	})
	if strings.HasPrefix(message, `{"exceptions":[`) {
		if !d.wrapped {
			d.unwrap(message)
		}
		return
	}
	message = eco.Clean(message, item.MaxMessage)
	var one eco.Crash
	item.Trace(&one, typ, message, text)
	if len(frames) > 0 && (len(one.Exceptions) == 0 || len(one.Exceptions[0].Frames) == 0) {
		one.Exceptions = []eco.Exception{{Type: typ, Value: message, Parent: -1, Frames: frames}}
		one.Text = ""
	}
	if one.Text != "" && d.c.Text == "" {
		d.c.Text = one.Text
	}
	if one.Platform != "" && d.c.Platform == "" {
		d.c.Platform = one.Platform
	}
	base := len(d.c.Exceptions)
	for j, x := range one.Exceptions {
		if len(d.c.Exceptions) == item.MaxExceptions {
			return
		}
		if x.Parent += base; j == 0 {
			x.Parent = base - 1
		}
		d.c.Exceptions = append(d.c.Exceptions, x)
	}
}

// unwrap reads the exceptions of a report inside a message; one layer only.
func (d *reader) unwrap(message string) {
	outer := d.r
	inner := jsonin.Open([]byte(message), item.MaxDepth)
	defer inner.Close()
	d.r, d.wrapped = inner, true
	inner.Fields(func(name []byte) {
		if string(name) == "exceptions" {
			inner.Each(item.MaxExceptions, d.exception)
		} else {
			inner.Skip()
		}
	})
	d.r, d.wrapped = outer, false
}

func (d *reader) parsedStack() (frames []eco.Frame) {
	r := d.r
	r.Each(item.MaxFrames, func(int) {
		var f eco.Frame
		object := r.Fields(func(name []byte) {
			switch string(name) {
			case "method":
				f.Function = r.Str(item.MaxName)
			case "assembly":
				f.Package = r.Str(item.MaxName)
			case "fileName":
				f.File = r.Str(item.MaxName)
			case "line":
				f.Line = int(r.Int(1 << 31))
			default:
				r.Skip()
			}
		})
		if object {
			frames = append(frames, f)
		}
	})
	return frames
}

func (d *reader) finish() {
	it := &d.e.Item
	it.Name = d.typ
	switch d.typ {
	case "EventData":
		if d.name == "" {
			it.Drop = "schema:name"
			return
		}
		it.Kind, it.Event = eco.KindEvent, &eco.Event{Name: d.name, Attrs: d.attr}
		if d.nums == 1 {
			it.Event.Value = d.last
		}
	case "ExceptionData":
		if len(d.c.Exceptions) == 0 && d.c.Text == "" {
			it.Drop = "schema:exceptions"
			return
		}
		if d.c.Level == "" {
			d.c.Level = "error"
		}
		if d.c.Platform == "" && strings.HasPrefix(it.Origin.SDK, "javascript") {
			d.c.Platform = "javascript"
		}
		if d.attr["typeName"] == "Object" {
			delete(d.attr, "typeName")
		}
		d.c.Tags = d.attr
		it.Kind, it.Crash = eco.KindCrash, &d.c
	case "MetricData", "RemoteDependencyData", "RequestData", "MessageData", "PageviewData", "PageViewData", "AvailabilityData", "PageViewPerformanceData":
		it.Drop = "not_served"
	case "":
		it.Name, it.Drop = "unknown", "schema:base_type"
	default:
		it.Name, it.Drop = "unknown", "unknown_item"
	}
}
