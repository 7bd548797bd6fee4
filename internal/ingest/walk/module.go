package walk

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// moduleOf finds the module that an answer names by the last part of its path.
func moduleOf(d *minidump.Dump, name, offset string) (*minidump.Module, uint64) {
	at, err := strconv.ParseUint(strings.TrimPrefix(offset, "0x"), 16, 64)
	if err != nil || name == "" {
		return nil, 0
	}
	for i := range d.Modules {
		m := &d.Modules[i]
		if at < m.Size && m.CodeFile[strings.LastIndexAny(m.CodeFile, `/\`)+1:] == name {
			return m, at
		}
	}
	return nil, 0
}
