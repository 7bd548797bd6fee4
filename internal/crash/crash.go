// Package crash is the crash desk: families of crashes with their state and
// history, single crashes as people may see them, and the numbers of extensions
// and releases. It owns two sets of tables: what the flow knows of families
// (pipeline.db) and what people decided (records.db). Counts never live here:
// every number comes from facts, within the caller's scope.
//
// What it is not: the place where a crash is signed, blamed or placed; package
// pipeline does that and tells the desk the outcome (Record).
package crash

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

// State is where a family stands.
type State string

const (
	Open     State = "open"     // nobody has dealt with it, or it came back (Regressed)
	Resolved State = "resolved" // a person says it is fixed, in a release or from now on
	Ignored  State = "ignored"  // a person does not want to hear of it
)

// States lists every state, in the order they are shown.
var States = []State{Open, Resolved, Ignored}

// Family is a set of signatures with one root cause. The counts are those of the
// period and scope that were asked for.
type Family struct {
	ID           string          `json:"id"`
	Version      string          `json:"version"` // rules that made it: "fam/1"
	Title        string          `json:"title"`
	Type         string          `json:"type,omitempty"` // exception type
	Platform     string          `json:"platform,omitempty"`
	Blame        eco.ExtensionID `json:"blame,omitempty"` // the extension it is attributed to; "" when none
	Target       string          `json:"target"`          // extension, interaction, host, unknown
	Host         string          `json:"host,omitempty"`
	State        State           `json:"state"`
	ResolvedIn   string          `json:"resolved_in,omitempty"` // see Regressed
	Regressed    bool            `json:"regressed,omitempty"`   // was resolved, came back
	Until        Until           `json:"until,omitzero"`        // what an ignored one waits for
	FirstSeen    time.Time       `json:"first_seen"`
	LastSeen     time.Time       `json:"last_seen"`
	FirstRelease string          `json:"first_release,omitempty"` // lowest release seen
	LastRelease  string          `json:"last_release,omitempty"`  // highest release seen
	Signatures   int             `json:"signatures"`
	// Representative is a crash that stands for the family; zero once it was erased or has expired.
	Representative eco.ID  `json:"representative"`
	Crashes        int64   `json:"crashes"`
	Installs       int64   `json:"installs"`         // distinct installs that named themselves
	Unknown        int64   `json:"unknown_installs"` // crashes whose client named no install; not in Installs
	Days           []int64 `json:"days,omitempty"`   // crashes per UTC day of the period, oldest first
	// Merged are the families that people made part of this one, by id.
	Merged []string `json:"merged,omitempty"`
	// Priority is P1 … P4, Label what the crash looks like; "" for those who do not decide on the family.
	Priority  string     `json:"priority,omitempty"`
	Label     string     `json:"label,omitempty"`
	Overruled *Overruled `json:"overruled,omitempty"` // who said so, when a person did

	rated *Rated

	since int64 // when its state was decided
}

// Period is a span of receipt, half open. The zero From means 30 days before To,
// from the full hour, the zero To means now.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Sort orders a list of families.
type Sort string

const (
	ByCrashes   Sort = "crashes" // most crashes first; the default
	ByInstalls  Sort = "installs"
	ByLastSeen  Sort = "last_seen"
	ByFirstSeen Sort = "first_seen" // newest family first
	ByPriority  Sort = "priority"   // most urgent first
)

// Sorts lists every order.
var Sorts = []Sort{ByCrashes, ByInstalls, ByLastSeen, ByFirstSeen, ByPriority}

// Filter narrows a list of families. Empty fields do not narrow. Only families
// with a crash in the period (and in the scope) are listed.
type Filter struct {
	Period
	Extension   eco.ExtensionID
	Publisher   string
	State       State
	Regressed   bool   // only those that came back
	New         bool   // only those first seen in the period
	Release     string // version of the extension it is attributed to (of the host when there is none)
	Host        string
	HostVersion string
	OS          string
	Channel     eco.Channel
	Priority    string // P1 … P4
	Label       string // of the diagnosis
	Query       string // of package query; what it says of states goes before State
	Among       []Among
	Sort        Sort
	Cursor      string // Page.Next of the page before
	Limit       int    // 0 = 50, at most 200
	Brief       bool   // without Page.Installs, which takes longest
}

// Among narrows a list to families, or to all but them.
type Among struct {
	IDs map[string]bool
	Not bool
}

