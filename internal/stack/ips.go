package stack

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// maxIPSImages bounds the binaries of a report that are read, maxIPSThreads its threads.
const (
	maxIPSImages  = 4000
	maxIPSThreads = 4096
)

// ipsFrame is a frame before its image is known: threads may come first.
type ipsFrame struct {
	f     eco.Frame
	image int64
}

type ipsImage struct{ path, uuid string }

// readIPS reads an .ips of macOS: a line with the kind of report, then the report.
// Taken are exception, termination, what libraries said (asi), the thread that
// crashed, the binaries of its frames, and versions. Not the paths of the process
// and its parents, registers, other threads' stacks, ids of the machine or user.
func readIPS(t *tree, text string) (*node, error) {
	head, body, two := strings.Cut(text, "\n")
	kind := ""
	if strings.Contains(head, `"bug_type"`) && two && strings.HasSuffix(strings.TrimSpace(head), "}") {
		r := jsonin.Open([]byte(head), maxJSON)
		r.Fields(func(key []byte) {
			switch string(key) {
			case "bug_type":
				kind = r.Str(8)
			case "os_version":
				t.osVersion(r.Str(64))
			default:
				r.Skip()
			}
		})
		err := r.End()
		r.Close()
		if err != nil {
			return nil, err
		}
	} else {
		body = text
	}
	body = strings.TrimLeft(body, " \t\r\n")
	switch {
	case kind == "109" || body != "" && body[0] != '{': // the plain text below a line of JSON
		lines, cut := split(body)
		n, thread := parseApple(t, lines)
		t.tr.Thread = thread
		if cut != "" {
			t.note(cut)
		}
		return n, nil
	case kind == "298":
		n := t.add("JetsamEvent", "The system ended processes to free memory.")
		n.ex.Mechanism, t.tr.Level = "oom", "fatal"
		return n, nil
	case kind != "" && kind != "309" && kind != "308" && kind != "309.1":
		return nil, fault.E("stack.ips", fault.Invalid, "the report is of kind "+eco.Clean(kind, 8)+", which is no crash", nil)
	}
	return readIPSBody(t, []byte(body))
}

