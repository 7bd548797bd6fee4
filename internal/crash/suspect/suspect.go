// Package suspect applies step 6 of blame to the families of crashes that came in
// through a host: it gathers crashes and healthy sessions as votes, asks package
// blame/evidence, and keeps the answers with their history.
//
// It stores no evidence of its own. Which extensions were active is read from the
// documents of crashes and sessions in facts, within their retention; what was
// erased or purged is out of the next answer. Nothing is joined across
// extensions: only crashes and sessions of the host's own project are compared.
package suspect

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Days is how far back evidence is looked for.
const Days = 30

// Options are what the desk stands on.
type Options struct {
	Log   *slog.Logger
	Flow  *db.DB // pipeline.db
	Facts facts.Store
	Desk  *crash.Desk
	Now   func() time.Time
}

// Desk keeps what the evidence says. It is safe for concurrent use.
type Desk struct {
	o Options

	run  sync.Mutex // one run at a time
	memo *memo      // guarded by run

	mu     sync.RWMutex
	stands map[string]standing          // by family, those with a finding
	blame  map[string][][]eco.Candidate // by family, a group for each finding: for crashes that come in
}

// Report is what the evidence says of a family now, and what it said before.
type Report struct {
	Family  string          `json:"family"`
	Host    string          `json:"host"`
	Known   bool            `json:"known"`           // it was looked at
	At      time.Time       `json:"at"`              // when
	Since   time.Time       `json:"since"`           // it names the same since then
	From    time.Time       `json:"from"`            // crashes and sessions from then on were looked at
	Given   eco.ExtensionID `json:"given,omitempty"` // blamed already: compared is what ran beside it
	Without int             `json:"without"`         // crashes that do not say what was active
	Answer  evidence.Answer `json:"answer"`
	// Told is the answer of the votes of regulars alone: installations that were
	// known before they voted. By it alone authors are told of others' families, and
	// crashes attributed. It is nil where Answer names nobody.
	Told     *evidence.Answer `json:"told,omitempty"`
	Withheld []Withheld       `json:"withheld,omitempty"` // findings that only the host's people see, and why
	Before   []Named          `json:"before"`             // what it named before, newest first
	Kin      []Kin            `json:"kin,omitempty"`      // for those who see all of the host: other families with the same suspects
	Veiled   bool             `json:"redacted,omitempty"` // other extensions' names are left out
}

// Withheld is a finding that does not stand on regulars: nobody but the host's
// people is told of it, and no crash is attributed by it.
type Withheld struct {
	Members []eco.ExtensionID `json:"members"`
	Why     string            `json:"why"`
}

// Named is what the evidence named for some time; nothing when nobody stood out.
type Named struct {
	From  time.Time           `json:"from"`
	Until time.Time           `json:"until"`
	Names [][]eco.ExtensionID `json:"names"`
}

// New opens the desk, makes its table when it is missing, and reads the answers
// that matter to the flow.
func New(ctx context.Context, o Options) (*Desk, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = o.Flow.Migrate(ctx, "suspect", files)
	}
	if err != nil {
		return nil, fault.Wrap("suspect.New", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{o: o, memo: newMemo(), blame: map[string][][]eco.Candidate{}}
	_, err = d.Refresh(ctx)
	return d, err
}

// record is the stored form of a report.
type record struct {
	Version int             `json:"version"`
	Host    string          `json:"host"`
	From    int64           `json:"from"`
	Given   eco.ExtensionID `json:"given,omitempty"`
	Without int             `json:"without,omitempty"`
	Answer  evidence.Answer `json:"answer"`
	// Told is what regulars say; nil when Answer names nobody.
	Told *evidence.Answer `json:"told,omitempty"`
}

// version of records; families with older ones are asked for anew.
const version = 2

// stored is a row.
type stored struct {
	family    string
	since, at int64
	crashes   int64 // of the family when it was asked for; -1 when the row cannot be read
	named     string
	rec       record
}

func names(a evidence.Answer) [][]eco.ExtensionID {
	out := [][]eco.ExtensionID{}
	for _, f := range a.Findings {
		var one []eco.ExtensionID
		for _, m := range f.Members {
			one = append(one, m.ID)
		}
		out = append(out, one)
	}
	return out
}

// namesText is names as they are compared and kept: JSON.
func namesText(a evidence.Answer) string {
	b, err := json.Marshal(names(a))
	if err != nil {
		return "[]" // ids are texts; this cannot be
	}
	return string(b)
}
