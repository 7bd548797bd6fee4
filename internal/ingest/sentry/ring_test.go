package sentry

import (
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

func TestRingKeepsTheEnds(t *testing.T) {
	for added := range 12 {
		r := newRing[int](2, 3)
		for i := range added {
			*r.next() = i
		}
		var want []int
		for i := range added {
			if i < 2 || i >= added-3 {
				want = append(want, i)
			}
		}
		if got := r.oldestFirst(); !slices.Equal(got, want) {
			t.Errorf("%d added: %v, want %v", added, got, want)
		}
	}
}

// Of a recursion without end the innermost and the outermost frames are kept.
func TestLongStacksKeepBothEnds(t *testing.T) {
	event := `{"exception":[{"type":"RecursionError","stacktrace":{"frames":[{"function":"main"}` + strings.Repeat(`,{"function":"again"}`, 5000) + `,{"function":"last"}]}}]}`
	_, err := Event([]byte(event), now, func(it *item.Item) {
		f := it.Crash.Exceptions[0].Frames
		if len(f) != item.MaxFrames || f[0].Function != "last" || f[len(f)-1].Function != "main" {
			t.Errorf("%d frames, %s … %s", len(f), f[0].Function, f[len(f)-1].Function)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExceptionGroups(t *testing.T) {
	event := `{"exception":{"values":[
	 {"type":"C","mechanism":{"exception_id":3,"parent_id":0}},
	 {"type":"B2","mechanism":{"exception_id":2,"parent_id":1}},
	 {"type":"B","mechanism":{"exception_id":1,"parent_id":0}},
	 {"type":"Group","mechanism":{"exception_id":0,"is_exception_group":true}}]}}`
	_, err := Event([]byte(event), now, func(it *item.Item) {
		var got []string
		for _, x := range it.Crash.Exceptions {
			parent := "-"
			if x.Parent >= 0 {
				parent = it.Crash.Exceptions[x.Parent].Type
			}
			line := x.Type + "<" + parent
			if x.Grouped {
				line += " grouped"
			}
			got = append(got, line)
		}
		if s := strings.Join(got, "; "); s != "Group<-; B<Group grouped; B2<B; C<Group grouped" {
			t.Error(s)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
