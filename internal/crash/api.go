package crash

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Families lists families with crashes in the scope and period.
func (d *Desk) Families(ctx context.Context, scope facts.Scope, f Filter) (Page, error) {
	panic("later")
}

// Family returns a family's page. Another tenant's family is not_found.
func (d *Desk) Family(ctx context.Context, scope facts.Scope, id string, p Period) (Detail, error) {
	panic("later")
}

// Crashes lists crashes, newest first.
func (d *Desk) Crashes(ctx context.Context, scope facts.Scope, f CrashFilter) (CrashPage, error) {
	panic("later")
}

// Crash returns one crash, by its id or by the id its client gave it, redacted
// for whoever is blamed but not the owner of the project it came in through.
func (d *Desk) Crash(ctx context.Context, scope facts.Scope, id string) (Document, error) {
	panic("later")
}

// Together compares a crash with its family's representative.
func (d *Desk) Together(ctx context.Context, scope facts.Scope, id string) (Together, error) {
	panic("later")
}

// Decision is a person's word on a family.
type Decision struct {
	Family     string
	To         State
	ResolvedIn string // for Resolved: a release; NextRelease; "" = from now on
	Actor      string // account id
	Note       string // why, at most 1,000 bytes
}

// NextRelease as Decision.ResolvedIn: fixed in whatever release comes after the highest one seen.
const NextRelease = "next"

// SetState records a decision, with history and audit, in one transaction.
func (d *Desk) SetState(ctx context.Context, scope facts.Scope, c Decision) (Change, error) {
	panic("later")
}

// Undo takes back the family's newest change. fault.Conflict when change is not it.
func (d *Desk) Undo(ctx context.Context, scope facts.Scope, family, change, actor string) (Change, error) {
	panic("later")
}

// Releases returns the health of an extension's releases, newest version first.
func (d *Desk) Releases(ctx context.Context, scope facts.Scope, ext eco.ExtensionID, p Period) ([]ReleaseHealth, error) {
	panic("later")
}

// Extension returns the numbers of one extension.
func (d *Desk) Extension(ctx context.Context, scope facts.Scope, ext eco.ExtensionID, p Period) (Overview, error) {
	panic("later")
}

// Host returns the numbers of a host's own projects.
func (d *Desk) Host(ctx context.Context, scope facts.Scope, host string, p Period) (Overview, error) {
	panic("later")
}

// Ecosystem returns the numbers of everything in the scope.
func (d *Desk) Ecosystem(ctx context.Context, scope facts.Scope, p Period) (Overview, error) {
	panic("later")
}

// Extensions returns the numbers of every extension with a crash or session in
// the scope and period, most crashes first, at most 10,000.
func (d *Desk) Extensions(ctx context.Context, scope facts.Scope, p Period) ([]ExtensionHealth, error) {
	panic("later")
}

// Redact returns the document as people of the scope may see it: whole for those
// who see everything or own the project it came in through, else without what
// belongs to other extensions and to the host's user.
func Redact(doc Document, scope facts.Scope) Document { panic("later") }

// Regressed reports whether a family that was resolved in a release has come
// back, given releases it was seen in since.
func Regressed(resolvedIn string, seen []string) bool { panic("later") }
