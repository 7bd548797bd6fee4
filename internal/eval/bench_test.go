package eval

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// BenchmarkLine is what the pipeline spends on one crash, stage by stage.
func BenchmarkLine(b *testing.B) {
	for _, name := range []string{"js", "py", "java"} {
		data, classmap := open(b, name)
		set, err := ReadSet(data, classmap)
		if err != nil {
			b.Fatal(err)
		}
		type prepared struct {
			c   *eco.Crash
			o   eco.Origin
			sig eco.Signature
			in  family.Input
		}
		var all []prepared
		for i := range set.records {
			c, o := set.records[i].crash()
			r := judge(set.World, c, o)
			all = append(all, prepared{c, o, r.sig, r.in})
		}
		x := family.NewIndex(family.Options{})
		for _, stage := range []struct {
			name string
			do   func(*prepared)
		}{
			{"classify", func(p *prepared) { set.World.Classify(p.c, p.o) }},
			{"sign", func(p *prepared) { signature.Sign(p.c) }},
			{"blame", func(p *prepared) { blame.Decide(set.World, p.c, p.o) }},
			{"describe", func(p *prepared) { family.Describe(p.c, p.sig, eco.Blame{}) }},
			{"place", func(p *prepared) { x.Place(p.in) }},
		} {
			b.Run(name+"/"+stage.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := range b.N {
					stage.do(&all[i%len(all)])
				}
			})
		}
	}
}
