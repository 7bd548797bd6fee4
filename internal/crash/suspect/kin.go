package suspect

import (
	"cmp"
	"context"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Kin is another family of the host in which the same extension stands out: what one
// extension does to state that many read crashes in each of them, and families never
// cross extensions. Whether it is one cause is for people to say.
type Kin struct {
	Family string            `json:"family"`
	Title  string            `json:"title"`
	Type   string            `json:"type,omitempty"`
	Blame  eco.ExtensionID   `json:"blame,omitempty"` // who crashed
	Shared []eco.ExtensionID `json:"shared"`          // who stands out in both
	Alike  bool              `json:"alike"`           // the same type of exception
	Votes  int               `json:"votes"`           // crashes, one an installation, that were compared
}

// maxKin bounds a list: those of the same type first, then those with most crashes.
const maxKin = 20

// standing is who stands out in a family.
type standing struct {
	host  string
	names []eco.ExtensionID // sorted
	votes int
}

func (s *stored) standing() (out standing) {
	out.host, out.votes = s.rec.Host, s.rec.Answer.Crashes
	for _, f := range s.rec.Answer.Findings {
		for _, m := range f.Members {
			out.names = append(out.names, m.ID)
		}
	}
	slices.Sort(out.names)
	out.names = slices.Compact(out.names)
	return out
}

// kin lists the families of the host that share a suspect with one. It is for those
// who see all of the host.
func (d *Desk) kin(ctx context.Context, of *stored) ([]Kin, error) {
	mine := of.standing()
	out := []Kin{}
	var ids []string
	d.mu.RLock()
	for id, s := range d.stands {
		if id == of.family || s.host != mine.host {
			continue
		}
		shared := slices.DeleteFunc(slices.Clone(mine.names), func(e eco.ExtensionID) bool { return !slices.Contains(s.names, e) })
		if len(shared) > 0 {
			out, ids = append(out, Kin{Family: id, Shared: shared, Votes: s.votes}), append(ids, id)
		}
	}
	d.mu.RUnlock()
	if len(out) == 0 {
		return out, nil
	}
	known, err := d.o.Desk.Known(ctx, append(ids, of.family))
	if err != nil {
		return nil, err
	}
	own := known[of.family]
	out = slices.DeleteFunc(out, func(k Kin) bool { return known[k.Family] == nil })
	for i := range out {
		k := &out[i]
		f := known[k.Family]
		k.Title, k.Type, k.Blame = f.Title, f.Type, f.Blame
		k.Alike = own != nil && own.Type == f.Type
	}
	slices.SortFunc(out, func(a, b Kin) int {
		if a.Alike != b.Alike {
			if a.Alike {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Votes, a.Votes), cmp.Compare(a.Family, b.Family))
	})
	return out[:min(len(out), maxKin)], nil
}
