package sentry

import (
	"bytes"
	"encoding/base64"

	"github.com/bellwether-project/bellwether/internal/door"
)

// StoreBody brings the body of the old store address to JSON: it is JSON, or
// that deflated, or either in base64. Both steps are bounded by max bytes.
func StoreBody(b []byte, max int64) ([]byte, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil, malformed("The body is empty.")
	}
	if b[0] != '{' && b[0] != 0x78 {
		raw := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		n, err := base64.StdEncoding.Decode(raw, b)
		if err != nil {
			if n, err = base64.URLEncoding.Decode(raw, b); err != nil {
				return nil, malformed("The body is neither JSON nor base64.")
			}
		}
		b = raw[:n]
	} else if b[0] == 0x78 && isBase64(b) { // base64 may begin with an x as well
		if raw, err := base64.StdEncoding.DecodeString(string(b)); err == nil {
			b = raw
		}
	}
	if len(b) > 0 && b[0] == 0x78 {
		out, err := door.ReadAll(bytes.NewReader(b), []string{"zlib"}, door.Limit{Compressed: max, Decompressed: max}, nil)
		if err != nil {
			return nil, err
		}
		b = out
	}
	return b, nil
}

func isBase64(b []byte) bool {
	for _, c := range b {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r') {
			return false
		}
	}
	return true
}
