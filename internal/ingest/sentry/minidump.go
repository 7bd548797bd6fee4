package sentry

import (
	"maps"
	"strings"

	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// dump reports whether an item is a minidump.
func (p *piece) dump() bool {
	return p.typ == "attachment" && strings.HasSuffix(p.attachment, "minidump")
}

// attached reads the first minidump; a second one of an envelope is not read.
func (d *decoder) attached(pieces []piece, native Native) {
	for i := range pieces {
		if !pieces[i].dump() {
			continue
		}
		if it := native(pieces[i].payload); it.Kind != "" {
			it.Name = "attachment.minidump"
			d.native = it
		} else {
			d.drop("attachment.minidump", "attachment", it.Drop, 1)
		}
		d.dumped = true
		return
	}
}

// EventWith reads an event that came beside a dump: one report of both, or of the
// dump alone when the event cannot be read.
func EventWith(b []byte, now int64, native *item.Item, emit item.Emit) (id string) {
	d := newDecoder(Header{}, now, emit)
	d.native = native
	if e, ok := d.event(b); ok {
		return e.id
	}
	d.alone()
	return ""
}

// alone emits a dump whose event is missing or cannot be read.
func (d *decoder) alone() {
	if d.native != nil {
		d.native.ClientID = d.head.EventID
		d.emit(d.native)
	}
}

// merge makes one report of an event and its dump: the exception, thread and
// images are the dump's, all the rest is the event's where it says anything.
func (e *event) merge(n *item.Item) {
	it, c, dump := &e.it, &e.c, n.Crash
	it.Name, it.Category, it.Walk = n.Name, "error", n.Walk
	c.Platform, c.Level, c.Handled, c.Mechanism, c.Exceptions = dump.Platform, dump.Level, dump.Handled, dump.Mechanism, dump.Exceptions
	if dump.Thread != "" {
		c.Thread = dump.Thread
	}
	c.DebugImages = dump.DebugImages
	for _, p := range []struct{ to, from *string }{
		{&c.Message, &dump.Message}, {&c.Command, &dump.Command}, {&it.Origin.OS, &n.Origin.OS}, {&it.Origin.OSVersion, &n.Origin.OSVersion}, {&it.Origin.Arch, &n.Origin.Arch},
		{&it.Origin.Environment, &n.Origin.Environment}, {&it.Hints.Release, &n.Hints.Release}, {&it.Hints.Host, &n.Hints.Host}, {&it.Hints.AppVersion, &n.Hints.AppVersion},
		{&it.Hints.Channel, &n.Hints.Channel}, {&it.Hints.Ext, &n.Hints.Ext}, {&it.Hints.ExtVersion, &n.Hints.ExtVersion},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	if c.Active == nil {
		c.Active = dump.Active
	}
	if it.Install == "" {
		it.Install = n.Install
	}
	if it.Time == 0 {
		it.Time = n.Time
	}
	if it.ClientID == "" {
		it.Repeat = n.Repeat
	}
	tags := maps.Clone(dump.Tags)
	if tags == nil {
		tags = c.Tags
	} else {
		maps.Copy(tags, c.Tags)
	}
	c.Tags = tags
}
