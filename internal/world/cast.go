package world

import "github.com/bellwether-project/bellwether/internal/eco"

// cast is who plays. Releases are in order of their day.
func cast() []*subject {
	desktop := [3]float64{0.55, 0.25, 0.20}
	return []*subject{
		{ext: "acme.linter", speaks: sentryJS, users: 5200, sessions: 2600, events: 90, os: desktop, usage: []string{"lint.run", "lint.fix_all", "settings.open", "rule.disabled"},
			releases: []release{{"2.2.0", eco.Stable, -60}, {"2.3.0", eco.Stable, -12}, {"2.3.1", eco.Stable, 5}, {"2.4.0-beta.1", eco.Beta, 13}, {"2.4.0-beta.2", eco.Beta, 16}, {"2.4.0", eco.Stable, 19.4}, {"2.4.1", eco.Stable, 21.6}, {"2.5.0-beta.1", eco.Beta, 28}}},
		{ext: "acme.theme", speaks: insights, users: 4100, sessions: 1900, events: 60, os: desktop, usage: []string{"theme.changed", "theme.preview", "icons.toggled"},
			releases: []release{{"5.0.2", eco.Stable, -40}, {"5.1.0", eco.Stable, 3}, {"5.2.0", eco.Stable, 17}}},
		{ext: "acme.git", speaks: sentryJS, users: 4600, sessions: 2300, events: 80, os: desktop, usage: []string{"commit.created", "blame.toggled", "graph.open", "branch.switched"},
			releases: []release{{"0.18.3", eco.Stable, -33}, {"0.19.0-beta.1", eco.Beta, 1}, {"0.19.0", eco.Stable, 6}, {"0.20.0", eco.Stable, 25}}},
		{ext: "acme.snippets", speaks: native, users: 1500, sessions: 900, events: 70, os: desktop, usage: []string{"snippet.inserted", "snippet.created", "library.synced"},
			releases: []release{{"1.12.0", eco.Stable, -80}, {"1.13.0", eco.Stable, 11}}},
		{ext: "northwind.python", speaks: sentryJS, users: 4900, sessions: 2400, events: 90, os: desktop, usage: []string{"env.selected", "debug.started", "tests.run", "import.organized"},
			releases: []release{{"1.8.4", eco.Stable, -45}, {"1.9.0", eco.Stable, -6}, {"1.9.1", eco.Stable, 9.3}, {"2.0.0-beta.1", eco.Beta, 15}, {"2.0.0", eco.Stable, 23.4}}},
		{ext: "northwind.notebook", speaks: otlp, users: 2200, sessions: 1200, events: 70, os: desktop, usage: []string{"cell.executed", "kernel.restarted", "notebook.exported"},
			releases: []release{{"1.2.5", eco.Stable, -30}, {"1.3.0", eco.Stable, 14.4}, {"1.3.1", eco.Stable, 26}}},
		{ext: "northwind.java", speaks: sentryJS, users: 1400, sessions: 700, events: 40, os: desktop, usage: []string{"project.imported", "refactor.rename", "debug.started"},
			releases: []release{{"0.44.0", eco.Stable, -25}, {"0.45.0", eco.Stable, 8}, {"0.46.0-nightly.1", eco.Nightly, 18}, {"0.46.0", eco.Stable, 22}}},
		{ext: "northwind.gobridge", speaks: sentryGo, users: 1100, sessions: 500, events: 40, os: [3]float64{0.25, 0.35, 0.40}, usage: []string{"tidy.run", "test.run", "lens.clicked"},
			releases: []release{{"3.6.0", eco.Stable, -20}, {"3.7.0", eco.Stable, 10}, {"3.7.1", eco.Stable, 12}}},
		{ext: "pixelforge.blender", speaks: sentryJS, users: 1700, sessions: 800, events: 50, os: [3]float64{0.62, 0.18, 0.20}, usage: []string{"render.sent", "material.synced", "preview.opened"},
			releases: []release{{"3.0.4", eco.Stable, -28}, {"3.1.0-beta.1", eco.Beta, 20}, {"3.1.0", eco.Stable, 24.4}, {"3.1.1", eco.Stable, 27.6}}},
		{ext: "pixelforge.palette", speaks: sentryJS, users: 3100, sessions: 1500, events: 60, os: [3]float64{0.60, 0.30, 0.10}, usage: []string{"color.picked", "palette.saved"},
			releases: []release{{"1.4.1", eco.Stable, -50}, {"1.5.0", eco.Stable, 16}}},
		{ext: "pixelforge.dotnet", speaks: sentryJS, users: 800, sessions: 350, events: 30, os: [3]float64{0.85, 0.08, 0.07}, usage: []string{"solution.loaded", "format.run"},
			releases: []release{{"0.9.0", eco.Stable, -15}, {"0.9.1", eco.Beta, 7}, {"0.10.0", eco.Stable, 18}}},
		{ext: "pixelforge.rusty", speaks: otlp, users: 700, sessions: 300, events: 30, os: [3]float64{0.30, 0.25, 0.45}, usage: []string{"macro.expanded", "check.run"},
			releases: []release{{"0.3.0", eco.Stable, -10}, {"0.3.1", eco.Stable, 13}}},
		{speaks: native, users: 900, sessions: 850, events: 60, os: desktop, usage: []string{"window.opened", "extension.installed", "update.applied"},
			releases: []release{{"1.101.2", eco.Stable, -35}, {"1.102.0", eco.Stable, 2.4}, {"1.102.3", eco.Stable, 18.5}}},
	}
}
