package registry

import (
	"context"
	"io"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// KeyByPublic finds a key (as ParseKey gives it) in memory. It may be revoked or
// expired: ask Usable.
func (r *Registry) KeyByPublic(public string) (KeyView, bool) { panic("later") }

// ProjectByID finds a project in memory.
func (r *Registry) ProjectByID(id int64) (*ProjectView, bool) { panic("later") }

// World is what blame must know of hosts and extensions, compiled; a new one
// with each change.
func (r *Registry) World() *blame.World { panic("later") }

// ExtensionsOf lists a publisher's extensions, sorted, from memory.
func (r *Registry) ExtensionsOf(publisher string) []eco.ExtensionID { panic("later") }

// TeamOwns lists what a team owns, from memory.
func (r *Registry) TeamOwns(team string) ([]eco.ExtensionID, []string) { panic("later") }

// ImportReport says what an import did, or would do.
type ImportReport struct {
	Format    string    `json:"format"` // json or csv
	Created   int       `json:"created"`
	Changed   int       `json:"changed"`
	Unchanged int       `json:"unchanged"`
	DryRun    bool      `json:"dry_run,omitempty"`
	Mistakes  []Mistake `json:"mistakes,omitempty"` // when there is one, nothing was changed
}

// Mistake is one thing wrong in a file. It names the field, never its value.
type Mistake struct {
	Line  int    `json:"line"`
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

// Import registers or changes extensions from JSON (an array, or an object a
// line) or CSV (a header line; lists are separated by spaces). The file is
// checked as a whole: with any mistake nothing is changed and all are reported.
// The same file again changes nothing. May is asked for each extension: false is
// a mistake on its line.
func (r *Registry) Import(ctx context.Context, actor string, file io.Reader, dryRun bool, may func(eco.ExtensionID) bool) (ImportReport, error) {
	panic("later")
}
