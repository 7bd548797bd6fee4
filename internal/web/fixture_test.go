package web

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
	"github.com/bellwether-project/bellwether/internal/stream"
)

// Fixtures: one small believable world as page structs, full and empty. The test
// of templates renders them.

var fixNow = time.Date(2026, 11, 21, 9, 40, 12, 0, time.UTC)

func fixViewer() viewer {
	return viewer{now: fixNow, p: account.Principal{Kind: account.KindAccount, ID: "acc-1", Name: "Ada Okafor", Session: "s-1"}}
}

func fixShell(section, title string, crumbs ...crumb) Shell {
	sh := Shell{Title: title, Section: section, Crumbs: crumbs, Known: true, Me: me{"Ada Okafor", "operator, triager", "operator and 1 more"}}
	for _, x := range sections {
		sh.Rail = append(sh.Rail, x.item)
	}
	sh.Mine = []railExt{{"acme.markdown-lint", "Markdown Lint"}, {"acme.theme-studio", "Theme Studio"}}
	return sh
}

func fixPeriod() period {
	p := period{Days: 14}
	p.From, p.To = eco.DayOf(fixNow).Time().AddDate(0, 0, -13), fixNow
	for _, d := range spans {
		p.Tabs = append(p.Tabs, periodTab{num(d) + " d", "?days=" + num(d), d == 14})
	}
	return p
}

func fixDays(base int64) []crash.DayHealth {
	shape := []int64{8, 7, 9, 11, 6, 5, 8, 9, 31, 44, 38, 22, 17, 9}
	var out []crash.DayHealth
	for i, n := range shape {
		d := eco.DayOf(fixNow.AddDate(0, 0, i-13))
		out = append(out, crash.DayHealth{Day: d, Crashes: n * base, Installs: n * base * 3 / 5, Sessions: 4000 * base, Crashed: n * base * 9 / 10})
	}
	return out
}

func fixHealth(k int64) crash.Health {
	return crash.Health{Crashes: 224 * k, Families: 19, New: 3, Hit: 131 * k, Unknown: 4, Sessions: 56000 * k, Installs: 8120 * k, Crashed: 201 * k,
		CrashFreeSessions: estimate.CrashFree(201*float64(k), 56000*float64(k)), CrashFreeInstalls: estimate.CrashFree(131*float64(k), 8120*float64(k))}
}

func fixOverview(now, before crash.Health, days []crash.DayHealth) crash.Overview {
	return crash.Overview{Health: now, Before: before, Trend: days, Change: compared(before.Crashes, now.Crashes)}
}

// compared is two counts compared as if every crash were an installation's only one.
func compared(before, now int64) estimate.Comparison {
	return estimate.Compare(estimate.Count{N: float64(before)}, estimate.Count{N: float64(now)}, 1)
}

func fixFamilies() []crash.Family {
	ago := func(h int) time.Time { return fixNow.Add(-time.Duration(h) * time.Hour) }
	return []crash.Family{
		{ID: "F-7kq2mdx4", Version: "fam/1", Title: "acme.markdown-lint: TypeError in lintDocument", Type: "TypeError", Platform: "javascript", Blame: "acme.markdown-lint", Target: "extension", Host: "vscode", State: crash.Open, Regressed: true, FirstSeen: ago(900), LastSeen: ago(1), FirstRelease: "2.3.0", LastRelease: "2.5.0", Signatures: 3, Crashes: 1204, Installs: 388, Days: []int64{0, 0, 0, 0, 2, 0, 0, 20, 180, 260, 300, 210, 140, 92}},
		{ID: "F-93jd02ka", Version: "fam/1", Title: "nimbus.git-lens-lite: Error in resolveRepository", Type: "Error", Platform: "javascript", Blame: "nimbus.git-lens-lite", Target: "extension", Host: "vscode", State: crash.Open, FirstSeen: ago(60), LastSeen: ago(3), FirstRelease: "0.9.1", LastRelease: "0.9.1", Signatures: 1, Crashes: 311, Installs: 97, Unknown: 12, Days: []int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80, 141, 90}},
		{ID: "F-2ls88ww1", Version: "fam/1", Title: "quill.py-notebook: KeyError in kernel_status of quill_notebook.kernels.manager.LongestManagerNameThatAnybodyEverWrote", Type: "KeyError", Platform: "python", Blame: "quill.py-notebook", Target: "extension", Host: "blender", State: crash.Open, FirstSeen: ago(2000), LastSeen: ago(30), FirstRelease: "1.0.0", LastRelease: "1.4.2", Signatures: 7, Crashes: 122, Installs: 61, Days: []int64{9, 8, 12, 7, 11, 6, 9, 8, 12, 10, 9, 8, 7, 6}},
		{ID: "F-55a0xx2p", Version: "fam/1", Title: "Out of memory in the extension host", Type: "OutOfMemory", Platform: "native", Target: "host", Host: "vscode", State: crash.Resolved, ResolvedIn: "1.96.2", FirstSeen: ago(5000), LastSeen: ago(200), LastRelease: "1.96.0", Signatures: 2, Crashes: 18, Installs: 18, Days: []int64{4, 3, 5, 2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0}},
		{ID: "F-0b7c1qqz", Version: "fam/1", Title: "acme.theme-studio: RangeError in parseColor", Type: "RangeError", Platform: "javascript", Blame: "acme.theme-studio", Target: "extension", Host: "obsidian", State: crash.Ignored, FirstSeen: ago(3000), LastSeen: ago(12), LastRelease: "4.0.0", Signatures: 1, Crashes: 9, Installs: 2, Days: []int64{0, 1, 0, 2, 1, 0, 0, 1, 0, 2, 0, 1, 1, 0}},
	}
}

