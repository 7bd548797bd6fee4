package keyring

import (
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Derive returns the 32 bytes of a scope's key for another use than those of the
// ring itself: the seed of a signing key. It is the same until the scope's keys
// are destroyed. The derivation is that of the ring (see the package).
func (r *Ring) Derive(scope, use string) ([]byte, error) {
	const op = "keyring.Derive"
	switch use {
	case "", "pseudonym", "hash", "seal":
		return nil, fault.E(op, fault.Internal, "This use of a key is the ring's own.", nil)
	}
	if _, err := r.scope(scope); err != nil { // makes the salt when it is missing, and bounds the name
		return nil, err
	}
	salt, err := secret(r.path(scope))
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, r.master, salt, "bellwether/1 "+use+" "+scope, 32)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return key, nil
}
