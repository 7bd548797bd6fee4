package ingest

import (
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Burst is what is known of a project's crashes in the present minute.
type Burst struct {
	Crashes  int     // in this minute
	HourMean float64 // crashes a minute in the hour before
	Installs int     // distinct installs in this minute
	Fresh    int     // of those, not seen in the hour before
	Top      int     // at least this many of the crashes have one key (type and innermost frame)
}

// Suspect decides whether a burst looks forged: a key is public, so anybody can
// send with it. It is far above the hour before, and either comes from hardly any
// installs, or from installs that were never seen and all with one crash. A real
// bad release is a burst too, but of known installs.
func Suspect(q registry.Quarantine, b Burst) (bool, string) {
	q = q.WithDefaults()
	if q.All {
		return true, "everything of this project is held"
	}
	if b.Crashes <= q.PerMinute || float64(b.Crashes) <= q.FactorOfHour*max(b.HourMean, 1) {
		return false, ""
	}
	if float64(b.Installs) < q.InstallsBelow*float64(b.Crashes) {
		return true, fmt.Sprintf("%d crashes in a minute against %.1f in the hour before, from %d installs", b.Crashes, b.HourMean, b.Installs)
	}
	if float64(b.Fresh) > 0.9*float64(b.Installs) && float64(b.Top) > 0.9*float64(b.Crashes) {
		return true, fmt.Sprintf("%d crashes in a minute against %.1f in the hour before, %d of %d installs never seen, one signature", b.Crashes, b.HourMean, b.Fresh, b.Installs)
	}
	return false, ""
}

// bursts watches the projects. What it remembers of installs are bits of hashes.
type bursts struct {
	mu       sync.Mutex
	seed     maphash.Seed
	seeded   bool
	projects map[int64]*burst
}

const (
	burstBits   = 1 << 16 // of the set of installs of half an hour
	minuteBits  = 1 << 14 // of the set of installs of a minute; it counts 80,000 of them well
	maxBursts   = 2_000   // projects watched, at 18 KB each; when there are more, all begin anew
	burstMinute = int64(time.Minute / time.Millisecond)
)

type burst struct {
	minute  int64
	last    [60]int
	now     Burst
	top     uint64
	lead    int
	minuteI [minuteBits / 64]uint64   // installs of this minute
	hourI   [2][burstBits / 64]uint64 // installs of this half hour and the one before
	bits    int                       // set in minuteI
	fresh   int                       // of those, not in hourI
	half    int64
}

// look counts a crash and says whether it is held.
func (w *bursts) look(e *eco.Envelope, q registry.Quarantine, now time.Time) (bool, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.seeded {
		w.seed, w.seeded = maphash.MakeSeed(), true
	}
	b := w.projects[e.Origin.Project]
	if b == nil {
		if len(w.projects) >= maxBursts {
			clear(w.projects)
		}
		b = &burst{minute: now.UnixMilli() / burstMinute, half: now.UnixMilli() / burstMinute / 30}
		w.projects[e.Origin.Project] = b
	}
	b.turn(now.UnixMilli() / burstMinute)
	b.now.Crashes++
	b.install(uint64(e.Origin.Install))
	b.key(w.keyOf(e.Crash))
	return Suspect(q, b.now)
}

func (w *bursts) keyOf(c *eco.Crash) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	h.WriteString(c.Platform)
	if len(c.Exceptions) == 0 {
		h.WriteString(c.Text[:min(len(c.Text), 256)])
		return h.Sum64()
	}
	x := &c.Exceptions[0]
	h.WriteString(x.Type)
	if len(x.Frames) > 0 {
		h.WriteString(x.Frames[0].Module)
		h.WriteString(x.Frames[0].Function)
	}
	return h.Sum64()
}

func (b *burst) turn(minute int64) {
	for ; b.minute < minute; b.minute++ {
		if minute-b.minute > 60 {
			clear(b.last[:])
			b.minute = minute - 1
			b.now.Crashes = 0
		}
		b.last[b.minute%60] = b.now.Crashes
		sum := 0
		for _, n := range b.last {
			sum += n
		}
		b.now = Burst{HourMean: float64(sum) / 60}
		b.top, b.lead, b.bits, b.fresh = 0, 0, 0, 0
		clear(b.minuteI[:])
	}
	if half := minute / 30; half > b.half {
		if half > b.half+1 {
			clear(b.hourI[0][:])
		}
		b.hourI[1] = b.hourI[0]
		clear(b.hourI[0][:])
		b.half = half
	}
}

// install sets bits. An install without an id counts as none, which makes a burst
// without ids suspect.
func (b *burst) install(id uint64) {
	if id == 0 {
		return
	}
	bit, small := id%burstBits, id%minuteBits
	if b.minuteI[small/64]&(1<<(small%64)) != 0 {
		return
	}
	b.minuteI[small/64] |= 1 << (small % 64)
	b.bits++
	if (b.hourI[0][bit/64]|b.hourI[1][bit/64])&(1<<(bit%64)) == 0 {
		b.fresh++
		b.hourI[0][bit/64] |= 1 << (bit % 64)
	}
	// Linear counting: how many installs set that many of the bits.
	b.now.Installs = int(math.Round(-minuteBits * math.Log1p(-float64(min(b.bits, minuteBits-1))/minuteBits)))
	b.now.Fresh = b.now.Installs * b.fresh / b.bits
}

// key keeps a candidate for the majority (Boyer and Moore): its lead over all
// others together gives a lower bound of its count.
func (b *burst) key(k uint64) {
	switch {
	case b.lead == 0:
		b.top, b.lead = k, 1
	case b.top == k:
		b.lead++
	default:
		b.lead--
	}
	b.now.Top = (b.now.Crashes + b.lead) / 2
}
