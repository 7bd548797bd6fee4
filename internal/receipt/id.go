package receipt

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Scope is the name of the receipts' keys in the keyring.
const Scope = "receipt"

// Keys is what receipts need of the keyring.
type Keys interface {
	Hash64(scope, purpose, raw string) uint64
	Derive(scope, use string) ([]byte, error)
}

// Name is what a receipt's id names: a report by our id, or by its client's.
//
// Ours: 48 hex digits, the report's id (74 of its bits are random) and 64 bits of
// a keyed hash of it; nobody can make one but we. The client's: 32 hex digits of
// its event id, a dot, 32 of the project's public key; a client of a foreign
// protocol can make it from what it knows without an answer.
type Name struct {
	Crash  eco.ID
	Client string // 32 hex digits
	Key    string // 32 hex digits
}

// Book makes and reads ids of receipts, and signs slips.
type Book struct{ keys Keys }

// NewBook takes the keyring.
func NewBook(k Keys) *Book { return &Book{k} }

// ID is the id of a report's receipt; "" while the keyring cannot be read.
func (b *Book) ID(crash eco.ID) string {
	mac := b.keys.Hash64(Scope, "id", string(crash[:]))
	if mac == 0 {
		return ""
	}
	return fmt.Sprintf("%x%016x", crash[:], mac)
}

// ClientID is the id that a client makes itself; "" when its event id has not the
// form that one at random has.
func ClientID(event, key string) string {
	event = strings.ToLower(strings.ReplaceAll(event, "-", ""))
	if !hex32(event) || !hex32(key) {
		return ""
	}
	return event + "." + key
}

// Parse reads an id. Whatever is no id of a receipt is not_found: guessing tells nothing.
func (b *Book) Parse(s string) (Name, error) {
	none := fault.E("receipt.Parse", fault.NotFound, "There is no receipt with this id.", nil)
	if len(s) > 80 {
		return Name{}, none
	}
	s = strings.ToLower(s)
	if event, key, ok := strings.Cut(s, "."); ok {
		if id := ClientID(event, key); id == "" {
			return Name{}, none
		}
		return Name{Client: strings.ReplaceAll(event, "-", ""), Key: key}, nil
	}
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 24 {
		return Name{}, none
	}
	crash := eco.ID(raw[:16])
	if b.ID(crash) != s {
		return Name{}, none
	}
	return Name{Crash: crash}, nil
}

func hex32(s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
