package symbol

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// Bounds of demangling: longer names stay as they are, and what a short name
// unfolds to is cut at 2^12 bytes.
const (
	maxMangled   = 4096
	maxDemangled = 12 // as a power of two
)

// Demangle turns a mangled C++ or Rust name into the one its author wrote, without
// the types of parameters; any other name stays as it is.
func Demangle(name string) string {
	mangled := strings.TrimPrefix(name, "_") // macOS has one more
	if !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R") && !strings.HasPrefix(mangled, "_Z") && !strings.HasPrefix(mangled, "_R") {
		return name
	}
	if !strings.HasPrefix(mangled, "_") {
		mangled = name
	}
	if len(mangled) > maxMangled {
		return name
	}
	plain, err := demangle.ToString(mangled, demangle.NoParams, demangle.NoClones, demangle.MaxLength(maxDemangled))
	if err != nil {
		return name
	}
	return plain
}
