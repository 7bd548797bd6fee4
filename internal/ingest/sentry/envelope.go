// Package sentry reads what Sentry's SDKs send: envelopes, single events of the
// old store address, and the three ways to name a key. It turns them into items;
// it keeps no key, asks no consent and answers nobody.
//
//	Envelope = Headers { "\n" Item } [ "\n" ]        Item = Headers "\n" Payload
//
// Headers are one line of JSON. A payload has the length its headers state, or
// runs to the next newline. Only "\n" is a newline; "\r" is data.
package sentry

import (
	"bytes"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// MaxItems bounds the items of one envelope.
const MaxItems = 500

// Header is what is read of an envelope's headers.
type Header struct {
	EventID     string // 32 hex digits, or "" when there is none or it is no id
	DSN         string
	SentAt      int64 // Unix milliseconds, 0 = not said
	SDK         string
	Release     string // of the trace, for events that carry none
	Environment string
}

// piece is one item of an envelope as it stands.
type piece struct {
	typ        string
	filename   bool
	attachment string // attachment_type
	count      int64  // item_count
	payload    []byte
}

func malformed(text string) error { return fault.E("sentry.Envelope", fault.Invalid, text, nil) }

// ReadHeader reads the first line only: what is needed to find the key.
func ReadHeader(b []byte) (Header, error) {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	return header(line)
}

func header(line []byte) (Header, error) {
	var h Header
	if len(line) == 0 {
		return h, malformed("The envelope has no headers.")
	}
	r := jsonin.Open(line, item.MaxDepth)
	defer r.Close()
	sent := 0
	object := r.Fields(func(name []byte) {
		switch string(name) {
		case "event_id":
			h.EventID = eventID(r.Str(64))
		case "dsn":
			h.DSN = r.Str(512)
		case "sent_at":
			sent++
			h.SentAt = r.Time()
		case "sdk":
			h.SDK = sdk(r)
		case "trace":
			r.Fields(func(name []byte) {
				switch string(name) {
				case "release":
					h.Release = r.Str(item.MaxName)
				case "environment":
					h.Environment = r.Str(item.MaxWord)
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
	switch err := r.End(); {
	case err != nil || !object:
		return h, malformed("The headers of the envelope are not a line of JSON.")
	case sent > 1:
		return h, malformed("The envelope states sent_at twice.")
	}
	return h, nil
}

// Envelope reads an envelope and emits its items. An error means that the
// envelope is malformed; items emitted before it was found must not be kept. now
// is our clock in Unix milliseconds, against which the client's is corrected; a
// JSON item of more than maxItem bytes is dropped.
func Envelope(b []byte, now, maxItem int64, emit item.Emit) (Header, error) {
	return EnvelopeWith(b, now, maxItem, nil, emit)
}

// Native reads a minidump. What it returns becomes one with the event beside the
// dump; an item without Kind is dropped for its reason.
type Native func(dump []byte) *item.Item

// EnvelopeWith is Envelope with a reader of the first minidump among its attachments.
func EnvelopeWith(b []byte, now, maxItem int64, native Native, emit item.Emit) (Header, error) {
	line, rest, more := bytes.Cut(b, []byte{'\n'})
	h, err := header(line)
	if err != nil {
		return h, err
	}
	d := newDecoder(h, now, emit)
	var pieces []piece
	for more && len(rest) > 0 {
		if len(pieces) == MaxItems {
			return h, fault.E("sentry.Envelope", fault.TooLarge, "The envelope has too many items.", nil)
		}
		var p piece
		if p, rest, err = next(rest); err != nil {
			return h, err
		}
		if p.typ == "feedback" || p.typ == "user_report" {
			d.feedback = true
		}
		pieces = append(pieces, p)
	}
	if native != nil {
		d.attached(pieces, native)
	}
	for i := range pieces {
		if p := &pieces[i]; p.typ != "attachment" && int64(len(p.payload)) > maxItem {
			cat, known := categories[p.typ]
			if !known {
				p.typ = "unknown"
			}
			d.drop(p.typ, cat, "limit:item_size", 1)
			continue
		}
		d.piece(&pieces[i])
	}
	d.alone()
	return h, nil
}

// next cuts one item off b.
func next(b []byte) (piece, []byte, error) {
	line, rest, _ := bytes.Cut(b, []byte{'\n'})
	var p piece
	length, stated := int64(0), false
	r := jsonin.Open(line, item.MaxDepth)
	defer r.Close()
	object := r.Fields(func(name []byte) {
		switch string(name) {
		case "type":
			p.typ = r.Str(item.MaxWord)
		case "length":
			if v, ok := r.Num(); ok {
				length, stated = int64(v), true
				if v < 0 || v != float64(length) {
					length = -1
				}
			}
		case "item_count":
			p.count = r.Int(1 << 20)
		case "attachment_type":
			p.attachment = r.Str(item.MaxWord)
		case "filename":
			p.filename = r.Str(item.MaxName) != ""
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil || !object {
		return p, nil, malformed("The headers of an item are not a line of JSON.")
	}
	if p.typ == "" {
		return p, nil, malformed("An item has no type.")
	}
	if !stated {
		p.payload, rest, _ = bytes.Cut(rest, []byte{'\n'})
		return p, rest, nil
	}
	if length < 0 || length > int64(len(rest)) {
		return p, nil, malformed("An item is shorter than it states.")
	}
	p.payload, rest = rest[:length], rest[length:]
	if len(rest) > 0 {
		if rest[0] != '\n' {
			return p, nil, malformed("An item is longer than it states.")
		}
		rest = rest[1:]
	}
	return p, rest, nil
}

// eventID brings an id to 32 lower-case hex digits; "" when it is none, or all zeros.
func eventID(s string) string {
	id, err := eco.ParseID(s)
	if err != nil || id.IsZero() {
		return ""
	}
	return id.String()
}

func sdk(r *jsonin.Reader) string {
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
	return nameVersion(name, version)
}

func nameVersion(name, version string) string {
	name, version = strings.TrimSpace(name), strings.TrimSpace(version)
	if name == "" || version == "" {
		return name
	}
	return name + "/" + version
}
