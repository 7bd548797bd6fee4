package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/registry"
)

type claimBody struct {
	Extension string       `json:"extension" maxLength:"128"`
	Publisher string       `json:"publisher" maxLength:"64" doc:"That is to own it: one the caller is an author of, or a new one."`
	Method    registry.Way `json:"method" enum:"file,dns,list"`
	Place     string       `json:"place,omitempty" maxLength:"2000" doc:"Where there are several: one of GET /claims/places."`
}

type listedBody struct {
	Emails []string `json:"emails" maxItems:"50" doc:"E-mail addresses that the marketplace's own list names as owners. Only digests are kept."`
}

// claimRoutes are about one's own claims to extensions.
func (s *Server) claimRoutes() {
	own := func(c *call) account.Resource { return account.Resource{Kind: "claim", Account: c.p.ID} }
	type places struct {
		Extension string `query:"extension" required:"true" maxLength:"128"`
	}
	add(s, op{Method: "GET", Path: "/claims/places", ID: "claims.places", Action: account.ClaimEdit, Doc: "How a claim to an extension can be proven, and where."},
		func(c *call, _ *places) (account.Resource, error) { return own(c), nil },
		func(c *call, in *places) (list[registry.Place], error) {
			id, err := eco.ParseExtensionID(in.Extension)
			if err != nil {
				return list[registry.Place]{}, err
			}
			if s.o.Claims == nil {
				return list[registry.Place]{}, absent("api.claims")
			}
			items, err := s.o.Claims.Places(c.ctx, id)
			return listOf(items, ""), err
		})
	add(s, op{Method: "GET", Path: "/claims", ID: "claims.list", Action: account.ClaimEdit, Doc: "One's own claims to extensions, newest first."},
		func(c *call, _ *struct{}) (account.Resource, error) { return own(c), nil },
		func(c *call, _ *struct{}) (list[registry.Claim], error) {
			items, err := s.o.Registry.Claims(c.ctx, c.p.ID)
			return listOf(items, ""), err
		})
	type open struct{ Body claimBody }
	add(s, op{Method: "POST", Path: "/claims", ID: "claims.open", Action: account.ClaimEdit, Doc: "Claims an extension; the answer's token has to stand at its place as the line bellwether-claim=TOKEN."},
		func(c *call, _ *open) (account.Resource, error) { return own(c), nil },
		func(c *call, in *open) (registry.Claim, error) {
			if s.o.Claims == nil {
				return registry.Claim{}, absent("api.claims")
			}
			id, err := eco.ParseExtensionID(in.Body.Extension)
			if err != nil {
				return registry.Claim{}, err
			}
			return s.o.Claims.Open(c.ctx, c.p, registry.Claim{Extension: id, Publisher: in.Body.Publisher, Method: in.Body.Method, Place: in.Body.Place})
		})
	type one struct {
		ID string `path:"id" maxLength:"64"`
	}
	add(s, op{Method: "POST", Path: "/claims/{id}/check", ID: "claims.check", Action: account.ClaimEdit, Doc: "Looks for the proof. When it stands, the extension's owner changes, and who had access through the former one has none any more."},
		func(c *call, _ *one) (account.Resource, error) { return own(c), nil },
		func(c *call, in *one) (registry.Claim, error) {
			if s.o.Claims == nil {
				return registry.Claim{}, absent("api.claims")
			}
			return s.o.Claims.Check(c.ctx, c.p, in.ID)
		})
	add(s, op{Method: "DELETE", Path: "/claims/{id}", ID: "claims.withdraw", Action: account.ClaimEdit, Doc: "Withdraws an open claim."},
		func(c *call, _ *one) (account.Resource, error) { return own(c), nil },
		func(c *call, in *one) (struct{}, error) {
			return struct{}{}, s.o.Registry.Withdraw(c.ctx, c.actor(), c.p.ID, in.ID)
		})
	type listedOwners struct {
		ID   string `path:"id" maxLength:"128"`
		Body listedBody
	}
	add(s, op{Method: "PUT", Path: "/extensions/{id}/listed-owners", ID: "extensions.listed", Action: account.AccountEdit, Doc: "Replaces whom the marketplace's own list names as owners of an extension, for claims by that list."},
		func(*call, *listedOwners) (account.Resource, error) { return account.OfServer("extension", ""), nil },
		func(c *call, in *listedOwners) (struct{}, error) {
			id, err := eco.ParseExtensionID(in.ID)
			if err != nil {
				return struct{}{}, err
			}
			return struct{}{}, s.o.Registry.SetListed(c.ctx, c.actor(), id, in.Body.Emails)
		})
}
