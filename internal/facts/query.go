package facts

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Scope says which rows a caller may see. The zero Scope sees nothing and is an
// error, so that a forgotten one cannot leak. Only package account (for people)
// and package app (for the flow itself) make one; TestFloors keeps it so.
type Scope struct {
	set        bool
	all        bool
	extensions []eco.ExtensionID
	hosts      []string
}

// Everything is the scope of the flow itself and of people who see the whole ecosystem.
func Everything() Scope { return Scope{set: true, all: true} }

// Only is the scope of people who see the rows of these extensions (their own
// projects' rows, and crashes blamed on them) and of these hosts' projects.
func Only(extensions []eco.ExtensionID, hosts []string) Scope {
	e, h := slices.Clone(extensions), slices.Clone(hosts)
	slices.Sort(e)
	slices.Sort(h)
	return Scope{set: true, extensions: e, hosts: h}
}

// IsSet, All, Extensions and Hosts are for engines.
func (s Scope) IsSet() bool                   { return s.set }
func (s Scope) All() bool                     { return s.all }
func (s Scope) Extensions() []eco.ExtensionID { return s.extensions }
func (s Scope) Hosts() []string               { return s.hosts }

// Sees reports whether the row lies in the scope: it belongs to one of the
// extensions, or is blamed on one, or belongs to a host's own project (no
// extension) of one of the hosts.
func (s Scope) Sees(f *eco.Fact) bool {
	switch {
	case !s.set:
		return false
	case s.all:
		return true
	case f.Origin.Extension != "" && slices.Contains(s.extensions, f.Origin.Extension):
		return true
	case f.Blame != "" && slices.Contains(s.extensions, f.Blame):
		return true
	}
	return f.Origin.Extension == "" && f.Origin.Host != "" && slices.Contains(s.hosts, f.Origin.Host)
}

// Column is a dimension one can filter and group by.
type Column string

const (
	Hour        Column = "hour" // of receipt, Unix milliseconds of its start (int64)
	Date        Column = "day"  // of receipt, yyyymmdd (int64)
	ID          Column = "id"   // 32 hex digits; order and cursor of rows
	Class       Column = "class"
	Kind        Column = "kind"
	Project     Column = "project" // int64
	Extension   Column = "extension"
	ExtVersion  Column = "ext_version"
	Host        Column = "host"
	HostVersion Column = "host_version"
	Channel     Column = "channel"
	OS          Column = "os"
	OSVersion   Column = "os_version"
	Arch        Column = "arch"
	Runtime     Column = "runtime"
	Environment Column = "environment"
	Country     Column = "country"
	SDK         Column = "sdk"
	Name        Column = "name"
	Signature   Column = "signature"
	Family      Column = "family"
	Blame       Column = "blame"
	BlameVer    Column = "blame_ver"
	// SubjectExt is the extension a row counts for: the blamed one, else the project's own.
	SubjectExt Column = "subject_ext"
	SubjectVer Column = "subject_ver" // the version that goes with it
	Level      Column = "level"
	Handled    Column = "handled" // int64 0/1
	// Counted is 1 for a crash of which only the signature came: it has no stack.
	Counted     Column = "counted"     // int64 0/1
	Quarantined Column = "quarantined" // int64 0/1; queries leave quarantined rows out unless they filter on this
	Dedup       Column = "dedup"       // int64 bit pattern
	Session     Column = "session"     // int64 bit pattern
	Install     Column = "install"     // int64 bit pattern; a group only of those that a condition (In) names
	ClientID    Column = "client_id"
	Received    Column = "received" // int64 ms; filter with ge/lt only
)

// Cond keeps rows whose column matches. Values are the printed form of the
// column; In with no values matches nothing.
type Cond struct {
	Col    Column
	Op     Op
	Values []string
}

// Op is how a condition compares.
type Op string

const (
	In    Op = "in"
	NotIn Op = "not_in"
	Ge    Op = "ge" // numbers and ids, one value
	Lt    Op = "lt"
)

// Measure is a number computed per group.
type Measure struct {
	Fn  Fn
	Arg float64 // Quantile: between 0 and 1
	As  string  // its name in the result; default: the name of Fn
}

// Fn names a measure.
type Fn string

const (
	Count    Fn = "count"     // sum of Count: crashes, events, sessions
	Rows     Fn = "rows"      // number of rows
	Installs Fn = "installs"  // exact distinct installs that are not 0; pseudonyms count per (project's extension, or host when it has none)
	Unnamed  Fn = "unnamed"   // sum of Count over the rows that name no install: what Installs cannot tell apart
	Weighted Fn = "weighted"  // sum of Count*Weight
	WeightSq Fn = "weight_sq" // sum of Count*Weight*(Weight-1): the variance of Weighted under Poisson sampling
	// StdErr is the standard error of Weighted when whole installs are the units:
	// sqrt(G/(G-1) * sum over groups of (sum_g - mean)^2) with G = 64 groups of
	// installs by hash. Rows without an install each count as their own unit.
	// See Unit.
	StdErr    Fn = "std_err"
	Errored   Fn = "errored"
	Crashed   Fn = "crashed"
	Abnormal  Fn = "abnormal"
	Repeated  Fn = "repeated_installs" // distinct installs with more than one (by Count): those that had it again
	CrashedBy Fn = "crashed_installs"  // distinct installs with Crashed > 0
	Sum       Fn = "sum"               // of Value
	Mean      Fn = "mean"              // of Value, per row
	Quantile  Fn = "quantile"          // of Value, linear interpolation (type 7)
	First     Fn = "first"             // earliest Received, int64 ms
	Last      Fn = "last"              // latest Received, int64 ms
)
