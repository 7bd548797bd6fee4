//go:build !cgo

package duck

import (
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/fault"
)

func TestOpenSaysWhatIsMissing(t *testing.T) {
	_, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "this build has no embedded facts engine") {
		t.Fatalf("%v", err)
	}
}