// Page is a part of a list of families.
type Page struct {
	Families []Family `json:"families"`
	Next     string   `json:"next,omitempty"`
	Total    int      `json:"total"`             // families that match
	Crashes  int64    `json:"crashes"`           // crashes of those
	Installs int64    `json:"installs"`          // distinct installs that had them; 0 when they cannot be counted
	Partial  bool     `json:"partial,omitempty"` // more families match than the 10,000 of one answer, or the search found more than 2,000 signatures; the rarest are missing
}

// Share is a value of a dimension with its part of a family's crashes.
type Share struct {
	Value    string  `json:"value"`
	Crashes  int64   `json:"crashes"`
	Installs int64   `json:"installs"`
	Part     float64 `json:"part"` // of the family's crashes in the period
}

// DayCount is one UTC day.
type DayCount struct {
	Day      eco.Day `json:"day"`
	Crashes  int64   `json:"crashes"`
	Installs int64   `json:"installs"`
}

// SignatureInfo is one signature of a family.
type SignatureInfo struct {
	Hash      string    `json:"hash"`
	Key       string    `json:"key"`
	Title     string    `json:"title"`
	Version   string    `json:"version"`
	FirstSeen time.Time `json:"first_seen"`
	Crashes   int64     `json:"crashes"`  // in period and scope
	Installs  int64     `json:"installs"` // distinct ones that had them
}

// Detail is a family's page.
type Detail struct {
	Family
	Period       Period          `json:"period"`
	Counted      int64           `json:"counted"` // of the crashes, those of which only the signature came
	Trend        []DayCount      `json:"trend"`   // every day of the period, also the empty ones
	Releases     []Share         `json:"releases"`
	HostVersions []Share         `json:"host_versions"`
	OSes         []Share         `json:"oses"`
	List         []SignatureInfo `json:"list"` // its signatures, most crashes first, at most 100
	History      []Change        `json:"history"`
	Regrouped    []Regrouping    `json:"regrouped"` // merges and splits it had a part in, newest first
	Nearby       []Nearby        `json:"nearby"`    // families so like it that a person should look: possible merges
	Apart        []Apart         `json:"apart"`     // families that people said are not it, the newest first
	Overrules    []Overruled     `json:"overrules"` // every priority that was set instead of the machine's, the newest first, at most 50
	// Waited is what happened since the family was ignored until something; else nil.
	Waited *Progress `json:"waited,omitempty"`
	// Rated is its priority and diagnosis with their reasons; nil for those who do not decide on it.
	Rated *Rated `json:"rated,omitempty"`
}

// Change is one step of a family's history.
type Change struct {
	ID         string    `json:"id"`
	Family     string    `json:"family"`
	At         time.Time `json:"at"`
	Actor      string    `json:"actor"` // account id, or "system" for a regression
	From       State     `json:"from"`
	To         State     `json:"to"`
	ResolvedIn string    `json:"resolved_in,omitempty"`
	Until      Until     `json:"until,omitzero"`
	Note       string    `json:"note,omitempty"`
	Undoes     string    `json:"undoes,omitempty"` // the change this one takes back
	Undone     bool      `json:"undone,omitempty"`
	// Last says that it is the family's newest change: the one Undo takes back.
	Last bool `json:"last,omitempty"`

	before status
}

// Row is one crash in a list.
type Row struct {
	ID          eco.ID          `json:"id"`
	Received    time.Time       `json:"received"`
	Time        time.Time       `json:"time"`
	Family      string          `json:"family"`
	Signature   string          `json:"signature"`
	Type        string          `json:"type,omitempty"`
	Extension   eco.ExtensionID `json:"extension,omitempty"` // the project's
	ExtVersion  string          `json:"ext_version,omitempty"`
	Blame       eco.ExtensionID `json:"blame,omitempty"`
	Release     string          `json:"release,omitempty"`
	Host        string          `json:"host,omitempty"`
	HostVersion string          `json:"host_version,omitempty"`
	OS          string          `json:"os,omitempty"`
	OSVersion   string          `json:"os_version,omitempty"`
	Level       string          `json:"level,omitempty"`
	Handled     bool            `json:"handled"`
	Counted     bool            `json:"counted,omitempty"` // only its signature came: it has no stack
}

