package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// origin is the first line of a checkpoint.
const origin = "bellwether audit/1"

// Checkpoint fixes the log up to a size. Its text is three lines: the origin,
// the size, the root in base64.
type Checkpoint struct {
	Size int64
	Root [32]byte
}

func (c Checkpoint) String() string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, c.Size, tlog.Hash(c.Root))
}

// ParseCheckpoint reads what String writes.
func ParseCheckpoint(text string) (Checkpoint, error) {
	bad := fault.E("audit.ParseCheckpoint", fault.Invalid, "This is not a checkpoint of an audit log.", nil)
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, bad
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, bad
	}
	return Checkpoint{size, root}, nil
}

// Checkpoint returns the log's present checkpoint.
func (l *Log) Checkpoint(ctx context.Context) (Checkpoint, error) {
	size, root, err := l.Head(ctx)
	return Checkpoint{size, root}, err
}

// Consistent reports, as fault.Conflict, when the log is not a continuation of
// an earlier checkpoint. It trusts the stored hashes: run Verify first.
func (l *Log) Consistent(ctx context.Context, old Checkpoint) error {
	const op = "audit.Consistent"
	size, root, err := l.Head(ctx)
	if err != nil {
		return err
	}
	changed := fault.E(op, fault.Conflict, "The audit log is not a continuation of this checkpoint: it was changed.", nil)
	if old.Size > size {
		return changed
	}
	if old.Size == 0 || old.Size == size {
		if old.Size == size && old.Root != root {
			return changed
		}
		return nil
	}
	proof, err := tlog.ProveTree(size, old.Size, reader(ctx, l.d.Read()))
	if err != nil {
		return fault.E(op, fault.Internal, "The audit log is damaged.", err)
	}
	if tlog.CheckTree(proof, size, root, old.Size, old.Root) != nil {
		return changed
	}
	return nil
}

// Proof shows that an entry is in the log that a checkpoint fixes.
type Proof struct {
	N          int64
	Body       []byte // the entry as it was hashed
	Path       [][32]byte
	Checkpoint Checkpoint
}

// Prove makes the proof of entry n against the present checkpoint.
func (l *Log) Prove(ctx context.Context, n int64) (Proof, error) {
	const op = "audit.Prove"
	var body string
	err := l.d.Read().QueryRowContext(ctx, `SELECT body FROM audit_entry WHERE n = $1`, n).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return Proof{}, fault.E(op, fault.NotFound, "No such entry.", nil)
	}
	if err != nil {
		return Proof{}, fault.Wrap(op, err)
	}
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return Proof{}, err
	}
	path, err := tlog.ProveRecord(c.Size, n, reader(ctx, l.d.Read()))
	if err != nil {
		return Proof{}, fault.E(op, fault.Internal, "The audit log is damaged.", err)
	}
	p := Proof{N: n, Body: []byte(body), Checkpoint: c}
	for _, h := range path {
		p.Path = append(p.Path, h)
	}
	return p, nil
}

// Leaf is the hash by which an entry stands in the tree: SHA-256 of a zero byte and
// the entry as it was hashed (RFC 6962).
func Leaf(body []byte) [32]byte { return tlog.RecordHash(body) }

// Check reports whether the proof holds; it needs nothing but the proof and a
// checkpoint that the caller has reason to trust.
func (p Proof) Check() error {
	path := make(tlog.RecordProof, len(p.Path))
	for i, h := range p.Path {
		path[i] = h
	}
	if err := tlog.CheckRecord(path, p.Checkpoint.Size, p.Checkpoint.Root, p.N, tlog.RecordHash(p.Body)); err != nil {
		return fault.E("audit.Proof.Check", fault.Conflict, "The entry is not in the log of this checkpoint.", err)
	}
	return nil
}
