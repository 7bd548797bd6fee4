package cli

import (
	"fmt"
	"io"
)

// plain writes text for a terminal: what strangers put into a report may not move
// the cursor, rename the window or turn the line round. Control characters other
// than line breaks and tabs are written as they are escaped in Go. The bytes of one
// character come in one write.
type plain struct{ w io.Writer }

func (p plain) Write(b []byte) (int, error) {
	clean := true
	for i := range b {
		if control(b, i) > 0 {
			clean = false
			break
		}
	}
	if clean {
		return p.w.Write(b)
	}
	out := make([]byte, 0, len(b)+64)
	for i := 0; i < len(b); {
		n := control(b, i)
		if n == 0 {
			out = append(out, b[i])
			i++
			continue
		}
		for _, c := range b[i : i+n] {
			out = fmt.Appendf(out, `\x%02x`, c)
		}
		i += n
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// control returns how many bytes the control character at i has; 0: it is none.
func control(b []byte, i int) int {
	switch c := b[i]; {
	case c < 0x20 && c != '\n' && c != '\t', c == 0x7f:
		return 1
	case c == 0xC2 && i+1 < len(b) && b[i+1] >= 0x80 && b[i+1] <= 0x9F: // C1
		return 2
	case c == 0xE2 && i+2 < len(b) && (b[i+1] == 0x80 && b[i+2] >= 0xAA && b[i+2] <= 0xAE || b[i+1] == 0x81 && b[i+2] >= 0xA6 && b[i+2] <= 0xA9): // direction
		return 3
	}
	return 0
}
