package dump

import "errors"

// lzma decodes LZMA into one slice that is its dictionary, too: what it may take
// in memory is what it may give. errXZ: the data are damaged.
type lzma struct {
	out  []byte
	from int // where the dictionary begins in out
	most int // bytes that out may have

	src        []byte
	pos        int
	rng, code  uint32
	overrun    bool
	lc, lp, pb uint
	state      uint32
	reps       [4]uint32
	p          probs
	literals   []uint16
}

// probs are the adaptive probabilities, but those of literals.
type probs struct {
	isMatch    [12 << 4]uint16
	isRep      [12]uint16
	isRepG0    [12]uint16
	isRepG1    [12]uint16
	isRepG2    [12]uint16
	isRep0Long [12 << 4]uint16
	slots      [4][64]uint16
	special    [128]uint16
	align      [16]uint16
	lens, reps lengths
}

type lengths struct {
	choice, choice2 uint16
	low, mid        [16][8]uint16
	high            [256]uint16
}

var (
	errXZ    = errors.New("xz: damaged")
	errXZBig = errors.New("xz: too large")
)

const half = 1 << 10

func fill(list []uint16) {
	for i := range list {
		list[i] = half
	}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = half, half
	for i := range l.low {
		fill(l.low[i][:])
		fill(l.mid[i][:])
	}
	fill(l.high[:])
}

// props takes lc, lp and pb from their byte.
func (z *lzma) props(b byte) bool {
	if b >= 9*5*5 {
		return false
	}
	z.lc, z.lp, z.pb = uint(b%9), uint(b/9%5), uint(b/45)
	return z.lc+z.lp <= 4
}

// reset forgets what was learned.
func (z *lzma) reset() {
	z.state, z.reps = 0, [4]uint32{}
	n := 0x300 << (z.lc + z.lp)
	if len(z.literals) != n {
		z.literals = make([]uint16, n)
	}
	fill(z.literals)
	p := &z.p
	for _, list := range [][]uint16{p.isMatch[:], p.isRep[:], p.isRepG0[:], p.isRepG1[:], p.isRepG2[:], p.isRep0Long[:], p.special[:], p.align[:]} {
		fill(list)
	}
	for i := range p.slots {
		fill(p.slots[i][:])
	}
	p.lens.reset()
	p.reps.reset()
}

func (z *lzma) next() uint32 {
	if z.pos >= len(z.src) {
		z.overrun = true
		return 0
	}
	z.pos++
	return uint32(z.src[z.pos-1])
}

// start begins a chunk.
func (z *lzma) start(src []byte) bool {
	z.src, z.pos, z.rng, z.code, z.overrun = src, 0, 0xffffffff, 0, false
	if z.next() != 0 {
		return false
	}
	for range 4 {
		z.code = z.code<<8 | z.next()
	}
	return !z.overrun
}

func (z *lzma) normalise() {
	if z.rng < 1<<24 {
		z.rng <<= 8
		z.code = z.code<<8 | z.next()
	}
}

func (z *lzma) bit(p *uint16) uint32 {
	z.normalise()
	bound := z.rng >> 11 * uint32(*p)
	if z.code < bound {
		z.rng = bound
		*p += (1<<11 - *p) >> 5
		return 0
	}
	z.rng -= bound
	z.code -= bound
	*p -= *p >> 5
	return 1
}

func (z *lzma) tree(p []uint16, bits int) uint32 {
	m := uint32(1)
	for range bits {
		m = m<<1 | z.bit(&p[m])
	}
	return m - 1<<bits
}

func (z *lzma) reverse(p []uint16, bits uint) uint32 {
	m, v := uint32(1), uint32(0)
	for i := range bits {
		b := z.bit(&p[m])
		m = m<<1 | b
		v |= b << i
	}
	return v
}

func (z *lzma) direct(bits uint) uint32 {
	v := uint32(0)
	for range bits {
		z.normalise()
		z.rng >>= 1
		b := uint32(0)
		if z.code >= z.rng {
			z.code -= z.rng
			b = 1
		}
		v = v<<1 | b
	}
	return v
}

