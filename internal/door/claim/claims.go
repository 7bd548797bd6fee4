package claim

import (
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Claims is what the doors offer people who claim: the register, the accounts and
// the looking together. Everybody works on their own claims only.
type Claims struct {
	Registry *registry.Registry
	Accounts *account.Service
	Prover   *Prover
}

// Places lists how a claim to an extension can be proven. That an extension is
// registered is no secret: its id is in every marketplace.
func (c *Claims) Places(ctx context.Context, ext eco.ExtensionID) ([]registry.Place, error) {
	e, err := c.Registry.Extension(ctx, ext)
	return e.Places(), err
}

// Open opens a claim for a publisher that p is an author of, or for a new one,
// which is made when the claim is proven.
func (c *Claims) Open(ctx context.Context, p account.Principal, in registry.Claim) (registry.Claim, error) {
	if err := c.mayFor(p, in.Publisher); err != nil {
		return in, err
	}
	in.Account = p.ID
	return c.Registry.NewClaim(ctx, p.Actor(), in)
}

func (c *Claims) mayFor(p account.Principal, publisher string) error {
	if slices.Contains(p.Publishers(), publisher) || !c.Registry.Known(publisher, "") {
		return nil
	}
	return fault.E("claim.Open", fault.Forbidden, "You are no author of this publisher. Name your own, or a new one.", nil)
}

// Check looks for the proof of a claim of p's; when it stands, the extension has a
// new owner, and p is an author of it.
func (c *Claims) Check(ctx context.Context, p account.Principal, id string) (registry.Claim, error) {
	claim, err := c.Registry.Claim(ctx, p.ID, id)
	if err != nil {
		return claim, err
	}
	if claim.State != registry.ClaimOpen {
		return claim, fault.E("claim.Check", fault.Conflict, "This claim is not open any more.", nil)
	}
	if err := c.mayFor(p, claim.Publisher); err != nil { // it may have been registered meanwhile
		return claim, err
	}
	who, err := c.Accounts.Member(ctx, p.ID)
	if err != nil {
		return claim, err
	}
	fresh := !c.Registry.Known(claim.Publisher, "")
	proven, why, err := c.Prover.Look(ctx, claim, who.Email)
	if err != nil {
		return claim, err
	}
	if claim, err = c.Registry.Looked(ctx, p.Actor(), claim, proven, why); err != nil || !proven || !fresh {
		return claim, err
	}
	return claim, c.Accounts.SetGrants(ctx, account.System("claims"), p.ID, append(who.Grants, account.Grant{Role: account.Author, Publisher: claim.Publisher}))
}
