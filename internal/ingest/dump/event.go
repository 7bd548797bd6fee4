package dump

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// SentryEvent is the event that Sentry's SDKs send beside a dump, as JSON: whole
// (sentry), in pieces (sentry__1 …), field by field (sentry[release]), or as
// MessagePack with its breadcrumbs. It is nil when there is none.
func (f *Form) SentryEvent() []byte {
	if event := f.fromFields(); event != nil {
		return event
	}
	if len(f.Event) == 0 {
		return nil
	}
	event, _, ok := toJSON(nil, f.Event, 0)
	if !ok || len(event) < 2 || event[0] != '{' {
		return nil
	}
	var crumbs []byte
	for _, b := range f.Crumbs {
		for len(b) > 0 && ok {
			at := len(crumbs)
			if at > 0 {
				crumbs = append(crumbs, ',')
			}
			if crumbs, b, ok = toJSON(crumbs, b, 1); !ok {
				crumbs = crumbs[:at]
			}
		}
	}
	if len(crumbs) == 0 || len(event) == 2 {
		return event
	}
	return append(append(append([]byte(`{"breadcrumbs":[`), crumbs...), `],`...), event[1:]...)
}

func (f *Form) fromFields() []byte {
	pieces := map[int][]byte{}
	tree := map[string]any{}
	for _, x := range f.Fields {
		switch {
		case x.Name == "sentry":
			return x.Value
		case strings.HasPrefix(x.Name, "sentry__"):
			if n, err := strconv.Atoi(x.Name[len("sentry__"):]); err == nil && n >= 0 {
				pieces[n] = x.Value
			}
		case strings.HasPrefix(x.Name, "sentry["):
			plant(tree, strings.Split(strings.TrimSuffix(x.Name[len("sentry["):], "]"), "]["), string(bytes.ToValidUTF8(x.Value, []byte("?"))))
		}
	}
	if len(pieces) > 0 {
		var order []int
		for n := range pieces {
			order = append(order, n)
		}
		slices.Sort(order)
		var all []byte
		for _, n := range order {
			if len(all)+len(pieces[n]) > MaxEvent {
				return nil
			}
			all = append(all, pieces[n]...)
		}
		return all
	}
	if len(tree) == 0 {
		return nil
	}
	b, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	return b
}

// plant sets tree[path[0]][path[1]]… where nothing stands in the way.
func plant(tree map[string]any, path []string, value string) {
	for i, k := range path {
		if k == "" || i >= 4 {
			return
		}
		if i == len(path)-1 {
			if _, have := tree[k]; !have {
				tree[k] = value
			}
			return
		}
		next, ok := tree[k].(map[string]any)
		if !ok {
			if tree[k] != nil {
				return
			}
			next = map[string]any{}
			tree[k] = next
		}
		tree = next
	}
}
