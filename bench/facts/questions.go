package main

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// question is one that a page asks, about an extension or one of its families.
type question struct {
	name string
	ask  func(e *extension, family string) facts.Query
}

func questions(now time.Time) []question {
	is := func(c facts.Column, v ...string) facts.Cond {
		return facts.Cond{Col: c, Op: facts.In, Values: v}
	}
	since := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	measures := func(fns ...facts.Fn) (ms []facts.Measure) {
		for _, fn := range fns {
			ms = append(ms, facts.Measure{Fn: fn})
		}
		return ms
	}
	mine := func(e *extension) facts.Cond { return is(facts.SubjectExt, string(e.id)) }
	all := facts.Everything()
	return []question{
		{"overview: by extension and day, 30 days", func(*extension, string) facts.Query {
			return facts.Query{Scope: all, From: since(30), Group: []facts.Column{facts.SubjectExt, facts.Date}, Measures: measures(facts.Count, facts.Weighted, facts.Crashed)}
		}},
		{"overview: by extension and day, 90 days", func(*extension, string) facts.Query {
			return facts.Query{Scope: all, From: since(90), Group: []facts.Column{facts.SubjectExt, facts.Date}, Measures: measures(facts.Count, facts.Weighted, facts.Crashed)}
		}},
		{"the same of one author's extension, from mid-day", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: facts.Only([]eco.ExtensionID{e.id}, nil), From: since(30).Add(11 * time.Hour), Group: []facts.Column{facts.SubjectExt, facts.Date}, Measures: measures(facts.Count, facts.Weighted, facts.Crashed)}
		}},
		{"releases: crash-free sessions with error, 90 days", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(90), Where: []facts.Cond{mine(e), is(facts.Kind, "session")}, Group: []facts.Column{facts.SubjectVer}, Measures: measures(facts.Count, facts.Crashed, facts.Errored, facts.StdErr)}
		}},
		{"releases: crash-free installs, exact, 30 days", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(30), Where: []facts.Cond{mine(e), is(facts.Kind, "session")}, Group: []facts.Column{facts.SubjectVer}, Measures: measures(facts.Installs, facts.CrashedBy)}
		}},
		{"family: by day, 90 days", func(_ *extension, f string) facts.Query {
			return facts.Query{Scope: all, From: since(90), Where: []facts.Cond{is(facts.Family, f)}, Group: []facts.Column{facts.Date}, Measures: measures(facts.Count, facts.Installs)}
		}},
		{"families: the most frequent, 30 days", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(30), Where: []facts.Cond{mine(e), is(facts.Kind, "crash")}, Group: []facts.Column{facts.Family}, Limit: 50,
				Measures: measures(facts.Count, facts.Installs, facts.First, facts.Last), Order: []facts.Order{{By: "count", Desc: true}}}
		}},
		{"crashes: the newest 50 of an extension", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, Rows: true, Where: []facts.Cond{mine(e), is(facts.Kind, "crash")}, Limit: 50}
		}},
		{"crashes: the newest 50 of a family", func(_ *extension, f string) facts.Query {
			return facts.Query{Scope: all, Rows: true, Where: []facts.Cond{is(facts.Family, f)}, Limit: 50}
		}},
		{"telemetry: events by name and day, 30 days", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(30), Where: []facts.Cond{mine(e), is(facts.Kind, "event")}, Group: []facts.Column{facts.Name, facts.Date}, Measures: measures(facts.Weighted)}
		}},
		{"telemetry: by hour and system, 24 hours", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(1), Where: []facts.Cond{mine(e)}, Group: []facts.Column{facts.Hour, facts.OS}, Measures: measures(facts.Count)}
		}},
		{"telemetry: span quantiles by release, 30 days", func(e *extension, _ string) facts.Query {
			return facts.Query{Scope: all, From: since(30), Where: []facts.Cond{mine(e), is(facts.Kind, "span")}, Group: []facts.Column{facts.SubjectVer},
				Measures: []facts.Measure{{Fn: facts.Quantile, Arg: .5, As: "p50"}, {Fn: facts.Quantile, Arg: .95, As: "p95"}}}
		}},
		{"explorer: distinct installs by day, everything, 90 days", func(*extension, string) facts.Query {
			return facts.Query{Scope: all, From: since(90), Group: []facts.Column{facts.Date}, Measures: measures(facts.Installs)}
		}},
	}
}
