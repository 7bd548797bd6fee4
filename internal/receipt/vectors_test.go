package receipt

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors of schema/intake are what every SDK reads: their answers are ours, to the member.
func TestAnswerVectors(t *testing.T) {
	b, err := os.ReadFile("../../schema/intake/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		About string
		Known *struct {
			State, Impact, Expected, Workaround string
			ResolvedIn                          string `json:"resolved_in"`
			Wanted                              Wanted
			Installs                            int64
		}
		Version string
		Answer  map[string]any
	}
	if err := json.Unmarshal(b, &all); err != nil || len(all) == 0 {
		t.Fatalf("%d vectors: %v", len(all), err)
	}
	for _, v := range all {
		var s *Standing
		if k := v.Known; k != nil {
			s = &Standing{State: State(k.State), ResolvedIn: k.ResolvedIn, Impact: k.Impact, Expected: k.Expected, Workaround: k.Workaround, Wanted: k.Wanted, Installs: k.Installs}
		}
		b, err := json.Marshal(Tell(s, v.Version))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(v.Answer, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", v.About, d)
		}
	}
}
