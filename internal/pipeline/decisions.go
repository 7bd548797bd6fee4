package pipeline

import (
	"encoding/binary"
	"math"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// decision is what was decided about one envelope where a replay could decide
// otherwise: it depends on what came before, or on rules that change. An
// envelope without one was a stored event.
type decision struct {
	outcome  outcome
	reason   string
	stage    string
	replayed bool

	family      string
	isNew       bool
	known       bool
	score       float64
	signature   string
	blame       eco.ExtensionID
	release     string
	sessionName string
	count       [4]int64 // count, errored, crashed, abnormal
}

// The decisions of one batch are one value in the flow's database, written in
// the transaction of the families, overwritten by the next batch: a byte of
// version, then per entry its place in the batch and the fields in the order of the struct,
// strings and numbers as in the codec of envelopes. Only the last batch can need
// a replay, because a batch begins after the facts of the one before are stored.
const decisionsVersion = 1

func encodeDecisions(items []item) []byte {
	b := []byte{decisionsVersion}
	for i := range items {
		it := &items[i]
		if it.env == nil || it.outcome == stored && !it.replayed && it.env.Kind != eco.KindCrash && it.env.Kind != eco.KindSession {
			continue
		}
		c := it.crashPart
		if c == nil {
			c = new(crashPart)
		}
		b = binary.AppendUvarint(b, uint64(i))
		b = append(b, byte(it.outcome), flags(it.replayed, c.place.New, c.place.Known))
		b = appendText(b, it.reason)
		b = appendText(b, it.stage)
		b = appendText(b, c.place.Family)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.place.Score))
		b = appendText(b, c.sig.Hash)
		b = appendText(b, string(c.blame.Extension))
		b = appendText(b, c.release)
		b = appendText(b, it.session.name)
		for _, n := range [4]int64{it.session.count, it.session.errored, it.session.crashed, it.session.abnormal} {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

func decodeDecisions(b []byte) (map[int]decision, error) {
	bad := fault.E("pipeline.decisions", fault.Internal, "The decisions of the last batch cannot be read.", nil)
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != decisionsVersion {
		return nil, bad
	}
	r := reader{b: b[1:]}
	out := map[int]decision{}
	for len(r.b) > 0 && !r.bad {
		place := int(r.uvarint())
		head := r.take(2)
		if r.bad {
			break
		}
		d := decision{outcome: outcome(head[0]), replayed: head[1]&1 != 0, isNew: head[1]&2 != 0, known: head[1]&4 != 0}
		d.reason, d.stage, d.family = r.text(), r.text(), r.text()
		if f := r.take(8); !r.bad {
			d.score = math.Float64frombits(binary.LittleEndian.Uint64(f))
		}
		d.signature, d.blame, d.release, d.sessionName = r.text(), eco.ExtensionID(r.text()), r.text(), r.text()
		for i := range d.count {
			d.count[i] = r.varint()
		}
		out[place] = d
	}
	if r.bad {
		return nil, bad
	}
	return out, nil
}

// recall gives an item what was decided about it before the restart.
func (it *item) recall(d decision) {
	if it.outcome == dead && d.outcome == stored {
		return // the rules changed over the restart and cannot read it any more
	}
	it.outcome, it.reason, it.stage, it.replayed = d.outcome, d.reason, d.stage, d.replayed
	if d.outcome != stored {
		return
	}
	it.session = delta{d.count[0], d.count[1], d.count[2], d.count[3], d.sessionName}
	if it.crashPart == nil {
		return
	}
	it.place.Family, it.place.New, it.place.Known, it.place.Score = d.family, d.isNew, d.known, d.score
	it.sig.Hash, it.release = d.signature, d.release
	if it.blame.Extension == "" && d.blame != "" {
		it.recallAssociated(d.blame)
	}
	if it.blame.Extension != d.blame {
		it.blame = eco.Blame{Extension: d.blame, Version: d.release, Target: "extension"}
		if d.blame == "" {
			it.blame = eco.Blame{Target: "unknown"}
		}
	}
}

func flags(bits ...bool) (b byte) {
	for i, v := range bits {
		if v {
			b |= 1 << i
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 || n > 1<<31 {
		r.bad = true
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) text() string { return string(r.take(int(r.uvarint()))) }

func (r *reader) varint() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[k:]
	return n
}
