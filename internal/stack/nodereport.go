package stack

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
)

// maxJSON is how deep a report in JSON may nest.
const maxJSON = 96

// readNodeReport reads a Node.js diagnostic report: what happened (event,
// trigger), the JavaScript stack, else the native one, versions and two numbers of
// the heap. Not its environment, command line, working folder, network, limits,
// handles, processors, libraries or the name of the machine.
func readNodeReport(t *tree, text string) (*node, error) {
	r := jsonin.Open([]byte(text), maxJSON)
	defer r.Close()
	var event, trigger, osRelease, message string
	var stack []string
	var native frameList
	workers := 0
	o := &t.tr.Origin
	r.Fields(func(name []byte) {
		switch string(name) {
		case "header":
			r.Fields(func(key []byte) {
				switch string(key) {
				case "event":
					event = r.Str(MaxValue)
				case "trigger":
					trigger = r.Str(64)
				case "nodejsVersion":
					if v := r.Str(32); v != "" {
						o.Runtime = "node " + strings.TrimPrefix(v, "v")
					}
				case "platform":
					o.OS = osName(r.Str(32))
				case "osRelease":
					osRelease = r.Str(64)
				case "arch":
					o.Arch = archName(r.Str(32))
				default:
					r.Skip()
				}
			})
		case "javascriptStack":
			r.Fields(func(key []byte) {
				switch string(key) {
				case "message":
					message = r.Str(MaxValue)
				case "stack":
					r.Each(2*MaxFrames, func(int) { stack = append(stack, r.Str(MaxLine)) })
				default: // errorProperties hold whatever the program put there
					r.Skip()
				}
			})
		case "nativeStack":
			r.Each(2*MaxFrames, func(int) {
				var pc, symbol string
				r.Fields(func(key []byte) {
					switch string(key) {
					case "pc":
						pc = r.Str(32)
					case "symbol":
						symbol = r.Str(MaxLine)
					default:
						r.Skip()
					}
				})
				native.add(nativeFrame(pc + " " + strings.TrimSpace(symbol)))
			})
		case "javascriptHeap":
			r.Fields(func(key []byte) {
				switch string(key) {
				case "usedMemory", "memoryLimit":
					tag := "heap.used"
					if string(key) == "memoryLimit" {
						tag = "heap.limit"
					}
					if v := r.Int(1 << 50); v > 0 {
						t.tag(tag, strconv.FormatInt(v>>20, 10)+" MiB")
					}
				default:
					r.Skip()
				}
			})
		case "workers":
			r.Each(1<<20, func(int) { workers++; r.Skip() })
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil {
		return nil, err
	}
	if o.OS != "windows" && osRelease != "" {
		o.OSVersion, _, _ = strings.Cut(osRelease, "-")
	}
	t.tag("report.trigger", trigger)
	t.tag("threads", countText(workers+1, workers > 0))
	t.tr.Level = "fatal"
	if trigger == "Signal" || trigger == "API" || trigger == "GetReport" {
		t.tr.Level = "error" // the process may live on
	}
	return nodeRoot(t, event, trigger, message, stack, native), nil
}

// nodeRoot joins what happened with the stack that shows it best.
func nodeRoot(t *tree, event, trigger, message string, stack []string, native frameList) *node {
	if len(stack) == 1 && strings.HasPrefix(stack[0], "Unavailable") {
		stack, message = nil, ""
	}
	failed := trigger == "OOMError" || trigger == "FatalError"
	var script *node
	if len(stack) > 0 {
		lines := strings.Split(message, "\n")
		for _, l := range stack {
			lines = append(lines, "    "+strings.TrimSpace(l))
		}
		script, _ = parseV8(t, lines)
	}
	switch {
	case script != nil && !failed && trigger != "Signal":
		return script
	case event == "" && trigger == "" && native.len() == 0:
		return script
	case trigger == "Signal": // somebody asked a running process where it is
		n := t.add(event, "A report was asked for by a signal.")
		n.ex.Mechanism = "signal"
		if script != nil && script.frames.len() > 0 {
			n.frames = script.frames
		} else {
			n.frames = native
		}
		return n
	}
	typ := "FATAL ERROR"
	if !failed && trigger != "" {
		typ = trigger
	}
	n := t.add(typ, event)
	n.frames = native
	if script != nil && script.frames.len() > 0 {
		n.frames = script.frames
	}
	return n
}

func countText(n int, say bool) string {
	if !say {
		return ""
	}
	return strconv.Itoa(n)
}
