package app

import (
	"context"
	"log/slog"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
)

// triage opens what people do with families, over the records.
func (r *Records) triage(ctx context.Context, desk *crash.Desk, log *slog.Logger) (*triage.Desk, error) {
	return triage.New(ctx, triage.Options{Records: r.DB, Audit: r.Audit, Desk: desk, Accounts: r.Accounts, Registry: r.Registry, Now: now, NewID: randomID, Log: log})
}
