package answers

import (
	"math"
	"strings"
	"testing"
)

// Values of scipy.stats.fisher_exact(table, alternative="less").
func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m int64
		want       float64
	}{
		{0, 10, 5, 10, 0.01625387}, {1, 10, 9, 10, 0.000546647}, {8, 10, 1, 6, 0.9991258741}, {0, 0, 3, 10, 1}, {5, 10, 5, 10, 0.671859},
	} {
		if got := fisher(c.a, c.n, c.b, c.m); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%+v: %.9f", c, got)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		before, after exact
		how           string
		text          []string
		not           []string
	}{
		{exact{60, 600, 28}, exact{0, 400, 10}, sure, []string{"10.0 % of about 600", "none of about 400", "sure that it is gone"}, nil},
		{exact{60, 600, 28}, exact{25, 800, 10}, sure, []string{"rarer now"}, []string{"gone"}},
		{exact{60, 600, 28}, exact{3, 800, 10}, sure, []string{"few of about 800", "rarer now"}, []string{"3 of", "0.4"}},
		{exact{30, 600, 28}, exact{0, 60, 2}, likely, []string{"likely that this is the fix"}, nil},
		{exact{12, 600, 28}, exact{0, 60, 2}, early, []string{"few of about 600", "too early"}, []string{"12", "2.0 %"}},
		{exact{12, 19, 28}, exact{0, 400, 2}, early, []string{"too few installations to say met it"}, []string{"19", "12"}},
		{exact{0, 600, 28}, exact{0, 400, 2}, early, []string{"none of about 600"}, nil},
	} {
		how, _ := verdict(c.before, c.after)
		text := sentence(c.before.public(0), c.after.public(0), how)
		if how != c.how {
			t.Errorf("%+v: %s", c, how)
		}
		for _, s := range c.text {
			if !strings.Contains(text, s) {
				t.Errorf("%+v: %q has not %q", c, text, s)
			}
		}
		for _, s := range c.not {
			if strings.Contains(text, s) {
				t.Errorf("%+v: %q has %q", c, text, s)
			}
		}
	}
}
