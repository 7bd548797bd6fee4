package scrub

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/scrub/scrubtest"
)

// TestRememberedIsTheSame: what is asked again is answered as the first time, with
// the same removals, in every field, whatever was asked in between.
func TestRememberedIsTheSame(t *testing.T) {
	var texts []string
	for _, c := range scrubtest.Canaries() {
		texts = append(texts, c.Text)
	}
	texts = append(texts, scrubtest.Survivors()...)
	old := New(Options{})
	rapid.Check(t, func(t *rapid.T) {
		crash := func() eco.Crash {
			var c eco.Crash
			x := eco.Exception{}
			for range 4 {
				s := rapid.SampledFrom(texts).Draw(t, "text")
				x.Type, x.Value = s, s
				x.Frames = append(x.Frames, eco.Frame{Function: s, Module: s, File: "/home/jo/" + s, Package: s, Orig: s})
				c.Breadcrumbs = append(c.Breadcrumbs, eco.Breadcrumb{Category: s, Message: s})
			}
			c.Exceptions, c.Modules = []eco.Exception{x}, map[string]string{"m": x.Type}
			return c
		}()
		again, fresh := clone(crash), clone(crash)
		first := old.Crash(&crash)
		second := old.Crash(&again)
		want := New(Options{}).Crash(&fresh)
		if !reflect.DeepEqual(crash, fresh) || !reflect.DeepEqual(again, fresh) {
			t.Errorf("%+v\nasked again %+v\nwanted %+v", crash, again, fresh)
		}
		if !slices.Equal(first, want) || !slices.Equal(second, want) {
			t.Errorf("removed %v, asked again %v, wanted %v", first, second, want)
		}
	})
}

func clone(c eco.Crash) eco.Crash {
	c.Exceptions = slices.Clone(c.Exceptions)
	c.Exceptions[0].Frames = slices.Clone(c.Exceptions[0].Frames)
	c.Breadcrumbs = slices.Clone(c.Breadcrumbs)
	c.Modules = map[string]string{"m": c.Modules["m"]}
	return c
}

// TestNothingThatCameIsRemembered: the memory holds no text of a report but paths
// that were scrubbed.
func TestNothingThatCameIsRemembered(t *testing.T) {
	r := New(Options{})
	const path = "/home/johanna/projects/secret/main.ts"
	clean := strings.Repeat("quite ordinary ", 4)
	c := eco.Crash{Message: "sent to johanna@example.org yesterday", Text: clean, Exceptions: []eco.Exception{{Type: "TypeErrorOfSomeKind", Frames: []eco.Frame{{Function: "projectRoot.resolve", File: path}}}}}
	r.Crash(&c)
	kept := 0
	for i := range r.memo.slots {
		v := r.memo.slots[i].Load()
		if v == nil {
			continue
		}
		kept++
		if v.path != "" && v.path != "/home/<user>/projects/secret/main.ts" {
			t.Errorf("kept %q", v.path)
		}
	}
	if kept != 4 {
		t.Errorf("%d texts are remembered, want the type, the function, the path and the clean text", kept)
	}
}

// TestMemoryIsBounded: a verdict is small, and there are only so many.
func TestMemoryIsBounded(t *testing.T) {
	if n := unsafe.Sizeof(verdict{}) + memoMost + 8*unsafe.Sizeof(taken{}); n*memoSlots > 16<<20 {
		t.Errorf("%d bytes a text", n)
	}
}
