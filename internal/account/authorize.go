package account

import (
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Resource is what an action is about. Its tenant fields say whose it is; a
// thing that several tenants share (a crash in one extension reported by
// another) names them all.
type Resource struct {
	Kind       string // family, crash, extension, host, project, …
	ID         string
	Extensions []eco.ExtensionID // it belongs to these extensions
	Hosts      []string          // or to these hosts' own projects
	Publisher  string            // a publisher itself, or one that an extension shall be created for
	Team       string            // a team itself
	Account    string            // it belongs to this account (a session, a token)
	// Listing: the question is about a list, or whether p may do this to any such
	// thing at all (a form, a page that asks for more). It is allowed to everybody
	// who may do it to one; the Scope, and the question about the one thing, decide
	// which.
	Listing bool
}

// List is the resource of a list of things.
func List(kind string) Resource { return Resource{Kind: kind, Listing: true} }

// OfExtension is a thing of one extension.
func OfExtension(kind, id string, ext eco.ExtensionID) Resource {
	return Resource{Kind: kind, ID: id, Extensions: []eco.ExtensionID{ext}}
}

// OfHost is a thing of one host.
func OfHost(kind, id, host string) Resource {
	return Resource{Kind: kind, ID: id, Hosts: []string{host}}
}

// OfPublisher is a publisher, or a thing to be made for it.
func OfPublisher(kind, id, publisher string) Resource {
	return Resource{Kind: kind, ID: id, Publisher: publisher}
}

// OfServer is a thing of the whole server: accounts, jobs, settings, the log.
func OfServer(kind, id string) Resource { return Resource{Kind: kind, ID: id} }

// Decision is the answer to a question, with its reasons.
type Decision struct {
	Allow   bool
	Visible bool     // the principal may see that the thing exists
	Known   bool     // we know who asks
	Reasons []Reason // the policies that decided; none when nothing permitted it
}

// Reason is one policy that decided.
type Reason struct {
	Policy string `json:"policy"` // its id
	About  string `json:"about"`  // its @description
}

// Hide turns a decision into an error: nil when allowed, unauthenticated when we
// do not know who asks, not_found when the thing must not even be known to them
// (another tenant's), forbidden when they see it but may not do this.
func Hide(d Decision, op string) error {
	switch {
	case d.Allow:
		return nil
	case !d.Known:
		return fault.E(op, fault.Unauthenticated, "Please sign in.", nil)
	case !d.Visible:
		return fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	}
	return fault.E(op, fault.Forbidden, "Your roles do not allow this.", nil)
}

// Check is Authorize and Hide in one: nil, or the error to return.
func (s *Service) Check(op string, p Principal, a Action, r Resource) error {
	return Hide(s.Authorize(p, a, r), op)
}
