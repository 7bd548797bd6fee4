package cli

import "github.com/bellwether-project/bellwether/internal/eval"

type evalBlameCmd struct {
	Seed       uint64 `help:"Another seed, another ecosystem." default:"1"`
	Runs       int    `help:"Families of each scenario." default:"40"`
	Extensions int    `help:"Extensions there are." default:"5000"`
	Sessions   int    `help:"Healthy sessions to compare with." default:"2000"`
	Crashes    []int  `help:"Crashes of a family at which to look." default:"10,20,30,50,100,300"`
}

func (e *evalBlameCmd) Run(c *console) error {
	s, err := eval.Suspects(eval.SuspectOptions{Seed: e.Seed, Runs: e.Runs, Extensions: e.Extensions, Sessions: e.Sessions, Crashes: e.Crashes})
	if err != nil {
		return err
	}
	return s.Print(c.out)
}
