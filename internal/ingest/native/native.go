// Package native reads the house's own intake JSON: crashes, sessions and events
// in batches, with the frame order and the words of the house. schema/intake is
// its specification; the vectors there are read by the tests of this package.
package native

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Protocol is this protocol's name in envelopes, counts and consent.
const Protocol = "native"

// Read reads a request of one list ("crashes", "sessions" or "events") of at most
// max elements and returns its items in order. An element that cannot be kept is
// an item that says why. now is our clock in Unix milliseconds, against which the
// client's is corrected when it stated sent_at.
func Read(b []byte, list string, max int, now int64) ([]item.Item, error) {
	d := &decoder{r: jsonin.Open(b, item.MaxDepth)}
	r := d.r
	defer r.Close()
	over := false
	var sent int64
	object := r.Fields(func(name []byte) {
		switch string(name) {
		case "sent_at":
			sent = d.time()
		case "sdk":
			d.sdk()
		case "source":
			d.source()
		case "active":
			d.active = d.actives(nil)
		case "session":
			d.session = r.Str(item.MaxID)
		case list:
			r.Each(max+1, func(i int) {
				if i == max {
					over = true
					r.Skip()
					return
				}
				d.items = append(d.items, item.Item{})
				d.element(list, &d.items[len(d.items)-1])
			})
		default:
			r.Skip()
		}
	})
	switch err := r.End(); {
	case err != nil:
		return nil, err
	case !object:
		return nil, fault.E("native.Read", fault.Invalid, "The body is not an object.", nil)
	case over:
		return nil, fault.E("native.Read", fault.TooLarge, "The request has too many items.", nil)
	}
	drift := now - sent
	if sent == 0 || drift < 60_000 && drift > -60_000 {
		drift = 0
	}
	for i := range d.items {
		d.finish(&d.items[i], drift, now)
	}
	return d.items, nil
}

type decoder struct {
	r       *jsonin.Reader
	items   []item.Item
	base    item.Item // source, sdk
	active  []eco.Active
	session string
}

// time reads Unix milliseconds or RFC 3339.
func (d *decoder) time() int64 {
	if d.r.Kind() == '0' {
		return d.r.Int(253402300799999)
	}
	return jsonin.ParseTime(d.r.Str(64))
}

func (d *decoder) sdk() {
	r := d.r
	var name, version string
	r.Fields(func(key []byte) {
		switch string(key) {
		case "name":
			name = r.Str(item.MaxWord)
		case "version":
			version = r.Str(item.MaxVersion)
		default:
			r.Skip()
		}
	})
	if d.base.Origin.SDK = name; name != "" && version != "" {
		d.base.Origin.SDK += "/" + version
	}
}

func (d *decoder) source() {
	r, it := d.r, &d.base
	r.Fields(func(key []byte) {
		switch string(key) {
		case "extension":
			it.Hints.Ext = r.Str(item.MaxID)
		case "extension_version":
			it.Hints.ExtVersion = r.Str(item.MaxVersion)
		case "host":
			it.Hints.Host = item.HostID(r.Str(item.MaxWord))
		case "host_version":
			it.Hints.HostVersion = r.Str(item.MaxVersion)
		case "channel":
			it.Hints.Channel = r.Str(item.MaxWord)
		case "os":
			it.Origin.OS = item.OS(r.Str(item.MaxWord))
		case "os_version":
			it.Origin.OSVersion = r.Str(item.MaxVersion)
		case "arch":
			it.Origin.Arch = item.Arch(r.Str(item.MaxWord))
		case "runtime":
			it.Origin.Runtime = r.Str(item.MaxWord)
		case "environment":
			it.Origin.Environment = r.Str(item.MaxWord)
		case "install":
			it.Install = item.Raw(r.Str(item.MaxID))
		default:
			r.Skip()
		}
	})
}

// actives reads [{"id","version"}].
func (d *decoder) actives(list []eco.Active) []eco.Active {
	r := d.r
	r.Each(item.MaxActive, func(int) {
		var id, version string
		r.Fields(func(key []byte) {
			switch string(key) {
			case "id":
				id = r.Str(item.MaxID)
			case "version":
				version = r.Str(item.MaxVersion)
			default:
				r.Skip()
			}
		})
		list = item.AddActive(list, id, version)
	})
	return list
}

func (d *decoder) element(list string, it *item.Item) {
	if d.r.Kind() != '{' {
		d.r.Skip()
		it.Name, it.Drop = strings.TrimSuffix(list, "s"), "schema:object"
		if list == "crashes" {
			it.Name = "crash"
		}
		return
	}
	switch list {
	case "crashes":
		d.crash(it)
	case "sessions":
		d.update(it)
	default:
		d.event(it)
	}
}

// known fills what a request does not say of its source from what a report says.
func known(o, report eco.Origin) eco.Origin {
	o.OS, o.OSVersion = cmp.Or(o.OS, report.OS), cmp.Or(o.OSVersion, report.OSVersion)
	o.Arch, o.Runtime = cmp.Or(o.Arch, report.Arch), cmp.Or(o.Runtime, report.Runtime)
	return o
}

// finish joins an item with what the request says of all of them; members may
// come in any order, so this is done at the end.
func (d *decoder) finish(it *item.Item, drift, now int64) {
	origin, hints := known(d.base.Origin, it.Origin), d.base.Hints
	if it.Hints.ExtVersion != "" {
		hints.ExtVersion = it.Hints.ExtVersion
	}
	it.Origin, it.Hints = origin, hints
	if it.Install == "" {
		it.Install = d.base.Install
	}
	if it.Time != 0 {
		it.Time += drift
	}
	if it.Session == "" && it.Crash != nil {
		it.Session = item.Raw(d.session)
	}
	if c := it.Crash; c != nil {
		if c.Active == nil {
			c.Active = slices.Clip(d.active) // shared by the items of the request
		}
		for i := range c.Breadcrumbs {
			if c.Breadcrumbs[i].Time != 0 {
				c.Breadcrumbs[i].Time += drift
			}
		}
		if c.Owner != "" {
			it.Hints.Ext = string(c.Owner)
			if c.Owner != eco.ExtensionID(hints.Ext) {
				it.Hints.ExtVersion = ""
			}
		}
	}
	if s := it.Update; s != nil {
		if s.Started += drift; it.Time == 0 {
			it.Time = s.Started
		}
		if s.Active == nil {
			s.Active = d.active
		}
		if now-s.Started > 5*24*3600*1000 {
			it.Kind, it.Update, it.Drop = "", nil, "late"
		}
	}
}
