package pipeline

import "github.com/bellwether-project/bellwether/internal/family"

// Nearest returns the families nearest to a crash in the index of the running
// worker, best first. It learns nothing; nil when no worker runs here.
func (w *Worker) Nearest(in family.Input, limit int) []family.Near {
	x := w.shown.Load()
	if x == nil {
		return nil
	}
	return x.Rank(in, limit)
}
