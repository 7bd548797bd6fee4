package app

import (
	"context"
	"fmt"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/jobs"
	"github.com/bellwether-project/bellwether/internal/pipeline"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// countsDays is how long the hourly counts of intake are kept.
const countsDays = 90

// schedule is the table of everything that recurs.
func (a *App) schedule() []jobs.Job {
	r := a.Records
	return append(append(a.answerJobs(), a.dumpJobs()...), []jobs.Job{
		{Name: "counts", What: "Writes the counts of intake that were added up in memory.", Every: 10 * time.Second, Limit: time.Minute, Local: true, Do: func(ctx context.Context) (string, error) {
			return "", a.counts.Flush(ctx)
		}},
		{Name: "registers", What: "Looks whether another process changed the registers.", Every: 5 * time.Second, Limit: time.Minute, Local: true, Do: func(ctx context.Context) (string, error) {
			return "", r.Registry.Refresh(ctx)
		}},
		{Name: "memory", What: "Lets the limit of memory follow what is in use.", Every: 10 * time.Second, Limit: time.Minute, Local: true, Do: tendMemory},
		{Name: "purge", What: "Drops the partitions whose retention has run out.", Every: time.Hour, Limit: 10 * time.Minute, Do: func(ctx context.Context) (string, error) {
			gone, err := a.facts.Purge(ctx, now())
			return counted(len(gone), "partition", "dropped"), err
		}},
		{Name: "erasure", What: "Rewrites partitions, so that what was erased is gone from the disk.", Every: 15 * time.Minute, Limit: time.Hour, Do: func(ctx context.Context) (string, error) {
			n, err := a.facts.Rewrite(ctx)
			return counted(n, "partition", "rewritten"), err
		}},
		{Name: "compact", What: "Packs the days that are over.", Every: time.Hour, Limit: time.Hour, Do: a.compact},
		{Name: "letters", What: "Drops dead letters that are too old, and old counts.", Every: time.Hour, Limit: 10 * time.Minute, Do: func(ctx context.Context) (string, error) {
			if err := a.counts.Prune(ctx, now().AddDate(0, 0, -countsDays)); err != nil {
				return "", err
			}
			n, err := a.worker.ExpireLetters(ctx)
			return counted(int(n), "letter", "dropped"), err
		}},
		{Name: "suspects", What: "Compares crashes of a host with its healthy sessions: which extensions were active more often than expected.", Every: 3 * time.Minute, Limit: 10 * time.Minute, Do: a.suspect.Recompute},
		{Name: "suspects-read", What: "Looks what another process found about suspects.", Every: time.Minute, Limit: time.Minute, Local: true, Do: a.suspect.Refresh},
		{Name: "families", What: "Forgets families that nobody has seen for long, and finds new representatives for those whose crash is gone.", Every: 24 * time.Hour, Limit: time.Hour, Do: a.desk.Tend},
		{Name: "priorities", What: "Weighs families by scope, repetition, severity and trend, and names what they look like.", Every: 10 * time.Minute, Limit: 5 * time.Minute, Do: a.desk.Rate},
		{Name: "wake", What: "Opens ignored families that have come to what they waited for.", Every: 5 * time.Minute, Limit: 5 * time.Minute, Do: a.wake},
		{Name: "routing", What: "Sends new crash families to their teams.", Every: 5 * time.Second, Limit: time.Minute, Local: true, Do: a.triage.Route},
		{Name: "rerouting", What: "Asks the routing rules again where they look at what changes, and finds families that were missed.", Every: time.Hour, Limit: 10 * time.Minute, Do: a.reroute},
		{Name: "symbols", What: "Names crashes whose symbol files came after them.", Every: 10 * time.Second, Limit: 10 * time.Minute, Local: true, Do: a.worker.NameLate},
		{Name: "symbols-tidy", What: "Removes symbol files that were deleted, and forgets what nobody misses any more.", Every: time.Hour, Limit: 10 * time.Minute, Do: r.Symbols.Tidy},
		{Name: "sessions", What: "Forgets sign-ins, links and invitations that ended.", Every: time.Hour, Limit: time.Minute, Do: func(ctx context.Context) (string, error) {
			n, err := r.Accounts.Tidy(ctx)
			return counted(int(n), "entry", "forgotten"), err
		}},
	}...)
}

func (a *App) reroute(ctx context.Context) (string, error) {
	if _, err := a.triage.Tidy(ctx); err != nil {
		return "", err
	}
	return a.triage.Reroute(ctx)
}

// compacter is a facts engine that packs closed days.
type compacter interface {
	Compact(ctx context.Context, before eco.Day) (int, error)
}

func (a *App) compact(ctx context.Context) (string, error) {
	c, ok := a.facts.(compacter)
	if !ok {
		return "nothing to do: this engine packs by itself", nil
	}
	n, err := c.Compact(ctx, eco.DayOf(now()))
	return counted(n, "partition", "packed"), err
}

func counted(n int, what, done string) string {
	switch n {
	case 0:
		return "nothing to do"
	case 1:
		return "1 " + what + " " + done
	}
	return fmt.Sprintf("%d %ss %s", n, what, done)
}

// subjectOf says what a release belongs to.
func subjectOf(r pipeline.Release) registry.Subject {
	if r.Extension != "" {
		return registry.Subject{Extension: r.Extension}
	}
	return registry.Subject{Host: r.Host}
}
