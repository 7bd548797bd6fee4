package crash

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Removed stands in the place of what Redact took out.
const Removed = "(redacted)"

// whole reports whether the scope may see a record as it came in: it sees
// everything, or owns the project of the extension or host.
func whole(scope facts.Scope, o eco.Origin) bool {
	if scope.All() {
		return true
	}
	if o.Extension != "" {
		return slices.Contains(scope.Extensions(), o.Extension)
	}
	return o.Host != "" && slices.Contains(scope.Hosts(), o.Host)
}

// Redact returns the document as people of the scope may see it. Those who see
// everything, or own the project it came in through, see it whole. An author who
// is only blamed for it sees the frames of the own extensions, of the host and of
// the runtime, and the host, system and version; not other extensions' frames,
// names, messages or versions, not which others were active, and not what else
// the host's user did. The type of an exception stays: it is part of the fact. It
// starts from nothing and copies what is allowed; then it
// takes every name it left out, out of the texts that it kept. It is pure.
func Redact(doc Document, scope facts.Scope) Document {
	if whole(scope, doc.Origin) {
		return doc
	}
	r := redactor{mine: scope.Extensions(), secrets: map[string]bool{}, kept: map[string]bool{}}
	r.learn(&doc)
	out := Document{
		Version: doc.Version, ID: doc.ID, Received: doc.Received, Time: doc.Time, Protocol: doc.Protocol, Weight: doc.Weight,
		Quarantined: doc.Quarantined, Redacted: true,
		Origin: eco.Origin{
			Host: doc.Origin.Host, HostVersion: doc.Origin.HostVersion, Channel: doc.Origin.Channel, OS: doc.Origin.OS,
			OSVersion: doc.Origin.OSVersion, Arch: doc.Origin.Arch, Runtime: doc.Origin.Runtime,
		},
	}
	c := &doc.Crash
	out.Crash = eco.Crash{Platform: c.Platform, Level: c.Level, Handled: c.Handled, Mechanism: r.clean(c.Mechanism), Counted: c.Counted}
	if r.own(c.Owner) {
		out.Crash.Owner, out.Crash.Command = c.Owner, r.clean(c.Command)
	}
	for _, x := range c.Exceptions {
		out.Crash.Exceptions = append(out.Crash.Exceptions, r.exception(x))
	}
	for _, a := range c.Active {
		if r.own(a.ID) {
			out.Crash.Active = append(out.Crash.Active, a)
		}
	}
	s := doc.Signature
	out.Signature = eco.Signature{Version: s.Version, Hash: s.Hash, Key: r.clean(s.Key), Title: r.clean(s.Title), Type: r.clean(s.Type), Low: s.Low}
	for _, t := range s.Tokens {
		out.Signature.Tokens = append(out.Signature.Tokens, r.clean(t))
	}
	for _, w := range s.Why {
		out.Signature.Why = append(out.Signature.Why, r.why(w))
	}
	out.Blame = r.blame(doc.Blame)
	// Families nearby and scores against them may be others'.
	out.Placement = Placement{Family: doc.Placement.Family, New: doc.Placement.New, Known: doc.Placement.Known, Score: doc.Placement.Score}
	for _, st := range doc.Steps {
		out.Steps = append(out.Steps, eco.Step{Stage: st.Stage, Version: st.Version, At: st.At})
	}
	return out
}

type redactor struct {
	mine    []eco.ExtensionID
	secrets map[string]bool // names that were left out
	kept    map[string]bool // names that are shown: no secret, though others use them too
	replace *strings.Replacer
}

func (r *redactor) own(id eco.ExtensionID) bool { return id != "" && slices.Contains(r.mine, id) }

// open reports whether a frame may be shown: the own code, the host's and the
// runtime's. A frame of unknown origin may be anybody's.
func (r *redactor) open(f *eco.Frame) bool {
	if f.Owner != "" {
		return r.own(f.Owner)
	}
	return f.Class == eco.FrameHost || f.Class == eco.FrameRuntime
}

