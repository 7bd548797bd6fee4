package crash

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// An author who is a candidate by evidence does not learn from its reason, or from
// the other candidate, which extension it was together with.
func TestRedactEvidence(t *testing.T) {
	doc := Document{Origin: eco.Origin{Project: 1, Host: "studio"},
		Crash: eco.Crash{Active: []eco.Active{{ID: "acme.theme", Version: "2.0.0"}, {ID: "north.notebook", Version: "1.3.0"}}},
		Blame: eco.Blame{Extension: "acme.theme", Target: "extension", Candidates: []eco.Candidate{
			{Extension: "acme.theme", Step: 6, Role: "associated", Reason: "Associated: together with north.notebook active in 40 of 41 crashes."},
			{Extension: "north.notebook", Step: 6, Role: "associated", Reason: "Associated: together with acme.theme active in 40 of 41 crashes."}}}}
	body, err := json.Marshal(Redact(doc, facts.Only([]eco.ExtensionID{"acme.theme"}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(body); strings.Contains(s, "north") || strings.Contains(s, "notebook") || !strings.Contains(s, "40 of 41") {
		t.Error(s)
	}
}
