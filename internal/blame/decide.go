package blame

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// Targets of a blame.
const (
	TargetExtension   = "extension"
	TargetInteraction = "interaction" // two extensions on one stack; the first is the likelier
	TargetHost        = "host"
	TargetUnknown     = "unknown"
)

// Roles of a candidate.
const (
	RoleCulprit = "culprit"
	RoleOwner   = "owner"  // the host was running it
	RoleCaller  = "caller" // it called the other one
	RoleCallee  = "callee" // it was called
)

// maxCandidates bounds the list; stacks of more extensions name the first ones.
const maxCandidates = 8

// near is how many frames of its own an API may have between the call of another
// extension and the failure, for the failure to be about what it was handed.
const near = 4

// Decide attributes a classified crash by the first step that is sure:
//
//  1. the host said whom it was running;
//  2. the first extension on the stack of the root cause; of a profile, the shares
//     of its samples;
//  3. a linkage error: the extension that asks for what is missing;
//  4. the wrappers of the root cause, innermost first;
//  5. two or more extensions on the stack: both, as an interaction;
//  7. the host, or unknown; a report of an extension's own project is its own.
//
// Step 6, association over many reports, is not a rule of one report: see Associate.
func Decide(w *World, c *eco.Crash, o eco.Origin) eco.Blame {
	d := decision{w: w, c: c, o: &o}
	root := signature.Root(c)
	d.walk(root)
	linkage := root >= 0 && signature.IsLinkage(c.Exceptions[root].Type)

	if d.said() {
		d.add(eco.Candidate{Extension: c.Owner, Version: d.version(c.Owner, nil), Role: RoleOwner, Step: 1, Confidence: .9,
			Reason: "The host was running this extension."})
	}
	switch {
	case d.profile(root):
		d.owners = nil // whose the heaviest path is, is in the shares
	case len(d.owners) > 1:
		d.interaction()
	case len(d.owners) == 1 && linkage:
		d.owner(0, 3, RoleCulprit, .9, "It asks for what is missing.")
	case len(d.owners) == 1:
		conf, reason := .9, "The first extension on the stack."
		if d.owners[0].vendored {
			conf, reason = .85, "The first extension on the stack, by a library inside it."
			if d.owners[0].shared {
				conf, reason = .6, "A library that several extensions carry; this one is the likeliest to have loaded it."
			}
		}
		if d.owners[0].frame.Trust == eco.TrustScan {
			conf, reason = .4, reason+" Its frame was found by scanning the stack: it may be of an earlier call."
		}
		d.owner(0, 2, RoleCulprit, conf, reason)
	case root >= 0:
		d.wrappers(root)
	}
	return d.finish()
}

// said reports whether the host itself says whom it was running. An extension's own
// project cannot know it of others, and its key is in everybody's hands: what it
// says of them is shown, and never leads.
func (d *decision) said() bool {
	return d.c.Owner != "" && (d.o.Extension == "" || d.o.Extension == d.c.Owner)
}

// party is one extension on the stack, at its first frame.
type party struct {
	id       eco.ExtensionID
	frame    *eco.Frame
	vendored bool // by a library
	shared   bool // by a library that several carry
	frames   int  // of its own, before the next party
	direct   bool // called by the next party without the host in between
}

type decision struct {
	w      *World
	c      *eco.Crash
	o      *eco.Origin
	owners []party
	host   bool   // a frame of the host was seen
	nobody string // why no extension is blamed, when more is known than the frames
	list   []eco.Candidate
}

// walk notes the extensions on a stack, innermost first, each run once.
func (d *decision) walk(exception int) {
	host := false
	signature.Walk(d.c, exception, func(f *eco.Frame) bool {
		if f.Class == eco.FrameHost {
			host, d.host = true, true
		}
		if f.Owner == "" || f.Class != eco.FrameExtension && f.Class != eco.FrameVendored {
			return true
		}
		n := len(d.owners)
		if n > 0 && d.owners[n-1].id == f.Owner {
			d.owners[n-1].frames++
			host = false
			return true
		}
		if n > 0 {
			d.owners[n-1].direct = !host
		}
		if slices.ContainsFunc(d.owners, func(p party) bool { return p.id == f.Owner }) || n == maxCandidates {
			return true
		}
		p := party{id: f.Owner, frame: f, vendored: f.Class == eco.FrameVendored, frames: 1}
		if p.vendored {
			m := d.w.byModule(f.Module)
			p.shared = m != nil && len(m.candidates) > 1
		}
		d.owners = append(d.owners, p)
		host = false
		return true
	})
}

func (d *decision) add(c eco.Candidate) {
	if len(d.list) < maxCandidates && !slices.ContainsFunc(d.list, func(x eco.Candidate) bool { return x.Extension == c.Extension && x.Step == c.Step }) {
		d.list = append(d.list, c)
	}
}

