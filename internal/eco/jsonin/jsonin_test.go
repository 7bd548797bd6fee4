package jsonin

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestLenience(t *testing.T) {
	r := Open([]byte(`{"n":"12.0","m":1e3,"lone":"a\ud83dz","bad":"`+"a\xffb"+`","t":"true","x":{"deep":[1,2]},"t":false,"\u0073":"esc","nul":"a\u0000b","time":1795218758.365,"iso":"2026-11-20T23:37:28.447301Z","naive":"2026-11-20T23:37:28"}`), 16)
	defer r.Close()
	got := map[string]any{}
	r.Fields(func(name []byte) {
		switch n := string(name); n {
		case "n", "m":
			got[n] = r.Int(1 << 40)
		case "lone", "bad", "s", "x", "nul":
			got[n] = r.Str(100)
		case "t":
			got[n] = *r.Bool()
		case "time", "iso", "naive":
			got[n] = r.Time()
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"n": int64(12), "m": int64(1000), "lone": "a\ufffdz", "bad": "a\ufffdb", "s": "esc", "x": "", "nul": "ab",
		"t": false, "time": int64(1795218758365), "iso": int64(1795217848447), "naive": int64(1795217848000)} {
		if got[k] != want {
			t.Errorf("%s = %#v, want %#v", k, got[k], want)
		}
	}
}

func TestValuesForms(t *testing.T) {
	for _, s := range []string{`[1,2,3]`, `{"values":[1,2,3]}`, `{"x":[9],"values":[1,2,3]}`} {
		r := Open([]byte(s), 8)
		sum := int64(0)
		r.Values(2, func(int) { sum += r.Int(9) })
		if err := r.End(); err != nil || sum != 3 {
			t.Errorf("%s: sum %d, %v", s, sum, err)
		}
		r.Close()
	}
}

func TestFaults(t *testing.T) {
	for _, s := range []string{``, `{`, `{"a":}`, `{"a":1} x`, `[1,]`, strings.Repeat("[", 50) + strings.Repeat("]", 50)} {
		r := Open([]byte(s), 40)
		r.Fields(func([]byte) { r.Skip() })
		if err := r.End(); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%.20q: %v", s, err)
		}
		r.Close()
	}
	if err := CheckDepth([]byte(`"`+strings.Repeat(`[{\"`, 500)+`"`), 40); err != nil {
		t.Errorf("brackets in text counted: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"a":[1,"x",{"b":null}],"t":1.5e3}`))
	f.Add([]byte(`{"values":[{"\ud800":"\udfff"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := Open(b, 32)
		defer r.Close()
		n := 0
		var value func()
		value = func() {
			if n++; n > 2000 {
				r.Skip()
				return
			}
			switch r.Kind() {
			case '{':
				r.Fields(func([]byte) { value() })
			case '[':
				r.Each(10, func(int) { value() })
			case '"':
				if s := r.Str(7); len(s) > 9 {
					t.Fatalf("text of %d bytes", len(s))
				}
			default:
				r.Num()
			}
		}
		value()
		_ = r.End()
	})
}
