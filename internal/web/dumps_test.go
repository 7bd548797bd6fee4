package web

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// How a dump was unwound is said once, in words.
func TestDumpNote(t *testing.T) {
	doc := crash.Document{Steps: []eco.Step{{Stage: "walk", Version: "bellwether", Note: "unwound here without symbols: low trust (1 context, 21 frame_pointer)"}}}
	out, err := (&Server{}).dumpView(t.Context(), viewer{}, doc)
	if err != nil || !out.Own || out.Note != "1 context, 21 frame pointer" {
		t.Errorf("%+v %v", out, err)
	}
	doc.Steps = append(doc.Steps, eco.Step{Stage: "walk", Version: "bellwether", Note: "unwound again (2 cfi, 1 frame_pointer)"})
	if out, err = (&Server{}).dumpView(t.Context(), viewer{}, doc); err != nil || out.Own || !out.Again || out.Note != "unwound again (2 cfi, 1 frame pointer)" {
		t.Errorf("%+v %v", out, err)
	}
}