func (d *decision) owner(i, step int, role string, conf float64, reason string) {
	p := &d.owners[i]
	d.add(eco.Candidate{Extension: p.id, Version: d.version(p.id, p.frame), Role: role, Step: step, Confidence: conf, Reason: reason})
}

// interaction judges two extensions on one stack. Who fails close behind the call
// of another extension fails, most likely, at what it was handed: a null, a wrong
// type, a bad argument. Otherwise the code that failed is the culprit.
func (d *decision) interaction() {
	callee, caller := 0, 1
	first := &d.owners[0]
	if first.direct && first.frames <= near && d.handed() {
		d.owner(caller, 5, RoleCaller, .7, "It handed another extension what that could not use.")
		d.owner(callee, 5, RoleCallee, .4, "It was called by another extension and failed at its argument.")
	} else {
		d.owner(callee, 5, RoleCallee, .75, "The first extension on the stack; another one called it.")
		d.owner(caller, 5, RoleCaller, .4, "It called the extension that failed.")
	}
	for i := 2; i < len(d.owners); i++ {
		d.owner(i, 5, RoleCaller, .2, "It is further out on the stack.")
	}
}

// handed reports whether the root cause is of a kind that a bad argument makes.
func (d *decision) handed() bool {
	e := &d.c.Exceptions[signature.Root(d.c)]
	t := e.Type
	if i := strings.LastIndexAny(t, ".:$"); i >= 0 {
		t = t[i+1:]
	}
	switch t {
	case "NullPointerException", "IllegalArgumentException", "ClassCastException", "InvalidParameterException",
		"ValueError", "ArgumentError", "ArgumentException", "ArgumentNullException", "ArgumentOutOfRangeException", "NullReferenceException":
		return true
	}
	return false
}

// wrappers looks through what wraps a root cause without an extension's frame.
func (d *decision) wrappers(root int) {
	for i := d.c.Exceptions[root].Parent; i >= 0 && i < root; root, i = i, d.c.Exceptions[i].Parent {
		if d.walk(i); len(d.owners) > 0 {
			d.owner(0, 4, RoleCulprit, .75, "The first extension in what wraps the cause.")
			return
		}
	}
	for i := range d.c.Exceptions { // members of groups, suppressed ones
		if d.walk(i); len(d.owners) > 0 {
			d.owner(0, 4, RoleCulprit, .5, "The first extension in an exception beside the cause.")
			return
		}
	}
}

// finish orders the candidates: the first sure one leads, as the steps are ordered.
func (d *decision) finish() eco.Blame {
	interaction := len(d.owners) > 1
	if own := d.o.Extension; own != "" {
		conf, reason := .4, "The report came from this extension's own project."
		if len(d.c.Exceptions) == 0 || len(d.list) == 0 && !d.host {
			conf = .5
		}
		if !slices.ContainsFunc(d.list, func(c eco.Candidate) bool { return c.Extension == own }) {
			d.add(eco.Candidate{Extension: own, Version: d.o.ExtVersion, Role: RoleOwner, Step: 7, Confidence: conf, Reason: reason})
		}
		if d.c.Owner != "" && !d.said() {
			d.add(eco.Candidate{Extension: d.c.Owner, Version: d.version(d.c.Owner, nil), Role: RoleOwner, Step: 7, Confidence: .1,
				Reason: "The report names this extension, but came from another one's project, which cannot know what the host was running."})
		}
	}
	slices.SortStableFunc(d.list, func(a, b eco.Candidate) int {
		if as, bs := a.Confidence >= Sure, b.Confidence >= Sure; as != bs {
			if as {
				return -1
			}
			return 1
		}
		return a.Step - b.Step
	})
	b := eco.Blame{Candidates: d.list, Target: TargetUnknown}
	if len(d.list) == 0 {
		if d.host {
			b.Target, b.Confidence = TargetHost, .5
			b.Candidates = []eco.Candidate{{Role: RoleCulprit, Step: 7, Confidence: .5, Reason: cmp.Or(d.nobody, "Only code of the host is on the stack.")}}
		}
		return b
	}
	first := d.list[0]
	b.Extension, b.Version, b.Confidence, b.Target = first.Extension, first.Version, first.Confidence, TargetExtension
	if interaction {
		b.Target = TargetInteraction
	}
	return b
}

// version of an extension: of the folder its frame lies in, else the project's or
// the active list's.
func (d *decision) version(id eco.ExtensionID, f *eco.Frame) string {
	if f != nil {
		var segs [maxSegments]string
		if v := d.w.look(f, d.o, segs[:0]); v.owner == id && v.version != "" {
			return v.version
		}
	}
	if id == d.o.Extension && d.o.ExtVersion != "" {
		return d.o.ExtVersion
	}
	for i := range d.c.Active {
		if d.c.Active[i].ID == id {
			return d.c.Active[i].Version
		}
	}
	return ""
}
