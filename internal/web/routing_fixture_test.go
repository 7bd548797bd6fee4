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
		Preview: &triage.Preview{Families: 312, Stay: 298, Now: 16, ByHand: 2, Partial: true, Moves: []triage.Move{{From: "core", To: "", Families: 14, Crashes: 1200, Installs: 90}},
			Errors: []triage.RuleError{{Rule: "a", Note: "It takes too much work to decide.", Families: 2, Example: "F-1"}}, Examples: []triage.Example{{Family: "F-1", Title: "TypeError in lint", From: "core", Rule: "a"}}}}
}
