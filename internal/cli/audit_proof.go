package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// auditProofCmd is for outsiders: it needs no server, no data folder and no trust in
// whoever handed the proof over.
type auditProofCmd struct {
	File string `arg:"" help:"What GET /api/v1/fixed/ID answered, as it was saved; - reads standard input."`
	Key  string `help:"The verifier key that the head must be signed with, as /api/v1/receipts/key gives it; or a file with it. Without it the proof holds for its root alone, which you compare yourself."`
}

func (s *auditProofCmd) Run(c *console) error {
	body, err := s.read()
	if err != nil {
		return err
	}
	p, err := answers.ReadProof(body)
	if err != nil {
		return err
	}
	key := s.Key
	if b, err := os.ReadFile(key); err == nil && len(b) < 4096 {
		key = string(b)
	}
	fix, err := p.Check(strings.TrimSpace(key))
	if fault.CodeOf(err) == fault.Conflict {
		fmt.Fprintf(c.out, "The proof does NOT hold: %s\n", fault.TextOf(err))
		return exitCode(1)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "The proof holds: entry %s, revision %d, stands in the log at %d of %d, root %s\n", fix.ID, fix.Revision, p.Index, p.Size, p.Root)
	fmt.Fprintf(c.out, "  fixed in %s: %q of %s %s\n", fix.FixedIn, fix.Title, fix.Subject.Kind, fix.Subject.ID)
	if s.Key == "" {
		fmt.Fprintln(c.out, "  No key was given: compare the root with one that you have reason to trust.")
	} else {
		fmt.Fprintln(c.out, "  The root is signed with this key.")
	}
	return nil
}

func (s *auditProofCmd) read() ([]byte, error) {
	var r io.Reader = os.Stdin
	if s.File != "-" {
		f, err := os.Open(s.File)
		if err != nil {
			return nil, fault.E("cli.audit", fault.NotFound, "The file "+s.File+" cannot be read.", nil)
		}
		defer f.Close()
		r = f
	}
	return io.ReadAll(io.LimitReader(r, answers.MaxProof+1))
}
