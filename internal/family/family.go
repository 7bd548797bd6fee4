// Package family gathers crashes with one root cause into families, online: the
// answer for a crash depends on what came before and on nothing else (no clock,
// no dice), so that a replay gives the same ids and eval can run it offline. It is
// version fam/1: FaST (Rodrigues, Aloise, Fernandes; MSR 2022) within blocks,
// weighted by frame class, with few representatives per family.
//
// It is not the register of families: states, titles and people's merges are the
// desk's, which gives its merges and splits here as links.
//
// Use: w.Classify(c, o); sig := signature.Sign(c); b := blame.Decide(w, c, o);
// p := index.Place(family.Describe(c, sig, b)).
package family

// Version names these rules.
const Version = "fam/1"

// Options bounds an index. Zero values mean the defaults.
type Options struct {
	MaxBytes int64 // of all blocks together, estimated (default 256 MB)
	PerBlock int64 // of one block, estimated (default 16 MB)

	tune *tuning // tests only; nil = the rules of Version
}

const (
	defaultMaxBytes = 256 << 20
	defaultPerBlock = 16 << 20
)

// Input is what the index reads of a crash; Describe makes it.
type Input struct {
	Block     string // blocks never share families
	Signature string // hash of the signature
	Terms     []Term // the whole sequence and the extra tokens
	Sequence  uint64 // hash of Block and Terms
	Build     string // version of the blamed extension: names are compared more strictly within one build
}

// Term is one token of a crash, in the order of the stack; extra tokens come
// first and stand beside it, at its first place.
type Term struct {
	Token   string
	Weight  float64 // of its class
	Extra   bool    // not a frame: the exception's type, its message
	Own     bool    // a frame of an extension
	Scoped  bool    // a name that counts in its own build only; what stands for the frame elsewhere follows
	Telling bool    // a message that names a place of the code by itself
	Author  bool    // a message that a programmer wrote
}

// Placement is where a crash went.
type Placement struct {
	Family string  // "F-" and 13 letters and digits; deterministic
	New    bool    // the family did not exist before
	Known  bool    // the very same sequence had been placed before
	Score  float64 // similarity to the nearest representative, -1 … 1; 1 when Known
	Near   []Near  // families so close to the threshold that a person should look, best first
}

// Near is a family and how similar its nearest representative is.
type Near struct {
	Family string  `json:"family"`
	Score  float64 `json:"score"`
}

// Explanation says why a crash is like a family.
type Explanation struct {
	Family  string  `json:"family"`
	Score   float64 `json:"score"`
	Matched []Share `json:"matched"` // shares of the matched weight, heaviest first
	Left    []Share `json:"left"`    // heaviest unmatched tokens of the crash
	Right   []Share `json:"right"`   // heaviest unmatched tokens of the representative
}

// Share is a token's part.
type Share struct {
	Token string  `json:"token"`
	Share float64 `json:"share"` // 0 … 1 of the matched weight, or of its own side's weight
}

// Stats is the size of the index.
type Stats struct {
	Blocks, Families, Representatives, Sequences int
	Bytes                                        int64 // estimated
}

// tuning is the constants of the rules. They were chosen on the open crashfarm sets
// in three languages together (eval), in sample, from the middle of flat stretches
// where there was one. Two serve one language each: names (Java; the others are
// indifferent), and doubt with tie (JavaScript: a little less agreement with the
// labels for less dependence on the order of arrival).
type tuning struct {
	gamma     float64 // how fast a match loses with the difference of places
	threshold float64 // similarity from which a crash joins a family
	margin    float64 // around the threshold: a person should look
	doubt     float64 // above the threshold: a crash as near to another family opens its own …
	tie       float64 // … when the difference is smaller than this
	novelty   float64 // below this similarity a crash becomes a representative
	perFamily int     // representatives of one family
	common    float64 // share of representatives above which a token is no way in
	gate      float64 // share of the in-app weight that two stacks must have in common …
	penalty   float64 // … or lose up to so much similarity
	strict    float64 // what is lost when the crash's function cannot be the family's under a new name
	differ    float64 // what is lost when programmers wrote different messages

	vendored, host, runtime, unknown float64 // weights of frames; an extension's are 1
	exception                        float64 // of the exception's type
	message                          float64 // of the message
	names                            int     // names of code that make a message telling
}

// fam1 is what Version stands for. Document frequencies, which FaST has, are left
// out: counted within a block, beta 2 lost on every language (the frames of the most
// frequent bug became its least important ones) and beta .25 still on Java; and
// without them the similarity of two crashes never changes.
var fam1 = tuning{
	gamma: 2, threshold: -.12, margin: .15, doubt: .2, tie: .05, novelty: .98, perFamily: 40, common: .2, gate: .3, penalty: .3, strict: 1, differ: .3,
	vendored: .1, host: .2, runtime: .2, unknown: .2, exception: 1, message: 1.5, names: 2,
}
