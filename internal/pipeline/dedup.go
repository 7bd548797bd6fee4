package pipeline

import "time"

// dedupLife is how long a client's repeat is recognised.
const dedupLife = 48 * time.Hour

// maxDedup bounds the set of known ids: 4 million, about 160 MB when it is full
// and next to nothing when it is not. Beyond it the oldest hour goes first, and
// a repeat from that hour would count again; the Intake page shows the size.
const maxDedup = 4 << 20

// aging is a set of 64-bit keys with a small value each that forgets whole hours,
// oldest first: by age, and when it is full.
type aging[V any] struct {
	max   int
	at    map[uint64]aged[V]
	hours map[int32][]uint64 // the keys of an hour, those moved to a later hour included
	first int32              // no hour before it holds keys
}

type aged[V any] struct {
	hour  int32
	value V
}

func newAging[V any](max int) *aging[V] {
	return &aging[V]{max: max, at: map[uint64]aged[V]{}, hours: map[int32][]uint64{}}
}

func hourOf(ms int64) int32 { return int32(ms / time.Hour.Milliseconds()) }

func (a *aging[V]) get(key uint64) (V, bool) {
	v, ok := a.at[key]
	return v.value, ok
}

// put sets a key's value and, when the key is new, its hour.
func (a *aging[V]) put(key uint64, hour int32, v V) {
	if old, ok := a.at[key]; ok {
		old.value = v
		a.at[key] = old
		return
	}
	for len(a.at) >= a.max && a.dropOldest() {
	}
	if len(a.at) == 0 || hour < a.first {
		a.first = hour
	}
	a.at[key] = aged[V]{hour, v}
	a.hours[hour] = append(a.hours[hour], key)
}

// forget drops the hours before one.
func (a *aging[V]) forget(before int32) {
	for a.first < before && len(a.hours) > 0 {
		if before-a.first > int32(len(a.hours))*4 { // a wide gap: look at what there is
			for h := range a.hours {
				if h < before {
					a.drop(h)
				}
			}
			break
		}
		a.drop(a.first)
		a.first++
	}
	a.first = max(a.first, before)
}

func (a *aging[V]) dropOldest() bool {
	if len(a.hours) == 0 {
		return false
	}
	oldest := int32(1<<31 - 1)
	for h := range a.hours {
		oldest = min(oldest, h)
	}
	a.drop(oldest)
	a.first = oldest + 1
	return true
}

func (a *aging[V]) drop(hour int32) {
	for _, key := range a.hours[hour] {
		delete(a.at, key)
	}
	delete(a.hours, hour)
}

func (a *aging[V]) len() int { return len(a.at) }
