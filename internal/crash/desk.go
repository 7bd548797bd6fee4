package crash

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Options are what a desk stands on.
type Options struct {
	Flow    *db.DB // pipeline.db: what the flow knows of families
	Records *db.DB // records.db: what people decided, beside the audit log
	Audit   *audit.Log
	Facts   facts.Store
	Now     func() time.Time
	NewID   func() string // of changes
}

// Desk answers for crashes. It is safe for concurrent use.
type Desk struct{ o Options }
