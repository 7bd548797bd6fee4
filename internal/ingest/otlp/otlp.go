// Package otlp turns OpenTelemetry requests into items. It knows the semantic
// conventions that matter here and nothing of transport, keys or consent.
//
//	resource    service.name@service.version is the release; os.*, host.arch, process.runtime.*, deployment.environment.name,
//	            app.installation.id (or device.id), telemetry.sdk.* are read; every other attribute is left out
//	scope       a name that is an extension id, with its version, is the extension
//	log record  app.crash, exception, or any with exception.* -> a crash; session.start and session.end -> sessions;
//	            another name -> an event; no name -> not kept
//	span        -> a span in milliseconds; each of its exception events -> a crash
//	metric      gauge and sum: one record a point, Value is the number. histogram, exponential histogram, summary: one record
//	            a point, Value is the mean, and count, sum, min and max are attributes
//
// Attributes of records are kept when they are single values and not on the drop
// list (attrs.go): lists and maps are left out.
package otlp

import (
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Protocol is this protocol's name in envelopes, counts and consent.
const Protocol = "otlp"

// Decoder turns one request into items. It lends the same item again and again;
// the zero value works, and it may be used for another request.
type Decoder struct {
	emit    item.Emit
	it      item.Item
	crash   eco.Crash
	event   eco.Event
	update  eco.Session
	attrs   map[string]string
	base    item.Item // what resource and scope say
	lang    string
	active  []eco.Active
	service string
	version string
}

func (d *Decoder) resource(attrs pcommon.Map) {
	d.base = item.Item{}
	d.lang, d.service, d.version, d.active = "", "", "", nil
	o := &d.base.Origin
	var osType, osName, device, rtName, rtVersion, sdkVersion string
	for k, v := range attrs.All() {
		switch k {
		case "service.name":
			d.service = text(v, item.MaxWord)
		case "service.version":
			d.version = text(v, item.MaxVersion)
		case "os.type":
			osType = text(v, item.MaxWord)
		case "os.name", "browser.platform":
			osName = text(v, item.MaxWord)
		case "os.version":
			o.OSVersion = text(v, item.MaxVersion)
		case "host.arch":
			o.Arch = item.Arch(text(v, item.MaxWord))
		case "process.runtime.name":
			rtName = text(v, item.MaxWord)
		case "process.runtime.version":
			rtVersion = text(v, item.MaxVersion)
		case "deployment.environment.name", "deployment.environment":
			o.Environment = text(v, item.MaxWord)
		case "app.installation.id":
			d.base.Install = item.Raw(text(v, item.MaxID))
		case "device.id":
			device = text(v, item.MaxID)
		case "telemetry.sdk.language":
			d.lang = text(v, item.MaxWord)
		case "telemetry.sdk.version":
			sdkVersion = text(v, item.MaxVersion)
		case "bellwether.active", "extension.active":
			d.active = actives(v)
		case "bellwether.channel", "extension.channel":
			d.base.Hints.Channel = text(v, item.MaxWord)
		}
	}
	if osType == "" {
		osType = osName
	}
	o.OS = item.OS(osType)
	o.Runtime = joined(rtName, rtVersion)
	o.SDK = "opentelemetry"
	if d.lang != "" {
		o.SDK += "." + d.lang
	}
	o.SDK = joined(o.SDK, sdkVersion)
	if d.base.Install == "" {
		d.base.Install = item.Raw(device)
	}
	d.base.Hints.Release = d.version
	if d.service != "" && d.version != "" {
		d.base.Hints.Release = d.service + "@" + d.version
	}
}

// scope reads the instrumentation scope; one named like an extension is that
// extension, and the service is then the host it runs in.
func (d *Decoder) scope(s pcommon.InstrumentationScope) {
	h := &d.base.Hints
	h.Ext, h.ExtVersion, h.Host, h.HostVersion = "", "", "", ""
	if id, err := eco.ParseExtensionID(s.Name()); err == nil {
		h.Ext, h.ExtVersion = string(id), eco.Clean(s.Version(), item.MaxVersion)
		h.Host, h.HostVersion = item.HostID(d.service), d.version
	}
}

// fresh lends the item, filled with what resource and scope say.
func (d *Decoder) fresh(name string, at pcommon.Timestamp) *item.Item {
	d.it = d.base
	d.it.Name, d.it.Time = name, millis(at)
	return &d.it
}

// named sets the event of the item; Attrs is the decoder's map, emptied.
func (d *Decoder) named(it *item.Item, kind eco.Kind, name string) *eco.Event {
	if d.attrs == nil {
		d.attrs = make(map[string]string, 16)
	}
	clear(d.attrs)
	it.Kind = kind
	d.event = eco.Event{Name: eco.Clean(name, item.MaxEventName), Attrs: d.attrs}
	it.Event = &d.event
	return &d.event
}

func millis(t pcommon.Timestamp) int64 { return int64(t / 1e6) }

func joined(name, version string) string {
	if name == "" || version == "" {
		return name
	}
	return name + "/" + version
}

// text returns a single value as text, and "" for lists, maps and bytes.
func text(v pcommon.Value, max int) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return eco.Clean(v.Str(), max)
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10)
	case pcommon.ValueTypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(v.Bool())
	}
	return ""
}

func actives(v pcommon.Value) (list []eco.Active) {
	if v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	for _, e := range v.Slice().All() {
		id, version, _ := strings.Cut(text(e, item.MaxID+item.MaxVersion), "@")
		list = item.AddActive(list, id, version)
	}
	return list
}
