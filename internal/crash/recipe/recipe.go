// Package recipe says how a family of crashes may be made to happen again: which
// host and extension in which versions, which other extensions, settings, and what
// users did before, each with its share and a reason; and it writes that as files
// one can run (Files, Zip).
//
// It is pure, but for Gather, which asks the desks. What it is not: a promise. It
// repeats what the crashes have in common and never runs anything.
//
// Every value comes from outside. Ids and versions that do not have the form of
// one are left out, with a note; texts lose what could steer a terminal or turn
// their direction, are cut, and are quoted for the language of the file.
package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// Bounds and thresholds of a recipe.
const (
	MaxCrashes  = 100 // looked at, the newest
	MinCrashes  = 2   // with one, nothing can recur
	maxActive   = 10  // of those active in every crash
	maxSettings = 30
	maxSteps    = 20 // the ones nearest to the crash
	maxText     = 200
	minSet      = 5   // crashes in which a setting is
	settingPart = 0.8 // of the crashes
	stepPart    = 0.6
)

// Kinds of hosts that have a file of their own.
const (
	VSCode  = "vscode"
	Blender = "blender"
	Generic = "generic"
)

// Input is what is known of a family, as its reader may see it.
type Input struct {
	Family    crash.Family
	Kind      string // of the host
	Hosts     []crash.Share
	Releases  []crash.Share // of the extension; of the host when there is none
	OSes      []crash.Share
	Crashes   []crash.Document
	Associate suspect.Report
	// Registered tells the extensions of the register; nil: there are none. Whoever has
	// a public key can name any other one as active, or on a stack, and a launcher
	// would fetch and run it.
	Registered func(eco.ExtensionID) bool `json:"-"`
}

// Recipe is how to make it happen again.
type Recipe struct {
	Family      string          `json:"family"`
	Title       string          `json:"title"`
	Kind        string          `json:"kind"`    // vscode, blender, generic
	Enough      bool            `json:"enough"`  // false: too few crashes; only the reasons say something
	Crashes     int             `json:"crashes"` // looked at
	Host        string          `json:"host,omitempty"`
	HostVersion Choice          `json:"host_version,omitzero"`
	Extension   eco.ExtensionID `json:"extension,omitempty"`
	Version     Choice          `json:"version,omitzero"`
	OS          Choice          `json:"os,omitzero"`
	Active      []Addon         `json:"active"`
	Settings    []Setting       `json:"settings"`
	Steps       []Crumb         `json:"steps"` // in the order they happened
	Reasons     []string        `json:"reasons"`
	Sure        string          `json:"sure"` // how far to trust it, in words
}

