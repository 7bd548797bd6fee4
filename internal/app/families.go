package app

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// releaseOrder lists the declared releases of an extension, or of a host, by the
// time of publication: the order that regressions go by.
func (a *App) releaseOrder(ctx context.Context, ext eco.ExtensionID, host string) ([]string, error) {
	s := registry.Subject{Extension: ext}
	if ext == "" {
		s.Host = host
	}
	var all []registry.Release
	for after := ""; ; {
		page, next, err := a.Records.Registry.Releases(ctx, s, after, 500)
		if fault.CodeOf(err) == fault.NotFound { // nobody registered it
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Declared {
				all = append(all, r)
			}
		}
		if after = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b registry.Release) int {
		if c := a.Published.Compare(b.Published); c != 0 {
			return c
		}
		return eco.CompareVersions(a.Version, b.Version)
	})
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.Version
	}
	return out, nil
}

// wake opens ignored families that have come to what they waited for.
func (a *App) wake(ctx context.Context) (string, error) {
	note, _, err := a.desk.Wake(ctx)
	return note, err
}
