// Package family gathers signatures with one root cause into families, online:
// the answer for a crash depends on what came before and on nothing else (no
// clock, no dice), so that a replay gives the same ids and eval can run it
// offline. It is version fam/1: FaST (Rodrigues, Aloise, Fernandes; MSR 2022)
// within blocks, weighted by frame class, with few representatives per family.
//
// Use: w.Classify(c, o); sig := signature.Sign(c); b := blame.Decide(w, c, o);
// p := index.Place(family.Describe(c, sig, b)).
package family

import "github.com/bellwether-project/bellwether/internal/eco"

// Version names these rules.
const Version = "fam/1"

// Options bounds an index. Zero values mean the defaults.
type Options struct {
	MaxBytes int64 // of all blocks together, estimated; least recently placed representatives go first (default 256 MB)
	PerBlock int64 // of one block (default 16 MB)
}

// Input is what the index reads of a crash; Describe makes it.
type Input struct {
	Block     string // blocks never share families
	Signature string // hash of the signature
	Title     string // of the signature
	Terms     []Term // the whole sequence and the extra tokens
	Sequence  uint64 // hash of Terms
}

// Term is one token with its place and class.
type Term struct {
	Token string
	Pos   float64 // 1-based distance from the crash point
	Class eco.FrameClass
	Mult  float64
}

// Placement is where a crash went.
type Placement struct {
	Family string  // "F-" and 13 letters and digits; deterministic
	New    bool    // the family did not exist before
	Known  bool    // the very same sequence had been placed before
	Score  float64 // similarity to the nearest representative, -1 … 1; 1 when Known
	Near   []Near  // other families so close that a person should look: possible merges, best first
}

// Near is a family and how similar its nearest representative is.
type Near struct {
	Family string  `json:"family"`
	Score  float64 `json:"score"`
}

// Explanation says why a crash is like a family.
type Explanation struct {
	Family  string
	Score   float64
	Matched []Share // shares of the matched weight, heaviest first
	Left    []Share // heaviest unmatched tokens of the crash
	Right   []Share // heaviest unmatched tokens of the representative
}

// Share is a token's part.
type Share struct {
	Token string
	Share float64 // 0 … 1 of the matched weight, or of its own side's weight
}

// Index holds the blocks. Safe for concurrent use.
type Index struct{}

// NewIndex returns an empty index.
func NewIndex(o Options) *Index { return &Index{} }

// Describe reduces a classified, signed, blamed crash to what the index reads.
func Describe(c *eco.Crash, sig eco.Signature, b eco.Blame) Input { panic("later") }

// Place puts a crash into a family, an old or a new one, and remembers it.
func (x *Index) Place(in Input) Placement { panic("later") }

// Rank returns the families nearest to a crash, best first, and changes nothing.
func (x *Index) Rank(in Input, limit int) []Near { panic("later") }

// Explain compares a crash with the nearest representative of a family.
func (x *Index) Explain(in Input, family string) (Explanation, bool) { panic("later") }

// Known returns the family that a signature was last placed in (for receipts).
func (x *Index) Known(block, signature string) (family string, ok bool) { panic("later") }

// MustLink makes every later crash that would go to family b go to family a (a
// person's merge); Unlink takes it back. CannotLink keeps crashes with signature
// sig out of a family (a person's split). The desk owns these edges and gives
// them again after each start; they are not in snapshots.
func (x *Index) MustLink(a, b string)          { panic("later") }
func (x *Index) Unlink(a, b string)            { panic("later") }
func (x *Index) CannotLink(sig, family string) { panic("later") }
func (x *Index) AllowLink(sig, family string)  { panic("later") }

// Dirty lists the blocks changed since their last snapshot, sorted.
func (x *Index) Dirty() []string { panic("later") }

// Snapshot returns a block as bytes (versioned, deterministic) and marks it
// clean; Restore reads it back, replacing the block of that key.
func (x *Index) Snapshot(block string) ([]byte, error)      { panic("later") }
func (x *Index) Restore(b []byte) (block string, err error) { panic("later") }

// Forget drops a block from memory (its lease went elsewhere).
func (x *Index) Forget(block string) { panic("later") }

// Stats is the size of the index.
type Stats struct {
	Blocks, Families, Representatives, Sequences int
	Bytes                                        int64
}

// Stats counts.
func (x *Index) Stats() Stats { panic("later") }
