// Package signature turns the frames of a crash into an exact, cheap, stable and
// readable key, with its reasons. It is version sig/1: exception type, the run of
// vendored-library frames above, and the first in-app frame, all of the innermost
// cause; special heads (out of memory, stack overflow, hang, chunk load, linkage,
// empty) come before. Frames must have been classified (blame.World.Classify) for
// the best key; without it the client's in_app flags decide.
//
// It is not a family: many signatures may share one cause, and two causes may
// share one. It never looks at line or column numbers, user names, install paths
// or version folders. Rule lists are data (rules/*.txt).
//
// A token is "class|package|function": class is e (extension), v (vendored), h
// (host), r (runtime) or u (unknown). "~" before a function marks a name that a
// minifier made up.
package signature

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Version names these rules; a signature carries it for ever.
const Version = "sig/1"

// Bounds. What lies beyond them is not read.
const (
	MaxTokens = 300  // tokens of one sequence
	MaxTitle  = 255  // characters of a title
	MaxKey    = 1024 // bytes of a key
	maxRun    = 6    // different vendored frames in a key
	maxCycle  = 8    // different functions of a recursion in a key
)

// Sign computes the signature of a classified crash, without its reasons.
func Sign(c *eco.Crash) eco.Signature {
	s := signer{c: c}
	return s.sign()
}

// Explain is Sign with every step: which frame was skipped by which rule, and
// where the walk stopped.
func Explain(c *eco.Crash) eco.Signature {
	s := signer{c: c, explain: true}
	return s.sign()
}

type signer struct {
	c       *eco.Crash
	explain bool
	why     []eco.WhyStep

	e      *eco.Exception // the root cause; nil when there is none
	places []place        // of its whole stack, recursion collapsed
	tokens []string
	frames []*eco.Frame // beside places
}

func (s *signer) say(step, what, rule, at string) {
	if s.explain {
		s.why = append(s.why, eco.WhyStep{Step: step, What: what, Rule: rule, Place: at})
	}
}

func (s *signer) sign() eco.Signature {
	platform := platformOf(s.c)
	var none eco.Exception
	root := Root(s.c)
	if s.e = &none; root >= 0 {
		s.e = &s.c.Exceptions[root]
		if root > 0 {
			s.say("cause", s.e.Type, "innermost cause", fmt.Sprintf("exceptions[%d]", root))
		}
	}
	value := s.e.Value
	if value == "" && (root <= 0) {
		value = s.c.Message
	}
	typ := s.e.Type
	s.read(platform, root)

	sig := eco.Signature{Version: Version, Type: typ, Tokens: s.tokens}
	mechanism := s.e.Mechanism
	if mechanism == "" {
		mechanism = s.c.Mechanism
	}
	h, rule := table.headOf(typ, value, mechanism)
	if h != headNone {
		s.say("head", string(h), rule, "")
	}
	at := s.first()
	switch {
	case h == headOOM:
		sig.Key, sig.Title = join(keyOOM, s.owner(at)), s.short(at, "out of memory")
	case h == headOverflow:
		cycle := s.cycle()
		sig.Key = join(keyOverflow, s.owner(at), strings.Join(cycle, ">"))
		sig.Title = s.title(at, "stack overflow")
	case h == headHang:
		sig.Key, sig.Title = join(keyHang, s.token(at)), s.title(at, "hang")
	case h == headChunk:
		sig.Key, sig.Title = join(keyChunk, s.owner(at)), s.short(at, "a part of the program could not be loaded")
	case h == headLinkage:
		m := member(s.c, s.e)
		what := "missing " + m
		if class, ok := strings.CutPrefix(m, "initialiser "); ok {
			what = "initialiser of " + class + " failed"
		}
		sig.Key, sig.Title = join(keyLinkage, m, s.owner(at)), s.short(at, what)
	case at < 0 && typ == "" && value == "":
		sig.Key, sig.Title, sig.Low = keyEmpty, "empty report", true
		s.say("head", "empty", "no exception, no message, no frame", "")
	default:
		s.ordinary(&sig, at, typ, value)
	}
	if len(sig.Key) > MaxKey {
		sig.Key = eco.Clean(sig.Key, MaxKey)
	}
	sig.Title = clip(sig.Title, MaxTitle)
	sig.Hash = hash16(sig.Key)
	sig.Why = s.why
	return sig
}

// IsCondition reports whether a signature has a special head: its key is then the
// whole evidence, and its frames say little.
func IsCondition(s eco.Signature) bool {
	for _, h := range [...]string{keyOOM, keyOverflow, keyHang, keyChunk, keyLinkage, keyEmpty} {
		if strings.HasPrefix(s.Key, h) && (len(s.Key) == len(h) || strings.HasPrefix(s.Key[len(h):], " | ")) {
			return true
		}
	}
	return false
}

// What keys of special heads begin with.
const (
	keyOOM      = "out of memory"
	keyOverflow = "stack overflow"
	keyHang     = "hang"
	keyChunk    = "chunk load"
	keyLinkage  = "linkage"
	keyEmpty    = "empty"
)

