package eco

import (
	"encoding/binary"
	"math"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// The envelope codec is the form of a record in the stream. It is compact and
// quick rather than self-describing: one version byte, then every field of
// Envelope in a fixed order. Strings and lists are preceded by their length as a
// uvarint, times and counts are varints, floats are 8 bytes little endian, an
// optional part is preceded by a byte 0 or 1, a *bool is 0 (nil), 1 (false) or 2.
// Maps are written in no particular order. A new field means a new version;
// a reader keeps reading the version before its own, because the stream may hold
// records of the release before it.
//
// Version 2 added the trust of a frame, version 3 what a symbol file made of it:
// a crash that is let go after it was held may have been named before. Version 4
// added crashes of which only the signature came.
const codecVersion = 4

// EncodeEnvelope appends the record of e to dst and returns the longer slice. It
// cannot fail and keeps no reference to e.
func EncodeEnvelope(dst []byte, e *Envelope) []byte {
	w := encoder{append(dst, codecVersion)}
	w.b = append(w.b, e.ID[:]...)
	w.int(e.Received)
	w.int(e.Time)
	w.str(e.Protocol)
	w.str(string(e.Kind))
	w.str(string(e.Tier))
	w.str(string(e.Class))
	w.str(e.ClientID)
	w.u64(e.Dedup)
	w.float(e.Weight)
	w.bool(e.Quarantined)
	w.origin(&e.Origin)
	if w.has(e.Crash != nil) {
		w.crash(e.Crash)
	}
	if w.has(e.Session != nil) {
		w.session(e.Session)
	}
	if w.has(e.Event != nil) {
		w.str(e.Event.Name)
		w.float(e.Event.Value)
		w.str(e.Event.Unit)
		w.strings(e.Event.Attrs)
	}
	if w.has(e.Feedback != nil) {
		f := e.Feedback
		w.str(f.Message)
		w.str(f.Contact)
		w.str(f.Name)
		w.str(f.CrashID)
		w.str(f.URLOrigin)
	}
	w.len(len(e.Removed))
	for i := range e.Removed {
		r := &e.Removed[i]
		w.str(r.Rule)
		w.str(r.Place)
		w.int(int64(r.Count))
	}
	w.len(len(e.Steps))
	for i := range e.Steps {
		s := &e.Steps[i]
		w.str(s.Stage)
		w.str(s.Version)
		w.str(s.Note)
		w.int(s.At)
	}
	return w.b
}

// DecodeEnvelope reads a record. The strings of the result share one copy of the
// record: clone those that outlive it. fault.Invalid: cut short, garbage behind
// the end, or a version this release does not know.
func DecodeEnvelope(b []byte) (*Envelope, error) {
	r := decoder{s: string(b)}
	if r.version = r.byte(); r.version < 1 || r.version > codecVersion {
		return nil, fault.E("eco.DecodeEnvelope", fault.Invalid, "This release does not know the version of the record.", nil)
	}
	room := new(struct { // what nearly every record needs, at once
		e     Envelope
		event Event
		steps [3]Step
	})
	e := &room.e
	copy(e.ID[:], r.take(len(e.ID)))
	e.Received = r.int()
	e.Time = r.int()
	e.Protocol = r.str()
	e.Kind = Kind(r.str())
	e.Tier = Tier(r.str())
	e.Class = Class(r.str())
	e.ClientID = r.str()
	e.Dedup = r.u64()
	e.Weight = r.float()
	e.Quarantined = r.bool()
	r.origin(&e.Origin)
	if r.bool() {
		e.Crash = new(Crash)
		r.crash(e.Crash)
	}
	if r.bool() {
		e.Session = new(Session)
		r.session(e.Session)
	}
	if r.bool() {
		e.Event = &room.event
		*e.Event = Event{Name: r.str(), Value: r.float(), Unit: r.str(), Attrs: r.strings()}
	}
	if r.bool() {
		e.Feedback = &Feedback{Message: r.str(), Contact: r.str(), Name: r.str(), CrashID: r.str(), URLOrigin: r.str()}
	}
	if n := r.len(3); n > 0 {
		e.Removed = make([]Removal, n)
		for i := range e.Removed {
			e.Removed[i] = Removal{Rule: r.str(), Place: r.str(), Count: int(r.int())}
		}
	}
	if n := r.len(4); n > 0 {
		if e.Steps = room.steps[:min(n, len(room.steps)):len(room.steps)]; n > len(room.steps) {
			e.Steps = make([]Step, n)
		}
		for i := range e.Steps {
			e.Steps[i] = Step{Stage: r.str(), Version: r.str(), Note: r.str(), At: r.int()}
		}
	}
	if r.bad || r.i != len(r.s) {
		return nil, fault.E("eco.DecodeEnvelope", fault.Invalid, "The record is damaged.", nil)
	}
	return e, nil
}

// encoder appends values; it has no errors.
type encoder struct{ b []byte }

func (w *encoder) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *encoder) len(n int)       { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *encoder) u64(v uint64)    { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *encoder) float(v float64) { w.u64(math.Float64bits(v)) }
func (w *encoder) str(s string)    { w.len(len(s)); w.b = append(w.b, s...) }

func (w *encoder) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *encoder) has(v bool) bool { w.bool(v); return v }

func (w *encoder) maybe(v *bool) {
	switch {
	case v == nil:
		w.b = append(w.b, 0)
	case *v:
		w.b = append(w.b, 2)
	default:
		w.b = append(w.b, 1)
	}
}

func (w *encoder) strings(m map[string]string) {
	w.len(len(m))
	for k, v := range m {
		w.str(k)
		w.str(v)
	}
}

// decoder reads what encoder wrote. After the first fault it is bad and returns
// zero values, so that callers check once.
type decoder struct {
	s       string
	i       int
	version byte
	bad     bool
}

func (r *decoder) take(n int) string {
	if r.bad || n < 0 || n > len(r.s)-r.i {
		r.bad = true
		return ""
	}
	r.i += n
	return r.s[r.i-n : r.i]
}

func (r *decoder) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *decoder) uvarint() uint64 {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		c := r.byte()
		if shift == 63 && c > 1 {
			break
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *decoder) int() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// len reads the length of a list whose elements take at least min bytes each, so
// that a damaged record cannot ask for more memory than a small multiple of itself.
func (r *decoder) len(min int) int {
	n := r.uvarint()
	if n > uint64(len(r.s)-r.i)/uint64(min) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *decoder) str() string { return r.take(r.len(1)) }

func (r *decoder) u64() uint64 {
	b := r.take(8)
	if b == "" {
		return 0
	}
	var v uint64
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

func (r *decoder) float() float64 { return math.Float64frombits(r.u64()) }

func (r *decoder) bool() bool {
	c := r.byte()
	if c > 1 {
		r.bad = true
	}
	return c == 1
}

func (r *decoder) maybe() *bool {
	switch c := r.byte(); c {
	case 0:
		return nil
	case 1, 2:
		v := c == 2
		return &v
	}
	r.bad = true
	return nil
}

func (r *decoder) strings() map[string]string {
	n := r.len(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := r.str()
		m[k] = r.str()
	}
	return m
}
