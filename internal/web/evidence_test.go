package web

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

func fixNumbers(with int, n, expected float64) evidence.Numbers {
	return evidence.Numbers{With: with, Share: estimate.Wilson(float64(with), n), Expected: estimate.Wilson(expected*400, 400),
		Difference: estimate.Interval{Value: float64(with)/n - expected, Low: .6, High: .9, N: n}, Elsewhere: estimate.Wilson(20, 100)}
}

func fixReport() suspect.Report {
	return suspect.Report{Family: "F-1", Host: "studio", Known: true, At: fixNow, Since: fixNow.AddDate(0, 0, -3), From: fixNow.AddDate(0, 0, -20), Without: 3,
		Answer: evidence.Answer{Crashes: 60, LeftOut: 2, Compared: 812, Against: evidence.AgainstSessions, Others: 100, Strata: 7, Tested: 312, Pairs: 45, Level: 0.0125,
			Findings: []evidence.Finding{{Members: []evidence.Member{{ID: "acme.git"}, {ID: "northwind.notebook", Since: "1.3.0"}}, Numbers: fixNumbers(57, 60, .18), Q: 1e-20, Alike: []eco.ExtensionID{"acme.git-pack"}}},
			Dropped:  []evidence.Dropped{{Members: []evidence.Member{{ID: "acme.git"}}, Numbers: fixNumbers(58, 60, .5), Q: 1e-9, Because: []eco.ExtensionID{"acme.git", "northwind.notebook"}, Left: .02}}},
		Kin:      []suspect.Kin{{Family: "F-2", Title: "TypeError: entry is null", Type: "TypeError", Blame: "acme.lint", Shared: []eco.ExtensionID{"acme.git"}, Alike: true, Votes: 44}},
		Withheld: []suspect.Withheld{{Members: []eco.ExtensionID{"acme.git", "northwind.notebook"}, Why: "So far 12 of these crashes are; 20 are needed."}},
		Before:   []suspect.Named{{From: fixNow.AddDate(0, 0, -9), Until: fixNow.AddDate(0, 0, -3), Names: [][]eco.ExtensionID{}}}}
}

func bareName(id eco.ExtensionID) string { return string(id) }

func fixEvidence() evidenceView { return fixViewer().evidence(fixReport(), crash.Family{}, bareName) }

func TestEvidenceStates(t *testing.T) {
	v := fixViewer()
	host := crash.Family{Host: "studio", Target: "host"}
	if p := v.evidence(suspect.Report{}, host, bareName); !p.Show || p.Wait.Title != "Not looked at yet" {
		t.Errorf("%+v", p)
	}
	if p := v.evidence(suspect.Report{Veiled: true}, host, bareName); p.Show {
		t.Errorf("an author sees %+v", p)
	}
	few := fixReport()
	few.Answer = evidence.Answer{Needs: 8, Against: evidence.AgainstSessions}
	if p := v.evidence(few, host, bareName); p.Wait.Title != "Not enough data yet: 12 of 20 crashes" {
		t.Errorf("%+v", p.Wait)
	}
	none := fixReport()
	none.Answer.Findings = nil
	if p := v.evidence(none, host, bareName); p.Wait.Title != "No extension stands out" {
		t.Errorf("%+v", p.Wait)
	}
	p := fixEvidence()
	if len(p.Rows) != 1 || p.Rows[0].With != "57 of 60" || p.Rows[0].Share != "95 %" || p.Rows[0].Difference != "+77" || p.Rows[0].Q != "< 0.0001" {
		t.Errorf("%+v", p.Rows)
	}
	if !strings.Contains(p.Dropped[0].Reason, "only where acme.git and northwind.notebook are both active") || !strings.Contains(p.Lead, "Associated") || p.Before[0].Names != "nobody" {
		t.Errorf("%+v", p)
	}
	if len(p.Held) != 1 || p.Held[0].Names != "acme.git and northwind.notebook" || !strings.Contains(p.Held[0].Why, "20 are needed") {
		t.Errorf("withheld: %+v", p.Held)
	}
	if len(p.Kin) != 1 || p.Kin[0].Shared != "acme.git" || p.Kin[0].Blamed != "acme.lint" || p.Kin[0].Href != "/families/F-2" {
		t.Errorf("perhaps one cause: %+v", p.Kin)
	}
	veiled := fixReport()
	veiled.Answer.Findings[0].Members[0] = evidence.Member{}
	if p := v.evidence(veiled, host, bareName); p.Rows[0].Members[0].Name != "another extension" {
		t.Errorf("%+v", p.Rows)
	}
}
