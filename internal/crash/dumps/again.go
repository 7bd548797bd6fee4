package dumps

import (
	"context"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// Again walks the dump of a crash once more, with symbols that were not there when
// it came: the frames of its exception, innermost first. fault.NotFound: it is not
// kept; then names can be given to the frames that were found, no more.
func (s *Store) Again(ctx context.Context, crash eco.ID, symbols minidump.Symbols) ([]eco.Frame, error) {
	raw, err := s.Open(ctx, crash)
	if err != nil {
		return nil, err
	}
	d, err := minidump.Parse(raw)
	if err != nil {
		return nil, err
	}
	return d.Crash(d.Walk(d.Crashed, symbols)).Exceptions[0].Frames, nil
}
