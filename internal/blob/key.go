package blob

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of a key in bytes.
const (
	maxKey  = 512
	maxPart = 200
)

func checkKey(op, key string) error {
	ok := len(key) <= maxKey
	for part := range strings.SplitSeq(key, "/") {
		ok = ok && part != "" && part != "." && part != ".." && len(part) <= maxPart
	}
	for i := 0; ok && i < len(key); i++ {
		c := key[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '/'
	}
	if !ok {
		return fault.E(op, fault.Invalid, "An object's key has letters, digits, -, _ and . between slashes.", nil)
	}
	return nil
}

func missing(op string) error {
	return fault.E(op, fault.NotFound, "No such object.", nil)
}
