package receipt

import (
	"fmt"
	"testing"
)

func TestOutside(t *testing.T) {
	for n, want := range map[int64]string{0: "0 false", 1: "0 false", 2: "0 true", 19: "0 true", 20: "20 true", 49: "20 true", 50: "50 true", 99: "50 true", 199: "100 true",
		400: "200 true", 999: "500 true", 1000: "1000 true", 123456: "100000 true", 1 << 62: "1000000000000000 true"} {
		count, others := Outside(n, 0)
		if got := fmt.Sprint(count, others); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// Somebody who adds invented installs until a step is reached knows how many there
// are then, but for the shift. Others are hidden in it: whatever their number from 0
// to 10, there is a family that looks the same with another number.
func TestInventedInstallsTellNoNumber(t *testing.T) {
	b := book(t)
	reached := func(family string, others int64) (added int64) {
		for n, _ := Outside(others+added, b.Shift(family)); n == 0; n, _ = Outside(others+added, b.Shift(family)) {
			added++
		}
		return added
	}
	seen := map[int64]map[int64]bool{} // added -> numbers of others
	for i := range 4000 {
		for others := range int64(11) {
			added := reached(fmt.Sprint("F-", i), others)
			if seen[added] == nil {
				seen[added] = map[int64]bool{}
			}
			seen[added][others] = true
		}
	}
	if len(seen[20]) != 11 {
		t.Errorf("20 invented ones that suffice tell that the others are among %d numbers, want 11", len(seen[20]))
	}
	for n := range int64(5000) {
		if told, _ := Outside(n, b.Shift("F-1")); told > n || told > 0 && told < K {
			t.Fatalf("%d installs are told as at least %d", n, told)
		}
		if a := About(n, b.Shift("F-1")); a != 0 && (a < K || a-n > max(10, n/10) || n-a > max(10, n/10)) {
			t.Fatalf("%d installs are told as about %d", n, a)
		}
	}
	if b.Shift("F-1") == b.Shift("F-2") {
		t.Error("two families have one shift")
	}
}
