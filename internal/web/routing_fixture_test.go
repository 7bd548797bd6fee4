package web

import (
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/route"
)

func fixRouting() routingPage {
	v := fixViewer()
	one := triage.Version{Version: 3, Text: "rules:\n  - {name: a, when: true, then: {team: core}}\n", Author: "a-1", Note: "Core takes all.", At: fixNow}
	return routingPage{settingsShell: fixSettings("Routing rules"), Current: 4, Version: one, When: v.at(fixNow), By: "Ada Okafor", Old: true, Text: one.Text, Base: 4, CanEdit: true, Vars: routeVars,
		Versions: []versionRow{{one, v.at(fixNow), "Ada Okafor", "#", true}}, Undo: undoBar{"c-1", "#"}, Errors: []string{"Somebody saved version 4 meanwhile."},
		Mistakes: []route.Mistake{{Rule: "a", Line: 2, Column: 5, Text: "Undefined field.", Hint: "Is it family.type?"}},
		From:     51, To: 51, Before: 0, After: 2, Paged: true,
		Preview: &triage.Preview{Families: 312, Changed: 14, Page: 1, Stay: 298, Now: 16, ByHand: 2, Partial: true, Moves: []triage.Move{{From: "core", To: "", Families: 14, Crashes: 1200, Installs: 90}},
			Errors: []triage.RuleError{{Rule: "a", Note: "It takes too much work to decide.", Families: 2, Example: "F-1"}}, Examples: []triage.Example{{Family: "F-1", Title: "TypeError in lint", From: "core", Rule: "a"}}}}
}

func fixLabels() labelsPage {
	word := triage.Word{Label: triage.Label{ID: "l-1", Name: "needs a repro", Colour: 2, About: "Nobody made it happen again yet."}, Mine: true, Families: 12}
	ruled := triage.Word{Label: triage.Label{ID: "l-2", Name: "linkage"}, Mine: true, Families: 3, ByRules: true}
	theirs := triage.Word{Label: triage.Label{ID: "l-3", Owner: "acme", Name: "docs", Colour: 7}}
	p := labelsPage{settingsShell: fixSettings("Labels"), Owners: []option{{"", "everybody's", true}, {"acme", "of acme", false}}, Errors: []string{"There is a label of this name already."},
		Groups: []labelGroup{{Mine: true, Rows: []labelRow{{word, "#", "#"}, {ruled, "#", "#"}}}, {Owner: "acme", Rows: []labelRow{{Word: theirs, Href: "#"}}}},
		Edit:   labelForm{Word: word, Into: []option{{"l-2", "linkage", false}}}}
	p.Gone = []goneRow{{triage.Gone{Label: triage.Label{ID: "l-8", Name: "flaky", Colour: 3}, Merged: "l-1", Families: 4}, "needs a repro", stamp{fixNow, fixNow}, stamp{fixNow, fixNow}}, {Gone: triage.Gone{Label: triage.Label{ID: "l-9", Owner: "acme", Name: "old"}}, When: stamp{fixNow, fixNow}}}
	for i, name := range colourNames {
		p.Edit.Colours = append(p.Edit.Colours, colourChoice{i, name, i == 2})
	}
	return p
}