// ordinary makes the key of a crash without a special head.
func (s *signer) ordinary(sig *eco.Signature, at int, typ, value string) {
	parts := []string{typ}
	for i, n := 0, 0; i < at && n < maxRun; i++ {
		if s.places[i].class == 'v' && !slices.Contains(parts, s.tokens[i]) {
			parts = append(parts, s.tokens[i])
			n++
			s.say("keep", s.tokens[i], "vendored frame above the first in-app frame", "")
		} else {
			s.say("skip", s.tokens[i], "not in-app", "")
		}
	}
	usable := at >= 0 && s.places[at].class != 'r'
	if usable {
		s.trust(sig, at)
	}
	if at >= 0 {
		parts = append(parts, s.tokens[at])
		s.say("stop", s.tokens[at], "first in-app frame", "")
	}
	if !usable || s.places[at].minified {
		m := Template(value)
		parts = append(parts, m)
		sig.Low = sig.Low || !usable
		s.say("message", m, "no usable stack, or only minified names", "")
	}
	sig.Key = join(parts...)
	name := lastPart(typ)
	if name == "" {
		name = "error"
	}
	if usable {
		sig.Title = s.title(at, name)
	} else {
		sig.Title = s.title(-1, strings.TrimSuffix(name+": "+Template(value), ": "))
	}
}

// trust marks a signature that stands on a guess of an unwinder, or on an address.
func (s *signer) trust(sig *eco.Signature, at int) {
	if s.places[at].unnamed {
		sig.Low = true
		s.say("low trust", s.tokens[at], "no symbols: an offset holds for one build only", "")
	}
	for i := 0; i <= at; i++ {
		if s.frames[i].Trust == eco.TrustScan {
			sig.Low = true
			s.say("low trust", s.tokens[i], "found by scanning the stack, without unwind rules", "")
			return
		}
	}
}

// read normalises the whole stack of the root cause, collapsing repeats.
func (s *signer) read(platform string, root int) {
	if root < 0 {
		return
	}
	n := min(len(s.e.Frames)+min(max(s.e.More, 0), MaxTokens), MaxTokens)
	s.places = make([]place, 0, n)
	s.tokens = make([]string, 0, n)
	s.frames = make([]*eco.Frame, 0, n)
	var buf [256]byte
	seen := 0
	Walk(s.c, root, func(f *eco.Frame) bool {
		if seen++; seen > 4*MaxTokens || len(s.tokens) == MaxTokens {
			return false
		}
		p, ok := table.normalise(platform, f)
		if !ok {
			if s.explain {
				s.say("drop", strings.TrimSpace(f.Module+" "+f.Function), "plumbing or nameless", "")
			}
			return true
		}
		b := p.token(buf[:0])
		if k := len(s.tokens); k > 0 && s.tokens[k-1] == string(b) {
			return true // recursion
		}
		s.places = append(s.places, p)
		s.tokens = append(s.tokens, string(b))
		s.frames = append(s.frames, f)
		return true
	})
}

// first is the index of the first in-app frame: an extension's; else what the
// client calls in-app; else a library's, an unknown one, the host's, the runtime's.
// What an unwinder guessed comes after what it knows, but before the runtime.
func (s *signer) first() int {
	best, rank := -1, 9
	for i := range s.places {
		r := 9
		switch f := s.frames[i]; {
		case s.places[i].class == 'e':
			return i
		case f.InApp != nil && *f.InApp && s.places[i].class == 'u':
			r = 1
		case s.places[i].class == 'v':
			r = 2
		case s.places[i].class == 'u' && (f.InApp == nil || *f.InApp):
			r = 3
		case s.places[i].class == 'h':
			r = 4
		case s.places[i].class == 'u':
			r = 5
		case s.places[i].class == 'r':
			r = 7
		}
		if r < 6 && s.frames[i].Trust == eco.TrustScan {
			r = 6
		}
		if r < rank {
			best, rank = i, r
		}
	}
	return best
}

func (s *signer) owner(at int) string {
	if at < 0 {
		return ""
	}
	return string(s.frames[at].Owner)
}

func (s *signer) token(at int) string {
	if at < 0 {
		return ""
	}
	return s.tokens[at]
}

// cycle is the functions that call each other over and over, sorted: the frame at
// which memory ran out is chance.
func (s *signer) cycle() []string {
	count := map[string]int{}
	most := 0
	for i := range s.tokens {
		if s.places[i].class != 'r' {
			count[s.tokens[i]]++
			most = max(most, count[s.tokens[i]])
		}
	}
	var out []string
	for t, n := range count {
		if n*2 >= most {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	if most < 2 && len(out) > 1 { // one function calls itself: it collapsed; take the innermost
		if at := s.first(); at >= 0 {
			return []string{s.tokens[at]}
		}
	}
	return out[:min(len(out), maxCycle)]
}

// title reads "acme.todo: TypeError in renderList".
func (s *signer) title(at int, what string) string {
	if at < 0 {
		return what
	}
	t := what
	p := s.places[at]
	switch {
	case p.unnamed:
		t += " in " + p.pkg + p.fn
	case p.fn != "" && !p.minified:
		t += " in " + p.fn
	case p.file != "":
		t += " in " + p.file
	}
	if o := s.owner(at); o != "" {
		t = o + ": " + t
	}
	return t
}

// short is a title without a place.
func (s *signer) short(at int, what string) string {
	if o := s.owner(at); o != "" {
		return o + ": " + what
	}
	return what
}

func join(parts ...string) string {
	n := 0
	for _, p := range parts {
		if p != "" {
			parts[n] = p
			n++
		}
	}
	return strings.Join(parts[:n], " | ")
}

// hash16 is FNV-1a over the version and the key, as 16 hexadecimal digits.
func hash16(key string) string {
	const digits = "0123456789abcdef"
	h := Hash64(Version + "\n" + key)
	var b [16]byte
	for i := range b {
		b[i] = digits[h>>(60-4*i)&15]
	}
	return string(b[:])
}

// Hash64 is FNV-1a with a final mix, the hash of signatures and sequences.
func Hash64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h ^= uint64(s[i])
		h *= 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return h
}

// clip cuts to at most n characters.
func clip(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
