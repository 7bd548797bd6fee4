package app

import (
	"context"
	"time"

	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// spent reads what each project had accepted in the present UTC day before the
// start, from the counts; the door asks it for the quotas of the day.
func (a *App) spent(ctx context.Context) (func(project int64) int64, error) {
	y, m, d := now().UTC().Date()
	counts, err := a.counts.List(ctx, pipeline.CountFilter{From: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return nil, err
	}
	sums := map[int64]int64{}
	for _, c := range counts {
		if c.Outcome == pipeline.Accepted {
			sums[c.Project] += c.N
		}
	}
	return func(project int64) int64 { return sums[project] }, nil
}
