package ingest

import (
	"fmt"
	"hash/maphash"
	"math"
	"net/netip"
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
	Fresh    int     // of those, not seen in the hour before, neither crashing nor otherwise
	Networks int     // distinct client addresses in this minute; a /64 is one
	Top      int     // at least this many of the crashes have one key (type and innermost frame)
}

// Suspect decides whether a burst looks forged: a key is public, so anybody can
// send with it. It is far above the hour before, and either comes from hardly any
// senders, or a few addresses name installs that were never seen, all with one
// crash. A real bad release is a burst too, and must not be hidden: its installs
// come from many networks (also where clients name no install, as most of
// Sentry's do), or were seen before.
func Suspect(q registry.Quarantine, b Burst) (bool, string) {
	q = q.WithDefaults()
	if q.All {
		return true, "everything of this project is held"
	}
	if b.Crashes <= q.PerMinute || float64(b.Crashes) <= q.FactorOfHour*max(b.HourMean, 1) {
		return false, ""
	}
	if float64(max(b.Installs, b.Networks)) < q.InstallsBelow*float64(b.Crashes) {
		return true, fmt.Sprintf("%d crashes in a minute against %.1f in the hour before, from %d installs in %s", b.Crashes, b.HourMean, b.Installs, networks(b.Networks))
	}
	few := float64(b.Networks) < q.InstallsBelow*float64(b.Installs)
	if few && float64(b.Fresh) > 0.9*float64(b.Installs) && float64(b.Top) > 0.9*float64(b.Crashes) {
		return true, fmt.Sprintf("%d crashes in a minute against %.1f in the hour before, %d of %d installs never seen, from %s, one signature", b.Crashes, b.HourMean, b.Fresh, b.Installs, networks(b.Networks))
	}
	return false, ""
}

// bursts watches the projects. What it remembers of installs and of addresses are
// bits of keyed hashes, in memory only.
type bursts struct {
	mu       sync.Mutex
	seed     maphash.Seed
	seeded   bool
	projects map[int64]*burst
}

const (
	burstBits   = 1 << 16 // of the set of installs of half an hour
	minuteBits  = 1 << 14 // of the set of installs of a minute; it counts 80,000 of them well
	maxBursts   = 2_000   // projects watched, at 20 KB each; when there are more, all begin anew
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
	minuteN [minuteBits / 64]uint64   // addresses of this minute
	nets    int                       // set in minuteN
	fresh   int                       // of those, not in hourI
	half    int64
}

// look counts a crash and says whether it is held.
func networks(n int) string {
	if n == 1 {
		return "1 network"
	}
	return fmt.Sprintf("%d networks", n)
}

func (w *bursts) look(e *eco.Envelope, q registry.Quarantine, from netip.Addr, now time.Time) (bool, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.of(e.Origin.Project, now)
	b.now.Crashes++
	b.install(uint64(e.Origin.Install))
	b.network(w.networkOf(from))
	b.key(w.keyOf(e.Crash))
	return Suspect(q, b.now)
}

// meet notes an install that sent something else than a crash: it is none that was
// invented for a burst.
func (w *bursts) meet(project int64, install eco.Install, now time.Time) {
	if install == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	bit := uint64(install) % burstBits
	w.of(project, now).hourI[0][bit/64] |= 1 << (bit % 64)
}

// of returns what is known of a project, in the present minute.
func (w *bursts) of(project int64, now time.Time) *burst {
	if !w.seeded {
		w.seed, w.seeded = maphash.MakeSeed(), true
	}
	b := w.projects[project]
	if b == nil {
		if len(w.projects) >= maxBursts {
			clear(w.projects)
		}
		b = &burst{minute: now.UnixMilli() / burstMinute, half: now.UnixMilli() / burstMinute / 30}
		w.projects[project] = b
	}
	b.turn(now.UnixMilli() / burstMinute)
	return b
}

// networkOf hashes an address; 0 when it is not known.
func (w *bursts) networkOf(from netip.Addr) uint64 {
	if !from.IsValid() {
		return 0
	}
	if from.Is6() { // one subscriber has a /64
		if p, err := from.WithZone("").Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	return maphash.Comparable(w.seed, from)
}

func (w *bursts) keyOf(c *eco.Crash) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	h.WriteString(c.Platform)
	h.WriteString(c.Counted)
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
		b.top, b.lead, b.bits, b.fresh, b.nets = 0, 0, 0, 0, 0
		clear(b.minuteI[:])
		clear(b.minuteN[:])
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
	b.now.Installs = distinct(b.bits)
	b.now.Fresh = b.now.Installs * b.fresh / b.bits
}

// network sets a bit; an unknown address counts as none.
func (b *burst) network(id uint64) {
	small := id % minuteBits
	if id == 0 || b.minuteN[small/64]&(1<<(small%64)) != 0 {
		return
	}
	b.minuteN[small/64] |= 1 << (small % 64)
	b.nets++
	b.now.Networks = distinct(b.nets)
}

// distinct is linear counting: how many things set that many of the minute's bits.
func distinct(bits int) int {
	return int(math.Round(-minuteBits * math.Log1p(-float64(min(bits, minuteBits-1))/minuteBits)))
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
