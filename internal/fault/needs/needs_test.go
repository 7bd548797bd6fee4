package needs

import (
	"testing"
)

// spy notes how a test would end.
type spy struct {
	testing.TB
	ended string
}

func (s *spy) Helper()               {}
func (s *spy) Fatalf(string, ...any) { s.ended = "failed" }
func (s *spy) Skipf(string, ...any)  { s.ended = "skipped" }

func TestPart(t *testing.T) {
	for _, c := range []struct {
		ci, program, want string
	}{
		{"", "no-such-program-anywhere", "skipped"},
		{"true", "no-such-program-anywhere", "failed"},
		{"", "go", ""},
		{"true", "go", ""},
	} {
		t.Setenv("CI", c.ci)
		s := &spy{TB: t}
		if Program(s, c.program); s.ended != c.want {
			t.Errorf("CI=%q, %s: %q, want %q", c.ci, c.program, s.ended, c.want)
		}
	}
}
