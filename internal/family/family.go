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
}

// Term is one token of a crash. Tokens with Extra set stand beside the stack, at
// its first place.
type Term struct {
	Token   string
	Weight  float64 // of its class
	Extra   bool
	Telling bool
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
	Bytes                                        int64
}

// tuning is the constants of the rules.
type tuning struct {
	alpha, beta, gamma float64
	threshold          float64
	margin             float64 // around the threshold: a person should look
	novelty            float64 // below this similarity a crash becomes a representative
	perFamily          int     // representatives of one family
	common             float64 // share of stacks above which a token is no entry point
	infoPos            bool    // positions count what stands above by its weight, not by frames
	vendored, runtime  float64
	host, unknown      float64
	msgWeight          float64
	excWeight          float64
	dfCrashes          bool
	famDF              bool // count families, not stacks
	occur              int
	author             float64
	engine             float64
	ownerPkg           bool
	wrapMsg            float64
	gate, pen          float64
	names              int
	lineW              float64
	top                float64
}

// fam1 is what Version stands for.
var fam1 = tuning{
	alpha: .7, beta: 0, gamma: 2, threshold: -.1, margin: .15, novelty: .98, perFamily: 40, common: .2,
	infoPos: true, vendored: .1, host: .2, runtime: .2, unknown: .2, msgWeight: 1.5, excWeight: 1, occur: 1, author: 2, engine: 1, gate: .3, pen: .3, names: 2,
}
