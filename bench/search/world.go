package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// world makes crashes: the forty extensions that server.Session registers, families
// of which few crash often and most rarely, installs, releases, words. Equal seeds
// make equal families; when crashes come in depends on the day.
type world struct {
	rng      *rand.Rand
	now      time.Time
	days     int
	families []family
	pick     *rand.Zipf
	ids      []string // of some crashes, for searches
}

type family struct {
	id, typ, message, host string
	ext                    eco.ExtensionID // "": nobody is blamed
	sigs                   []signature
	from                   float64 // its first moment, as a share of the days
	first, last            time.Time
	rep                    eco.ID
	releases               map[string]bool
}

type signature struct {
	hash   string
	frames []eco.Frame
}

var (
	hosts   = []string{"vscode", "obsidian", "jetbrains", "blender"}
	types   = []string{"TypeError", "RangeError", "Error", "SyntaxError", "java.lang.NullPointerException", "KeyError", "ENOENT"}
	verbs   = []string{"cannot read", "failed to open", "unexpected end of", "no handler for", "timed out waiting for", "invalid state of", "lost connection to"}
	nouns   = []string{"property", "document", "selection", "workspace", "terminal", "theme", "gutter", "decoration", "provider", "webview", "session", "cache", "index", "symbol", "outline", "range", "buffer", "channel", "request", "response"}
	systems = [][2]string{{"windows", "10.0.26100"}, {"windows", "10.0.22631"}, {"macos", "15.2"}, {"macos", "14.7"}, {"linux", "6.8"}, {"linux", "6.12"}}
	common  = []string{"dispatchEvent", "processTicksAndRejections", "runMicrotasks", "invokeListener", "onDidChange"}
)

func newWorld(seed uint64, families, days int, now time.Time) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 5)), now: now, days: days}
	for i := range families {
		f := family{id: fmt.Sprintf("F-%013X", w.rng.Uint64()>>12), typ: types[skew(w.rng, len(types))], releases: map[string]bool{}}
		n := skew(w.rng, 40)
		f.ext, f.host = extension(n), hosts[n%len(hosts)]
		if w.rng.IntN(10) == 0 {
			f.ext = ""
		}
		if i > families/10 { // the frequent ones are old, the others appear all the time
			f.from = w.rng.Float64() * .98
		}
		f.message = verbs[w.rng.IntN(len(verbs))] + " " + nouns[w.rng.IntN(len(nouns))] + " " + word(w.rng)
		for range 1 + skew(w.rng, 4) {
			s := signature{hash: fmt.Sprintf("%016x", w.rng.Uint64())}
			for range 8 + w.rng.IntN(20) {
				name := word(w.rng) + nouns[w.rng.IntN(len(nouns))]
				if w.rng.IntN(4) == 0 {
					name = common[w.rng.IntN(len(common))]
				}
				s.frames = append(s.frames, eco.Frame{Function: name, File: "dist/" + word(w.rng) + ".js", Line: w.rng.IntN(4000), Col: w.rng.IntN(90)})
			}
			f.sigs = append(f.sigs, s)
		}
		w.families = append(w.families, f)
	}
	w.pick = rand.NewZipf(w.rng, 1.15, 8, uint64(families-1))
	return w
}

func extension(n int) eco.ExtensionID {
	return eco.ExtensionID(fmt.Sprintf("pub%02d.ext%02d", n%17, n))
}

func skew(r *rand.Rand, n int) int { return min(n-1, int(r.ExpFloat64()*float64(n)/4)) }

// word is one of some 13,000 names.
func word(r *rand.Rand) string {
	const c, v = "bdfgklmnprst", "aeiou"
	var b []byte
	for range 3 {
		b = append(b, c[r.IntN(len(c))], v[r.IntN(len(v))])
	}
	return string(b[:4+2*r.IntN(2)])
}

// crash makes one of a family.
func (w *world) crash(f *family, at time.Time, pseudonym func(ext eco.ExtensionID, host string, n int) eco.Install) (eco.Fact, crash.Document) {
	r := w.rng
	var random [16]byte
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	sig := &f.sigs[skew(r, len(f.sigs))]
	sys := systems[skew(r, len(systems))]
	version := fmt.Sprintf("1.%d.%d", int(f.from*8)+skew(r, 4), skew(r, 3))
	o := eco.Origin{Project: 100, Extension: f.ext, ExtVersion: version, Host: f.host, HostVersion: fmt.Sprintf("1.%d.0", 98-skew(r, 5)), Channel: []eco.Channel{eco.Stable, eco.Beta, eco.Nightly}[skew(r, 3)],
		OS: sys[0], OSVersion: sys[1], Arch: []string{"x64", "arm64"}[r.IntN(2)], Runtime: "node/22.14.0", SDK: "bellwether-ts/1.4.0", Environment: "production"}
	o.Install = pseudonym(f.ext, f.host, int(math.Pow(r.Float64(), 2)*30_000))
	handled := r.IntN(2) == 0
	x := eco.Fact{ID: eco.NewID(at, random), Class: eco.ClassCrash, Kind: eco.KindCrash, Received: at.UnixMilli(), Time: at.UnixMilli() - int64(r.ExpFloat64()*20_000), Weight: 1, Count: 1,
		Name: f.typ, Level: []string{"error", "fatal"}[skew(r, 2)], Handled: handled, Signature: sig.hash, Family: f.id, Dedup: r.Uint64(), ClientID: fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), Origin: o}
	target := "host"
	if f.ext != "" {
		x.Blame, x.BlameVer, target = f.ext, version, "extension"
	}
	doc := crash.Document{Version: crash.DocumentVersion, ID: x.ID, ClientID: x.ClientID, Received: x.Received, Time: x.Time, Protocol: "sentry", Origin: o,
		Crash:     eco.Crash{Platform: "javascript", Level: x.Level, Handled: &handled, Exceptions: []eco.Exception{{Type: f.typ, Value: f.message, Frames: sig.frames, Parent: -1}}},
		Signature: eco.Signature{Version: "sig/1", Hash: sig.hash, Title: f.typ + " in " + sig.frames[0].Function, Key: f.typ + "|" + sig.frames[0].Function},
		Blame:     eco.Blame{Extension: f.ext, Version: version, Target: target}, Placement: crash.Placement{Family: f.id}}
	if f.first.IsZero() {
		f.first, f.rep = at, x.ID
	}
	f.last = at
	if f.ext != "" {
		f.releases[version] = true
	}
	return x, doc
}
