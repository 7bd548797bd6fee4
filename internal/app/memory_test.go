package app

import "testing"

func TestMemoryLimitFollowsWhatIsInUse(t *testing.T) {
	for _, c := range []struct {
		live, other uint64
		want        int64
	}{
		{0, 0, memoryFloor},
		{100 << 20, 20 << 20, memoryFloor},
		{1 << 30, 50 << 20, 2<<30 + 50<<20},
	} {
		if got := memoryLimit(c.live, c.other); got != c.want {
			t.Errorf("%d live and %d other: %d, want %d", c.live, c.other, got, c.want)
		}
	}
}
