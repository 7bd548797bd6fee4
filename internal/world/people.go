package world

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// person is one install of a subject at one instant.
type person struct {
	s           *subject
	index       int
	id          string // install id, a UUID; of this subject only
	login       string
	os          string // windows, macos, linux
	osVersion   string
	arch        string
	channel     eco.Channel
	version     string // of the extension, or of the host itself
	hostVersion string
}

var logins = []string{"marta.k", "jonas", "a.okafor", "liwei", "sofia", "tomasz", "priya", "dlopez", "hanna", "kenji", "oluchi", "pierre", "nadia", "erik", "yusuf", "clara"}

// mix is a cheap hash for what a person is, always the same.
func mix(a, b, c uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b*0xc2b2ae3d27d4eb4f ^ c*0x165667b19e3779f9
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	x *= 0x94d049bb133111eb
	return x ^ x>>29
}

func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// someone draws a user: few of them make most of the sessions.
func (w *World) someone(s *subject, day float64, dice *rand.Rand) person {
	return w.person(s, int(float64(s.users)*math.Pow(dice.Float64(), 2.3)), day)
}

func (w *World) person(s *subject, index int, day float64) person {
	h := func(what uint64) uint64 { return mix(w.o.Seed, uint64(s.index)<<32|uint64(index), what) }
	p := person{s: s, index: index, login: logins[h(1)%uint64(len(logins))], arch: "x64", channel: eco.Stable}
	switch u := unit(h(2)); {
	case u < s.os[0]:
		p.os, p.osVersion = "windows", []string{"10.0.19045", "10.0.22631", "10.0.26100"}[h(3)%3]
	case u < s.os[0]+s.os[1]:
		p.os, p.osVersion = "macos", []string{"14.7.1", "15.5", "26.1"}[h(3)%3]
		if h(4)%5 > 0 {
			p.arch = "arm64"
		}
	default:
		p.os, p.osVersion = "linux", []string{"6.8.0", "6.12.48", "6.17.4"}[h(3)%3]
	}
	switch u := unit(h(5)); {
	case u < 0.07:
		p.channel = eco.Beta
	case u < 0.08:
		p.channel = eco.Nightly
	}
	p.version = at(s.releases, p.channel, day-lag(unit(h(6))))
	p.hostVersion = at(hostReleases, eco.Stable, day-lag(unit(h(7))))
	switch {
	case s.ext == "":
		p.hostVersion = p.version
	case hostOf(s) != hostName:
		p.hostVersion = otherHosts[hostOf(s)]
	}
	return p
}

// otherHosts are the applications that are not in the register, with the one
// version everybody has.
var otherHosts = map[string]string{"blender": "4.5.1", "chromium": "156.0.8078"}

// identify gives the person the id that its client made up.
func (w *World) identify(p *person) {
	a, b := mix(w.o.Seed, uint64(p.s.index)<<32|uint64(p.index), 8), mix(w.o.Seed, uint64(p.s.index)<<32|uint64(p.index), 9)
	p.id = fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

var hostReleases = cast()[12].releases

// lag is how many days after its publication somebody has a release: most within
// one, some after weeks, a few never.
func lag(u float64) float64 {
	if u > 0.97 {
		return 1000
	}
	return -0.9 * math.Log(1-u)
}

// at is the newest release that a channel offered on a day.
func at(releases []release, c eco.Channel, day float64) string {
	version := releases[0].version
	for _, r := range releases {
		offered := r.channel == eco.Stable || r.channel == c || r.channel == eco.Beta && c == eco.Nightly
		if r.day <= day && offered && eco.CompareVersions(r.version, version) > 0 {
			version = r.version
		}
	}
	return version
}

func (p *person) home() string {
	switch p.os {
	case "windows":
		return `C:\Users\` + p.login
	case "macos":
		return "/Users/" + p.login
	}
	return "/home/" + p.login
}

func (p *person) path(s string) string {
	if p.os == "windows" {
		return strings.ReplaceAll(s, "/", `\`)
	}
	return s
}

func (p *person) folder() string {
	return p.home() + p.path("/.studio/extensions/"+string(p.s.ext)+"-"+p.version)
}

func (p *person) app() string {
	switch p.os {
	case "windows":
		return `C:\Program Files\Studio\resources\app`
	case "macos":
		return "/Applications/Studio.app/Contents/Resources/app"
	}
	return "/usr/share/studio/resources/app"
}

func (p *person) addon() string {
	switch p.os {
	case "windows":
		return p.home() + `\AppData\Roaming\Blender Foundation\Blender\4.2\scripts\addons\pixelforge_blender`
	case "macos":
		return p.home() + "/Library/Application Support/Blender/4.2/scripts/addons/pixelforge_blender"
	}
	return p.home() + "/.config/blender/4.2/scripts/addons/pixelforge_blender"
}

// active draws the extensions that are active in somebody's host. Each is an id
// and the version most have on that day.
func (w *World) active(p *person, day float64, dice *rand.Rand) []eco.Active {
	var out []eco.Active
	for _, s := range w.subjects {
		if s.ext == "" || s.ext == "pixelforge.blender" || s.ext == "pixelforge.palette" {
			continue // those live in other hosts
		}
		// Who has it installed is fixed; whether it runs today is not.
		if unit(mix(w.o.Seed, uint64(p.index), 100+uint64(s.index))) < 0.15+float64(s.users)/10_000 && dice.Float64() < 0.9 {
			out = append(out, eco.Active{ID: s.ext, Version: at(s.releases, eco.Stable, day-1)})
		}
	}
	return out
}
