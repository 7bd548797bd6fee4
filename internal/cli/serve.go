package cli

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/app"
)

type serveCmd struct{ settings }

func (s *serveCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	o, err := s.resolve(k)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, o, c.logger(o))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Bellwether is up: %s\n", a.URL())
	if link, ok, err := a.SetupLink(ctx); err != nil {
		return err
	} else if ok {
		fmt.Fprintf(c.out, "No account exists yet. Set up the first one (this link works once):\n  %s\n", link)
	}
	runErr := a.Run(ctx)
	if err := a.Close(); runErr == nil {
		runErr = err
	}
	return runErr
}