// Choice is the most frequent value with its part of the crashes.
type Choice struct {
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// Addon is an extension that should be active.
type Addon struct {
	ID      eco.ExtensionID `json:"id"`
	Version string          `json:"version,omitempty"` // the one most crashes name
	Why     string          `json:"why"`
	// Unknown says that it is not in the register: no launcher installs it, or switches it on.
	Unknown bool `json:"unknown,omitempty"`
}

// Setting is a tag that recurs.
type Setting struct {
	Key   string  `json:"key"`
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// Crumb is something that happened before most of the crashes.
type Crumb struct {
	Category string  `json:"category,omitempty"`
	Message  string  `json:"message,omitempty"` // what varies is replaced by placeholders
	Share    float64 `json:"share"`
}

// maker is a recipe under construction.
type maker struct {
	Recipe
	in     Input
	open   []*crash.Document // those whose reader sees everything in them
	unfit  map[string]bool   // ids and versions that do not look like ones
	hidden bool
	told   int // crashes that say what was active
}

func (m *maker) say(format string, args ...any) {
	m.Reasons = append(m.Reasons, fmt.Sprintf(format, args...))
}

// Of makes the recipe of a family.
func Of(in Input) Recipe {
	in.Crashes = in.Crashes[:min(len(in.Crashes), MaxCrashes)]
	m := &maker{in: in, unfit: map[string]bool{}, Recipe: Recipe{Family: in.Family.ID, Title: text(in.Family.Title), Kind: kindOf(in.Kind), Crashes: len(in.Crashes),
		Active: []Addon{}, Settings: []Setting{}, Steps: []Crumb{}, Reasons: []string{}}}
	if m.Crashes < MinCrashes {
		m.say("%d of at least %d crashes of these days can be looked at: nothing recurs yet.", m.Crashes, MinCrashes)
		m.Sure = "Not yet: too few crashes."
		return m.Recipe
	}
	m.Enough = true
	for i := range in.Crashes {
		if d := &in.Crashes[i]; !d.Redacted {
			m.open = append(m.open, d)
		}
	}
	m.hidden = len(m.open) < m.Crashes
	m.versions()
	m.active()
	m.settings()
	m.steps()
	if n := len(m.unfit); n > 0 {
		m.say("%d %s left out: an id or a version that does not have the form of one.", n, are(n))
	}
	if m.hidden {
		m.say("%d of the %d crashes came in through others: what their users did, and what else was active, is not in this recipe.", m.Crashes-len(m.open), m.Crashes)
	}
	m.Sure = m.sure()
	return m.Recipe
}

// kindOf maps a host's kind to one that has files.
func kindOf(k string) string {
	if k == VSCode || k == Blender {
		return k
	}
	return Generic
}

func are(n int) string {
	if n == 1 {
		return "thing is"
	}
	return "things are"
}

// versions takes the most frequent host, host version, release and system.
func (m *maker) versions() {
	m.Extension = m.id(m.in.Family.Blame)
	m.Host = m.slug(m.in.Family.Host)
	if m.Host == "" {
		m.Host = m.slug(most(m.in.Crashes, func(d *crash.Document) string { return d.Origin.Host }).Value)
	}
	m.HostVersion = m.common(m.in.Hosts)
	m.OS = m.common(m.in.OSes)
	if m.Extension != "" {
		m.Version = m.common(m.in.Releases)
	} else if own := most(m.in.Crashes, func(d *crash.Document) string { return string(d.Origin.Extension) }); own.Value != "" {
		if m.Extension = m.id(eco.ExtensionID(own.Value)); m.Extension != "" {
			m.Version = m.fit(most(m.in.Crashes, func(d *crash.Document) string {
				if string(d.Origin.Extension) != own.Value {
					return ""
				}
				return d.Origin.ExtVersion
			}))
			m.say("Nobody is blamed; %s is the extension that most of the crashes came in through.", m.Extension)
		}
	}
	if m.HostVersion.Value != "" {
		m.say("%s of the crashes ran version %s of the host.", percent(m.HostVersion.Share), m.HostVersion.Value)
	} else {
		m.say("The crashes do not say which version of the host ran.")
	}
	if m.Version.Value != "" {
		m.say("%s of them had version %s of %s.", percent(m.Version.Share), m.Version.Value, m.Extension)
	}
	if m.OS.Value != "" {
		m.say("%s of them were on %s.", percent(m.OS.Share), m.OS.Value)
	}
}

// common is the share with the most crashes that has a value.
func (m *maker) common(list []crash.Share) Choice {
	var best crash.Share
	for _, s := range list {
		if s.Value != "" && s.Crashes > best.Crashes {
			best = s
		}
	}
	return m.fit(Choice{best.Value, best.Part})
}

// fit leaves a choice out whose value does not look like a version or a name.
func (m *maker) fit(c Choice) Choice {
	if c.Value == "" || versionLike(c.Value) {
		return c
	}
	m.unfit[c.Value] = true
	return Choice{}
}

// most is the most frequent value among crashes, with its share of all of them.
func most(docs []crash.Document, value func(*crash.Document) string) Choice {
	count := map[string]int{}
	for i := range docs {
		if v := value(&docs[i]); v != "" {
			count[v]++
		}
	}
	v, n := top(count)
	if n == 0 {
		return Choice{}
	}
	return Choice{v, float64(n) / float64(len(docs))}
}

// top is the value that was counted most; of equal ones the first by name.
func top(count map[string]int) (value string, n int) {
	for v, c := range count {
		if c > n || c == n && v < value {
			value, n = v, c
		}
	}
	return value, n
}

// sure says how far to trust it.
func (m *maker) sure() string {
	var missing []string
	for _, x := range []struct {
		none bool
		what string
	}{{m.HostVersion.Value == "", "the version of the host"}, {len(m.Active) == 0 && m.told == 0, "what was active"}, {len(m.Steps) == 0, "what users did before"}} {
		if x.none {
			missing = append(missing, x.what)
		}
	}
	switch {
	case m.Crashes < minSet:
		return fmt.Sprintf("Low: from %d crashes; what recurs in so few may only happen to be there.", m.Crashes)
	case len(missing) > 1:
		return fmt.Sprintf("Low: the crashes do not tell %s.", strings.Join(missing, " and "))
	case m.Crashes < 20 || len(missing) > 0:
		s := fmt.Sprintf("Fair: from %d crashes", m.Crashes)
		if len(missing) > 0 {
			s += "; " + missing[0] + " is not known"
		}
		return s + "."
	}
	return fmt.Sprintf("Good: from %d crashes that have host, extensions and steps in common.", m.Crashes)
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", 100*min(v, 1)) }

// byShare orders the most frequent first.
func byShare(a, b Setting) int {
	return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Key, b.Key))
}

// settings are the tags that recur.
func (m *maker) settings() {
	count := map[Setting]int{}
	for _, d := range m.open {
		for k, v := range d.Crash.Tags {
			if k = text(k); k != "" {
				count[Setting{Key: k, Value: text(v)}]++
			}
		}
	}
	for s, n := range count {
		if s.Share = min(float64(n)/float64(len(m.open)), 1); n >= minSet && s.Share >= settingPart {
			m.Settings = append(m.Settings, s)
		}
	}
	slices.SortFunc(m.Settings, byShare)
	m.Settings = m.Settings[:min(len(m.Settings), maxSettings)]
	if len(m.Settings) > 0 {
		m.say("Settings are tags with the same value in at least %s of the crashes.", percent(settingPart))
	}
}
