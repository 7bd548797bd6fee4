package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// population is a made-up ecosystem: a few extensions that many people have, a
// long tail that hardly anybody has, packs that come along with an extension, and
// three host versions on three systems, between which popularity differs.
type population struct {
	dice   *rand.Rand
	names  []eco.ExtensionID
	head   []float64   // chance to have each of the first extensions
	skew   [][]float64 // by stratum: the factor of that chance
	tail   float64     // how many of the others an installation has, on average
	strata []string
	spread []float64 // chance of each stratum, running sums
	packs  map[int]pack
	fixed  map[int][]float64 // extensions whose chance is given for each stratum
}

// pack is what comes along with an extension: with it at a chance, and alone.
type pack struct {
	with          int
	chance, alone float64
}

const headSize = 250

func newPopulation(seed uint64, extensions int) *population {
	p := &population{dice: rand.New(rand.NewPCG(seed, 0x5eed)), packs: map[int]pack{}, fixed: map[int][]float64{}}
	for i := range extensions {
		p.names = append(p.names, eco.ExtensionID(fmt.Sprintf("maker%02d.ext%04d", i%61, i)))
	}
	sum := 0.0
	for _, host := range []string{"1.4.0", "1.5.0", "1.5.1"} {
		for _, os := range []string{"linux", "macos", "windows"} {
			p.strata = append(p.strata, host+" "+os)
			sum += 0.3 + p.dice.Float64()
			p.spread = append(p.spread, sum)
			p.skew = append(p.skew, nil)
		}
	}
	for i := range min(headSize, extensions) {
		p.head = append(p.head, min(0.75, 1.6/math.Pow(float64(i+2), 0.85))*(0.6+0.8*p.dice.Float64()))
		for s := range p.skew {
			p.skew[s] = append(p.skew[s], math.Exp(0.35*p.dice.NormFloat64()))
		}
	}
	if extensions > headSize {
		p.tail = 4
	}
	// Some packs that have nothing to do with anything.
	for range 12 {
		if a, b := p.anybody(0.05, 0.5), p.anybody(0.05, 0.3); a != b {
			p.packs[b] = pack{with: a, chance: 0.5 + 0.4*p.dice.Float64(), alone: 0.02}
		}
	}
	return p
}

// anybody draws an extension of the head with a chance between two.
func (p *population) anybody(from, to float64) int {
	for range 10_000 {
		if i := p.dice.IntN(len(p.head)); p.head[i] >= from && p.head[i] <= to {
			if _, taken := p.packs[i]; !taken {
				return i
			}
		}
	}
	return 0
}

func (p *population) stratum(spread []float64) int {
	u := p.dice.Float64() * spread[len(spread)-1]
	i, _ := slices.BinarySearch(spread, u)
	return min(i, len(spread)-1)
}

// vote draws an installation of a stratum that has all of some extensions.
func (p *population) vote(stratum int, has ...int) evidence.Vote {
	in := map[int]bool{}
	for _, e := range has {
		in[e] = true
	}
	for i, chance := range p.head {
		if _, ok := p.packs[i]; ok {
			continue
		}
		chance *= p.skew[stratum][i]
		if f, ok := p.fixed[i]; ok {
			chance = f[stratum]
		}
		if p.dice.Float64() < chance {
			in[i] = true
		}
	}
	for i := range p.head { // in order, so that the draws repeat
		if k, ok := p.packs[i]; ok {
			chance := k.alone
			if in[k.with] {
				chance = k.chance
			}
			if p.dice.Float64() < chance {
				in[i] = true
			}
		}
	}
	for range p.poisson(p.tail) {
		in[len(p.head)+int(float64(len(p.names)-len(p.head))*math.Pow(p.dice.Float64(), 2))] = true
	}
	v := evidence.Vote{Stratum: p.strata[stratum]}
	for i := range in {
		v.Active = append(v.Active, eco.Active{ID: p.names[i], Version: "1.0.0"})
	}
	slices.SortFunc(v.Active, func(a, b eco.Active) int { return compareIDs(a.ID, b.ID) })
	return v
}

func compareIDs(a, b eco.ExtensionID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (p *population) poisson(mean float64) int {
	n, x, end := 0, 1.0, math.Exp(-mean)
	for mean > 0 {
		if x *= p.dice.Float64(); x <= end {
			break
		}
		n++
	}
	return n
}
