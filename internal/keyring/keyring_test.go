package keyring_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/keyring"
)

func open(t testing.TB, dir string) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPseudonyms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	r := open(t, dir)
	a := r.Pseudonym("ext:acme.theme", "install-1")
	if a == 0 || r.Pseudonym("ext:acme.theme", "install-1") != a {
		t.Fatal("not stable")
	}
	others := map[eco.Install]string{
		a: "itself",
		r.Pseudonym("ext:acme.theme", "install-2"):                                        "another install",
		r.Pseudonym("ext:acme.git", "install-1"):                                          "another extension",
		eco.Install(r.Hash64("ext:acme.theme", "session", "install-1")):                   "a hash",
		eco.Install(r.Hash64("ext:acme.theme", "report", "install-1")):                    "another purpose",
		eco.Install(r.Hash64("ext:acme.theme", "ab", "c")):                                "parts",
		eco.Install(r.Hash64("ext:acme.theme", "a", "bc")):                                "parts cut elsewhere",
		open(t, filepath.Join(t.TempDir(), "k")).Pseudonym("ext:acme.theme", "install-1"): "another ring",
	}
	if len(others) != 8 {
		t.Errorf("some are equal: %v", others)
	}
	if r.Pseudonym("ext:acme.theme", "") != 0 {
		t.Error("no id must be 0")
	}
	if again := open(t, dir); again.Pseudonym("ext:acme.theme", "install-1") != a {
		t.Error("not the same after opening again")
	}
}

func TestDestroyEndsLinkability(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	r := open(t, dir)
	a, b := r.Pseudonym("ext:a.a", "x"), r.Pseudonym("ext:b.b", "x")
	sealed, err := r.Seal("ext:a.a", []byte("dump"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Destroy("ext:a.a"); err != nil {
		t.Fatal(err)
	}
	if n := len(files(t, dir)); n != 2 { // master and b's salt
		t.Errorf("%d files left, want 2", n)
	}
	if r.Pseudonym("ext:a.a", "x") == a {
		t.Error("the pseudonym came back")
	}
	if _, err := r.Unseal("ext:a.a", sealed); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("unseal: %v, want not_found", err)
	}
	if r.Pseudonym("ext:b.b", "x") != b {
		t.Error("another scope changed")
	}
	if err := r.Destroy("ext:never"); err != nil {
		t.Error(err)
	}
}

func TestSeal(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "keys"))
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("dump"), 10_000)} {
		sealed, err := r.Seal("ext:a.a", plain)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := r.Seal("ext:a.a", plain)
		if bytes.Equal(sealed, again) {
			t.Error("the nonce repeats")
		}
		got, err := r.Unseal("ext:a.a", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		if _, err := r.Unseal("ext:b.b", sealed); err == nil {
			t.Error("another scope opens it")
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := r.Unseal("ext:a.a", sealed); err == nil {
			t.Error("changed bytes are opened")
		}
	}
	for _, b := range []string{"", "short", strings.Repeat("\x02", 40)} {
		if _, err := r.Unseal("ext:a.a", []byte(b)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", b, err)
		}
	}
	if _, err := r.Seal("", nil); err == nil {
		t.Error("an empty scope has a key")
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	open(t, dir).Pseudonym("ext:a.a", "x")
	for path, fi := range files(t, dir) {
		if fi.Mode().Perm() != 0o600 || fi.Size() != 32 {
			t.Errorf("%s: %v, %d bytes", path, fi.Mode(), fi.Size())
		}
	}
	refused := func(what string) {
		t.Helper()
		if _, err := keyring.Open(dir); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", what, err)
		}
	}
	chmod := func(path string, mode fs.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(dir, 0o750)
	refused("the folder readable by the group")
	chmod(dir, 0o700)
	chmod(filepath.Join(dir, "master"), 0o644)
	refused("the master readable by all")
	chmod(filepath.Join(dir, "master"), 0o600)
	if err := os.WriteFile(filepath.Join(dir, "master"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a short master")
}

func TestAScopeWithoutKeyHasNoInstalls(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	r := open(t, dir)
	if r.Pseudonym("ext:a.a", "x") == 0 || r.Err() != nil {
		t.Fatal(r.Err())
	}
	if err := os.RemoveAll(filepath.Join(dir, "scopes")); err != nil {
		t.Fatal(err)
	}
	if got := r.Pseudonym("ext:b.b", "x"); got != 0 || r.Err() == nil {
		t.Fatalf("%d, %v; want 0 and an error", uint64(got), r.Err())
	}
	if r.Pseudonym("ext:a.a", "x") == 0 {
		t.Error("a scope in memory stopped working")
	}
}

// Two processes that meet a new scope at once must agree on its key.
func TestFirstUseAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	rings := []*keyring.Ring{open(t, dir), open(t, dir), open(t, dir)}
	var got [12]eco.Install
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = rings[i%3].Pseudonym("ext:a.a", "x") })
	}
	wg.Wait()
	for _, g := range got {
		if g == 0 || g != got[0] {
			t.Fatal("they differ")
		}
	}
	if n := len(files(t, dir)); n != 2 {
		t.Errorf("%d files, want 2: temporary ones are left", n)
	}
}

func files(t *testing.T, dir string) map[string]fs.FileInfo {
	t.Helper()
	out := map[string]fs.FileInfo{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		out[path] = fi
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkPseudonym(b *testing.B) {
	r := open(b, filepath.Join(b.TempDir(), "keys"))
	r.Pseudonym("ext:a.a", "x")
	b.ReportAllocs()
	for b.Loop() {
		r.Pseudonym("ext:a.a", "2f1c7a52-6a0f-4d7c-9f57-1b8a3f0f6f01")
	}
}
