package eval_test

import (
	"bytes"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eval"
)

// From thirty crashes on, what the evidence names is nearly always the seeded
// culprit, and it is found most of the time; a family without one stays without.
func TestSuspects(t *testing.T) {
	o := eval.SuspectOptions{Seed: 1, Runs: 12, Extensions: 2000, Sessions: 1000, Crashes: []int{10, 30, 100}}
	s, err := eval.Suspects(o)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := s.Print(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	precision, recall := s.From(30)
	if precision.Value < 0.95 || recall.Value < 0.8 {
		t.Errorf("precision %.3f, recall %.3f", precision.Value, recall.Value)
	}
	wrong, runs := 0, 0
	for _, r := range s.Rows {
		if r.Crashes < 20 && r.Named > 0 {
			t.Errorf("%s: named %d at %d crashes", r.Scenario, r.Named, r.Crashes)
		}
		if !r.Culprit && r.Crashes >= 30 {
			wrong, runs = wrong+r.False, runs+r.Runs
		}
	}
	if runs == 0 || float64(wrong) > 0.05*float64(runs) {
		t.Errorf("a culprit in %d of %d families without one", wrong, runs)
	}
}

func TestSuspectsRefuses(t *testing.T) {
	if _, err := eval.Suspects(eval.SuspectOptions{Runs: 1, Extensions: 10, Sessions: 1000, Crashes: []int{30}}); err == nil {
		t.Error("ten extensions were taken")
	}
}
