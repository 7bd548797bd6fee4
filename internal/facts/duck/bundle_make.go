//go:build cgo

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// bundle makes the bundles of the closed days before a day that are missing or lack
// a day. What is not bundled is read from the files of its days.
func (s *Store) bundle(ctx context.Context, before eco.Day) error {
	s.bundles.making.Lock()
	defer s.bundles.making.Unlock()
	spans := make(map[int64][]*part)
	for _, p := range s.all() {
		if in := p.info.Load(); p.day < before && in.sorted && in.erased == 0 && in.rows > 0 && in.version == schemaVersion && in.kinds&kindBit(eco.KindCrash) != 0 {
			spans[spanOf(p.day)] = append(spans[spanOf(p.day)], p)
		}
	}
	for span, ps := range spans {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := &bundle{span: span, parts: ps}
		for _, p := range ps {
			b.numbers = append(b.numbers, p.info.Load().number)
		}
		if len(ps) < s.settled.least || len(ps) > 255 || s.bundles.has(b) {
			continue
		}
		if err := s.makeBundle(unstopped(ctx), b); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether there is one of the same files, unchanged.
func (c *bundles) has(b *bundle) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.have, func(h *bundle) bool {
		return slices.Equal(h.parts, b.parts) && slices.Equal(h.numbers, b.numbers)
	})
}

// fits reports whether the files are as the bundle has them.
func (b *bundle) fits() bool {
	for i, p := range b.parts {
		if p.info.Load().number != b.numbers[i] {
			return false
		}
	}
	return true
}

