// Package keyring holds the keys that make pseudonyms and seal attachments. It
// lives in a folder of its own, outside the data and its backups: who has only
// the data can link nothing and open nothing. Each scope ("ext:acme.theme",
// "host:studio") has its own keys; destroying them ends the linkability of its
// pseudonyms and the readability of what was sealed, for good.
//
// Format of the folder (mode 0700; files 0600):
//
//	master            32 random bytes
//	scopes/<name>     32 random bytes, the salt of one scope; <name> is 32 hex
//	                  digits of SHA-256 of the scope
//
// Keys of a scope are HKDF-SHA256(secret = master, salt = the scope's salt,
// info = "bellwether/1 " + use + " " + scope), 32 bytes each, for the uses
// "pseudonym", "hash" and "seal". A scope that is used after Destroy gets a new
// salt, and so other pseudonyms.
//
// Sealed bytes: version 1, 12 bytes of nonce, AES-256-GCM with the scope as
// additional data.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Ring is an open key folder, safe for concurrent use. Keys of scopes in use
// stay in memory.
type Ring struct {
	dir    string
	master []byte
	mu     sync.RWMutex
	scopes map[string]*keys
	err    error
}

// maxScope bounds a scope's name, and so the memory that one costs.
const maxScope = 256

// keys of one scope. The pools hold keyed HMAC states: keying one costs more
// than a short message.
type keys struct {
	pseudonym, hash sync.Pool
	seal            cipher.AEAD
}

// Open opens the key folder and makes it when it is missing or empty. It refuses
// a folder or master key that others may read.
func Open(dir string) (*Ring, error) {
	const op = "keyring.Open"
	if err := os.MkdirAll(filepath.Join(dir, "scopes"), 0o700); err != nil {
		return nil, fault.E(op, fault.Invalid, "The key folder cannot be made.", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "scopes")} {
		fi, err := os.Stat(d)
		if err != nil {
			return nil, fault.E(op, fault.Invalid, "The key folder cannot be read.", err)
		}
		if fi.Mode().Perm()&0o077 != 0 {
			return nil, fault.E(op, fault.Invalid, "The key folder may be read by others; its mode must be 0700.", nil)
		}
	}
	master, err := secret(filepath.Join(dir, "master"))
	if err != nil {
		return nil, err
	}
	return &Ring{dir: dir, master: master, scopes: map[string]*keys{}}, nil
}

// Pseudonym returns the install id of a client's raw id within a scope. It is 0
// for "", and when the scope has no key because one can neither be read nor
// made: then no install is better than a wrong one, and Err tells.
func (r *Ring) Pseudonym(scope, raw string) eco.Install {
	if raw == "" {
		return 0
	}
	k, err := r.scope(scope)
	if err != nil {
		return 0
	}
	return eco.Install(max(1, sum(&k.pseudonym, raw)))
}

// Hash64 returns a keyed hash for another purpose than install ids: session
// keys, ids of reports. It is 0 only where Pseudonym would be for want of a key.
func (r *Ring) Hash64(scope, purpose, raw string) uint64 {
	k, err := r.scope(scope)
	if err != nil {
		return 0
	}
	return max(1, sum(&k.hash, purpose, raw))
}

// Err returns the last failure to read or make a key, and nil once a new scope
// worked again. Health checks ask it.
func (r *Ring) Err() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.err
}

// Destroy forgets the keys of a scope and takes its salt off the disk. The file
// is overwritten first; what a copying file system keeps of it is beyond us.
func (r *Ring) Destroy(scope string) error {
	const op = "keyring.Destroy"
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.scopes, scope)
	path := r.path(scope)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.E(op, fault.Internal, "The key cannot be destroyed.", err)
	}
	_, err = f.Write(make([]byte, sha256.Size))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(path), syncDir(filepath.Dir(path))); err != nil {
		return fault.E(op, fault.Internal, "The key cannot be destroyed.", err)
	}
	return nil
}

// Seal encrypts under the scope's key.
func (r *Ring) Seal(scope string, plain []byte) ([]byte, error) {
	k, err := r.scope(scope)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 13, 13+len(plain)+k.seal.Overhead())
	out[0] = 1
	rand.Read(out[1:13]) // never fails
	return k.seal.Seal(out, out[1:13], plain, []byte(scope)), nil
}

// Unseal opens what Seal made, unless its scope was destroyed meanwhile.
func (r *Ring) Unseal(scope string, sealed []byte) ([]byte, error) {
	const op = "keyring.Unseal"
	if len(sealed) < 13 || sealed[0] != 1 {
		return nil, fault.E(op, fault.Invalid, "These bytes were not sealed here.", nil)
	}
	k, err := r.scope(scope)
	if err != nil {
		return nil, err
	}
	plain, err := k.seal.Open(nil, sealed[1:13], sealed[13:], []byte(scope))
	if err != nil {
		return nil, fault.E(op, fault.NotFound, "The key of these bytes is gone.", err)
	}
	return plain, nil
}

func (r *Ring) path(scope string) string {
	h := sha256.Sum256([]byte(scope))
	return filepath.Join(r.dir, "scopes", hex.EncodeToString(h[:16]))
}

func (r *Ring) scope(scope string) (_ *keys, err error) {
	r.mu.RLock()
	k := r.scopes[scope]
	r.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	const op = "keyring"
	if scope == "" || len(scope) > maxScope {
		return nil, fault.E(op, fault.Internal, "A key scope has 1 to 256 bytes.", nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.scopes[scope]; k != nil {
		return k, nil
	}
	defer func() { r.err = err }()
	salt, err := secret(r.path(scope))
	if err != nil {
		return nil, err
	}
	derived := map[string][]byte{}
	for _, use := range []string{"pseudonym", "hash", "seal"} {
		key, err := hkdf.Key(sha256.New, r.master, salt, "bellwether/1 "+use+" "+scope, 32)
		if err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		derived[use] = key
	}
	block, err := aes.NewCipher(derived["seal"])
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	k = &keys{seal: seal}
	k.pseudonym.New = func() any { return &mac{h: hmac.New(sha256.New, derived["pseudonym"])} }
	k.hash.New = func() any { return &mac{h: hmac.New(sha256.New, derived["hash"])} }
	r.scopes[scope] = k
	return k, nil
}

// mac is a keyed state with room for its input and output, so that a hash
// allocates nothing.
type mac struct {
	h   hash.Hash
	buf []byte
}

// sum hashes the parts, each preceded by its length.
func sum(p *sync.Pool, parts ...string) uint64 {
	m := p.Get().(*mac)
	defer p.Put(m)
	m.h.Reset()
	b := m.buf[:0]
	for _, s := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	m.h.Write(b)
	b = m.h.Sum(b[:0])
	m.buf = b
	return binary.BigEndian.Uint64(b)
}
