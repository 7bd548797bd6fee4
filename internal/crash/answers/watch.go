package answers

import (
	"context"
	"database/sql"
	"slices"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// Of reads the receipt of a report by what it is called inside.
func (d *Desk) Of(ctx context.Context, id eco.ID) (View, error) {
	return d.Receipt(ctx, d.o.Book.ID(id))
}

// Place is the family and signature of the report; nobody outside is told them.
func (v *View) Place() (family, signature string) { return v.family, v.signature }

// Stands is what the board has of the family that a report of a signature belongs
// to by now; nil: nothing. It is in memory.
func (d *Desk) Stands(family, signature string) *receipt.Standing {
	d.mu.Lock()
	links := d.links
	d.mu.Unlock()
	return d.o.Board.Family(links.Resolve(family, signature))
}

// Gone lists those of some reports that are stored no longer: withdrawn, erased,
// expired. At most facts.MaxLimit are asked about.
func (d *Desk) Gone(ctx context.Context, ids []eco.ID) ([]eco.ID, error) {
	both := slices.Clone(ids)
	for _, id := range ids {
		both = append(both, crash.Freed(id))
	}
	docs, err := d.o.Facts.Documents(ctx, facts.Everything(), both)
	if err != nil {
		return nil, fault.Wrap("answers.Gone", err)
	}
	there := map[eco.ID]bool{}
	for i := range docs {
		there[docs[i].ID] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id eco.ID) bool {
		_, taken := d.withdrawn.at(id)
		return (there[id] || there[crash.Freed(id)]) && !taken
	}), nil
}

// OnWithdraw lets f take part in every withdrawal, in its transaction. It is for
// the start, before anybody asks.
func (d *Desk) OnWithdraw(f func(ctx context.Context, tx *sql.Tx, crash eco.ID) error) {
	d.leave = append(d.leave, f)
}
