package web

import (
	"fmt"

	"github.com/bellwether-project/bellwether/internal/estimate"
)

// ratioText says how a count differs from the one before, with the 95 % interval
// of the ratio. A rise or a fall is claimed only where three standard errors bear
// it; what only the interval shown bears is called unclear.
func ratioText(c estimate.Comparison) (text, class string) {
	switch {
	case !c.Known():
		return "", ""
	case c.NoneBefore && c.Rise:
		return fmt.Sprintf("none before (at least ×%s)", times(c.Low)), "up"
	case c.NoneBefore:
		return "none before, too few to tell", "flat"
	case c.Rise && c.Value >= 2:
		return fmt.Sprintf("×%s of before (%s–%s)", times(c.Value), times(c.Low), times(c.High)), "up"
	case c.Rise:
		return fmt.Sprintf("+%.0f %% (%.0f–%.0f %%)", (c.Value-1)*100, (c.Low-1)*100, (c.High-1)*100), "up"
	case c.Fall:
		return fmt.Sprintf("−%.0f %% (%.0f–%.0f %%)", (1-c.Value)*100, (1-c.High)*100, (1-c.Low)*100), "down"
	case c.Low <= 1 && c.High >= 1 && c.Value > 0.9 && c.Value < 1.1:
		return "about as before (" + ratioSpan(c) + ")", "flat"
	}
	return "change unclear (" + ratioSpan(c) + ")", "flat"
}

// ratioSpan is the interval of a ratio on both sides of one, in per cent, or as
// factors where it is wide.
func ratioSpan(c estimate.Comparison) string {
	if c.High >= 3 {
		return "×" + times(c.Low) + " to ×" + times(c.High)
	}
	return signed((c.Low-1)*100) + " to " + signed((c.High-1)*100) + " %"
}

func signed(v float64) string {
	if v < 0 {
		return fmt.Sprintf("−%.0f", -v)
	}
	return fmt.Sprintf("+%.0f", v)
}

// times is a factor with as many digits as one reads.
func times(v float64) string {
	if v >= 10 {
		return num(int64(v + 0.5))
	}
	return fmt.Sprintf("%.1f", v)
}
