package cli

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/app"
)

type auditCmd struct {
	Proof  auditProofCmd  `cmd:"" help:"Check that an entry of a public log stands in its audit log, with nothing but the saved proof; exit code 1 when it does not."`
	Verify auditVerifyCmd `cmd:"" help:"Recompute the whole log of a data folder; exit code 1 when an entry was changed."`
}

type auditVerifyCmd struct{ settings }

func (s *auditVerifyCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	o, err := s.resolve(k)
	if err != nil {
		return err
	}
	r, err := app.OpenRecords(ctx, o, c.logger(o))
	if err != nil {
		return err
	}
	defer r.Close()
	report, err := r.Audit.Verify(ctx)
	if err != nil {
		return err
	}
	if !report.OK() {
		fmt.Fprintf(c.out, "The log is NOT as it was written:\n")
		for _, b := range report.Bad {
			fmt.Fprintf(c.out, "  entry %d: %s\n", b.Entry, b.What)
		}
		return exitCode(1)
	}
	fmt.Fprintf(c.out, "The log is as it was written: %d entries, root %x\n", report.Size, report.Root)
	return nil
}
