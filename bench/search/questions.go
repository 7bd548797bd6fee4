package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// kind is a kind of search, with what its answer must show.
type kind struct {
	name, path string
	text       func(w *world) string
	fits       func(body string, status int) bool
}

const (
	families = "/crashes"      // the list of families
	single   = "/crashes/list" // the list of crashes
	box      = "/search"       // the box on every page: 90 days
	typing   = "/search/complete"
)

var crashID = regexp.MustCompile(`/crashes/([0-9a-f]{32})`)

// meet learns the ids of some crashes from the server itself.
func (w *world) meet(c client) error {
	_, _, body, err := c.get(single)
	if err != nil {
		return err
	}
	for _, m := range crashID.FindAllStringSubmatch(body, -1) {
		w.ids = append(w.ids, m[1])
	}
	if len(w.ids) == 0 {
		return fmt.Errorf("the list of crashes is empty")
	}
	return nil
}

// one is a family that is surely there: of the frequent ones.
func (w *world) one() *family { return &w.families[w.rng.IntN(len(w.families)/200+1)] }

func (w *world) kinds() []kind {
	some := func(body string, _ int) bool { return strings.Contains(body, "/families/F-") }
	crashes := func(body string, _ int) bool { return crashID.MatchString(body) }
	moved := func(_ string, status int) bool { return status == http.StatusSeeOther }
	any := func(string, int) bool { return true }
	blamed := func(w *world) *family {
		for {
			if f := w.one(); f.ext != "" {
				return f
			}
		}
	}
	return []kind{
		{"nothing typed", families, func(*world) string { return "" }, some},
		{"words of a message", families, func(w *world) string { return w.one().message }, some},
		{"a phrase of many", families, func(w *world) string { return `"` + verbs[w.rng.IntN(len(verbs))] + `"` }, some},
		{"message:", families, func(w *world) string { return "message:" + nouns[w.rng.IntN(len(nouns))] }, some},
		{"a rare frame", families, func(w *world) string { return "frame:" + w.one().sigs[0].frames[2].Function }, some},
		{"a frame of everybody", families, func(w *world) string { return "frame:" + common[w.rng.IntN(len(common))] }, some},
		{"a frame, crashes", single, func(w *world) string { return "frame:" + w.one().sigs[0].frames[1].Function }, any},
		{"signature", families, func(w *world) string { return "signature:" + w.one().sigs[0].hash }, any},
		{"signature in the box", box, func(w *world) string { return w.one().sigs[0].hash }, any},
		{"family in the box", box, func(w *world) string { return w.one().id }, moved},
		{"crash's id in the box", box, func(w *world) string { return w.ids[w.rng.IntN(len(w.ids))] }, moved},
		{"an id that nobody has", box, func(w *world) string { return fmt.Sprintf("%016x%016x", w.rng.Uint64(), w.rng.Uint64()) }, any},
		{"extension", families, func(w *world) string { return "extension:" + string(blamed(w).ext) }, some},
		{"extension, release at least", families, func(w *world) string {
			return "extension:" + string(blamed(w).ext) + fmt.Sprintf(" release:>=1.%d", w.rng.IntN(4))
		}, any},
		{"release of anything", families, func(w *world) string { return fmt.Sprintf("release:1.%d.*", w.rng.IntN(8)) }, some},
		{"publisher", families, func(w *world) string { return "publisher:" + blamed(w).ext.Publisher() }, some},
		{"blame:none host:", families, func(w *world) string { return "blame:none host:" + hosts[w.rng.IntN(len(hosts))] }, some},
		{"host, system, not a version", families, func(w *world) string {
			return "host:" + hosts[w.rng.IntN(len(hosts))] + " os:[linux, macos] !host_version:1.98.0"
		}, some},
		{"system's version", families, func(w *world) string { return "os:macos os_version:>=15" }, some},
		{"is:regressed", families, func(w *world) string { return "is:regressed" }, any},
		{"is:new", families, func(w *world) string { return "is:new" }, some},
		{"first and last", families, func(w *world) string { return fmt.Sprintf("first:<%dd last:<48h", 3+w.rng.IntN(20)) }, any},
		{"counts", families, func(w *world) string { return fmt.Sprintf("crashes:>=%d installs:>20", 50+w.rng.IntN(200)) }, some},
		{"time", families, func(w *world) string { return fmt.Sprintf("time:<%dh", 24+w.rng.IntN(200)) }, some},
		{"an install's own id", single, func(w *world) string {
			return fmt.Sprintf("install:install-%d extension:%s", w.rng.IntN(200), blamed(w).ext)
		}, any},
		{"type, level, handled", families, func(w *world) string {
			return "type:" + types[w.rng.IntN(len(types))] + " level:fatal handled:no"
		}, any},
		{"the whole language", families, func(w *world) string {
			f := blamed(w)
			return "extension:" + string(f.ext) + ` release:>=1.1 !os:linux is:[open, regressed] "` + strings.Join(strings.Fields(f.message)[:2], " ") + `"`
		}, any},
		{"crashes of a system", single, func(w *world) string { return "os:linux level:fatal" }, crashes},
		{"completing a key", typing, func(w *world) string { return "ext" }, any},
		{"completing an extension", typing, func(w *world) string { return "extension:pub0" + fmt.Sprint(w.rng.IntN(10)) }, any},
		{"completing a release", typing, func(w *world) string { return "release:1." + fmt.Sprint(w.rng.IntN(10)) }, any},
	}
}
