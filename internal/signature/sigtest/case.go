// Package sigtest reads crashes written down for test cases, so that a newcomer
// adds a case without Go. The form, one thing a line:
//
//	platform java
//	project acme.todo@1.2.0            the project the report came to
//	host modeller                      the host it came from
//	owner acme.todo                    whom the host was running
//	active acme.todo@1.2.0 beta.lint@3.0.0
//	message text                       beside or instead of exceptions
//	exception Type: its message        the outermost, then its causes
//	cause Type: its message
//	suppressed Type: its message
//	more 12                            of the last exception: "... 12 more"
//	mechanism name                     of the crash
//	at function | module | file        a frame of the last exception, innermost first
//	e acme.todo at function | …        a frame already classified: class and owner
//
// Classes are e (extension), v (vendored), h (host), r (runtime), u (unknown); "-"
// stands for no owner.
package sigtest

import (
	"fmt"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Parse reads one crash.
func Parse(text string) (*eco.Crash, eco.Origin, error) {
	c, o := &eco.Crash{}, eco.Origin{}
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		word, rest, _ := strings.Cut(l, " ")
		rest = strings.TrimSpace(rest)
		switch word {
		case "", "#":
		case "platform":
			c.Platform = rest
		case "project":
			id, version, _ := strings.Cut(rest, "@")
			o.Extension, o.ExtVersion = eco.ExtensionID(id), version
		case "host":
			o.Host = rest
		case "owner":
			c.Owner = eco.ExtensionID(rest)
		case "active":
			for _, a := range strings.Fields(rest) {
				id, version, _ := strings.Cut(a, "@")
				c.Active = append(c.Active, eco.Active{ID: eco.ExtensionID(id), Version: version})
			}
		case "message":
			c.Message = rest
		case "mechanism":
			c.Mechanism = rest
		case "exception", "cause", "suppressed":
			typ, value, _ := strings.Cut(rest, ": ")
			c.Exceptions = append(c.Exceptions, eco.Exception{Type: strings.TrimSuffix(typ, ":"), Value: value, Parent: len(c.Exceptions) - 1, Suppressed: word == "suppressed"})
		case "more":
			if len(c.Exceptions) == 0 {
				return nil, o, fmt.Errorf("%q before any exception", l)
			}
			if _, err := fmt.Sscan(rest, &c.Exceptions[len(c.Exceptions)-1].More); err != nil {
				return nil, o, err
			}
		default:
			f, err := parseFrame(l)
			if err != nil || len(c.Exceptions) == 0 {
				return nil, o, fmt.Errorf("line %q is not understood", l)
			}
			e := &c.Exceptions[len(c.Exceptions)-1]
			e.Frames = append(e.Frames, f)
		}
	}
	return c, o, nil
}

var classes = map[string]eco.FrameClass{"e": eco.FrameExtension, "v": eco.FrameVendored, "h": eco.FrameHost, "r": eco.FrameRuntime, "u": eco.FrameUnknown}

func parseFrame(l string) (eco.Frame, error) {
	var f eco.Frame
	what, ok := strings.CutPrefix(l, "at ")
	if !ok {
		head, rest, ok := strings.Cut(l, " at ")
		class, owner, _ := strings.Cut(head, " ")
		if f.Class = classes[class]; !ok || f.Class == "" {
			return f, fmt.Errorf("no frame")
		}
		if owner != "-" {
			f.Owner = eco.ExtensionID(owner)
		}
		what = rest
	}
	parts := strings.Split(what+" | | ", "|")
	f.Function, f.Module, f.File = strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1]), strings.TrimSpace(parts[2])
	return f, nil
}
