package web

import (
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/diagnosis"
	"github.com/bellwether-project/bellwether/internal/crash/priority"
	"github.com/bellwether-project/bellwether/internal/eco"
)

func fixGroups() []crash.Group {
	return []crash.Group{{ID: "F-7kq2mdx4", Title: "acme.markdown-lint: TypeError in lintDocument", Blame: "acme.markdown-lint", State: crash.Open, Crashes: 1204, Installs: 388, Signatures: 3, Releases: []string{"2.3.0", "2.5.0"}},
		{Title: "acme.markdown-lint: TypeError in ruleRange", Blame: "acme.markdown-lint", State: crash.Open, Crashes: 110, Installs: 61, Signatures: 1}}
}

func fixMerge() mergePage {
	g := crash.Regrouping{Kind: crash.KindMerge, Family: "F-7kq2mdx4", Parts: []string{"F-93jd02ka"}, Before: fixGroups(), After: fixGroups()[:1], Conflicts: []string{"F-93jd02ka is ignored, F-7kq2mdx4 is open: the merged family is open."},
		Along: []crash.Along{{Family: "F-93jd02ka", Kind: "team", Name: "Core"}, {Family: "F-93jd02ka", Kind: "person", Name: "Jo Acme", Stays: "Tom Ferris"}, {Family: "F-93jd02ka", Kind: "watch", Name: "Tom Ferris"}}}
	return mergePage{Shell: fixShell("crashes", "Merge families", crumb{"Crashes", "/crashes"}), IDs: []string{"F-7kq2mdx4", "F-93jd02ka"}, Into: []option{{"F-7kq2mdx4", "TypeError in lintDocument", true}, {"F-93jd02ka", "Error in resolveRepository", false}}, G: &g,
		Alike: []likeView{{crash.Likeness{Family: "F-7kq2mdx4", Other: "F-93jd02ka"}, fixTogether()}}, Errors: []string{"One of these families became part of another one in the meantime."}}
}

func fixSplit() splitPage {
	return splitPage{Shell: fixShell("crashes", "Split a family", crumb{"Crashes", "/crashes"}), ID: "F-7kq2mdx4", Rows: []splitRow{
		{crash.SignatureInfo{Hash: "a91c03f2be770011", Key: "TypeError | acme.markdown-lint | ruleRange", Title: "acme.markdown-lint: TypeError in ruleRange", Crashes: 1100, Installs: 300}, true},
		{crash.SignatureInfo{Hash: "b91c03f2be770011", Key: "TypeError | acme.markdown-lint | walk", Crashes: 104, Installs: 88}, false}}, Errors: []string{"A family keeps at least one of its signatures."},
		G: &crash.Regrouping{Kind: crash.KindSplit, Parts: []string{"F-7kq2mdx4"}, Signatures: []string{"a91c03f2be770011"}, Before: fixGroups()[:1], After: fixGroups()}}
}

// fixTriage fills the family's page with what people decide with.
func fixTriage(pages map[string]any) {
	p := pages["family"].(familyPage)
	p.familyTriage = familyTriage{
		Rating: &rating{Rated: crash.Rated{Priority: priority.Load().Of(priority.Input{Crashes: 1204, Installs: 388, Repeated: 200, Active: 8120, Label: "null_access", Words: "saveAll"}), Diagnosis: diagnosis.Load().Name(&eco.Crash{}, diagnosis.Hint{})},
			Band: "P1", Overruled: &crash.Overruled{Band: "P1", Reason: "Loses work."}, Who: "Ada Okafor", When: fixViewer().at(fixNow), Sure: "90 %", Bands: []option{{"P1", "P1, now", true}},
			Past: []pastRank{{crash.Overruled{Band: "P2", Reason: "By the routing rule “loud”."}, "the rules", "Ada Okafor said P1", fixViewer().at(fixNow), fixViewer().at(fixNow)}}},
		Waiting:   &waiting{"a release after 2.5.0 or 100 more crashes", "12 crashes"},
		Near:      []nearRow{{crash.Nearby{Family: "F-93jd02ka", Title: "Error in resolveRepository", State: crash.Open}, "-0.05", "#", "#"}},
		Regrouped: []regroupRow{{crash.Regrouping{ID: "c-9", Note: "One cause."}, fixViewer().at(fixNow), "Ada Okafor", "merged F-1 into this one", "#"}},
		Apart:     []apartRow{{crash.Apart{Family: "F-2", Title: "RangeError in paint", Note: "Another file."}, "Ada Okafor", fixViewer().at(fixNow)}},
	}
	pages["family"], pages["merge"], pages["split"] = p, fixMerge(), fixSplit()
}
