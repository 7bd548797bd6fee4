package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/route"
)

// maxTokens bounds the frames of a signature that rules see.
const maxTokens = 20

// standing is what is stored of a family.
type standing struct {
	team, rule, person string
	hand               bool
	rules              int64
	routed             int64
	why, subject       string
	there              bool
}

// standings reads families; those not there are zero.
func standings(ctx context.Context, q querier, ids []string) (map[string]standing, error) {
	out := make(map[string]standing, len(ids))
	for part := range slices.Chunk(ids, 500) {
		marks, args := marks(part)
		err := scan(ctx, q, func(r *sql.Rows) error {
			var id string
			s := standing{there: true}
			var hand int64
			err := r.Scan(&id, &s.team, &hand, &s.rule, &s.person, &s.rules, &s.routed, &s.why, &s.subject)
			s.hand = hand != 0
			out[id] = s
			return err
		}, `SELECT family, team, team_hand, team_rule, person, rules, routed_ms, why, subject FROM triage_family WHERE family IN (`+marks+`)`, args...)
		if err != nil {
			return nil, fault.Wrap("triage.standings", err)
		}
	}
	return out, nil
}

// stable is the part of a subject that does not change: what its representative says.
type stable struct {
	Kind      string          `json:"kind,omitempty"`
	Blame     route.Blame     `json:"blame"`
	Signature route.Signature `json:"signature"`
}

// subjects gathers what rules may ask about families. The representative's part
// is taken from what is stored, else from its document; families whose document
// is not there yet are in young.
func (d *Desk) subjects(ctx context.Context, ids []string, have map[string]standing) (out map[string]route.Crash, kept map[string]string, young map[string]bool, err error) {
	var read []string
	for _, id := range ids {
		if have[id].subject == "" {
			read = append(read, id)
		}
	}
	known, _, err := d.o.Desk.Subjects(ctx, ids, false)
	if err != nil {
		return nil, nil, nil, err
	}
	_, docs, err := d.o.Desk.Subjects(ctx, read, true)
	if err != nil {
		return nil, nil, nil, err
	}
	impact, err := d.o.Desk.Impacts(ctx, ids)
	if err != nil {
		return nil, nil, nil, err
	}
	out, kept, young = make(map[string]route.Crash, len(ids)), map[string]string{}, map[string]bool{}
	for id, f := range known {
		c := d.subject(&f, impact[id])
		var s stable
		if doc, ok := docs[id]; ok {
			s = stableOf(&doc)
			kept[id] = text(s)
		} else if stored := have[id].subject; stored != "" {
			if err := json.Unmarshal([]byte(stored), &s); err != nil {
				return nil, nil, nil, fault.E("triage.subjects", fault.Internal, "A stored family cannot be read.", err)
			}
			kept[id] = stored
		} else {
			young[id] = true
			s.Blame = route.Blame{Extension: string(f.Blame), Target: f.Target}
		}
		c.Family.Kind, c.Blame, c.Signature = s.Kind, s.Blame, s.Signature
		out[id] = c
	}
	return out, kept, young, nil
}

func (d *Desk) subject(f *crash.Family, m crash.Impact) route.Crash {
	c := route.Crash{Now: d.o.Now(), Host: f.Host,
		Family: route.Family{ID: f.ID, Title: f.Title, Type: f.Type, Platform: f.Platform, State: string(f.State),
			FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, Version: f.Version},
		Extension: route.Extension{ID: string(f.Blame)},
		Impact:    route.Impact{Crashes: m.Crashes, Installs: m.Installs, Share: m.Share, Trend: m.Trend, Versions: m.Versions}}
	for _, r := range []string{f.FirstRelease, f.LastRelease} {
		if r != "" && !slices.Contains(c.Family.Releases, r) {
			c.Family.Releases = append(c.Family.Releases, r)
		}
	}
	if f.Blame != "" {
		c.Extension.Publisher = d.o.Registry.OwnerOf(f.Blame)
		if e := d.o.Registry.Snapshot().Extensions[f.Blame]; e != nil {
			c.Extension.Kind = string(e.Kind)
		}
	}
	return c
}

func stableOf(doc *crash.Document) stable {
	s := stable{Kind: doc.Crash.Level, Blame: route.Blame{Extension: string(doc.Blame.Extension), Target: doc.Blame.Target, Confidence: doc.Blame.Confidence}}
	if len(doc.Blame.Candidates) > 0 {
		s.Blame.Step, s.Blame.Role = doc.Blame.Candidates[0].Step, doc.Blame.Candidates[0].Role
	}
	sig := doc.Signature
	s.Signature = route.Signature{Hash: sig.Hash, Key: sig.Key, Title: sig.Title, Tokens: sig.Tokens[:min(len(sig.Tokens), maxTokens)], Low: sig.Low}
	return s
}
