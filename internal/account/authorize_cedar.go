package account

import (
	"context"
	"log/slog"
	"slices"

	"github.com/cedar-policy/cedar-go"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// Authorize decides whether p may do a with r. It denies when no policy permits,
// when one forbids, and (with an alarm) when one cannot be evaluated: Cedar
// itself would skip a forbid that fails and allow.
func (s *Service) Authorize(p Principal, a Action, r Resource) Decision {
	info, ok := a.Info()
	if !ok {
		s.alarm(a, []string{"unknown action"})
		return Decision{Known: p.Known()}
	}
	q := s.question(p, r)
	allow, reasons := s.ask(q, a, info.Scope)
	d := Decision{Allow: allow, Known: p.Known(), Reasons: reasons, Visible: allow}
	if !allow && d.Known {
		// A thing of the server as a whole, and a list, are no secret. For the rest the
		// owner's grants decide, not a token's scopes: a token that lacks a scope is
		// told so.
		d.Visible = r.Listing || r.tenantless()
		if !d.Visible {
			d.Visible, _ = s.ask(q, a.readOf(), "")
		}
	}
	return d
}

// tenantless reports whether the resource belongs to the server as a whole.
func (r Resource) tenantless() bool {
	return len(r.Extensions) == 0 && len(r.Hosts) == 0 && r.Publisher == "" && r.Team == "" && r.Account == ""
}

// question is a principal and a thing in Cedar's words.
type question struct {
	entities       cedar.EntityMap
	principal, res cedar.EntityUID
}

func (s *Service) question(p Principal, r Resource) question {
	var roles, author, triager, support, teams []string
	for _, g := range p.Grants {
		switch {
		case g.Role == Author:
			if g.Publisher != "" {
				author = append(author, g.Publisher)
			}
		case g.Team == "":
			roles = append(roles, string(g.Role))
		case g.Role == Triager:
			triager = append(triager, g.Team)
		case g.Role == Support:
			support = append(support, g.Team)
		}
	}
	for _, list := range [][]string{triager, support} {
		for _, team := range list {
			if !slices.Contains(teams, team) && s.owns(team, r) {
				teams = append(teams, team)
			}
		}
	}
	publishers := make([]string, 0, len(r.Extensions)+1)
	if r.Publisher != "" {
		publishers = append(publishers, r.Publisher)
	}
	for _, e := range r.Extensions {
		publishers = append(publishers, s.ownerOf(e))
	}
	scopes := make([]string, len(p.Scopes))
	for i, sc := range p.Scopes {
		scopes[i] = string(sc)
	}
	kind := p.Kind
	if kind == "" {
		kind = KindPublic
	}
	account := p.ID
	if kind == KindSystem {
		account = ""
	}
	q := question{principal: cedar.NewEntityUID("Principal", cedar.String(p.Actor())), res: cedar.NewEntityUID("Thing", cedar.String(r.Kind+":"+r.ID))}
	q.entities = cedar.EntityMap{
		q.principal: {UID: q.principal, Attributes: cedar.NewRecord(cedar.RecordMap{
			"kind": cedar.String(kind), "account": cedar.String(account), "roles": set(roles), "authorOf": set(author),
			"triagerOf": set(triager), "supportOf": set(support), "scopes": set(scopes),
		})},
		q.res: {UID: q.res, Attributes: cedar.NewRecord(cedar.RecordMap{
			"kind": cedar.String(r.Kind), "publishers": set(publishers), "teams": set(teams),
			"account": cedar.String(r.Account), "listing": cedar.Boolean(r.Listing),
		})},
	}
	return q
}

// ownerOf is the publisher that owns an extension.
func (s *Service) ownerOf(e eco.ExtensionID) string {
	if s.opts.OwnerOf == nil {
		return e.Publisher()
	}
	return s.opts.OwnerOf(e)
}

func set(words []string) cedar.Set {
	vs := make([]cedar.Value, len(words))
	for i, w := range words {
		vs[i] = cedar.String(w)
	}
	return cedar.NewSet(vs...)
}

// request is the question for one action; scope "" leaves tokens unrestricted.
func (q question) request(a Action, scope Scope) cedar.Request {
	context := cedar.RecordMap{}
	if scope != "" {
		context["scope"] = cedar.String(scope)
	}
	return cedar.Request{Principal: q.principal, Action: cedar.NewEntityUID("Action", cedar.String(a)), Resource: q.res, Context: cedar.NewRecord(context)}
}

func (s *Service) ask(q question, a Action, scope Scope) (bool, []Reason) {
	decision, diag := cedar.Authorize(s.rules.set, q.entities, q.request(a, scope))
	if len(diag.Errors) > 0 {
		ids := make([]string, len(diag.Errors))
		for i, e := range diag.Errors {
			ids[i] = string(e.PolicyID)
		}
		s.alarm(a, ids)
		return false, nil
	}
	reasons := make([]Reason, len(diag.Reasons))
	for i, r := range diag.Reasons {
		reasons[i] = Reason{Policy: string(r.PolicyID), About: s.rules.about[r.PolicyID]}
	}
	slices.SortFunc(reasons, func(a, b Reason) int {
		if a.Policy < b.Policy {
			return -1
		}
		return 1
	})
	return decision == cedar.Allow, reasons
}

func (s *Service) alarm(a Action, ids []string) {
	if s.opts.Alarm != nil {
		s.opts.Alarm(a, ids)
		return
	}
	slog.LogAttrs(context.Background(), slog.LevelError, "a policy could not be evaluated; the request was denied",
		slog.Bool("alarm", true), slog.String("action", string(a)), slog.Any("policies", ids))
}

// owns reports whether a team owns one of the resource's extensions or hosts, or
// is the resource.
func (s *Service) owns(team string, r Resource) bool {
	if r.Team == team {
		return true
	}
	if s.opts.TeamOwns == nil || len(r.Extensions)+len(r.Hosts) == 0 {
		return false
	}
	exts, hosts := s.opts.TeamOwns(team)
	for _, e := range r.Extensions {
		if slices.Contains(exts, e) {
			return true
		}
	}
	for _, h := range r.Hosts {
		if slices.Contains(hosts, h) {
			return true
		}
	}
	return false
}

// Scope says which rows p may see: everything for triager, support and steward of
// the whole ecosystem; a team's extensions and hosts; an author's own extensions;
// and nothing for everybody else, operators and auditors among them. Tokens see
// what their owner sees.
func (s *Service) Scope(p Principal) facts.Scope {
	if p.Kind == KindSystem {
		return facts.Everything()
	}
	if !p.Known() {
		return facts.Only(nil, nil)
	}
	var exts []eco.ExtensionID
	var hosts []string
	for _, g := range p.Grants {
		switch {
		case g.Role == Steward, g.Team == "" && (g.Role == Triager || g.Role == Support):
			return facts.Everything()
		case g.Role == Author && g.Publisher != "" && s.opts.ExtensionsOf != nil:
			exts = append(exts, s.opts.ExtensionsOf(g.Publisher)...)
		case (g.Role == Triager || g.Role == Support) && s.opts.TeamOwns != nil:
			e, h := s.opts.TeamOwns(g.Team)
			exts, hosts = append(exts, e...), append(hosts, h...)
		}
	}
	slices.Sort(exts)
	slices.Sort(hosts)
	return facts.Only(slices.Compact(exts), slices.Compact(hosts))
}

// LetterScope says which dead letters p may list, replay and discard: those of its
// rows, and all of them for whoever runs the server, who sees what a letter is
// about but, with Scope, not the record in it.
func (s *Service) LetterScope(p Principal) facts.Scope {
	if s.Authorize(p, IntakeReplay, OfServer("letter", "")).Allow {
		return facts.Everything()
	}
	return s.Scope(p)
}

// Policies lists the policies for pages, in the order of their files.
func (s *Service) Policies() []PolicyInfo { return slices.Clone(s.rules.list) }
