package otlp

import (
	"bytes"
	"encoding/binary"

	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// Signal is which of the three services a request is for.
type Signal int

// The signals.
const (
	Logs Signal = iota
	Traces
	Metrics
)

// MaxMessages bounds the parts (records, attributes, values …) of one request:
// a part may take two bytes on the wire and takes about PartBytes in memory.
const (
	MaxMessages = 400_000
	PartBytes   = 128
)

// shape says which fields of a message hold messages. Only what nests or repeats
// is listed; all else is passed over.
type shape struct {
	fields [16]*shape
	record bool // counted against the limit of records
	value  bool // an AnyValue: may nest without end
	counts bool // field 2 is a list of varints
}

var (
	anyValue  = &shape{value: true}
	keyValue  = &shape{fields: [16]*shape{2: anyValue}}
	leaf      = &shape{}
	buckets   = &shape{counts: true}
	entityRef = leaf
	resource  = &shape{fields: [16]*shape{1: keyValue, 3: entityRef}}
	scope     = &shape{fields: [16]*shape{3: keyValue}}
	logRecord = &shape{record: true, fields: [16]*shape{5: anyValue, 6: keyValue}}
	spanEvent = &shape{record: true, fields: [16]*shape{3: keyValue}}
	spanLink  = &shape{fields: [16]*shape{4: keyValue}}
	span      = &shape{record: true, fields: [16]*shape{9: keyValue, 11: spanEvent, 13: spanLink, 15: leaf}}
	exemplar  = &shape{fields: [16]*shape{7: keyValue}}
	number    = &shape{record: true, fields: [16]*shape{7: keyValue, 5: exemplar}}
	histogram = &shape{record: true, fields: [16]*shape{9: keyValue, 8: exemplar}}
	expHist   = &shape{record: true, fields: [16]*shape{1: keyValue, 8: buckets, 9: buckets, 11: exemplar}}
	summary   = &shape{record: true, fields: [16]*shape{7: keyValue, 6: leaf}}
	metric    = &shape{fields: [16]*shape{5: points(number), 7: points(number), 9: points(histogram), 10: points(expHist), 11: points(summary), 12: keyValue}}
)

func points(p *shape) *shape { return &shape{fields: [16]*shape{1: p}} }

func request(record *shape) *shape {
	return &shape{fields: [16]*shape{1: {fields: [16]*shape{1: resource, 2: {fields: [16]*shape{1: scope, 2: record}}}}}}
}

var shapes = [...]*shape{Logs: request(logRecord), Traces: request(span), Metrics: request(metric)}

func init() { // a value holds a list of values (5) and a list of key and value (6)
	anyValue.fields[5] = &shape{fields: [16]*shape{1: anyValue}}
	anyValue.fields[6] = &shape{fields: [16]*shape{1: keyValue}}
}

// Guard walks a protobuf request before it is decoded: it refuses more than max
// records, more parts than MaxMessages and values nested deeper than
// item.MaxDepth, which would take memory or stack without end. What is broken is
// left to the decoder. It returns the number of parts, in which numbersPerPart
// numbers of a list weigh as one.
func Guard(b []byte, s Signal, max int) (parts int, err error) {
	g := guard{records: max, parts: MaxMessages}
	err = g.walk(b, shapes[s], 0)
	return MaxMessages - g.parts + g.numbers/numbersPerPart, err
}

// numbersPerPart is how many numbers of a list weigh as much as a part: eight
// bytes each, and as much again while the list grows.
const numbersPerPart = PartBytes / 16

type guard struct{ records, parts, numbers int }

func (g *guard) walk(b []byte, s *shape, depth int) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return broken()
		}
		b = b[n:]
		switch tag & 7 {
		case 0:
			if _, n = binary.Uvarint(b); n <= 0 {
				return broken()
			}
			b = b[n:]
			if s.counts {
				g.numbers++
			}
		case 1:
			if len(b) < 8 {
				return broken()
			}
			b = b[8:]
		case 5:
			if len(b) < 4 {
				return broken()
			}
			b = b[4:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return broken()
			}
			part := b[n : n+int(size)]
			b = b[n+int(size):]
			field := tag >> 3
			if s.counts && field == 2 {
				g.numbers += len(part) // of a byte each, at most
				continue
			}
			if field >= uint64(len(s.fields)) || s.fields[field] == nil {
				continue
			}
			if err := g.part(part, s.fields[field], depth); err != nil {
				return err
			}
		default:
			return broken()
		}
	}
	return nil
}

func (g *guard) part(b []byte, s *shape, depth int) error {
	if g.parts--; g.parts < 0 {
		return fault.E("otlp.Guard", fault.TooLarge, "The request has too many parts.", nil)
	}
	if s.record {
		if g.records--; g.records < 0 {
			return tooMany()
		}
	}
	if s.value {
		if depth++; depth > item.MaxDepth/2 {
			return fault.E("otlp.Guard", fault.Invalid, "The values of the request are nested too deeply.", nil)
		}
	}
	return g.walk(b, s, depth)
}

// GuardJSON is Guard for the JSON form; records are counted after decoding, and
// every comma is taken for a number's.
func GuardJSON(b []byte) (parts int, err error) {
	if parts = bytes.Count(b, []byte{'{'}); parts > MaxMessages {
		return parts, fault.E("otlp.Guard", fault.TooLarge, "The request has too many parts.", nil)
	}
	return parts + bytes.Count(b, []byte{','})/numbersPerPart, jsonin.CheckDepth(b, item.MaxDepth)
}

func broken() error {
	return fault.E("otlp.Guard", fault.Invalid, "The body is not a valid request of this service.", nil)
}

func tooMany() error {
	return fault.E("otlp.Guard", fault.TooLarge, "The request has too many records.", nil)
}
