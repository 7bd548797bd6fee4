package recipe

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Gather asks the desks for what Of needs, within the reader's scope. The register
// says what kind of host it is; suspects may be nil.
func Gather(ctx context.Context, scope facts.Scope, desk *crash.Desk, suspects *suspect.Desk, reg *registry.Snapshot, d crash.Detail) (Input, error) {
	in := Input{Family: d.Family, Hosts: d.HostVersions, Releases: d.Releases, OSes: d.OSes,
		Registered: func(id eco.ExtensionID) bool { return reg.Extensions[id] != nil }}
	if h := reg.Hosts[d.Host]; h != nil {
		in.Kind = string(h.Kind)
	} else if e := reg.Extensions[d.Blame]; e != nil {
		in.Kind = string(e.Kind)
	}
	var err error
	if in.Crashes, err = desk.Sample(ctx, scope, d.ID, d.Period, MaxCrashes); err != nil {
		return in, err
	}
	if suspects != nil {
		in.Associate, err = suspects.Of(ctx, scope, d.Family)
	}
	return in, err
}
