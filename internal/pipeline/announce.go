package pipeline

import (
	"context"
	"time"
)

// maxAnnounced bounds the memory of releases that were told; when it is full
// everything is told again.
const maxAnnounced = 50_000

// announce tells the register of versions that were not seen since the start. A
// failure is told to the log; the next sight of the version tries again.
func (w *Worker) announce(ctx context.Context, items []item) {
	if w.o.Releases == nil {
		return
	}
	var fresh []Release
	look := func(r Release, ms int64) {
		if r.Version == "" || r.Extension == "" && r.Host == "" {
			return
		}
		if _, known := w.releases[r]; known {
			return
		}
		if len(w.releases) >= maxAnnounced {
			clear(w.releases)
		}
		w.releases[r] = struct{}{}
		r.Seen = time.UnixMilli(ms).UTC()
		fresh = append(fresh, r)
	}
	for i := range items {
		it := &items[i]
		if it.outcome != stored || it.env.Quarantined {
			continue
		}
		o := &it.env.Origin
		if o.Extension != "" {
			look(Release{Extension: o.Extension, Version: o.ExtVersion, Channel: o.Channel}, it.env.Received)
			look(Release{Host: o.Host, Version: o.HostVersion}, it.env.Received)
		} else {
			look(Release{Host: o.Host, Version: o.HostVersion, Channel: o.Channel}, it.env.Received)
		}
		if it.crashPart != nil && it.blame.Extension != "" && it.blame.Extension != o.Extension {
			look(Release{Extension: it.blame.Extension, Version: it.release}, it.env.Received)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if err := w.o.Releases(ctx, fresh); err != nil {
		w.o.Log.Error("releases are not registered", "n", len(fresh), "err", err)
		for _, r := range fresh {
			r.Seen = time.Time{}
			delete(w.releases, r)
		}
	}
}