func (z *lzma) length(l *lengths, pos uint32) int {
	switch {
	case z.bit(&l.choice) == 0:
		return 2 + int(z.tree(l.low[pos][:], 3))
	case z.bit(&l.choice2) == 0:
		return 10 + int(z.tree(l.mid[pos][:], 3))
	}
	return 18 + int(z.tree(l.high[:], 8))
}

// chunk decodes exactly n bytes.
func (z *lzma) chunk(n int) error {
	end := len(z.out) + n
	if end > z.most {
		return errXZBig
	}
	for len(z.out) < end {
		if z.overrun {
			return errXZ
		}
		at := uint32(len(z.out) - z.from)
		pos := at & (1<<z.pb - 1)
		if z.bit(&z.p.isMatch[z.state<<4|pos]) == 0 {
			if err := z.literal(at); err != nil {
				return err
			}
			continue
		}
		n, err := z.match(pos)
		if err != nil {
			return err
		}
		if n == 0 { // a single byte again
			n = 1
		}
		dist := int(z.reps[0]) + 1
		if dist > len(z.out)-z.from || len(z.out)+n > end {
			return errXZ
		}
		for range n {
			z.out = append(z.out, z.out[len(z.out)-dist])
		}
	}
	if z.overrun {
		return errXZ
	}
	return nil
}

func (z *lzma) literal(at uint32) error {
	prev := uint32(0)
	if at > 0 {
		prev = uint32(z.out[len(z.out)-1])
	}
	p := z.literals[0x300*((at&(1<<z.lp-1))<<z.lc|prev>>(8-z.lc)):][:0x300]
	m := uint32(1)
	if z.state >= 7 {
		dist := int(z.reps[0]) + 1
		if dist > int(at) {
			return errXZ
		}
		match := uint32(z.out[len(z.out)-dist])
		for m < 0x100 {
			mb := match >> 7 & 1
			match <<= 1
			b := z.bit(&p[(1+mb)<<8+m])
			m = m<<1 | b
			if mb != b {
				break
			}
		}
	}
	for m < 0x100 {
		m = m<<1 | z.bit(&p[m])
	}
	z.out = append(z.out, byte(m))
	switch {
	case z.state < 4:
		z.state = 0
	case z.state < 10:
		z.state -= 3
	default:
		z.state -= 6
	}
	return nil
}

// match reads a length and sets the distance; the length of a short repeat is 0.
func (z *lzma) match(pos uint32) (int, error) {
	p, s := &z.p, z.state
	if z.bit(&p.isRep[s]) == 0 {
		z.reps[3], z.reps[2], z.reps[1] = z.reps[2], z.reps[1], z.reps[0]
		n := z.length(&p.lens, pos)
		z.state = 7
		if s >= 7 {
			z.state = 10
		}
		return n, z.distance(n)
	}
	if z.bit(&p.isRepG0[s]) == 0 {
		if z.bit(&p.isRep0Long[s<<4|pos]) == 0 {
			z.state = 9
			if s >= 7 {
				z.state = 11
			}
			return 0, nil
		}
	} else {
		var d uint32
		switch {
		case z.bit(&p.isRepG1[s]) == 0:
			d = z.reps[1]
		case z.bit(&p.isRepG2[s]) == 0:
			d, z.reps[2] = z.reps[2], z.reps[1]
		default:
			d, z.reps[3], z.reps[2] = z.reps[3], z.reps[2], z.reps[1]
		}
		z.reps[1], z.reps[0] = z.reps[0], d
	}
	z.state = 8
	if s >= 7 {
		z.state = 11
	}
	return z.length(&p.reps, pos), nil
}

func (z *lzma) distance(n int) error {
	slot := z.tree(z.p.slots[min(n-2, 3)][:], 6)
	d := slot
	if slot >= 4 {
		bits := uint(slot>>1 - 1)
		d = (2 | slot&1) << bits
		if slot < 14 {
			d += z.reverse(z.p.special[d-slot:], bits)
		} else {
			d += z.direct(bits-4) << 4
			d += z.reverse(z.p.align[:], 4)
		}
	}
	if z.reps[0] = d; d == 0xffffffff { // an end marker: LZMA2 has none
		return errXZ
	}
	return nil
}
