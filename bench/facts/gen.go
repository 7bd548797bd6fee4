package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// World makes believable facts: forty extensions whose use falls off like a Zipf
// law, installs that are active in bursts, most rows from the newest versions,
// attributes like those of a catalogued event. Equal seeds make equal facts.
type World struct {
	rng  *rand.Rand
	exts []extension
	pick *rand.Zipf
}

type extension struct {
	id       eco.ExtensionID
	project  int64
	host     string
	versions []string
	installs []install
	families []string
}

type install struct {
	pseudonym            eco.Install
	version, hostVersion string
	os, osVersion, arch  string
	channel              eco.Channel
	runtime, sdk         string
}

var (
	hosts        = []string{"vscode", "obsidian", "jetbrains", "blender"}
	hostVersions = []string{"1.98.2", "1.98.1", "1.97.0", "1.96.4", "1.90.1"}
	systems      = [][2]string{{"windows", "10.0.26100"}, {"windows", "10.0.22631"}, {"macos", "15.2"}, {"macos", "14.7"}, {"linux", "6.8"}, {"linux", "6.12"}}
	events       = []string{"command.run", "command.failed", "view.opened", "view.closed", "settings.changed", "completion.shown", "completion.accepted", "search.run", "file.saved", "sync.done", "sync.failed", "activation"}
	spans        = []string{"activate", "index", "parse", "render", "http.request"}
	commands     = []string{"format", "rename", "goto", "lint", "preview", "build", "test", "deploy", "refresh", "export"}
)

// NewWorld builds the extensions and their installs.
func NewWorld(seed uint64, installs int) *World {
	w := &World{rng: rand.New(rand.NewPCG(seed, 7))}
	w.pick = rand.NewZipf(w.rng, 1.3, 3, 39)
	for i := range 40 {
		e := extension{id: eco.ExtensionID(fmt.Sprintf("pub%02d.ext%02d", i%17, i)), project: int64(100 + i), host: hosts[i%len(hosts)]}
		for v := range 6 {
			e.versions = append(e.versions, fmt.Sprintf("%d.%d.%d", 1+i%4, 12-v, v%3))
		}
		for range 30 {
			e.families = append(e.families, fmt.Sprintf("F-%013x", w.rng.Uint64()>>12))
		}
		for range max(20, installs/(i+3)) {
			sys := systems[skew(w.rng, len(systems))]
			e.installs = append(e.installs, install{
				pseudonym: eco.Install(w.rng.Uint64()), version: e.versions[skew(w.rng, 6)], hostVersion: hostVersions[skew(w.rng, 5)],
				os: sys[0], osVersion: sys[1], arch: []string{"x64", "arm64"}[skew(w.rng, 2)],
				channel: []eco.Channel{eco.Stable, eco.Beta, eco.Nightly}[skew(w.rng, 3)],
				runtime: "node/22.14.0", sdk: "bellwether-ts/1.4.0",
			})
		}
		w.exts = append(w.exts, e)
	}
	return w
}

func skew(r *rand.Rand, n int) int { return min(n-1, int(r.ExpFloat64()*float64(n)/4)) }

// Batch returns n facts received one after another from the given time on, step apart, with the documents of the crashes or without.
func (w *World) Batch(at time.Time, step time.Duration, n int, docs bool) facts.Batch {
	var b facts.Batch
	for i := range n {
		f := w.fact(at.Add(time.Duration(i) * step))
		b.Facts = append(b.Facts, f)
		if docs && f.Kind == eco.KindCrash {
			b.Docs = append(b.Docs, facts.Doc{ID: f.ID, Class: f.Class, Body: w.document()})
		}
	}
	return b
}

func (w *World) fact(at time.Time) eco.Fact {
	r := w.rng
	e := &w.exts[w.pick.Uint64()]
	in := &e.installs[int(math.Pow(r.Float64(), 2)*float64(len(e.installs)))] // some installs are busier
	var random [16]byte
	for i := range 2 {
		v := r.Uint64()
		for j := range 8 {
			random[8*i+j] = byte(v >> (8 * j))
		}
	}
	f := eco.Fact{
		ID: eco.NewID(at, random), Class: eco.Standard, Received: at.UnixMilli(), Weight: 1, Count: 1,
		Time: at.UnixMilli() - int64(r.ExpFloat64()*20_000),
		Origin: eco.Origin{Project: e.project, Extension: e.id, ExtVersion: in.version, Host: e.host, HostVersion: in.hostVersion, Channel: in.channel,
			OS: in.os, OSVersion: in.osVersion, Arch: in.arch, Runtime: in.runtime, SDK: in.sdk, Environment: "production", Install: in.pseudonym},
	}
	switch p := r.Float64(); {
	case p < .70:
		f.Kind, f.Name, f.Weight = eco.KindEvent, events[skew(r, len(events))], 10
		f.Attrs = fmt.Sprintf(`{"command":%q,"outcome":%q,"ms":"%d","lines":"%d"}`, commands[skew(r, len(commands))], []string{"ok", "cancelled", "error"}[skew(r, 3)], int(r.ExpFloat64()*300), int(r.ExpFloat64()*800))
	case p < .85:
		f.Kind, f.Class, f.Name, f.Weight = eco.KindSpan, eco.Short, spans[skew(r, len(spans))], 4
		f.Value = math.Round(math.Exp(r.NormFloat64()+4)*100) / 100
	case p < .97:
		f.Kind, f.Class, f.Name = eco.KindSession, eco.ClassCrash, "exited"
		f.Session, f.Value = r.Uint64(), math.Round(r.ExpFloat64()*3600)
		if r.Float64() < .02 {
			f.Name, f.Crashed = "crashed", 1
		} else if r.Float64() < .05 {
			f.Name, f.Errored = "errored", 1
		}
	default:
		f.Kind, f.Class, f.Name, f.Level = eco.KindCrash, eco.ClassCrash, []string{"TypeError", "RangeError", "Error", "ENOENT"}[skew(r, 4)], "error"
		k := skew(r, len(e.families))
		f.Family, f.Signature = e.families[k], fmt.Sprintf("%016x", uint64(k+1)*0x9e3779b97f4a7c15^uint64(e.project))
		f.Blame, f.BlameVer = e.id, in.version
		f.Dedup, f.ClientID = r.Uint64(), fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
		f.Handled = r.Float64() < .5
	}
	return f
}

// document is about the size of a small Sentry report after scrubbing.
func (w *World) document() []byte {
	doc := []byte(`{"platform":"javascript","exceptions":[{"type":"TypeError","value":"Cannot read properties of undefined (reading 'uri')","frames":[`)
	for range 22 {
		doc = fmt.Appendf(doc, `{"function":"fn%x","file":"extensions/pub.ext/dist/module%d.js","line":%d,"col":%d},`, w.rng.Uint32(), w.rng.IntN(40), w.rng.IntN(4000), w.rng.IntN(120))
	}
	return append(doc, `{}]}]}`...)
}