// learn collects the names that must not be shown.
func (r *redactor) learn(doc *Document) {
	c := &doc.Crash
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			f := &c.Exceptions[i].Frames[j]
			if r.open(f) {
				for _, s := range []string{f.Function, f.Module, f.File, f.Package} {
					r.kept[s] = true
				}
				continue
			}
			r.other(f.Owner)
			for _, s := range []string{f.Function, f.Module, f.File, f.Package, f.Orig, f.OrigModule, f.OrigFile, f.Or} {
				r.secret(s)
				for _, part := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(`/\.:#$<>()|@ `, c) }) {
					r.secret(part)
				}
			}
		}
	}
	for _, a := range c.Active {
		r.other(a.ID)
	}
	r.other(c.Owner)
	r.other(doc.Origin.Extension)
	r.other(doc.Blame.Extension)
	for _, b := range doc.Blame.Candidates {
		r.other(b.Extension)
	}
	for s := range r.kept {
		delete(r.secrets, s)
	}
	// The longest first, so that a name does not leave the rest of a longer one.
	list := make([]string, 0, len(r.secrets))
	for s := range r.secrets {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(list))
	for _, s := range list {
		pairs = append(pairs, s, Removed)
	}
	r.replace = strings.NewReplacer(pairs...)
}

// other makes the names of an extension secret, unless it is the reader's own. A
// publisher the reader shares is none.
func (r *redactor) other(id eco.ExtensionID) {
	if id == "" || r.own(id) {
		return
	}
	r.secret(string(id))
	r.secret(string(id)[len(id.Publisher())+1:])
	for _, m := range r.mine {
		if m.Publisher() == id.Publisher() {
			return
		}
	}
	r.secret(id.Publisher())
}

// secret notes a name; words of up to three letters would hit everywhere and
// name nothing.
func (r *redactor) secret(s string) {
	if len(s) > 3 {
		r.secrets[s] = true
		r.secrets[strings.ToLower(s)] = true
	}
}

func (r *redactor) clean(s string) string { return r.replace.Replace(s) }

// exception keeps what is open. The text of an exception is kept only when the
// reader's own code threw it: others' texts are theirs.
func (r *redactor) exception(x eco.Exception) eco.Exception {
	out := eco.Exception{Type: r.clean(x.Type), Module: r.clean(x.Module), Value: Removed, Parent: x.Parent, Suppressed: x.Suppressed,
		Grouped: x.Grouped, More: x.More, Mechanism: r.clean(x.Mechanism)}
	if x.Value == "" {
		out.Value = ""
	}
	for i := range x.Frames {
		f := x.Frames[i]
		if r.open(&f) {
			out.Frames = append(out.Frames, f)
			continue
		}
		class := f.Class
		if class == "" {
			class = eco.FrameUnknown
		}
		out.Frames = append(out.Frames, eco.Frame{Function: Removed, Class: class, Async: f.Async})
	}
	for i := range x.Frames { // who threw it: the first frame that is not the runtime's
		if f := &x.Frames[i]; f.Class != eco.FrameRuntime {
			if r.own(f.Owner) {
				out.Value = r.clean(x.Value)
			}
			break
		}
	}
	return out
}

func (r *redactor) why(w eco.WhyStep) eco.WhyStep {
	return eco.WhyStep{Step: w.Step, What: r.clean(w.What), Rule: w.Rule, Place: r.clean(w.Place)}
}

// blame keeps the reader's candidates; that there were others is said without names.
func (r *redactor) blame(b eco.Blame) eco.Blame {
	out := eco.Blame{Target: b.Target, Confidence: b.Confidence}
	if r.own(b.Extension) {
		out.Extension, out.Version = b.Extension, b.Version
	}
	for _, c := range b.Candidates {
		if r.own(c.Extension) || c.Extension == "" {
			c.Reason = r.clean(c.Reason)
			c.Version = r.clean(c.Version)
			out.Candidates = append(out.Candidates, c)
			continue
		}
		out.Candidates = append(out.Candidates, eco.Candidate{Role: c.Role, Step: c.Step, Reason: Removed, Confidence: c.Confidence})
	}
	return out
}
