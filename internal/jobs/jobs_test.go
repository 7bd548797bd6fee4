package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/jobs"
)

func table(t *testing.T, d *db.DB, holder string, now func() time.Time, list ...jobs.Job) *jobs.Table {
	t.Helper()
	tab, err := jobs.New(t.Context(), jobs.Options{DB: d, Holder: holder, Now: now}, list)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestNewRefuses(t *testing.T) {
	d := dbtest.Open(t)
	do := func(context.Context) (string, error) { return "", nil }
	good := jobs.Job{Name: "a", What: "A.", Every: time.Second, Limit: time.Second, Do: do}
	for name, change := range map[string]func(*jobs.Job){
		"name":      func(j *jobs.Job) { j.Name = "A b" },
		"text":      func(j *jobs.Job) { j.What = "" },
		"too often": func(j *jobs.Job) { j.Every = time.Millisecond },
		"no limit":  func(j *jobs.Job) { j.Limit = 0 },
		"no func":   func(j *jobs.Job) { j.Do = nil },
	} {
		j := good
		change(&j)
		if _, err := jobs.New(t.Context(), jobs.Options{DB: d, Now: time.Now}, []jobs.Job{j}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := jobs.New(t.Context(), jobs.Options{DB: d, Now: time.Now}, []jobs.Job{good, good}); err == nil {
		t.Error("a name twice was accepted")
	}
}

// A schedule as a time table: the clock of the bubble jumps.
func TestRunKeepsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t)
		began := time.Now()
		var at []time.Duration
		fail := errors.New("disk is full of secrets")
		tab := table(t, d, "one", time.Now,
			jobs.Job{Name: "often", What: "Often.", Every: time.Minute, Limit: time.Second, Do: func(context.Context) (string, error) {
				at = append(at, time.Since(began))
				if len(at) >= 3 {
					return "", fail
				}
				return "did it", nil
			}},
			jobs.Job{Name: "long", What: "Long.", Every: time.Hour, Limit: 10 * time.Second, Do: func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", fault.E("long", fault.Unavailable, "It took too long.", ctx.Err())
			}},
			jobs.Job{Name: "breaks", What: "Breaks.", Every: time.Hour, Limit: time.Second, Do: func(context.Context) (string, error) { panic("x") }},
		)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- tab.Run(ctx) }()
		time.Sleep(3*time.Minute + 30*time.Second) // the bubble's clock
		list, err := tab.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(at) != 4 || at[3].Round(time.Second) != 3*time.Minute {
			t.Errorf("ran at %v, want every minute from 0", at)
		}
		often, long, breaks := list[0], list[1], list[2]
		if often.Outcome != jobs.Failed || often.Failures != 2 || strings.Contains(often.Note, "secrets") || often.Next.Sub(often.Last) != time.Minute {
			t.Errorf("often: %+v", often)
		}
		if long.Outcome != jobs.Failed || long.Note != "It took too long." || long.Took != 10*time.Second || long.Running {
			t.Errorf("long: %+v", long)
		}
		if breaks.Outcome != jobs.Failed || breaks.Note != "The job broke." {
			t.Errorf("breaks: %+v", breaks)
		}
	})
}

// A job that another process holds is looked at again after a while, not at once
// and for ever.
func TestWaitsForAnothersLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t)
		asked := 0
		now := func() time.Time { asked++; return time.Now() }
		j := jobs.Job{Name: "slow", What: "Slow.", Every: time.Second, Limit: 5 * time.Minute, Do: func(context.Context) (string, error) {
			time.Sleep(4 * time.Minute)
			return "", nil
		}}
		one, two := table(t, d, "one", time.Now, j), table(t, d, "two", now, j)
		if err := one.RunNow(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		if err := two.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if asked > 50 {
			t.Errorf("looked %d times in three minutes", asked)
		}
		time.Sleep(2 * time.Minute)
	})
}

// Every process runs its own local jobs, and the database hears nothing of them.
func TestLocalJobs(t *testing.T) {
	d := dbtest.Open(t)
	clock := time.UnixMilli(1_790_000_000_000)
	begun, end := make(chan bool), make(chan bool)
	j := jobs.Job{Name: "flush", What: "Flushes.", Every: 5 * time.Second, Limit: time.Minute, Local: true, Do: func(context.Context) (string, error) {
		begun <- true
		<-end
		return "flushed", nil
	}}
	one, two := table(t, d, "one", func() time.Time { return clock }, j), table(t, d, "two", func() time.Time { return clock }, j)
	for _, tab := range []*jobs.Table{one, two} {
		if err := tab.RunNow(t.Context(), "flush"); err != nil {
			t.Fatal(err)
		}
		<-begun
	}
	if list, err := one.List(t.Context()); err != nil || list[0].Outcome != "" {
		t.Errorf("while it runs: %+v %v", list, err)
	}
	for range 2 {
		end <- true
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tab := range []*jobs.Table{one, two} {
		if err := tab.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	list, err := one.List(t.Context())
	if err != nil || list[0].Outcome != jobs.OK || list[0].Note != "flushed" || !list[0].Next.Equal(clock.Add(5*time.Second)) {
		t.Errorf("after: %+v %v", list, err)
	}
	var rows int
	if err := d.Read().QueryRow(`SELECT count(*) FROM job_run`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows written, %v", rows, err)
	}
}

func TestOneAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var runs atomic.Int64
		begun, end := make(chan bool), make(chan bool)
		clock := time.UnixMilli(1_790_000_000_000)
		now := func() time.Time { return clock }
		j := jobs.Job{Name: "slow", What: "Slow.", Every: time.Hour, Limit: time.Minute, Do: func(context.Context) (string, error) {
			runs.Add(1)
			begun <- true
			<-end
			return "done", nil
		}}
		one, two := table(t, d, "one", now, j), table(t, d, "two", now, j)
		if err := one.RunNow(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		<-begun
		for who, tab := range map[string]*jobs.Table{"here": one, "elsewhere": two} {
			if err := tab.RunNow(t.Context(), "slow"); fault.CodeOf(err) != fault.Conflict {
				t.Errorf("%s: %v, want conflict", who, err)
			}
		}
		list, err := two.List(t.Context())
		if err != nil || !list[0].Running || list[0].Holder != "one" {
			t.Fatalf("list: %+v %v", list, err)
		}
		if err := one.RunNow(t.Context(), "none"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("unknown job: %v", err)
		}
		end <- true
		// Run returns when the runs have ended; nothing is due for an hour.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := one.Run(ctx); err != nil {
			t.Fatal(err)
		}
		list, err = two.List(t.Context())
		if err != nil || list[0].Running || list[0].Outcome != jobs.OK || list[0].Note != "done" || !list[0].Next.Equal(clock.Add(time.Hour)) {
			t.Fatalf("after: %+v %v", list, err)
		}
		if runs.Load() != 1 {
			t.Errorf("ran %d times", runs.Load())
		}
	})
}
