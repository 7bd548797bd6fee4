package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// world makes sessions and crashes of one host: installations with their sets of
// extensions, families of which one in three has a culprit. Equal seeds make equal
// worlds.
type world struct {
	rng        *rand.Rand
	now        time.Time
	extensions []eco.ExtensionID
	installs   []install
	families   []family
	pick       *rand.Zipf
	frames     []eco.Frame
}

type install struct {
	id      eco.Install
	active  []eco.Active
	version string
	os      string
}

type family struct {
	id      string
	culprit int // index of an extension; -1: none
}

func newWorld(seed uint64, extensions, families int, now time.Time) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), now: now}
	r := w.rng
	for i := range extensions {
		w.extensions = append(w.extensions, eco.ExtensionID(fmt.Sprintf("publisher%03d.extension%04d", i%400, i)))
	}
	popular := rand.NewZipf(r, 1.1, 20, uint64(extensions-1))
	for range 20_000 {
		in := install{id: eco.Install(r.Uint64() | 1), version: fmt.Sprintf("1.%d.0", 98-r.IntN(3)), os: []string{"windows", "macos", "linux"}[r.IntN(3)]}
		has := map[uint64]bool{}
		for n := 20 + r.IntN(41); len(has) < n; {
			i := popular.Uint64()
			if !has[i] {
				has[i] = true
				in.active = append(in.active, eco.Active{ID: w.extensions[i], Version: fmt.Sprintf("2.%d.%d", r.IntN(6), r.IntN(4))})
			}
		}
		w.installs = append(w.installs, in)
	}
	for i := range families {
		f := family{id: fmt.Sprintf("F-%013X", r.Uint64()>>12), culprit: -1}
		if i%3 == 0 {
			f.culprit = r.IntN(extensions / 10)
		}
		w.families = append(w.families, f)
	}
	w.pick = rand.NewZipf(r, 1.1, 8, uint64(families-1))
	for i := range 25 {
		w.frames = append(w.frames, eco.Frame{Function: fmt.Sprintf("host.part%d.step%d", i%7, i), File: "out/main.js", Line: 100 * i, Col: 7})
	}
	return w
}

func (w *world) id(at time.Time) eco.ID {
	var random [16]byte
	for i := range random {
		random[i] = byte(w.rng.Uint32())
	}
	return eco.NewID(at, random)
}

func (w *world) origin(in *install) eco.Origin {
	return eco.Origin{Project: 1, Host: "vscode", HostVersion: in.version, OS: in.os, Channel: eco.Stable, Install: in.id}
}

func (w *world) sessions(n int, from time.Time, span time.Duration) []row {
	var rows []row
	for i := range n {
		at := from.Add(span * time.Duration(i) / time.Duration(n))
		in := &w.installs[w.rng.IntN(len(w.installs))]
		f := eco.Fact{ID: w.id(at), Class: eco.Standard, Kind: eco.KindSession, Received: at.UnixMilli(), Time: at.UnixMilli(), Name: "exited", Weight: 1, Count: 1,
			Session: w.rng.Uint64() | 1, Origin: w.origin(in)}
		rows = append(rows, row{f, map[string]any{"active": in.active}})
	}
	return rows
}

func (w *world) crashes(n int, from time.Time, span time.Duration) []row {
	var rows []row
	for i := range n {
		at := from.Add(span * time.Duration(i) / time.Duration(n))
		fam := &w.families[w.pick.Uint64()]
		in := &w.installs[w.rng.IntN(len(w.installs))]
		active := in.active
		if fam.culprit >= 0 {
			active = append(active[:len(active):len(active)], eco.Active{ID: w.extensions[fam.culprit], Version: "2.5.1"})
		}
		f := eco.Fact{ID: w.id(at), Class: eco.ClassCrash, Kind: eco.KindCrash, Received: at.UnixMilli(), Time: at.UnixMilli(), Name: "Error", Weight: 1, Count: 1,
			Level: "error", Signature: "00" + fam.id[2:], Family: fam.id, Dedup: w.rng.Uint64(), Origin: w.origin(in)}
		rows = append(rows, row{f, crash.Document{Version: crash.DocumentVersion, ID: f.ID, Received: f.Received, Time: f.Time, Protocol: "sentry", Origin: f.Origin,
			Crash: eco.Crash{Platform: "javascript", Level: "error", Active: active, Exceptions: []eco.Exception{{Type: "Error", Value: "cannot read the state of a part", Frames: w.frames, Parent: -1}}}}})
	}
	return rows
}
