package blob

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Dir keeps each object in a file under a folder. The object "a/b" is the file
// "a/b~": no key holds a tilde, so an object may bear the name of a folder.
// Objects are written under "~new" and renamed when they are complete and on
// disk. One process at a time.
type Dir struct{ root string }

const (
	tmpDir = "~new"
	suffix = "~"
)

// OpenDir opens the folder, made with mode 0700 when it is missing, and removes
// what was never completed.
func OpenDir(root string) (*Dir, error) {
	const op = "blob.OpenDir"
	tmp := filepath.Join(root, tmpDir)
	if err := errors.Join(os.RemoveAll(tmp), os.MkdirAll(tmp, 0o700)); err != nil {
		return nil, fault.E(op, fault.Invalid, "The folder for objects cannot be used.", err)
	}
	return &Dir{root}, nil
}

func (d *Dir) path(key string) string { return filepath.Join(d.root, filepath.FromSlash(key)) + suffix }

// Put writes, syncs, renames, and syncs the folder.
func (d *Dir) Put(ctx context.Context, key string, r io.Reader) error {
	const op = "blob.Dir.Put"
	if err := checkKey(op, key); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(d.root, tmpDir), "*") // mode 0600
	if err != nil {
		return fault.E(op, fault.Unavailable, "The object cannot be stored.", err)
	}
	_, err = io.Copy(f, reader{ctx, r})
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = d.place(f.Name(), d.path(key))
	}
	if err != nil {
		return fault.E(op, fault.Unavailable, "The object cannot be stored.", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// place tries again when a Delete removed the folder it had just emptied.
func (d *Dir) place(from, to string) (err error) {
	for range 100 {
		if err = d.mkdir(filepath.Dir(to)); err == nil {
			err = os.Rename(from, to)
		}
		if err == nil {
			if err = syncDir(filepath.Dir(to)); errors.Is(err, fs.ErrNotExist) {
				return nil // stored, and deleted with its folder already
			}
			return err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// mkdir makes a folder whose name survives a power cut.
func (d *Dir) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil || dir == d.root {
		return err
	}
	if err := d.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// Get opens the file; it stays whole when it is replaced or deleted meanwhile.
func (d *Dir) Get(_ context.Context, key string) (io.ReadCloser, error) {
	const op = "blob.Dir.Get"
	if err := checkKey(op, key); err != nil {
		return nil, err
	}
	f, err := os.Open(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(op)
	}
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "The object cannot be read.", err)
	}
	return f, nil
}

// Delete removes the file and the folders that it leaves empty.
func (d *Dir) Delete(_ context.Context, key string) error {
	const op = "blob.Dir.Delete"
	if err := checkKey(op, key); err != nil {
		return err
	}
	path := d.path(key)
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		if err = syncDir(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
			err = nil // another Delete took the empty folder away
		}
	}
	if err != nil {
		return fault.E(op, fault.Unavailable, "The object cannot be deleted.", err)
	}
	for dir := filepath.Dir(path); dir != d.root; dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // it is not empty
			break
		}
	}
	return nil
}

// List walks the folders in key order and holds one folder's names at a time.
func (d *Dir) List(ctx context.Context, prefix string, fn func(Info) error) error {
	return fault.Wrap("blob.Dir.List", d.walk(ctx, "", prefix, fn))
}

func (d *Dir) walk(ctx context.Context, dir, prefix string, fn func(Info) error) error {
	entries, err := os.ReadDir(filepath.Join(d.root, filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) && dir != "" {
		return nil // emptied meanwhile
	}
	if err != nil {
		return err
	}
	// A folder's objects all begin with its name and a slash; that is its place.
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return dir + e.Name() + "/"
		}
		return dir + strings.TrimSuffix(e.Name(), suffix)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := key(e)
		switch {
		case e.IsDir():
			if e.Name() != tmpDir && (strings.HasPrefix(k, prefix) || strings.HasPrefix(prefix, k)) {
				if err := d.walk(ctx, k, prefix, fn); err != nil {
					return err
				}
			}
		case strings.HasPrefix(k, prefix) && strings.HasSuffix(e.Name(), suffix):
			fi, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := fn(Info{k, fi.Size(), fi.ModTime().UTC()}); err != nil {
				return err
			}
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
