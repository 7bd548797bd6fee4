// Package eco holds the words of the ecosystem as types: tiers, classes,
// extensions, versions, installs, crashes, facts. It does no I/O and knows no
// other package but fault. JSON forms are those of the public specifications.
package eco

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Tier is what a user consents to.
type Tier string

const (
	Essential   Tier = "essential"   // needed to run: consent itself, erasure requests, counts of what clients dropped
	TierCrash   Tier = "crash"       // crashes, and the sessions that are their denominator
	Performance Tier = "performance" // spans, metrics, timings
	Usage       Tier = "usage"       // named events
	Support     Tier = "support"     // feedback and its attachments
)

// Tiers lists the tiers in the order they are shown.
var Tiers = []Tier{Essential, TierCrash, Performance, Usage, Support}

// Class is a retention class: how long a record may live, counted from the day of receipt.
type Class string

const (
	Ephemeral    Class = "ephemeral" // 24 hours
	Short        Class = "short"     // 30 days
	Standard     Class = "standard"  // 90 days
	ClassCrash   Class = "crash"     // 90 days
	ClassSupport Class = "support"   // 180 days after the ticket is closed; what has no ticket counts as closed when it came
	Hold         Class = "hold"      // legal hold: until a person lifts it
)

// Days returns the life of a class in days, and 0 for a legal hold, which has no
// end of its own.
func (c Class) Days() int {
	switch c {
	case Ephemeral:
		return 1
	case Short:
		return 30
	case Standard, ClassCrash:
		return 90
	case ClassSupport:
		return 180
	}
	return 0
}

// Classes lists every retention class.
var Classes = []Class{Ephemeral, Short, Standard, ClassCrash, ClassSupport, Hold}

// Channel is the track a release is published on.
type Channel string

const (
	Stable  Channel = "stable"
	Beta    Channel = "beta"
	Nightly Channel = "nightly"
)

// Kind says what a record is.
type Kind string

const (
	KindCrash   Kind = "crash"
	KindSession Kind = "session"
	KindEvent   Kind = "event"  // a named event: usage
	KindSpan    Kind = "span"   // a timed operation; Value is its duration in milliseconds
	KindMetric  Kind = "metric" // one number; Value is it
	// KindFeedback is what a user wrote; it becomes a ticket.
	KindFeedback Kind = "feedback"
)

// ExtensionID names an extension: "publisher.name", lower case.
type ExtensionID string

// ParseExtensionID checks the form publisher.name: letters, digits, '-', '_' and
// further dots, at most 128 bytes; it lower-cases.
func ParseExtensionID(s string) (ExtensionID, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	dot := strings.IndexByte(s, '.')
	ok := dot > 0 && dot < len(s)-1 && len(s) <= 128 && slugRunes(s) && !strings.Contains(s, "..")
	if !ok {
		return "", errExtensionID
	}
	return ExtensionID(s), nil
}

// Doors ask of many words whether they are an id, and most are not: the errors are
// made once.
var (
	errExtensionID = fault.E("eco.ParseExtensionID", fault.Invalid, "An extension id has the form publisher.name (letters, digits, - and _).", nil)
	errSlug        = fault.E("eco.ParseSlug", fault.Invalid, "An id has 1 to 64 letters, digits, - and _.", nil)
)

// ParseSlug checks an id of a publisher or host: letters, digits, '-', '_', '.'.
func ParseSlug(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > 64 || !slugRunes(s) {
		return "", errSlug
	}
	return s, nil
}

func slugRunes(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return s != "" && s[0] != '.' && s[0] != '-' && s[len(s)-1] != '.'
}

// Publisher returns the part before the first dot.
func (e ExtensionID) Publisher() string {
	p, _, _ := strings.Cut(string(e), ".")
	return p
}

// Ref points at a thing by value, across desks.
type Ref struct {
	Kind string `json:"kind"` // family, crash, extension, host, account, project, release, key, job …
	ID   string `json:"id"`
}

func (r Ref) String() string { return r.Kind + ":" + r.ID }

// Step is one line of lineage: which stage touched a record, by which version of its rules.
type Step struct {
	Stage   string `json:"stage"`
	Version string `json:"version,omitempty"`
	Note    string `json:"note,omitempty"`
	At      int64  `json:"at"` // Unix milliseconds
}

// Removal says that a rule took something out, where, and how often; never what.
type Removal struct {
	Rule  string `json:"rule"`  // "email", "user-path", "token" …
	Place string `json:"place"` // "exceptions[0].value", "breadcrumbs[].message" …
	Count int    `json:"count"`
}

// Install is a pseudonym: an HMAC of a client's install id under a key of one
// extension or host. 0 means that the client named none. It never prints.
type Install uint64

// LogValue keeps pseudonyms out of logs.
func (Install) LogValue() slog.Value { return slog.StringValue("•••") }

// String keeps pseudonyms out of formatted text.
func (Install) String() string { return "•••" }

// Day is a UTC calendar day as yyyymmdd, the partition of facts.
type Day int32

// DayOf returns the UTC day of t.
func DayOf(t time.Time) Day {
	y, m, d := t.UTC().Date()
	return Day(y*10000 + int(m)*100 + d)
}

// Time returns the first instant of the day.
func (d Day) Time() time.Time {
	return time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 0, 0, 0, 0, time.UTC)
}

func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// ParseDay reads yyyy-mm-dd.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fault.E("eco.ParseDay", fault.Invalid, "A day has the form 2026-11-21.", nil)
	}
	return DayOf(t), nil
}

// Clean returns s as valid UTF-8 without NUL, cut at a rune boundary to at most
// max bytes. Every string from outside passes it once, at the door.
func Clean(s string, max int) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	s = cutRunes(s, max)
	if utf8.ValidString(s) {
		return s
	}
	return cutRunes(strings.ToValidUTF8(s, "\uFFFD"), max) // a replaced byte became three
}

func cutRunes(s string, max int) string {
	if len(s) <= max {
		return s
	}
	n := max
	for n > 0 && n > max-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ID is a time-ordered 128-bit id in the layout of UUIDv7: 48 bits of Unix
// milliseconds of receipt, then random bits. Printed as 32 hex digits.
type ID [16]byte

// NewID joins a time of receipt with random bits (only the last ten bytes of
// random are used).
func NewID(at time.Time, random [16]byte) ID {
	id := ID(random)
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Time returns the time of receipt in the id, to the millisecond.
func (id ID) Time() time.Time {
	var ms int64
	for i := range 6 {
		ms = ms<<8 | int64(id[i])
	}
	return time.UnixMilli(ms).UTC()
}

func (id ID) String() string { return fmt.Sprintf("%x", id[:]) }

// IsZero reports whether the id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText prints 32 hex digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what ParseID reads.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	*id = v
	return err
}

// ParseID reads 32 hex digits, with or without dashes.
func ParseID(s string) (ID, error) {
	var id ID
	n := 0
	for i := range len(s) {
		c := s[i]
		var v byte
		switch {
		case c == '-':
			continue
		case c >= '0' && c <= '9':
			v = c - '0'
		case c >= 'a' && c <= 'f':
			v = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			v = c - 'A' + 10
		default:
			n = 99
		}
		if n >= 32 {
			n = 99
			break
		}
		id[n/2] |= v << (4 * (1 - n%2))
		n++
	}
	if n != 32 {
		return ID{}, fault.E("eco.ParseID", fault.Invalid, "An id has 32 hexadecimal digits.", nil)
	}
	return id, nil
}
