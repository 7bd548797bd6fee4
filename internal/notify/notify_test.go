package notify_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/notifytest"
)

func TestMem(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Side {
		var say atomic.Value
		say.Store(fault.Code(""))
		m := &notify.Mem{Fail: func(notify.Message) error {
			if c := say.Load().(fault.Code); c != "" {
				return fault.E("test", c, "No.", nil)
			}
			return nil
		}}
		return notifytest.Side{Sender: m, Say: func(c fault.Code) { say.Store(c) }, Got: func() (out []notifytest.Got) {
			for _, x := range m.Sent() {
				out = append(out, notifytest.Got{ID: x.ID, Subject: x.Subject})
			}
			return out
		}}
	})
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\tc":               "a b c",
		"a\u2028b\u0085c":         "a b c",
		"  x  ":                   "x",
		"\u202eevil\u202c\ufeffx": "evilx",
		"a\x00b\xff":              "ab\ufffd",
	} {
		if got := notify.Line(in, 100); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := notify.Line(strings.Repeat("ä", 100), 9); len(got) > 9 || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
}
