package world

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Register puts the ecosystem into an empty register and returns the keys that
// its projects got, for Options.Keys. Accounts are not the register's.
func (e Ecosystem) Register(ctx context.Context, r *registry.Registry, actor string) (map[string]ProjectKey, error) {
	const op = "world.Register"
	for _, p := range e.Publishers {
		if _, err := r.PutPublisher(ctx, actor, p); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	for _, h := range e.Hosts {
		if _, err := r.PutHost(ctx, actor, h); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	for _, x := range e.Extensions {
		if _, err := r.PutExtension(ctx, actor, x); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	for _, t := range e.Teams {
		if _, err := r.PutTeam(ctx, actor, t); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	for _, rel := range e.Releases {
		if _, err := r.DeclareRelease(ctx, actor, rel); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	keys := map[string]ProjectKey{}
	for _, p := range e.Projects {
		made, k, err := r.CreateProject(ctx, actor, p.Project)
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		k.Label, k.RatePerMinute, k.Burst = p.Key.Label, p.Key.RatePerMinute, p.Key.Burst
		if _, err := r.UpdateKey(ctx, actor, k); err != nil {
			return nil, fault.Wrap(op, err)
		}
		keys[p.Name] = ProjectKey{ID: made.ID, Public: k.Public}
	}
	return keys, nil
}