func readIPSBody(t *tree, body []byte) (*node, error) {
	r := jsonin.Open(body, maxJSON)
	defer r.Close()
	var a appleParts
	var images []ipsImage
	var crashed, last []ipsFrame
	threads, thread := 0, ""
	faulting := int64(-1)
	var early []byte // threads before faultingThread is known: read again at the end
	exception := func() {
		r.Fields(func(key []byte) {
			switch string(key) {
			case "type":
				a.typ = r.Str(64)
			case "signal":
				a.signal = r.Str(64)
			case "subtype":
				a.subtype = r.Str(512)
			case "message":
				if m := r.Str(512); a.subtype == "" {
					a.subtype = m
				}
			default:
				r.Skip()
			}
		})
	}
	r.Fields(func(name []byte) {
		switch string(name) {
		case "exception":
			exception()
		case "termination":
			a.reason = ipsTermination(r)
		case "asi":
			r.Fields(func([]byte) {
				r.Each(8, func(int) { a.said(r.Str(MaxValue)) })
			})
		case "faultingThread":
			faulting = r.Int(1 << 30)
		case "threads":
			early = bytes.Clone(r.Raw())
		case "lastExceptionBacktrace":
			last = ipsFrames(r)
		case "usedImages":
			r.Each(maxIPSImages, func(int) { images = append(images, readIPSImage(r)) })
		case "cpuType":
			t.tr.Origin.Arch = archName(r.Str(32))
		case "osVersion":
			r.Fields(func(key []byte) {
				if string(key) == "train" {
					t.osVersion(r.Str(64))
				} else {
					r.Skip()
				}
			})
		case "vmRegionInfo":
			a.guard = strings.Contains(strings.ToUpper(r.Str(4096)), "STACK GUARD")
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil {
		return nil, err
	}
	if early != nil {
		crashed, thread, threads = ipsThreads(early, faulting)
	}
	if len(last) > 0 { // an Objective-C exception: where it was thrown, not where the process ended
		crashed = last
	}
	if a.typ == "" && len(crashed) == 0 {
		return nil, nil
	}
	n := a.node(t)
	for _, c := range crashed {
		if c.image >= 0 && c.image < int64(len(images)) {
			img := images[c.image]
			c.f.Package = img.path
			if img.uuid != "" && len(t.tr.Images) < 32 {
				t.tr.Images = appendImage(t.tr.Images, eco.DebugImage{Type: "macho", CodeFile: img.path, DebugID: img.uuid})
			}
		}
		n.frames.add(c.f)
	}
	t.tr.Thread = thread
	t.tag("threads", countText(threads, threads > 1))
	if threads > maxIPSThreads {
		t.note("more threads than are read")
	}
	return n, nil
}

// ipsTermination joins namespace, code and what is said of it.
func ipsTermination(r *jsonin.Reader) string {
	var space, indicator, reason string
	var code int64
	r.Fields(func(key []byte) {
		switch string(key) {
		case "namespace":
			space = r.Str(64)
		case "indicator":
			indicator = r.Str(256)
		case "code":
			code = r.Int(1 << 62)
		case "reasons", "details":
			r.Each(4, func(int) {
				if s := r.Str(512); reason == "" {
					reason = s
				}
			})
		default:
			r.Skip()
		}
	})
	if space == "" && indicator == "" {
		return reason
	}
	s := strings.TrimSpace(space + " 0x" + strconv.FormatInt(code, 16) + " " + indicator)
	if reason != "" {
		s += ": " + reason
	}
	return s
}

func readIPSImage(r *jsonin.Reader) (img ipsImage) {
	name := ""
	r.Fields(func(key []byte) {
		switch string(key) {
		case "path":
			img.path = r.Str(MaxName)
		case "name":
			name = r.Str(MaxName)
		case "uuid":
			img.uuid = uuidText(r.Str(64))
		default:
			r.Skip()
		}
	})
	if img.path == "" {
		img.path = name
	}
	return img
}

// ipsThreads finds the thread that crashed: the one the report names, else the
// one marked as triggered, else the first.
func ipsThreads(b []byte, faulting int64) (frames []ipsFrame, name string, n int) {
	r := jsonin.Open(b, maxJSON)
	defer r.Close()
	best := -1
	r.Each(1<<30, func(i int) {
		n++
		if i >= maxIPSThreads {
			r.Skip()
			return
		}
		var list []ipsFrame
		label, triggered := "", false
		r.Fields(func(key []byte) {
			switch string(key) {
			case "frames":
				list = ipsFrames(r)
			case "triggered":
				v := r.Bool()
				triggered = v != nil && *v
			case "name", "queue":
				if s := r.Str(128); label == "" || string(key) == "name" {
					label = s
				}
			default:
				r.Skip()
			}
		})
		rank := 0
		if triggered {
			rank = 1
		}
		if int64(i) == faulting {
			rank = 2
		}
		if rank > best {
			best, frames, name = rank, list, "Thread "+strconv.Itoa(i)
			if label != "" {
				name += " " + label
			}
		}
	})
	return frames, name, n
}

func ipsFrames(r *jsonin.Reader) (list []ipsFrame) {
	r.Each(2*MaxFrames, func(int) {
		c := ipsFrame{image: -1}
		r.Fields(func(key []byte) {
			switch string(key) {
			case "imageIndex":
				c.image = r.Int(1 << 30)
			case "imageOffset":
				c.f.Addr = "0x" + strconv.FormatInt(r.Int(1<<62), 16)
			case "symbol":
				c.f.Function = r.Str(MaxName)
			case "sourceFile":
				c.f.File = r.Str(MaxName)
			case "sourceLine":
				c.f.Line = int(r.Int(maxPos))
			default:
				r.Skip()
			}
		})
		list = append(list, c)
	})
	return list
}

// osVersion reads "macOS 14.4 (23E214)" and "Mac OS X 10.15.7".
func (t *tree) osVersion(s string) {
	if i := strings.IndexAny(s, "0123456789"); i > 0 {
		t.tr.Origin.OS = osName(s)
		t.tr.Origin.OSVersion, _, _ = strings.Cut(s[i:], " ")
	}
}
