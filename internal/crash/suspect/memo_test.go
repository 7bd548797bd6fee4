package suspect_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

func written(t *testing.T, r suspect.Report) string {
	t.Helper()
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A desk that remembers what it read says what one says that reads everything
// anew, whatever comes in, is erased, purged or merged in between.
func TestRunsAreThoseOfAFullOne(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			keeps, anew := open(t), open(t)
			both := []*house{keeps, anew}
			dice := rand.New(rand.NewPCG(seed, 9))
			families := []string{"F-a", "F-b", "F-c"}
			for _, h := range both {
				h.sessions(120)
			}
			for step := range 12 {
				family, n, install := families[dice.IntN(3)], 5+dice.IntN(20), uint64(0)
				if dice.IntN(4) == 0 {
					install = 77
				}
				what, later := dice.IntN(6), time.Duration(1+dice.IntN(90))*time.Minute
				for _, h := range both {
					switch what {
					case 0:
						h.sessions(30)
					case 1:
						if _, err := h.mem.Erase(t.Context(), facts.Subject{Project: 1, Install: eco.Install(77)}); err != nil {
							t.Fatal(err)
						}
					case 2:
						if _, err := h.mem.Purge(t.Context(), h.now); err != nil {
							t.Fatal(err)
						}
						h.crashes(family, "", n, install)
					default:
						must := []eco.ExtensionID{"acme.git"}
						if family == "F-b" {
							must = append(must, "north.note")
						}
						h.crashes(family, "", n, install, must...)
					}
					h.now = h.now.Add(later)
				}
				var err error
				if anew.Desk, err = suspect.New(t.Context(), suspect.Options{Flow: anew.db, Facts: anew.mem, Desk: anew.crash, Now: func() time.Time { return anew.now }}); err != nil {
					t.Fatal(err)
				}
				if a, b := keeps.run(), anew.run(); a != b {
					t.Fatalf("step %d: %q, anew %q", step, a, b)
				}
				for _, id := range families {
					f := crash.Family{ID: id, Host: "studio"}
					if diff := cmp.Diff(written(t, anew.of(everything, f)), written(t, keeps.of(everything, f))); diff != "" {
						t.Fatalf("step %d, %s: (-anew +kept)\n%s", step, id, diff)
					}
				}
			}
		})
	}
}
