package receipt

import "math/bits"

// K is how many distinct installs it takes for a count to be told outside the team.
const K = 20

// Outside is the one rule about counts that leave the team: that there are at least
// 20, 50, 100, 200, 500 … installs; below that only whether there are others besides
// the one who asks. Anybody who has a public key can add invented installs until a
// step is reached, and would then know the number of all others: so each step begins
// somewhat higher than it says, by up to half of it, by a shift that is another one
// for every family and secret (Book.Shift). What is told is true all the same.
func Outside(installs int64, shift uint64) (atLeast int64, others bool) {
	installs = min(installs, 1<<50)
	for i, step := 0, int64(K); step <= installs; i++ {
		by := bits.RotateLeft64(shift, 8*i) & 0xff
		if installs < step+step*int64(by)/(2*0xff) {
			break
		}
		atLeast = step
		if step *= 2; i%3 == 0 { // 20 50 100 200 500 …
			step += step / 4
		}
	}
	return atLeast, installs > 1
}

// About rounds a count that Outside lets through, for rates that an owner
// publishes: to tens, from 1,000 on to a hundredth of its size, from a place that
// the shift moves. 0 = too few to tell.
func About(installs int64, shift uint64) int64 {
	if n, _ := Outside(installs, shift); n == 0 {
		return 0
	}
	grain := int64(10)
	for grain*100 < installs {
		grain *= 10
	}
	return max(K, (installs+int64(shift>>8%uint64(grain)))/grain*grain)
}

// Shift is the secret by which counts about a family are told less exactly. While
// the keyring cannot be read it is the largest.
func (b *Book) Shift(family string) uint64 {
	if n := b.keys.Hash64(Scope, "shift", family); n != 0 {
		return n
	}
	return 1<<64 - 1
}
