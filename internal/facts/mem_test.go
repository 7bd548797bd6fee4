package facts_test

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/factstest"
)

func TestMem(t *testing.T) {
	factstest.Run(t, func(t *testing.T) (facts.Store, func() facts.Store) {
		m := facts.NewMem()
		return m, func() facts.Store { return m }
	})
}
