package minidump

import "strings"

// crashpad reads what Crashpad adds: its ids, the annotations of the program, and
// those of each module (simple, a list, and objects).
func (d *Dump) crashpad(b []byte) {
	if len(b) < 52 || d.o.Uint32(b) < 1 {
		return
	}
	d.Client = d.guid(b[20:36])
	d.dictionary(d.location(b[36:]))
	links := d.location(b[44:])
	links, n := d.list(links, 12, MaxModules)
	for ; n > 0; n, links = n-1, links[12:] {
		info := d.location(links[4:])
		if len(info) < 28 || d.o.Uint32(info) < 1 {
			continue
		}
		d.strings(d.location(info[4:]))
		d.dictionary(d.location(info[12:]))
		d.objects(d.location(info[20:]))
	}
}

// location reads a size and where it is.
func (d *Dump) location(b []byte) []byte {
	data, ok := d.at(d.o.Uint32(b[4:]), d.o.Uint32(b))
	if !ok {
		return nil
	}
	return data
}

// looking counts the annotations looked at: modules may all point at one long list.
func (d *Dump) looking() bool {
	d.looked++
	return d.looked <= 8*MaxNotes
}

func (d *Dump) note(key, value string) {
	if key == "" || value == "" || len(d.Notes) >= MaxNotes {
		return
	}
	if _, have := d.Notes[key]; !have {
		d.Notes[key] = value
	}
}

// dictionary reads pairs of strings: 8 bytes each.
func (d *Dump) dictionary(b []byte) {
	b, n := d.list(b, 8, MaxNotes)
	for ; n > 0 && d.looking(); n, b = n-1, b[8:] {
		d.note(d.utf8(d.o.Uint32(b), 128), d.utf8(d.o.Uint32(b[4:]), maxValue))
	}
}

// strings reads the old list of annotations without names.
func (d *Dump) strings(b []byte) {
	b, n := d.list(b, 4, 64)
	var all []string
	for ; n > 0 && d.looking(); n, b = n-1, b[4:] {
		if s := d.utf8(d.o.Uint32(b), maxValue); s != "" {
			all = append(all, s)
		}
	}
	d.note("list_annotations", strings.Join(all, "; "))
}

// objects reads annotation objects: name, type, value; only strings (type 1) are read.
func (d *Dump) objects(b []byte) {
	b, n := d.list(b, 12, MaxNotes)
	for ; n > 0 && d.looking(); n, b = n-1, b[12:] {
		if d.o.Uint16(b[4:]) == 1 {
			d.note(d.utf8(d.o.Uint32(b), 128), d.utf8(d.o.Uint32(b[8:]), maxValue))
		}
	}
}
