package web

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

func fixSymbols(v viewer, tabs []tab) symbolsPage {
	of := symbols.Subject{Extension: "acme.markdown-lint"}
	m := symbols.Missing{ID: "m", Subject: of, Kind: symbol.SourceMap, Release: "2.4.1", File: "~/dist/extension.js", Crashes: 412, Installs: 96}
	f := symbols.File{ID: "f", Subject: of, Kind: symbol.SourceMap, DebugID: "d86c8f7a-f7de-4e81-acd9-1a99c646bee3", Release: "2.4.0", File: "~/dist/extension.js", Name: "extension.js.map", Used: fixNow}
	row := symbolRow{File: f, What: "source map", Uploaded: v.at(fixNow.Add(-time.Hour)), Used: v.at(fixNow), Bytes: "126.2 KB", CanEdit: true}
	return symbolsPage{Shell: fixShell("crashes", "Markdown Lint: symbols", crumb{"Crashes", "/crashes"}), Tabs: tabs, Of: of, CanEdit: true, Error: "This is no source map.", Release: "2.4.0",
		Missing: []missingRow{{m, "source map", v.at(fixNow), uploadCommand("https://bell.example.org", m)}}, Rows: []symbolRow{row}, Deleted: []symbolRow{row}, First: "#", Next: "#"}
}
