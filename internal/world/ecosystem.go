package world

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Ecosystem is what to register before the traffic means anything.
type Ecosystem struct {
	Publishers []registry.Publisher
	Hosts      []registry.Host
	Extensions []registry.Extension
	Releases   []registry.Release // of extensions and of the host, declared
	Teams      []registry.Team
	Projects   []Project
	Accounts   []Account
}

// Project is a project and what its one key may do. Name is its key in Options.Keys.
type Project struct {
	Name    string
	Project registry.Project
	Key     registry.Key // limits only: number and public key are the register's to give
}

// Account is somebody to sign in as.
type Account struct {
	Name   string
	Email  string
	About  string // what they show, for the demo's list of logins
	Grants []account.Grant
}

// Ecosystem describes the world for the registers.
func (w *World) Ecosystem() Ecosystem {
	e := Ecosystem{
		Publishers: []registry.Publisher{
			{ID: "acme", Name: "Acme Tools", Contact: "support@acme.example"},
			{ID: "northwind", Name: "Northwind Labs", Contact: "hello@northwind.example"},
			{ID: "pixelforge", Name: "Pixelforge", Contact: "team@pixelforge.example"},
		},
		Hosts: []registry.Host{{
			ID: hostName, Name: "Studio", Kind: registry.VSCode, Files: []string{"resources/app/out", "usr/share/studio"},
			Paths: []string{".studio/extensions/{publisher}.{name}-{version}/"},
		}},
		Teams: []registry.Team{{ID: "editor", Name: "Editor core", Hosts: []string{hostName}}, {
			ID: "workbench", Name: "Workbench tools", Extensions: []eco.ExtensionID{"acme.git", "acme.linter", "acme.snippets", "acme.theme"},
		}, {
			ID: "languages", Name: "Language tools", Hosts: []string{hostName},
			Extensions: []eco.ExtensionID{"northwind.gobridge", "northwind.java", "northwind.notebook", "northwind.python", "pixelforge.dotnet", "pixelforge.rusty"},
		}},
		Accounts: []Account{
			{"Ines Duarte", "ines@studio.example", "everything: operator, triager, support, steward, auditor", []account.Grant{
				{Role: account.Operator}, {Role: account.Triager}, {Role: account.Support}, {Role: account.Steward}, {Role: account.Auditor}}},
			{"Ravi Menon", "ravi@acme.example", "author at Acme Tools", []account.Grant{{Role: account.Author, Publisher: "acme"}}},
			{"Greta Lind", "greta@northwind.example", "author at Northwind Labs", []account.Grant{{Role: account.Author, Publisher: "northwind"}}},
			{"Noa Barak", "noa@pixelforge.example", "author at Pixelforge", []account.Grant{{Role: account.Author, Publisher: "pixelforge"}}},
			{"Tom Ferris", "tom@studio.example", "triager of the language tools team", []account.Grant{{Role: account.Triager, Team: "languages"}}},
			{"Yuki Sato", "yuki@studio.example", "steward and auditor", []account.Grant{{Role: account.Steward}, {Role: account.Auditor}}},
		},
	}
	for _, s := range w.subjects {
		subject := registry.Subject{Extension: s.ext}
		if s.ext == "" {
			subject.Host = hostName
		} else {
			e.Extensions = append(e.Extensions, extensionOf(s.ext))
		}
		for _, r := range s.releases {
			at := w.o.Start.Add(time.Duration(r.day * 24 * float64(time.Hour))).Truncate(time.Minute)
			e.Releases = append(e.Releases, registry.Release{Subject: subject, Version: r.version, Channel: r.channel, Published: at, Declared: true})
		}
		p := registry.Project{Subject: subject, Name: s.name(), Policy: policyOf(s)}
		if s.ext == "northwind.java" || s.ext == "northwind.gobridge" || s.ext == "acme.linter" {
			p.Sampling = "spans: one in four"
		}
		// A month goes through in a minute, so the limits of real keys would bite.
		e.Projects = append(e.Projects, Project{s.name(), p, registry.Key{Label: "demo", RatePerMinute: 600_000, Burst: 100_000}})
	}
	return e
}

func extensionOf(id eco.ExtensionID) registry.Extension {
	x := registry.Extension{ID: id, Kind: registry.VSCode, Host: hostName, Repository: "https://git.example.org/" + id.Publisher() + "/" + string(id[len(id.Publisher())+1:])}
	switch id {
	case "acme.linter":
		x.Name, x.Summary = "Acme Linter", "Checks TypeScript and JavaScript while you type."
	case "acme.theme":
		x.Name, x.Summary = "Acme Theme", "Colours and file icons."
	case "acme.git":
		x.Name, x.Summary = "Acme Git", "History, blame and a commit graph."
	case "acme.snippets":
		x.Name, x.Summary = "Acme Snippets", "Templates that sync between machines."
	case "northwind.python":
		x.Name, x.Summary, x.Prefixes = "Northwind Python", "Language server, environments and debugging for Python.", []string{"northwind.envs", "northwind.workspace", "northwind.handlers", "northwind.analysis", "northwind.documents", "northwind.debug"}
	case "northwind.notebook":
		x.Name, x.Summary, x.Prefixes = "Northwind Notebook", "Notebooks inside the editor.", []string{"northwind_notebook"}
	case "northwind.java":
		x.Name, x.Summary, x.Prefixes = "Northwind Java", "Java projects, refactoring and debugging.", []string{"com.northwind.java"}
	case "northwind.gobridge":
		x.Name, x.Summary, x.Prefixes = "Go Bridge", "Connects the editor to the Go language server.", []string{"northwind.dev/gobridge"}
	case "pixelforge.blender":
		x.Name, x.Summary = "Pixelforge for Blender", "Sends scenes to the render farm."
		x.Kind, x.Host, x.Locals, x.Prefixes = registry.Blender, "", []string{"pixelforge_blender"}, []string{"pixelforge.sync", "pixelforge.ui", "pixelforge.export", "pixelforge.operators"}
	case "pixelforge.palette":
		x.Name, x.Summary = "Palette Picker", "Picks colours from any page."
		x.Kind, x.Host, x.Locals = registry.Browser, "", []string{browserID}
	case "pixelforge.dotnet":
		x.Name, x.Summary, x.Prefixes = "Pixelforge .NET", "Solutions and formatting for C#.", []string{"Pixelforge.Studio"}
	case "pixelforge.rusty":
		x.Name, x.Summary = "Rusty", "Macro expansion for Rust."
	}
	x.Contact = "issues@" + id.Publisher() + ".example"
	return x
}

// policyOf is what a project's users were asked.
func policyOf(s *subject) consent.Policy {
	p := consent.Policy{Tiers: []eco.Tier{eco.TierCrash, eco.Performance, eco.Usage}, AskedBy: "host", Version: 1,
		Text: "Studio may send crash reports, timings and which features are used to the makers of the extension. You can change this at any time in the settings."}
	switch s.ext {
	case "acme.linter", "acme.git":
		p.Tiers = append(p.Tiers, eco.Support)
	case "pixelforge.palette": // its client sends usage all the same
		p.Tiers, p.AskedBy, p.Text = []eco.Tier{eco.TierCrash}, "extension", "Palette Picker may send crash reports to its makers."
	case "pixelforge.rusty":
		p.Tiers, p.Text = []eco.Tier{eco.TierCrash, eco.Performance}, "Studio may send crash reports and timings to the makers of the extension."
	}
	return p
}