// makeBundle builds the file beside its place, renames it, and puts it in use
// instead of an older one of its span.
func (s *Store) makeBundle(ctx context.Context, b *bundle) error {
	dir := filepath.Join(s.o.Dir, bundleFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	n := s.files.Add(1)
	for ; ; n++ {
		if b.path = filepath.Join(dir, fmt.Sprintf("%d-%d%s", b.span, n, suffix)); fileSize(b.path) == 0 {
			break
		}
	}
	b.name(n)
	half := b.path + fresh
	if err := s.fillBundle(ctx, b, half); err != nil {
		return errors.Join(err, removeFiles(half))
	}
	if err := os.Rename(half, b.path); err != nil {
		return errors.Join(err, removeFiles(half))
	}
	if err := errors.Join(syncDir(dir), s.attachBundle(ctx, b)); err != nil {
		return errors.Join(err, removeFiles(b.path))
	}
	s.forgetBundles(func(h *bundle) bool { return h.span == b.span })
	s.bundles.mu.Lock()
	s.bundles.have = append(s.bundles.have, b)
	s.bundles.mu.Unlock()
	// a file that changed before the bundle was in use did not take it out
	s.forgetBundles(func(h *bundle) bool { return h == b && !b.fits() })
	return nil
}

func (b *bundle) name(n int64) {
	b.alias = "bundle" + itoa(n)
	b.as = &part{alias: b.alias, many: true}
}

func (s *Store) attachBundle(ctx context.Context, b *bundle) error {
	_, err := s.db.ExecContext(ctx, "ATTACH "+quote(b.path)+" AS "+b.alias+" (READ_ONLY)")
	return err
}

func (s *Store) fillBundle(ctx context.Context, b *bundle, path string) error {
	if err := removeFiles(path); err != nil {
		return err
	}
	db := b.alias + "_new"
	q := "ATTACH " + quote(path) + " AS " + db + " (STORAGE_VERSION 'v1.5.0', BLOCK_SIZE " + itoa(int64(blockSize)) + ", ROW_GROUP_SIZE 16384)"
	if _, err := s.db.ExecContext(ctx, q); err != nil {
		return err
	}
	err := s.copyRows(ctx, b, db)
	if err == nil {
		_, err = s.db.ExecContext(ctx, "FORCE CHECKPOINT "+db)
	}
	_, errDetach := s.db.ExecContext(ctx, "DETACH "+db)
	if err := errors.Join(err, errDetach); err != nil {
		return err
	}
	return patiently(func() error { return fileGone(path + ".wal") })
}

func (s *Store) copyRows(ctx context.Context, b *bundle, db string) error {
	var defs, cols []string
	for _, c := range factColumns {
		if bundled(c.name) {
			defs, cols = append(defs, c.name+" "+c.typ), append(cols, c.name)
		}
	}
	make := "CREATE TABLE " + db + ".rows(part UTINYINT, day BIGINT, class VARCHAR, client UBIGINT, " + strings.Join(defs, ", ") + ");\n" +
		"CREATE TABLE " + db + ".made(part UTINYINT, day BIGINT, class VARCHAR, state VARCHAR)"
	if _, err := s.db.ExecContext(ctx, make); err != nil {
		return err
	}
	for at := 0; at < len(b.parts); {
		n, err := s.copySome(ctx, b, db, at, strings.Join(cols, ", "))
		if err != nil {
			return err
		}
		at += n
	}
	return nil
}

// copySome copies the next files, sorted, and returns how many.
func (s *Store) copySome(ctx context.Context, b *bundle, db string, at int, cols string) (n int, err error) {
	ps := b.parts[at:min(len(b.parts), at+bundleOnce)]
	_, done := s.reading(func(p *part) bool { return slices.Contains(ps, p) })
	defer done()
	var union, made []string
	rows := int64(0)
	for i, p := range ps {
		in := p.info.Load()
		if in.number != b.numbers[at+i] {
			return 0, errors.New("a day changed while it was bundled")
		}
		if rows += in.rows; i > 0 && rows > bundleRows {
			break
		}
		as := itoa(at+i) + ", " + itoa(p.day) + ", " + quote(string(p.class))
		union = append(union, "SELECT "+as+", "+clientHash("client_id")+", "+cols+" FROM "+in.source+" WHERE kind = "+quote(string(eco.KindCrash))+" AND batch <= "+itoa(in.batch))
		made = append(made, "("+as+", "+quote(in.state())+")")
	}
	q := "INSERT INTO " + db + ".rows SELECT * FROM (" + strings.Join(union, " UNION ALL ") + ") ORDER BY family, received;\n" +
		"INSERT INTO " + db + ".made VALUES " + strings.Join(made, ", ")
	_, err = s.db.ExecContext(ctx, q)
	return len(union), err
}

// state names what is in a file: a bundle that was made of another state is not
// used. Numbers do not outlive the process. Every commit and erasure adds to the
// ledger, so that no two states between two rewrites are named alike; and a file is
// not bundled before it is sorted and free of erased rows, so that it is not
// rewritten again before a change has taken its bundle out of use.
func (in *info) state() string {
	return fmt.Sprint(in.version, in.batch, in.position, in.rows, in.docs, in.lo, in.hi, in.idLo, in.idHi, in.ledger)
}

// openBundles puts the bundles in use that fit the files, and removes the others.
func (s *Store) openBundles(ctx context.Context) error {
	dir := filepath.Join(s.o.Dir, bundleFolder)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		b := &bundle{path: filepath.Join(dir, e.Name())}
		if !strings.HasSuffix(e.Name(), suffix) || s.openBundle(ctx, b) != nil {
			if err := os.Remove(b.path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) openBundle(ctx context.Context, b *bundle) error {
	b.name(s.files.Add(1))
	if err := s.attachBundle(ctx, b); err != nil {
		return err
	}
	err := s.knowBundle(ctx, b)
	if err != nil {
		_, errDetach := s.db.ExecContext(ctx, "DETACH "+b.alias)
		return errors.Join(err, errDetach)
	}
	s.bundles.have = append(s.bundles.have, b)
	return nil
}

var errMisfit = errors.New("this bundle is of other files")

// knowBundle reads what it was made of and holds it against the files.
func (s *Store) knowBundle(ctx context.Context, b *bundle) error {
	rows, err := s.db.QueryContext(ctx, "SELECT day, class, state FROM "+b.alias+".made ORDER BY part")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k partKey
		var state sql.NullString
		if err := rows.Scan(&k.day, &k.class, &state); err != nil {
			return err
		}
		p := s.parts[k]
		if p == nil || p.info.Load().state() != state.String {
			return errMisfit
		}
		b.span = spanOf(k.day)
		b.parts, b.numbers = append(b.parts, p), append(b.numbers, p.info.Load().number)
	}
	if err := rows.Err(); err != nil || len(b.parts) == 0 {
		return errors.Join(err, errMisfit)
	}
	if slices.ContainsFunc(s.bundles.have, func(h *bundle) bool { return h.span == b.span }) {
		return errMisfit // a newer one of the span is in use
	}
	return nil
}
