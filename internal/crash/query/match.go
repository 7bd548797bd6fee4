package query

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Match reports whether a value fits one of the term's, which may hold *. Text is
// compared without case.
func (t Term) Match(value string) bool {
	value = strings.ToLower(value)
	for _, v := range t.Values {
		if like(strings.ToLower(v), value) {
			return true
		}
	}
	return false
}

func like(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}

// Compare reports whether a number on the scale of the term's key fits.
func compare(c int, op Op) bool {
	switch op {
	case Gt:
		return c > 0
	case GtEq:
		return c >= 0
	case Lt:
		return c < 0
	case LtEq:
		return c <= 0
	}
	return c == 0
}

// Version reports whether a version fits a term that compares versions.
func (t Term) Version(v string) bool {
	if t.Op == Is {
		return t.Match(v)
	}
	return v != "" && compare(eco.CompareVersions(short(v), short(t.Values[0])), t.Op)
}

// short leaves zeros at the end away: 1.4 and 1.4.0 are the same here.
func short(v string) string {
	for strings.HasSuffix(v, ".0") {
		v = strings.TrimSuffix(v, ".0")
	}
	return v
}

// Number reports whether n fits a term whose value check read as a number.
func (t Term) Number(n int64) bool {
	for _, v := range t.Values {
		var want int64
		if _, err := fmt.Sscan(v, &want); err == nil {
			c := 0
			switch {
			case n < want:
				c = -1
			case n > want:
				c = 1
			}
			if compare(c, t.Op) {
				return true
			}
		}
	}
	return false
}

// Span is the time that a term of first:, last: or time: names: at or after from
// and before to; a zero end is open.
func (t Term) Span(now time.Time) (from, to time.Time) {
	at, length, ago, err := moment(t.Values[0], now)
	if err != nil {
		return from, to // check refused it
	}
	if ago { // an age: last:<24h is later than a day ago
		switch t.Op {
		case Lt, LtEq, Is:
			return at, to
		}
		return from, at
	}
	switch t.Op {
	case Gt:
		return at.Add(length), to
	case GtEq:
		return at, to
	case Lt:
		return from, at
	case LtEq:
		return from, at.Add(length)
	}
	return at, at.Add(length)
}
