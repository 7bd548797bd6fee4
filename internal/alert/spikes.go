package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/anomaly"
	"github.com/bellwether-project/bellwether/internal/crash"
)

// looksAnHour is how often the hour that is running is judged: the rate of false
// alarms is shared among the looks.
const looksAnHour = 6

// maxSpiking bounds the families of one look that are compared with their past:
// those with the most crashes.
const maxSpiking = 200

// Watch is a job: it compares the last full hour and the one that is running with
// the same hours of the four weeks before.
func (s *Service) Watch(ctx context.Context) (string, error) {
	now := s.o.Now()
	hour := now.Truncate(time.Hour)
	found := 0
	for i, h := range []time.Time{hour.Add(-time.Hour), hour} {
		alpha := anomaly.FalseAlarm
		if i == 1 {
			alpha /= looksAnHour
		}
		list, err := s.spikes(ctx, h, alpha)
		if err != nil {
			return "", err
		}
		found += len(list)
		if err := s.tell(ctx, list, 0); err != nil {
			return "", err
		}
	}
	switch found {
	case 0:
		return "nothing out of the ordinary", nil
	case 1:
		return "1 family spikes", nil
	}
	return fmt.Sprintf("%d families spike", found), nil
}

// spikes judges one hour of receipt.
func (s *Service) spikes(ctx context.Context, hour time.Time, alpha float64) ([]news, error) {
	now := s.o.Now()
	loud, err := s.o.Desk.Hours(ctx, hour, hour.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	var ids []string
	at := map[string]crash.Hour{}
	for _, h := range loud { // most crashes first
		if h.Crashes >= anomaly.MinCount && h.Installs >= anomaly.MinInstalls && len(ids) < maxSpiking {
			ids = append(ids, h.Family)
			at[h.Family] = h
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	past, err := s.past(ctx, hour, ids)
	if err != nil {
		return nil, err
	}
	known, installs, handled, err := s.measure(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []news
	for _, id := range ids {
		f, ok := known[id]
		if !ok || f.State == crash.Ignored {
			continue
		}
		v := anomaly.Spike(anomaly.Window{Count: at[id].Crashes, Installs: at[id].Installs}, before(past[id], hour, f.FirstSeen), alpha)
		if !v.Spike {
			continue
		}
		// Without the counts themselves: those are for readers who may see them.
		note := fmt.Sprintf("About %.0f times as many crashes, and %.0f times as many installs, as in the same hours of the weeks before. By itself that happens less often than once in %.0f looks.",
			float64(at[id].Crashes)/v.Expected, float64(at[id].Installs)/v.Usual, 1/alpha)
		out = append(out, news{Item: outbox.Item{Key: "spike:" + id + ":" + hour.UTC().Format("2006-01-02T15"), Kind: string(Spike), Topic: id, Note: note, At: now},
			family: f, installs: installs[id], handled: handled[id]})
	}
	return out, nil
}

// past reads the same hour, and the one on either side, of the four weeks before.
func (s *Service) past(ctx context.Context, hour time.Time, ids []string) (map[string]map[int64]anomaly.Window, error) {
	out := map[string]map[int64]anomaly.Window{}
	for week := 1; week <= 4; week++ {
		same := hour.AddDate(0, 0, -7*week)
		list, err := s.o.Desk.Hours(ctx, same.Add(-time.Hour), same.Add(2*time.Hour), ids...)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			if out[h.Family] == nil {
				out[h.Family] = map[int64]anomaly.Window{}
			}
			out[h.Family][h.Hour.UnixMilli()] = anomaly.Window{Count: h.Crashes, Installs: h.Installs}
		}
	}
	return out, nil
}

// before lists the windows to compare with: hours without a crash count as none,
// hours before the family existed do not count.
func before(got map[int64]anomaly.Window, hour, first time.Time) []anomaly.Window {
	var out []anomaly.Window
	for week := 1; week <= 4; week++ {
		for _, off := range []time.Duration{-time.Hour, 0, time.Hour} {
			if h := hour.AddDate(0, 0, -7*week).Add(off); !h.Before(first.Truncate(time.Hour)) {
				out = append(out, got[h.UnixMilli()])
			}
		}
	}
	return out
}