// CrashFilter narrows a list of crashes.
type CrashFilter struct {
	Period
	Project   int64 // that it came in through; 0 = any. Only for those who may see that project
	Family    string
	Signature string
	Extension eco.ExtensionID // the subject: blamed, else the project's
	Release   string
	Query     string // of package query; what counts families is no part of it
	Stacks    bool   // without those of which only the signature came
	Cursor    string
	Limit     int // 0 = 20, at most 200
}

// CrashPage is a part of a list of crashes, newest first.
type CrashPage struct {
	Crashes []Row  `json:"crashes"`
	Next    string `json:"next,omitempty"`
}

// Together says why a crash is in its family: what it shares with the family's
// representative.
type Together struct {
	Family         string  `json:"family"`
	Representative eco.ID  `json:"representative"`
	Same           bool    `json:"same"`              // the crash is the representative, or has its very signature
	Counted        bool    `json:"counted,omitempty"` // only its signature came: there is nothing to compare
	Score          float64 `json:"score"`             // similarity in [-1, 1]
	Matched        []Match `json:"matched"`
	OnlyHere       []Match `json:"only_here"`  // heaviest tokens of the crash that the representative lacks
	OnlyThere      []Match `json:"only_there"` // and the other way round
}

// Match is a token with its part of the similarity: of what matched for matched
// tokens, else of its own side's weight.
type Match struct {
	Token string  `json:"token"`
	Part  float64 `json:"part"`
}

// Health is what the sessions and crashes of one thing (an extension, a release,
// a host, everything) say in a period.
type Health struct {
	Crashes int64 `json:"crashes"`
	// CrashesErr is the standard error of Crashes with whole installs as the units; 0 where it was not asked for (releases).
	CrashesErr float64 `json:"crashes_std_err,omitempty"`
	Families   int64   `json:"families"` // seen in the period
	New        int64   `json:"new"`      // first seen in the period
	Hit        int64   `json:"hit"`      // distinct installs with a crash
	Unknown    int64   `json:"unknown"`  // crashes without an install
	Sessions   int64   `json:"sessions"`
	Installs   int64   `json:"installs"` // distinct installs with a session
	Errored    int64   `json:"errored"`  // sessions with an error that neither crashed nor ended abnormally
	Crashed    int64   `json:"crashed"`
	Abnormal   int64   `json:"abnormal"`
	// CrashFreeSessions is 1 - Crashed/Sessions, CrashFreeInstalls the same over installs.
	CrashFreeSessions estimate.Interval `json:"crash_free_sessions"`
	CrashFreeInstalls estimate.Interval `json:"crash_free_installs"`
}

// ReleaseHealth is the health of one release.
type ReleaseHealth struct {
	Version string    `json:"version"`
	Channel string    `json:"channel,omitempty"` // the one most sessions name
	First   time.Time `json:"first"`             // first seen in the period
	Last    time.Time `json:"last"`
	Health
}

// Overview is an extension's (or host's, or the ecosystem's) page of numbers.
type Overview struct {
	Extension eco.ExtensionID `json:"extension,omitempty"`
	Host      string          `json:"host,omitempty"`
	Period    Period          `json:"period"`
	Health    Health          `json:"health"`
	Before    Health          `json:"before"` // the period of the same length before
	// Change is how many times the crashes are of those before. It means something only if both spans were observed: compare their sessions.
	Change   estimate.Comparison `json:"change"`
	Trend    []DayHealth         `json:"trend"` // every day of the period
	Releases []ReleaseHealth     `json:"releases"`
}

// DayHealth is one UTC day of an overview.
type DayHealth struct {
	Day      eco.Day `json:"day"`
	Crashes  int64   `json:"crashes"`
	Installs int64   `json:"installs"` // distinct installs with a crash that day
	Sessions int64   `json:"sessions"`
	Crashed  int64   `json:"crashed"` // sessions
}

// ExtensionHealth is a row of the list of extensions.
type ExtensionHealth struct {
	Extension eco.ExtensionID     `json:"extension"`
	Release   string              `json:"release,omitempty"` // the highest version seen in the period
	Days      []int64             `json:"days"`              // crashes per UTC day of the period
	Before    int64               `json:"before"`            // crashes of the period of the same length before
	Change    estimate.Comparison `json:"change"`            // how many times the crashes are of those before
	// Releases holds the crash-free share of sessions of each version seen.
	Releases map[string]estimate.Interval `json:"-"`
	Health
}