func fixDoc() crash.Document {
	yes, no := true, false
	id := eco.NewID(fixNow.Add(-time.Hour), [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	ext := func(fn, file string, line int) eco.Frame {
		return eco.Frame{Function: fn, File: file, Line: line, Col: 17, InApp: &yes, Class: eco.FrameExtension, Owner: "acme.markdown-lint"}
	}
	lib := func(fn, file string, line int, c eco.FrameClass) eco.Frame {
		return eco.Frame{Function: fn, File: file, Line: line, InApp: &no, Class: c}
	}
	return crash.Document{Version: 1, ID: id, ClientID: "9f86d081884c7d659a2feaa0c55ad015", Received: fixNow.Add(-time.Hour).UnixMilli(), Time: fixNow.Add(-61 * time.Minute).UnixMilli(), Protocol: "sentry",
		Origin: eco.Origin{Project: 12, Extension: "acme.markdown-lint", ExtVersion: "2.5.0", Host: "vscode", HostVersion: "1.96.2", Channel: eco.Stable, OS: "macos", OSVersion: "15.1", Arch: "arm64", Runtime: "node 22.9", SDK: "sentry.javascript.node/9.1.0"},
		Crash: eco.Crash{Platform: "javascript", Level: "error", Handled: &no, Mechanism: "onunhandledrejection", Command: "markdownLint.fixAll",
			Exceptions: []eco.Exception{
				{Type: "LintError", Value: "Could not lint the document", Parent: -1, Frames: []eco.Frame{ext("lintDocument", "extensions/acme.markdown-lint-2.5.0/dist/lint.js", 214), lib("processTicksAndRejections", "node:internal/process/task_queues", 105, eco.FrameRuntime)}},
				{Type: "TypeError", Value: "Cannot read properties of undefined (reading 'range')", Frames: []eco.Frame{
					ext("ruleRange", "extensions/acme.markdown-lint-2.5.0/dist/rules.js", 88), ext("applyRules", "extensions/acme.markdown-lint-2.5.0/dist/rules.js", 41),
					lib("walk", "extensions/acme.markdown-lint-2.5.0/node_modules/unist-util-visit/index.js", 120, eco.FrameVendored), lib("visit", "extensions/acme.markdown-lint-2.5.0/node_modules/unist-util-visit/index.js", 61, eco.FrameVendored), lib("visitParents", "extensions/acme.markdown-lint-2.5.0/node_modules/unist-util-visit-parents/lib/index.js", 142, eco.FrameVendored),
					ext("lintDocument", "extensions/acme.markdown-lint-2.5.0/dist/lint.js", 201),
					lib("_executeContributedCommand", "out/vs/workbench/api/node/extensionHostProcess.js", 103, eco.FrameHost), lib("$executeContributedCommand", "out/vs/workbench/api/node/extensionHostProcess.js", 103, eco.FrameHost), lib("_doInvokeHandler", "out/vs/workbench/api/node/extensionHostProcess.js", 45, eco.FrameHost), lib("processTicksAndRejections", "node:internal/process/task_queues", 105, eco.FrameRuntime)}, More: 3},
			},
			Breadcrumbs: []eco.Breadcrumb{{Time: fixNow.Add(-62 * time.Minute).UnixMilli(), Category: "command", Message: "markdownLint.fixAll"}, {Time: fixNow.Add(-61*time.Minute - 800*time.Millisecond).UnixMilli(), Category: "console", Message: "rule MD013 returned nothing for <path>"}},
			Tags:        map[string]string{"workspace.kind": "multi-root", "editor.theme": "dark"}, Modules: map[string]string{"unist-util-visit": "5.0.0"},
			Active: []eco.Active{{ID: "nimbus.git-lens-lite", Version: "0.9.1"}}},
		Signature: eco.Signature{Version: "sig/1", Key: "TypeError | acme.markdown-lint | ruleRange", Hash: "a91c03f2be770011", Title: "acme.markdown-lint: TypeError in ruleRange", Why: []eco.WhyStep{{Step: "type of the innermost cause", What: "TypeError", Rule: "cause-chain"}, {Step: "first frame of the extension", What: "ruleRange", Rule: "in-app", Place: "exceptions[1].frames[0]"}}},
		Blame: eco.Blame{Extension: "acme.markdown-lint", Version: "2.5.0", Target: "extension", Confidence: .97, Candidates: []eco.Candidate{
			{Extension: "acme.markdown-lint", Version: "2.5.0", Role: "culprit", Step: 2, Reason: "The innermost frame of an extension is ruleRange in acme.markdown-lint 2.5.0.", Confidence: .97},
			{Extension: "nimbus.git-lens-lite", Role: "caller", Step: 6, Reason: "Was active in 41 of 388 crashes, and in 40 of 390 healthy sessions: no association.", Confidence: .04}}},
		Placement: crash.Placement{Family: "F-7kq2mdx4", Score: .83, Near: []crash.Near{{Family: "F-93jd02ka", Score: -.06}}},
		Removed:   []eco.Removal{{Rule: "user-path", Place: "exceptions[].frames[].file", Count: 14}, {Rule: "email", Place: "breadcrumbs[].message", Count: 1}},
		Steps:     []eco.Step{{Stage: "door", Version: "sentry/7", Note: "key …c4e1, 2.4 kB", At: fixNow.Add(-time.Hour).UnixMilli()}, {Stage: "consent", Version: "consent/1", Note: "tier crash is covered", At: fixNow.Add(-time.Hour).UnixMilli()}, {Stage: "scrub", Version: "scrub/1", Note: "15 removals", At: fixNow.Add(-time.Hour).UnixMilli()}, {Stage: "family", Version: "fam/1", Note: "joined F-7kq2mdx4 at 0.83", At: fixNow.Add(-time.Hour + time.Second).UnixMilli()}},
	}
}

func fixTogether() *togetherView {
	return togetherOf(crash.Together{Family: "F-7kq2mdx4", Score: .61,
		Matched:   []crash.Match{{Token: "EXC|TypeError", Part: .31}, {Token: "extension|dist/rules.js|applyRules", Part: .27}, {Token: "MSG|TypeError Cannot read properties of undefined (reading <q>)", Part: .22}, {Token: "extension|dist/lint.js|lintDocument", Part: .14}, {Token: "vendored|unist-util-visit|visit", Part: .06}},
		OnlyHere:  []crash.Match{{Token: "extension|dist/rules.js|headingRange", Part: .4}},
		OnlyThere: []crash.Match{{Token: "extension|dist/rules.js|ruleRange", Part: .5}}}, eco.ID{9})
}

func fixRows() []crashRow {
	v := fixViewer()
	var out []crashRow
	for i := range 6 {
		at := fixNow.Add(-time.Duration(i*i+1) * 17 * time.Minute)
		out = append(out, v.crashRow(crash.Row{ID: eco.NewID(at, [16]byte{byte(i), 7, 9}), Received: at, Time: at, Family: "F-7kq2mdx4", Type: "TypeError", Release: "2.5.0", Host: "vscode", HostVersion: "1.96.2", OS: []string{"macos", "windows", "linux"}[i%3], OSVersion: []string{"15.1", "11", "6.11"}[i%3]}))
	}
	return out
}

func fixReleases() []releaseHealth {
	v := fixViewer()
	mk := func(ver string, days int, crashed float64, share float64, worse bool) releaseHealth {
		h := crash.Health{Sessions: int64(56000 * share), Crashes: int64(crashed * 1.1), Hit: int64(crashed * .6), CrashFreeSessions: estimate.CrashFree(crashed, 56000*share)}
		return releaseHealth{ReleaseHealth: crash.ReleaseHealth{Version: ver, Channel: "stable", Health: h}, When: v.at(fixNow.AddDate(0, 0, -days)), Hit: h.Hit, Share: share, Worse: worse}
	}
	return []releaseHealth{mk("2.5.0", 5, 160, .55, true), mk("2.4.1", 21, 30, .38, false), mk("2.4.0", 40, 8, .07, false)}
}

func fixShares() []shareList {
	return []shareList{
		{"Releases", []crash.Share{{Value: "2.5.0", Crashes: 1100, Installs: 340, Part: .913}, {Value: "2.4.1", Crashes: 90, Installs: 40, Part: .075}, {Value: "", Crashes: 14, Installs: 8, Part: .012}}, 1},
		{"Host versions", []crash.Share{{Value: "1.96.2", Crashes: 900, Installs: 280, Part: .747}, {Value: "1.95.3", Crashes: 304, Installs: 108, Part: .253}}, 1},
		{"Systems", []crash.Share{{Value: "Windows", Crashes: 700, Installs: 220, Part: .581}, {Value: "macOS", Crashes: 350, Installs: 112, Part: .291}, {Value: "Linux", Crashes: 154, Installs: 56, Part: .128}}, 1}}
}

func fixLive() livePanel {
	l := livePanel{Since: fixViewer().at(fixNow.Add(-time.Hour)), Crashes: fixRows()[:2]}
	for _, c := range []pipeline.Count{{Protocol: "sentry", Kind: "crash", Outcome: pipeline.Accepted, N: 41}, {Protocol: "sentry", Kind: "crash", Outcome: pipeline.Stored, N: 41}, {Protocol: "sentry", Kind: "span", Outcome: pipeline.Dropped, Reason: "consent:performance", N: 212}} {
		l.Rows = append(l.Rows, arrivalOf(c))
	}
	return l
}

func fixExtension() registry.Extension {
	return registry.Extension{ID: "acme.markdown-lint", Kind: registry.VSCode, Name: "Markdown Lint", Summary: "Finds and fixes mistakes in Markdown while you write.", Repository: "https://example.org/acme/markdown-lint", Host: "vscode", Prefixes: []string{"acme.lint"}, Version: 3}
}

func fixSettings(at string) settingsShell {
	sh := settingsShell{Shell: fixShell("settings", at)}
	for _, l := range []string{"Profile", "API tokens", "Members", "Register", "Who may do what", "Audit log"} {
		sh.Tabs = append(sh.Tabs, tab{Label: l, Href: "#", Current: l == at})
	}
	return sh
}

// fixPages are the pages with everything in them.
func fixPages() map[string]any {
	v, per := fixViewer(), fixPeriod()
	fams := v.famTable(fixFamilies(), per)
	tr := dayTrend("x", "Crashes a day, and distinct installs hit.", fixDays(6), fixNow)
	tr.Marks = addMark(tr, fixNow.AddDate(0, 0, -5), "markdown-lint 2.5.0", "Markdown Lint 2.5.0", "stable")
	tr.Marks = addMark(tr, fixNow.AddDate(0, 0, -2), "git-lens-lite 0.9.1", "Git Lens Lite 0.9.1", "beta")
	card := intakeCard{Class: "ok", Word: "Taking in", Text: "Answers are given after the data is on disk.", Newest: v.at(fixNow.Add(-3 * time.Second)), Accepted: 184220, Dropped: 3120, TopReason: "consent:performance", Flow: true, Href: "/intake"}
	extTabs := []tab{{Label: "Health", Href: "#", Current: true}, {Label: "Crashes", Href: "#"}, {Label: "Set-up", Href: "#"}, {Label: "Register", Href: "#"}}
	key := registry.Key{Public: "0123456789abcdef0123456789abcdef", Project: 12, Label: "stable builds", Status: registry.KeyActive, Created: fixNow.AddDate(0, -2, 0)}
	doc := fixDoc()
	before := fixHealth(5)
	intakeTrend := trend{ID: "intake", Caption: "Items accepted and dropped, by hour, last 24 hours.", BarName: "accepted", LinName: "dropped", Height: 180}
	for i := range 24 {
		at := fixNow.Add(time.Duration(i-23) * time.Hour)
		intakeTrend.Points = append(intakeTrend.Points, point{Label: at.Format("15:00"), Title: at.Format("2 January 15:00") + " UTC", Bar: int64(6000 + 900*((i*7)%11)), Line: int64(100 + 20*((i*5)%9)), Partial: i == 23})
	}
	out := map[string]any{
		"overview": overviewPage{Shell: fixShell("overview", "Overview"), Period: per, Who: "The whole ecosystem", KPIs: healthKPIs(fixOverview(fixHealth(6), before, fixDays(6))), Trend: tr, Intake: card, Fresh: v.famTable(fixFamilies()[:3], per),
			Attention: []attention{{ID: "acme.markdown-lint", Name: "Markdown Lint", Release: "2.5.0", Why: []string{"1 regressed family", "crashes ×4.1 of before (301 → 1,234)"}, Free: estimate.CrashFree(160, 30800), Crashes: 1234, Installs: 402}, {ID: "nimbus.git-lens-lite", Name: "Git Lens Lite", Release: "0.9.1", Why: []string{"crashes where there were none before"}, Free: estimate.CrashFree(60, 1900), Crashes: 311, Installs: 97}},
			Releases:  []releaseRow{{"nimbus.git-lens-lite", "Git Lens Lite", "0.9.1", "beta", v.at(fixNow.AddDate(0, 0, -2)), estimate.CrashFree(60, 1900)}, {"acme.markdown-lint", "Markdown Lint", "2.5.0", "stable", v.at(fixNow.AddDate(0, 0, -5)), estimate.CrashFree(160, 30800)}}},
		"extensions": extensionsPage{Shell: fixShell("extensions", "Extensions"), Period: per, CanCreate: true, Total: 3, PageText: "1–3 of 3", Heads: extSorts, Hosts: []option{{"vscode", "Visual Studio Code", false}}, Publishers: []option{{"acme", "acme", false}, {"nimbus", "nimbus", false}},
			Rows: []extRow{
				{ExtensionHealth: crash.ExtensionHealth{Release: "2.5.0", Days: fixFamilies()[0].Days, Before: 301, Health: fixHealth(2)}, ID: "acme.markdown-lint", Name: "Markdown Lint", Host: "Visual Studio Code", Delta: "×4.1 (3.3–5.0)", DeltaClass: "up"},
				{ExtensionHealth: crash.ExtensionHealth{Release: "0.9.1", Days: fixFamilies()[1].Days, Health: fixHealth(1)}, ID: "nimbus.git-lens-lite", Name: "Git Lens Lite", Host: "Visual Studio Code", Delta: "about as before (−9 to +31 %)", DeltaClass: "flat"},
				{ID: "quill.py-notebook", Name: "Py Notebook", Host: "Blender"}}},
		"extension":      extensionPage{Held: []heldRow{fixHeld()}, Feedback: fixFeedback(v), Shell: fixShell("extensions", "Markdown Lint", crumb{"Extensions", "/extensions"}), Period: per, E: fixExtension(), HostName: "Visual Studio Code", Tabs: extTabs, KPIs: healthKPIs(fixOverview(fixHealth(2), fixHealth(1), fixDays(2))), Trend: tr, Families: v.famTable(fixFamilies()[:2], per), FamTotal: 14, Releases: fixReleases(), Shares: fixShares()[1:], Parts: healthParts(crash.Overview{Health: fixHealth(2), Before: fixHealth(1), Period: per.Period}, crash.Page{Families: fixFamilies()[:2], Total: 2}, fixReleases()), CanEdit: true},
		"extension-form": extensionForm{Shell: fixShell("extensions", "Register an extension", crumb{"Extensions", "/extensions"}), New: true, Action: "/extensions", E: fixIgnored(), ID: "acme.markdown-lint", Kinds: []option{{"vscode", "vscode", true}}, Hosts: []option{{"vscode", "Visual Studio Code", true}}, Publishers: "acme", Errors: []string{"An extension id has the form publisher.name (letters, digits, - and _)."}},
		"crashes":        crashesPage{Shell: fixShell("crashes", "Crashes"), Period: per, Tabs: []tab{{Label: "Open", Href: "#", Current: true}, {Label: "New", Href: "#"}, {Label: "Regressed", Href: "#"}, {Label: "Resolved", Href: "#"}, {Label: "Ignored", Href: "#"}, {Label: "All", Href: "#"}}, Filter: famFilter{State: "open", Extensions: []option{{"acme.markdown-lint", "Markdown Lint", false}}, Hosts: []option{{"vscode", "Visual Studio Code", false}}, OSes: []option{{"linux", "Linux", false}}}, Table: func() famTable { t := fams; t.Pick = true; t.Heads[0].Sorted, t.Heads[0].Href = true, "#"; return t }(), Total: 5, Crashes: 1664, CanEdit: true, Back: "/crashes", Next: "/crashes?cursor=x"},
		"crashlist":      crashListPage{Shell: fixShell("crashes", "Crashes, newest first"), Period: per, Rows: fixRows(), What: "Crashes, newest first", Next: "#"},
		"family": familyPage{Shell: fixShell("crashes", fams.Rows[0].Short, crumb{"Crashes", "/crashes"}, crumb{"Markdown Lint", "/extensions/acme.markdown-lint"}), Period: per, F: fams.Rows[0], First: v.at(fixFamilies()[0].FirstSeen), Trend: tr, Shares: fixShares(), List: []crash.SignatureInfo{{Hash: "a91c03f2be770011", Key: "TypeError | acme.markdown-lint | ruleRange", Crashes: 1100}}, Trace: traceOf(doc), Rep: "/crashes/x", Blame: candidates(doc.Blame), Together: fixTogether(), Recent: fixRows(), More: "/crashes/list?family=F-7kq2mdx4", CanEdit: true, Answer: fixAnswer(),
			Evidence: fixEvidence(), Recipe: fixRecipe(),
			Form:    stateForm{Action: "/families/F-7kq2mdx4", To: "resolved", Releases: []string{"2.5.0", "2.4.1"}, Undo: "c-2"},
			History: []historyRow{{Change: crash.Change{To: crash.Open}, When: v.at(fixNow.Add(-96 * time.Hour)), Who: "the server", Dot: "bad", Text: "came back: regressed"}, {Change: crash.Change{To: crash.Resolved, Note: "Guard against rules without a range."}, When: v.at(fixNow.AddDate(0, 0, -20)), Who: "Ada Okafor", Dot: "ok", Text: "resolved in 2.4.1"}}},
		"crash":         crashPage{Shell: fixShell("crashes", doc.Signature.Title, crumb{"Crashes", "/crashes"}), Doc: doc, ID: doc.ID.String(), Head: doc.Signature.Title, Received: v.at(fixNow.Add(-time.Hour)), Happened: v.at(fixNow.Add(-61 * time.Minute)), Facts: crashFacts(doc), Trace: traceOf(doc), Blame: candidates(doc.Blame), Together: fixTogether(), Crumbs2: []breadcrumb{{doc.Crash.Breadcrumbs[0], "−1 min"}, {doc.Crash.Breadcrumbs[1], "−800 ms"}}, Tags: sortedPairs(doc.Crash.Tags), Modules: sortedPairs(doc.Crash.Modules), Active: doc.Crash.Active, Redacted: true, JSON: "{\n  \"version\": 1\n}", Removed: doc.Removed, Steps: []stepRow{{doc.Steps[0], v.at(fixNow)}, {doc.Steps[3], v.at(fixNow)}}, Why: doc.Signature.Why, Near: doc.Placement.Near},
		"setup-project": setupPage{CanKeys: true, Shell: fixShell("extensions", "Markdown Lint: set-up", crumb{"Extensions", "/extensions"}), Name: "Markdown Lint", Subject: registry.Subject{Extension: "acme.markdown-lint"}, Tabs: extTabs, Projects: []tab{{Label: "Default", Href: "#", Current: true}}, Project: &registry.Project{ID: 12, Name: "Default"}, Keys: []keyRow{{key, v.at(key.Created), v.at(time.Time{}), "active", "ok"}}, Key: &key, Clients: []tab{{Label: "Browser JS", Href: "#"}, {Label: "Node", Href: "#", Current: true}, {Label: "VS Code", Href: "#"}, {Label: "Python", Href: "#"}}, Client: clients[1], Snippet: snippet{Install: "npm install @sentry/node", Code: "Sentry.init({ dsn: \"https://0123456789abcdef0123456789abcdef@bellwether.example.org/12\" });", Test: "Sentry.captureException(new Error(\"Hello\"));"}, Live: fixLive(), Path: "#", CanEdit: true, CanTest: true, Tiers: []tierBox{{"crash", tierAbout["crash"], true}, {"usage", tierAbout["usage"], false}}, Form: projectForm{Text: "May we collect crashes?", AskedBy: "extension"}},
		"intake": intakePage{Held: []heldRow{fixHeld()}, Shell: fixShell("intake", "Intake"), Card: card, Trend: intakeTrend, KPIs: []kpi{{Label: "Accepted, 24 h", Value: "184,220", Under: "184,218 stored, 40 repeats"}, {Label: "Dropped, 24 h", Value: "3,120", Under: "1.7 % of what came in"}}, Reasons: []reasonRow{{"consent:performance", reasonHelp("consent:performance"), 2900, .93}, {"rate", reasonHelp("rate"), 220, .07}}, Protocols: []protocolRow{{Protocol: "sentry", Kind: "crash", Accepted: 1664}, {Protocol: "otlp", Kind: "span", Accepted: 151000, Dropped: 2900}},
			Disk: []diskRow{{eco.ClassCrash, 90, 14, 40210, 40210, 48 << 20, "2026-11-08"}, {eco.Standard, 90, 14, 2100340, 0, 160 << 20, "2026-11-08"}}, DiskSum: 208 << 20, Flow: &pipeline.Intake{Stream: stream.Stats{}, Position: 88120, LastBatch: 41 * time.Millisecond, LastError: "the disk is full"}, Newest: v.at(fixNow.Add(-3 * time.Second)), Letters: v.letterRows([]pipeline.Letter{{ID: "0193abcdef0123456789abcdef012345", At: fixNow.Add(-2 * time.Hour), Stage: "stack", Reason: "frames: more than 10,000 in one thread", State: "dead"}}), Jobs: v.jobRows([]jobs.Status{{Name: "purge", What: "Drops partitions whose retention has run out.", Every: time.Hour, Last: fixNow.Add(-20 * time.Minute), Took: 12 * time.Millisecond, Outcome: "ok", Next: fixNow.Add(40 * time.Minute)}}), CanRun: true, CanReplay: true, Whole: true},
		"claims": claimsPage{Shell: fixShell("extensions", "Claim an extension", crumb{"Extensions", "/extensions"}), Errors: []string{"It owns this extension already."}, Extension: "acme.todo", Publisher: "zeta", Publishers: []string{"zeta"},
			Places: []claimPlace{placeOf(registry.Place{Method: registry.ByFile, Place: "https://raw.githubusercontent.com/acme/todo/HEAD/.bellwether-claim"}), placeOf(registry.Place{Method: registry.ByDNS, Place: "_bellwether.acme.example"}), placeOf(registry.Place{Method: registry.ByList})},
			Claims: []claimRow{
				v.claimRow(registry.Claim{ID: "c1", Extension: "acme.todo", Publisher: "zeta", Method: registry.ByFile, Place: "https://raw.githubusercontent.com/acme/todo/HEAD/.bellwether-claim", Token: "00ff", State: registry.ClaimOpen, Why: "There is no such file (404).", Created: fixNow, Checked: fixNow, Expires: fixNow.AddDate(0, 0, 14)}),
				v.claimRow(registry.Claim{ID: "c2", Extension: "acme.git", Publisher: "zeta", Method: registry.ByDNS, Place: "_bellwether.acme.example", Token: "00ff", State: registry.ClaimProven, Created: fixNow, Checked: fixNow, Expires: fixNow.AddDate(0, 0, 14)}),
				v.claimRow(registry.Claim{ID: "c3", Extension: "acme.x", Publisher: "zeta", Method: registry.ByList, State: registry.ClaimExpired, Created: fixNow, Expires: fixNow}),
			}, Empty: empty{Icon: "check", Title: "No claims yet", Text: "Name an extension above."}},
		"held": heldPage{Shell: fixShell("intake", "acme.markdown-lint: held crashes", crumb{"Extensions", "/extensions"}), ID: 12, Name: "acme.markdown-lint", Home: "/extensions/acme.markdown-lint", H: crash.Held{HeldSum: fixHeld().HeldSum, More: true}, Since: v.at(fixNow.Add(-2 * time.Hour)),
			Rows: []heldGroup{{crash.HeldGroup{Signature: "a91c03f2be770011", Title: "TypeError in ruleRange", Crashes: 4100, Installs: 3, Why: "412 crashes in a minute against 1.2 in the hour before, from 3 installs in 1 network"}, v.at(fixNow.Add(-2 * time.Hour)), v.at(fixNow.Add(-time.Hour)), "#"}}, Rule: registry.Quarantine{}.WithDefaults(), Before: "2026-11-21T09:40:12Z", CanDecide: true},
		"symbols":          fixSymbols(v, extTabs),
		"feedback":         feedbackPage{Shell: fixShell("extensions", "Feedback", crumb{"Extensions", "/extensions"}), Period: per, Tabs: extTabs, Rows: fixFeedback(v), Next: "#"},
		"routing":          fixRouting(),
		"labels":           fixLabels(),
		"letters":          lettersPage{Shell: fixShell("intake", "Dead letters", crumb{"Intake", "/intake"}), Rows: v.letterRows([]pipeline.Letter{{ID: "0193abcdef0123456789abcdef012345", At: fixNow, Stage: "stack", Reason: "too many frames", State: "dead"}}), CanReplay: true},
		"letter":           letterPage{Shell: fixShell("intake", "Dead letter", crumb{"Intake", "/intake"}), L: v.letterRows([]pipeline.Letter{{ID: "0193abcdef0123456789abcdef012345", At: fixNow, Received: fixNow, Stage: "stack", Reason: "too many frames", State: "dead"}})[0], Record: "{\n  \"kind\": \"crash\"\n}", CanReplay: true, Open: true},
		"search":           searchPage{Shell: fixShell("", "Search"), Q: "lint", Extensions: []found{{"acme.markdown-lint", "Markdown Lint", "/extensions/acme.markdown-lint"}}, Families: v.famTable(fixFamilies()[:2], per), Total: 2},
		"profile":          profilePage{settingsShell: fixSettings("Profile"), Email: "ada@example.org", Roles: []string{"operator: " + account.Operator.About()}, Sessions: []sessionRow{{account.SessionInfo{ID: "s-1", Agent: "Firefox on Linux"}, v.at(fixNow), v.at(fixNow.AddDate(0, 0, 14)), true}, {account.SessionInfo{ID: "s-2", Agent: "Safari on iOS"}, v.at(fixNow.Add(-50 * time.Hour)), v.at(fixNow.AddDate(0, 0, 9)), false}}, Errors: []string{"The two new passwords differ."}, Build: "0.1.0"},
		"tokens":           tokensPage{settingsShell: fixSettings("API tokens"), Rows: []tokenRow{{TokenInfo: account.TokenInfo{ID: "t-1", Label: "release script"}, Made: v.at(fixNow), Ends: v.at(fixNow.AddDate(0, 0, 60)), Used: v.at(fixNow.AddDate(0, 0, -1)), Word: "active", Class: "ok", Scope: "read registry:write"}}, Scopes: []scopeBox{{"read", scopeAbout["read"], true}, {"audit:read", scopeAbout["audit:read"], false}}, Secret: "bw_9f86d081884c7d659a2feaa0c55ad0153c9d1fa0c0"},
		"members":          membersPage{settingsShell: fixSettings("Members"), Rows: []memberRow{{account.Account{ID: "acc-1", Name: "Ada Okafor", Email: "ada@example.org"}, "operator, triager", v.at(fixNow), true}, {account.Account{ID: "acc-2", Name: "Jonas Lind", Email: "jonas@acme.example", Disabled: true}, "author of acme", v.at(fixNow.AddDate(0, 0, -3)), false}}, Invited: []invitedRow{{account.Invitation{ID: "i-1", Email: "mei@nimbus.example", Name: "Mei Tanaka"}, "author of nimbus", v.at(fixNow.AddDate(0, 0, 6)), "The mail was sent."}}, CanEdit: true, Form: inviteForm{Link: "https://bellwether.example.org/invitation?token=abc", Roles: fixRoleForm()}},
		"member":           memberPage{settingsShell: fixSettings("Members"), A: account.Account{ID: "acc-2", Name: "Jonas Lind", Email: "jonas@acme.example"}, Roles: fixRoleForm(), Seen: v.at(fixNow), Made: v.at(fixNow), CanEdit: true, Link: "https://bellwether.example.org/reset?token=abc"},
		"notifications":    fixNotifications(v),
		"channel":          fixChannel(v),
		"deliveries":       deliveriesPage{settingsShell: fixSettings("Notifications"), Rows: fixDeliveries(v), States: []periodTab{{"All", "#", true}, {"Failed", "#", false}}, Next: "#", CanAll: true, AllHref: "#"},
		"forgot":           forgotPage{Shell: Shell{Title: "Forgot your password?"}, HasMail: true, Email: "ada@example.org", Errors: []string{"Too many tries."}},
		"unsubscribe":      unsubscribePage{Shell: Shell{Title: "Get no more of these"}, Token: "x", What: "spikes"},
		"register":         registerPage{settingsShell: fixSettings("Register"), Publishers: []publisherRow{{registry.Publisher{ID: "acme", Name: "Acme Tools", Contact: "hello@acme.example"}, 4}}, Hosts: []hostRow{{registry.Host{ID: "vscode", Name: "Visual Studio Code", Kind: registry.VSCode}, 8, "/hosts/vscode/setup"}}, Teams: []registry.Team{{ID: "core", Name: "Core", Hosts: []string{"vscode"}}}, CanPub: true, CanHost: true, CanTeam: true, Errors: []string{"The id is taken."}, Edit: registerEdit{Kinds: []option{{"vscode", "vscode", false}}}},
		"permissions":      permissionsPage{settingsShell: fixSettings("Who may do what"), Roles: []roleColumn{{"operator", account.Operator.About()}, {"author", account.Author.About()}}, Rows: []permRow{{"family.read", "See crash families.", []bool{false, true}}}, Policies: []account.PolicyInfo{{ID: "author-own", About: "Authors see what is theirs.", Text: "permit(principal, action, resource);"}}},
		"audit":            auditPage{settingsShell: fixSettings("Audit log"), Rows: []auditRow{{audit.Record{N: 41, At: fixNow, Entry: audit.Entry{Actor: "account:acc-1", Action: "family.state", Ref: eco.Ref{Kind: "family", ID: "F-7kq2mdx4"}, Note: "open to resolved in 2.4.1"}}, v.at(fixNow), "Ada Okafor", "/families/F-7kq2mdx4"}}, Size: 42, Root: "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015", Verified: &verified{OK: true, Size: 42}, Older: "#", Newest: true},
		"sign-in":          signInPage{Shell: Shell{Title: "Sign in"}, Email: "ada@example.org", Next: "/", Errors: []string{"The address or the password is wrong."}},
		"setup":            setUpPage{Shell: Shell{Title: "Set up"}, Token: "x"},
		"invitation":       invitationPage{Shell: Shell{Title: "Invitation"}, Token: "x", Email: "mei@nimbus.example", Roles: "author of nimbus", Until: v.at(fixNow.AddDate(0, 0, 6))},
		"reset":            resetPage{Shell: Shell{Title: "New password"}, Token: "x"},
		"receipt":          fixReceipt(),
		"help":             fixHelp(),
		"fixed":            fixFixed(v),
		"fixed-one":        fixFixedOne(),
		"following":        followingPage{Shell: Shell{Title: "News of your report", Public: true, Section: "receipts"}, Token: "x", About: "acme.linter"},
		"receipt-find":     findReceiptPage{Shell: Shell{Title: "Find your report", Public: true, Section: "receipts"}, ID: "x", Errors: []string{"That is not an id of a receipt."}},
		"receipt-withdraw": withdrawPage{Shell: Shell{Title: "Withdraw your report", Public: true}, V: fixReceipt().V, Path: "/receipts/x"},
		"error":            errorPage{Shell: fixShell("", "Not here"), Status: 404, Title: "Not here", Text: "There is no such family, or it is not yours to see.", What: "It may have expired.", Request: "9f86d081"},
	}
	fixTriage(out)
	return out
}

func fixRoleForm() roleForm {
	return roleForm{Boxes: []roleBox{{"operator", account.Operator.About(), false}, {"author", account.Author.About(), true}, {"triager", account.Triager.About(), false}}, Publishers: []option{{"acme", "Acme Tools", true}}, Teams: []option{{"core", "Core", false}}}
}

func fixHeld() heldRow {
	return heldRow{HeldSum: crash.HeldSum{Project: 12, Crashes: 4100, Installs: 3}, Name: "acme.markdown-lint", Href: "/projects/12/held", Since: stamp{fixNow.Add(-2 * time.Hour), fixNow}}
}

func fixFeedback(v viewer) []feedbackRow {
	return []feedbackRow{{crash.Feedback{Message: "It broke when I saved a long list.", Name: "Ann", Contact: "ann@example.org", HasContact: true, Extension: "acme.markdown-lint", ExtVersion: "2.4.1", CrashType: "TypeError"}, v.at(fixNow.Add(-time.Hour)), "/crashes/x"},
		{crash.Feedback{Message: "Please bring the old colours back.", HasContact: true, Host: "studio", HostVersion: "5.0"}, v.at(fixNow.Add(-26 * time.Hour)), ""}}
}

func fixIgnored() registry.Extension {
	e := fixExtension()
	e.Ignored = []blame.Ignored{{Field: "prefixes", Word: "com.google", Why: "prefixes: com.google does not name the publisher."}}
	return e
}
