package eco

import "time"

// Origin is where a record came from: the dimensions every fact carries.
type Origin struct {
	Project     int64       `json:"project"`
	Extension   ExtensionID `json:"extension,omitempty"` // the project's extension; "" for a project of a host
	ExtVersion  string      `json:"ext_version,omitempty"`
	Host        string      `json:"host,omitempty"`
	HostVersion string      `json:"host_version,omitempty"`
	Channel     Channel     `json:"channel,omitempty"`
	OS          string      `json:"os,omitempty"` // linux, macos, windows, android, ios, other
	OSVersion   string      `json:"os_version,omitempty"`
	Arch        string      `json:"arch,omitempty"`
	Runtime     string      `json:"runtime,omitempty"`
	Environment string      `json:"environment,omitempty"`
	Country     string      `json:"country,omitempty"` // ISO 3166-1, only when switched on
	SDK         string      `json:"sdk,omitempty"`     // name/version
	Install     Install     `json:"install,omitempty"`
}

// Envelope is one accepted item after consent and scrubbing, on its way. Exactly
// one of Crash, Session, Event and Feedback is set, as Kind says.
type Envelope struct {
	ID          ID        `json:"id"`
	Received    int64     `json:"received"` // Unix milliseconds
	Time        int64     `json:"time"`     // when it happened, corrected for clock drift, Unix milliseconds
	Protocol    string    `json:"protocol"` // sentry, otlp, appinsights, reporting, minidump, native
	Kind        Kind      `json:"kind"`
	Tier        Tier      `json:"tier"`
	Class       Class     `json:"class"`
	ClientID    string    `json:"client_id,omitempty"` // the client's own id of the report (a Sentry event id), public to its sender
	Dedup       uint64    `json:"dedup,omitempty"`     // hash of project and ClientID, 0 when the client gave none
	Weight      float64   `json:"weight,omitempty"`    // 1/inclusion probability; 0 = none stated, count as 1 (weight_assumed)
	Quarantined bool      `json:"quarantined,omitempty"`
	Origin      Origin    `json:"origin"`
	Crash       *Crash    `json:"crash,omitempty"`
	Session     *Session  `json:"session,omitempty"`
	Event       *Event    `json:"event,omitempty"`
	Feedback    *Feedback `json:"feedback,omitempty"`
	Removed     []Removal `json:"removed,omitempty"`
	Steps       []Step    `json:"steps,omitempty"`
}

// Session is one update of a session, or a bucket of a client's own aggregates.
type Session struct {
	Key      uint64   `json:"key,omitempty"` // keyed hash of the session id; 0 for aggregates
	Status   string   `json:"status"`        // ok, exited, crashed, abnormal, errored, unhandled
	Init     bool     `json:"init,omitempty"`
	Seq      int64    `json:"seq,omitempty"`
	Started  int64    `json:"started"`            // Unix milliseconds
	Duration float64  `json:"duration,omitempty"` // seconds
	Errors   int64    `json:"errors,omitempty"`   // running count
	Active   []Active `json:"active,omitempty"`   // native host sessions: the active set
	// Aggregates only: finished sessions of one bucket. Errored includes neither crashed nor abnormal.
	Exited   int64 `json:"exited,omitempty"`
	Errored  int64 `json:"errored,omitempty"`
	Crashed  int64 `json:"crashed,omitempty"`
	Abnormal int64 `json:"abnormal,omitempty"`
}

// Event is a telemetry record: a named event, a span or one metric point.
type Event struct {
	Name  string            `json:"name"`
	Value float64           `json:"value,omitempty"`
	Unit  string            `json:"unit,omitempty"`
	Attrs map[string]string `json:"attrs,omitempty"`
}

// Feedback is what a user wrote to support.
type Feedback struct {
	Message   string `json:"message"`
	Contact   string `json:"contact,omitempty"` // only where the support tier is covered
	Name      string `json:"name,omitempty"`
	CrashID   string `json:"crash_id,omitempty"` // client's id of the report it belongs to
	URLOrigin string `json:"url_origin,omitempty"`
}

// Fact is a row of the fact table.
type Fact struct {
	ID          ID
	Class       Class
	Kind        Kind
	Received    int64 // Unix milliseconds; its UTC day is the partition
	Time        int64
	Origin      Origin
	Name        string  // event, span or metric name; session status; crash: exception type
	Value       float64 // span: milliseconds; metric: the number; session: duration in seconds; crash: 1 when only its signature came
	Weight      float64 // 1/inclusion probability, at least 1
	Assumed     bool    // the weight was assumed
	Count       int64   // crashes, events: 1; sessions: how many sessions this row adds
	Errored     int64   // sessions only
	Crashed     int64   // sessions only
	Abnormal    int64   // sessions only
	Signature   string  // crashes: hash of the signature
	Family      string  // crashes: id of the family at the time of receipt
	Blame       ExtensionID
	BlameVer    string
	Level       string
	Handled     bool
	Quarantined bool // kept apart: not in counts, not in blame
	Dedup       uint64
	Session     uint64 // sessions: key of the session
	ClientID    string // crashes: the client's id of the report
	Attrs       string // JSON object of strings, "" when empty
}

// Counted reports whether it is a crash of which only the signature came.
func (f *Fact) Counted() bool { return f.Kind == KindCrash && f.Value >= 1 }

// Day returns the partition of the fact.
func (f *Fact) Day() Day { return DayOf(time.UnixMilli(f.Received)) }
