package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/api"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// management is the API of the running server.
func (a *App) management(base *url.URL, note noteFunc, intake http.Handler) (*api.Server, error) {
	return api.New(api.Options{
		Log: a.log, Now: now, Accounts: a.Records.Accounts, Registry: a.Records.Registry, Desk: a.desk, Triage: a.triage, Suspects: a.suspect, Facts: a.facts,
		Audit: a.Records.Audit, Worker: a.worker, Counts: a.counts, Answers: a.answers, AddNote: note, Dumps: a.dumps, Doctor: a.doctor(), Symbols: a.Records.Symbols, Jobs: a.jobs, Alerts: a.Alerts, Claims: a.claims(), Intake: intake, Base: base, Version: Version(),
	})
}

// Console opens the records of a data folder and returns the API over them, with
// the rights of whoever holds the folder: the command line without a server. It
// has no facts: one process at a time may open those.
func Console(ctx context.Context, o Options, log *slog.Logger) (http.Handler, *Records, error) {
	r, err := OpenRecords(ctx, o, log)
	if err != nil {
		return nil, nil, err
	}
	none := facts.NewMem()
	desk, err := crash.New(ctx, crash.Options{Flow: r.Flow, Records: r.DB, Audit: r.Audit, Facts: none, Now: now, NewID: randomID})
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	people, err := r.triage(ctx, desk, log)
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	base, err := url.Parse(o.consoleBase())
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	as := account.System("cli")
	s, err := api.New(api.Options{Log: log, Now: now, Accounts: r.Accounts, Registry: r.Registry, Desk: desk, Triage: people, Facts: none, Audit: r.Audit, Symbols: r.Symbols, Base: base, Version: Version(), As: &as})
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	return s.Handler(), r, nil
}
