package suspect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// Families that are read together get the answers that each gets by itself.
func TestTogether(t *testing.T) {
	type said struct {
		Name      string
		From      time.Time
		Without   int
		Crashes   int
		Against   evidence.Against
		LeftOut   int
		HowStrong []float64
	}
	culprits := []eco.ExtensionID{"pixel.draw", "north.note", "acme.git"}
	ask := func(each bool) (out []said) {
		h := open(t)
		h.now = noon.AddDate(0, 0, -7)
		for range 7 {
			h.sessions(150)
			h.now = h.now.AddDate(0, 0, 1)
		}
		for i := range 6 {
			h.now = noon.AddDate(0, 0, i-6)
			h.crashes(fmt.Sprint("F-", i), "", 25+5*i, 0, culprits[i%3])
			h.now = noon
			if each {
				h.run()
			}
		}
		h.crashes("F-5", "", 30, 4711, "pixel.draw") // one installation
		if h.run(); !each && h.run() != "nothing new" {
			t.Error("asked again")
		}
		for i := range 6 {
			r := h.of(everything, crash.Family{ID: fmt.Sprint("F-", i)})
			s := said{named(r), r.From, r.Without, r.Answer.Crashes, r.Answer.Against, r.Answer.LeftOut, nil}
			for _, f := range r.Answer.Findings {
				s.HowStrong = append(s.HowStrong, f.Share.Value, f.Expected.Value)
			}
			out = append(out, s)
		}
		return out
	}
	alone, together := ask(true), ask(false)
	if d := cmp.Diff(alone, together); d != "" {
		t.Error(d)
	}
	for i, s := range together {
		if s.Name != string(culprits[i%3]) || s.Crashes < 24 {
			t.Errorf("%d: %+v", i, s)
		}
	}
}
