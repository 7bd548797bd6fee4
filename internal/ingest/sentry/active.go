package sentry

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
)

// ReadActive reads a set of active extensions in any of its three forms and adds
// it to list. What is no extension id is left out.
func ReadActive(r *jsonin.Reader, list []eco.Active) []eco.Active {
	switch r.Kind() {
	case '{':
		n := 0
		r.Fields(func(name []byte) {
			if n++; n > item.MaxActive {
				r.Skip()
				return
			}
			id := string(name)
			list = item.AddActive(list, id, r.Str(item.MaxVersion))
		})
	case '[':
		r.Each(item.MaxActive, func(int) {
			var id, version string
			if r.Kind() == '{' {
				r.Fields(func(name []byte) {
					switch string(name) {
					case "id":
						id = r.Str(item.MaxID)
					case "version":
						version = r.Str(item.MaxVersion)
					default:
						r.Skip()
					}
				})
			} else {
				id, version, _ = strings.Cut(r.Str(item.MaxID+item.MaxVersion), "@")
			}
			list = item.AddActive(list, id, version)
		})
	default:
		r.Skip()
	}
	return list
}
