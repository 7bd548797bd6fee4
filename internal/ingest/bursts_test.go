package ingest

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

func TestSuspect(t *testing.T) {
	for _, tt := range []struct {
		name string
		q    registry.Quarantine
		b    Burst
		want bool
	}{
		{"quiet", registry.Quarantine{}, Burst{Crashes: 10, HourMean: 2, Installs: 8}, false},
		{"everything is held", registry.Quarantine{All: true}, Burst{Crashes: 1}, true},
		{"one machine floods", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 10, Installs: 3}, true},
		{"nobody named", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 10}, true},
		{"invented installs, one crash", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 10, Installs: 5000, Fresh: 5000, Top: 5000}, true},
		{"a bad release: known installs", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 10, Installs: 4000, Fresh: 500, Top: 4900}, false},
		{"a new product: many crashes", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 10, Installs: 4000, Fresh: 4000, Top: 900}, false},
		{"as busy as ever", registry.Quarantine{}, Burst{Crashes: 5000, HourMean: 4000, Installs: 3}, false},
		{"a project with its own bounds", registry.Quarantine{PerMinute: 50, FactorOfHour: 5}, Burst{Crashes: 60, HourMean: 10, Installs: 1}, true},
	} {
		got, why := Suspect(tt.q, tt.b)
		if got != tt.want || got != (why != "") {
			t.Errorf("%s: %v %q", tt.name, got, why)
		}
	}
}

func TestBurstsAreWatched(t *testing.T) {
	w := &bursts{projects: map[int64]*burst{}}
	now := time.UnixMilli(testNow)
	crash := func(install uint64, typ string) bool {
		held, _ := w.look(&eco.Envelope{Origin: eco.Origin{Project: 1, Install: eco.Install(install)},
			Crash: &eco.Crash{Exceptions: []eco.Exception{{Type: typ, Frames: []eco.Frame{{Function: "f"}}}}}}, registry.Quarantine{}, netip.Addr{}, now)
		return held
	}
	mix := func(i int) uint64 { // as random as a pseudonym
		z := uint64(i+1) * 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	for range 60 { // an hour of ten crashes a minute from a thousand installs
		for i := range 10 {
			if crash(mix(i*100), "E") {
				t.Fatal("an ordinary crash was held")
			}
		}
		now = now.Add(time.Minute)
	}
	held := 0
	for range 2000 {
		if crash(7, "Forged") {
			held++
		}
	}
	if held < 1300 || held > 1500 { // 600 in the minute are free
		t.Errorf("of 2000 forged crashes %d were held", held)
	}
	if b := w.projects[1]; b.now.HourMean < 9 || b.now.HourMean > 11 || b.now.Installs > 3 || b.now.Top < 1900 {
		t.Errorf("burst %+v", b.now)
	}
	now = now.Add(2 * time.Hour)
	if crash(7, "Forged") {
		t.Error("held after two quiet hours")
	}
	// 20,000 installs in a minute are counted well enough.
	now = now.Add(time.Minute)
	for i := range 20_000 {
		crash(mix(i+5000), "Bad release")
	}
	if n := w.projects[1].now.Installs; n < 18_000 || n > 22_000 {
		t.Errorf("20,000 installs were counted as %d", n)
	}
}

func TestQuarantinedCrashIsKeptApart(t *testing.T) {
	w := newWorld(t, everyTier)
	k := w.keys[linterKey]
	k.Project.Quarantine = registry.Quarantine{All: true}
	if rec := w.envelope("{}\n{\"type\":\"event\"}\n" + anEvent); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	if e := w.one(); !e.Quarantined || !strings.HasPrefix(e.Steps[0].Note, "quarantined: ") {
		t.Errorf("%+v", e.Steps)
	}
	if n := w.total(pipeline.Accepted, "crash", pipeline.Quarantined); n != 1 {
		t.Errorf("%d counted as quarantined; people must see that something is held", n)
	}
}

func TestLimitsAreATableOfSense(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range Limits() {
		if l.Value <= 0 || l.Name == "" || l.Past == "" || seen[l.Name] {
			t.Errorf("%+v", l)
		}
		seen[l.Name] = true
	}
}

// A bad release must not be hidden as a forgery: everybody who updated crashes at
// once, with one crash, and has not crashed within the hour before.
func TestBadReleaseIsNotHeld(t *testing.T) {
	crash := &eco.Crash{Exceptions: []eco.Exception{{Type: "Bad release", Frames: []eco.Frame{{Function: "activate"}}}}}
	mix := func(i int) eco.Install { return eco.Install(uint64(i+1) * 0x9e3779b97f4a7c15) }
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for _, tt := range []struct {
		name    string
		install func(int) eco.Install
		from    func(int) netip.Addr
		met     bool // their sessions were seen before
		held    bool
	}{
		{"many installs in many networks", mix, address, false, false},
		{"clients that name no install", func(int) eco.Install { return 0 }, address, false, false},
		{"known installs behind one relay", mix, func(int) netip.Addr { return address(1) }, true, false},
		{"installs invented by one machine", mix, func(int) netip.Addr { return address(1) }, false, true},
		{"and by one that has a /64", mix, func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
		}, false, true},
		{"no install, one machine", func(int) eco.Install { return 0 }, func(int) netip.Addr { return address(1) }, false, true},
	} {
		w := &bursts{projects: map[int64]*burst{}}
		now := time.UnixMilli(testNow)
		if tt.met {
			for i := range 5000 {
				w.meet(1, tt.install(i), now)
			}
		}
		now = now.Add(2 * time.Minute)
		held := 0
		for i := range 5000 {
			e := &eco.Envelope{Origin: eco.Origin{Project: 1, Install: tt.install(i)}, Crash: crash}
			if yes, _ := w.look(e, registry.Quarantine{}, tt.from(i), now); yes {
				held++
			}
		}
		if tt.held != (held > 4000) || !tt.held && held > 0 {
			t.Errorf("%s: %d of 5000 held (%+v)", tt.name, held, w.projects[1].now)
		}
	}
}
