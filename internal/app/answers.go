package app

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
	"github.com/bellwether-project/bellwether/internal/scrub"
)

// openAnswers opens what tells outsiders; it needs keys, facts and the crash desk.
func (a *App) openAnswers(ctx context.Context) (err error) {
	r := a.Records
	a.book, a.board = receipt.NewBook(a.keys), receipt.NewBoard()
	a.answers, err = answers.New(ctx, answers.Options{
		Desk: a.desk, Records: r.DB, Audit: r.Audit, Facts: a.facts, Book: a.book, Board: a.board, Now: now, NewID: randomID, Taken: a.triage.Taken,
		Project: func(id int64) (receipt.Asker, bool) {
			p := r.Registry.Snapshot().Projects[id]
			if p == nil {
				return receipt.Asker{}, false
			}
			return receipt.Asker{Extension: p.Subject.Extension, Host: p.Subject.Host}, true
		},
		KeyOf: func(public string) (int64, bool) {
			k, ok := r.Registry.KeyByPublic(public)
			return k.Key.Project, ok
		},
		Stored: func(ctx context.Context) time.Time {
			in, err := a.worker.Intake(ctx)
			if err != nil || in.Waiting == 0 {
				return now()
			}
			return in.Newest
		},
	})
	return err
}

// receipts is what the door answers the senders of crashes from.
func (a *App) receipts(base *url.URL) *ingest.Receipts {
	return &ingest.Receipts{Book: a.book, Board: a.board, World: a.Records.Registry.World, Base: base.String()}
}

// doctor reads traces that people paste.
func (a *App) doctor() *diagnose.Doctor {
	return &diagnose.Doctor{World: a.Records.Registry.World, Scrub: scrub.New(scrub.Options{}), Board: a.board, Near: a.worker.Nearest}
}

type noteFunc = func(ctx context.Context, project int64, crash, text string, from netip.Addr) (eco.ID, error)

// ReceiptID is the id of a report's receipt, for the demo world.
func (a *App) ReceiptID(id eco.ID) string { return a.book.ID(id) }

// addNote sends what a reporter adds to a report down the ordinary way.
func (a *App) addNote(in *ingest.Server) noteFunc {
	return func(ctx context.Context, project int64, crash, text string, from netip.Addr) (eco.ID, error) {
		p := a.Records.Registry.Snapshot().Projects[project]
		if p == nil {
			return eco.ID{}, fault.E("app.addNote", fault.NotFound, "The project of this report is gone.", nil)
		}
		return in.Add(ctx, ingest.Note{Project: p, Crash: crash, Message: text, From: from})
	}
}

// reporters is what telling the senders of reports needs. Push services are on the
// open internet; only the demo's is on this machine.
func (a *App) reporters() (*alert.Reporters, error) {
	r := &alert.Reporters{Answers: a.answers, Hash: func(purpose, raw string) uint64 { return a.keys.Hash64(receipt.Scope, purpose, raw) }}
	secret, err := a.keys.Derive(receipt.Scope, "push")
	if err != nil {
		return nil, err
	}
	if r.Push, err = hook.NewPushKey(secret); err != nil {
		return nil, err
	}
	if a.o.Demo {
		r.Policy.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	return r, nil
}

// answerJobs keep what outsiders are told up to date.
func (a *App) answerJobs() []jobs.Job {
	return []jobs.Job{
		{Name: "answers", What: "Looks what is known of signatures, so that the doors can answer at once.", Every: 5 * time.Second, Limit: time.Minute, Local: true, Do: func(ctx context.Context) (string, error) {
			return "", a.answers.Refresh(ctx)
		}},
		{Name: "withdrawals", What: "Erases what reporters withdrew and could not be erased at once.", Every: 5 * time.Minute, Limit: 10 * time.Minute, Do: a.answers.Sweep},
		{Name: "published", What: "Counts anew how often what was published as fixed still comes.", Every: 24 * time.Hour, Limit: 10 * time.Minute, Do: a.answers.Revise},
	}
}
