package crash

import (
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
)

// DocumentVersion is the form of documents written today.
const DocumentVersion = 1

// Document is the final form of one crash, as kept beside its fact: what came in
// (scrubbed), and everything that was decided about it, with reasons.
type Document struct {
	Version     int           `json:"version"`
	ID          eco.ID        `json:"id"`
	ClientID    string        `json:"client_id,omitempty"`
	Received    int64         `json:"received"` // Unix milliseconds
	Time        int64         `json:"time"`
	Protocol    string        `json:"protocol"`
	Weight      float64       `json:"weight,omitempty"`
	Quarantined bool          `json:"quarantined,omitempty"`
	Origin      eco.Origin    `json:"origin"`
	Crash       eco.Crash     `json:"crash"`
	Signature   eco.Signature `json:"signature"`
	Blame       eco.Blame     `json:"blame"`
	Placement   Placement     `json:"placement"`
	Removed     []eco.Removal `json:"removed,omitempty"`
	Steps       []eco.Step    `json:"steps,omitempty"`
	Redacted    bool          `json:"redacted,omitempty"` // Redact took out what belongs to others
}

// Placement is why the crash is in its family.
type Placement struct {
	Family string        `json:"family"`
	New    bool          `json:"new,omitempty"`   // it opened the family
	Known  bool          `json:"known,omitempty"` // its very token sequence was known
	Score  float64       `json:"score"`           // similarity to the nearest representative, in [-1, 1]
	Near   []Near        `json:"near,omitempty"`  // other families that are nearly as similar: possible merges
	Why    []eco.WhyStep `json:"why,omitempty"`
}

// linked follows what people merged and split.
func (p Placement) linked(l *family.Links, signature string) Placement {
	p.Family = l.Resolve(p.Family, signature)
	near := p.Near
	p.Near = nil
	for _, n := range near {
		n.Family = l.Resolve(n.Family, "")
		if n.Family != p.Family && !slices.ContainsFunc(p.Near, func(x Near) bool { return x.Family == n.Family }) {
			p.Near = append(p.Near, n)
		}
	}
	return p
}

// Near is another family close by.
type Near struct {
	Family string  `json:"family"`
	Score  float64 `json:"score"`
}
