// Package scrubtest holds invented secrets and the places they are put into, so
// that every test of a door, a store or a log can send them all and look for
// what survived. It is for tests only.
package scrubtest

import (
	_ "embed"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

//go:embed testdata/canaries.txt
var canaries string

// Canary is one attempt to leak something.
type Canary struct {
	Place   string   // where Text goes: message, text, frame.file, breadcrumb, tag:NAME, attr:NAME …
	Secrets []string // none of them may survive anywhere
	Text    string
}

// Canaries returns all attempts, in the order of the file.
func Canaries() []Canary {
	var out []Canary
	for line := range strings.Lines(canaries) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, "\t", 3)
		if len(f) != 3 {
			panic("scrubtest: a line without three fields: " + line)
		}
		out = append(out, Canary{Place: f[0], Secrets: strings.Split(f[1], " || "), Text: strings.ReplaceAll(f[2], "␤", "\n")})
	}
	return out
}

// Leaks returns the secrets of c that occur in s, in any case.
func (c Canary) Leaks(s string) []string {
	var out []string
	low := strings.ToLower(s)
	for _, x := range c.Secrets {
		if strings.Contains(low, strings.ToLower(x)) {
			out = append(out, x)
		}
	}
	return out
}

// Envelope puts the text in its place of an otherwise harmless envelope.
func (c Canary) Envelope() *eco.Envelope {
	e := &eco.Envelope{Protocol: "native", Origin: eco.Origin{Project: 1, Extension: "acme.linter", ExtVersion: "1.2.3", OS: "linux"}}
	crash := func() *eco.Crash {
		e.Kind, e.Tier, e.Class = eco.KindCrash, eco.TierCrash, eco.ClassCrash
		e.Crash = &eco.Crash{Platform: "javascript", Exceptions: []eco.Exception{{Type: "Error", Value: "boom", Parent: -1, Frames: []eco.Frame{{Function: "run", File: "dist/extension.js", Line: 1}}}}}
		return e.Crash
	}
	event := func() *eco.Event {
		e.Kind, e.Tier, e.Class = eco.KindEvent, eco.Usage, eco.Short
		e.Event = &eco.Event{Name: "opened"}
		return e.Event
	}
	feedback := func() *eco.Feedback {
		e.Kind, e.Tier, e.Class = eco.KindFeedback, eco.Support, eco.ClassSupport
		e.Feedback = &eco.Feedback{Message: "it broke"}
		return e.Feedback
	}
	place, name, _ := strings.Cut(c.Place, ":")
	switch place {
	case "message":
		crash().Exceptions[0].Value = c.Text
	case "text":
		crash().Text = c.Text
		e.Crash.Exceptions = nil
	case "frame.file":
		crash().Exceptions[0].Frames[0].File = c.Text
	case "breadcrumb":
		crash().Breadcrumbs = []eco.Breadcrumb{{Category: "http", Message: c.Text}}
	case "tag":
		crash().Tags = map[string]string{name: c.Text}
	case "module":
		crash().Modules = map[string]string{name: c.Text}
	case "active":
		crash().Active = []eco.Active{{ID: "acme.linter", Version: "1.2.3"}, {ID: eco.ExtensionID(c.Text)}}
	case "command":
		crash().Command = c.Text
	case "thread":
		crash().Thread = c.Text
	case "debug.code_file":
		crash().DebugImages = []eco.DebugImage{{Type: "elf", CodeFile: c.Text}}
	case "attr":
		event().Attrs = map[string]string{name: c.Text}
	case "event.name":
		event().Name = c.Text
	case "feedback.message":
		feedback().Message = c.Text
	case "feedback.url":
		feedback().URLOrigin = c.Text
	case "origin.environment":
		crash()
		e.Origin.Environment = c.Text
	case "origin.runtime":
		crash()
		e.Origin.Runtime = c.Text
	case "origin.os_version":
		crash()
		e.Origin.OSVersion = c.Text
	default:
		panic("scrubtest: no place " + c.Place)
	}
	return e
}

//go:embed testdata/survivors.txt
var survivors string

// Survivors returns texts that scrubbing must not touch.
func Survivors() []string {
	var out []string
	for line := range strings.Lines(survivors) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.HasPrefix(line, "# ") {
			out = append(out, strings.ReplaceAll(line, "␤", "\n"))
		}
	}
	return out
}
