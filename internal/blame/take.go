package blame

import (
	"fmt"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Takes reports whether the people of an extension may give it words by which its
// code is known, beyond those it had: whoever names somebody else's code would get
// their crashes attributed, and see them. A prefix names the publisher, and overlaps
// neither with another publisher's nor with a host's or the runtime's; an id of a
// host is not what another publisher's extension is called. Whoever keeps the
// register decides on all else, and is not asked this. mine tells the extensions of
// the same owner. It is pure.
func (w *World) Takes(id eco.ExtensionID, mine func(eco.ExtensionID) bool, was, now ExtRules) error {
	refuse := func(field, word, why string) error {
		return fault.E("blame.Takes", fault.Invalid, fmt.Sprintf("%s: %s %s Ask whoever keeps the register to enter it.", field, word, why), nil)
	}
	for other := range w.Extensions {
		if other != id && !mine(other) && slug(string(other)) == slug(string(id)) {
			return refuse("id", string(id), "reads like another publisher's extension.")
		}
	}
	for _, l := range added(was.Locals, now.Locals) {
		for other, e := range w.Extensions {
			if other == id || mine(other) || e.Host != "" && now.Host != "" && e.Host != now.Host {
				continue
			}
			_, name, _ := strings.Cut(string(other), ".")
			if s := slug(l); s == slug(string(other)) || s == slug(name) || hasSlug(e.Locals, s) {
				return refuse("locals", l, "is what another publisher's extension is called.")
			}
		}
	}
	for _, f := range []struct {
		field    string
		was, now []string
		named    bool // names the publisher
	}{{"prefixes", was.Prefixes, now.Prefixes, true}, {"shaded", was.Shaded, now.Shaded, true}, {"libraries", was.Libraries, now.Libraries, false}} {
		for _, p := range added(f.was, f.now) {
			p = strings.Trim(p, ".")
			switch {
			case f.named && !names(p, id.Publisher()):
				return refuse(f.field, p, "does not name the publisher.")
			case !f.named && !strings.ContainsAny(p, "./"):
				return refuse(f.field, p, "may be anybody's.")
			case w.overlaps(id, mine, p):
				return refuse(f.field, p, "overlaps with the code of another publisher, of a host or of a runtime.")
			}
		}
	}
	return nil
}

// overlaps reports whether a prefix reaches into what is known to be another's, or
// lies within it.
func (w *World) overlaps(id eco.ExtensionID, mine func(eco.ExtensionID) bool, p string) bool {
	for key, o := range w.prefixes {
		if o.id != "" && (o.id == id || mine(o.id)) || o.id == "" && len(o.candidates) > 0 {
			continue
		}
		if key == p || within(key, p) || within(p, key) {
			return true
		}
	}
	return false
}

// within reports whether a name lies below another.
func within(name, top string) bool {
	return len(name) > len(top) && strings.HasPrefix(name, top) && strings.IndexByte(".$/", name[len(top)]) >= 0
}

// added lists the words that were not there, however they are spelled.
func added(was, now []string) (out []string) {
	for _, n := range now {
		known := false
		for _, w := range was {
			known = known || strings.Trim(n, ".") == strings.Trim(w, ".")
		}
		if !known {
			out = append(out, n)
		}
	}
	return out
}

func hasSlug(words []string, s string) bool {
	for _, w := range words {
		if slug(w) == s {
			return true
		}
	}
	return false
}

// names reports whether some words of a prefix, side by side, are the publisher's
// id, or the first of them begins with it: com.acme.todo, acme_todo, acmetodo.
func names(prefix, publisher string) bool {
	want := slug(publisher)
	parts := strings.FieldsFunc(strings.ToLower(prefix), func(r rune) bool { return strings.ContainsRune("._-/$@:\\", r) })
	for i := range parts {
		joined := ""
		for _, p := range parts[i:] {
			if joined += p; slug(joined) == want {
				return true
			}
		}
	}
	return len(want) >= 4 && len(parts) > 0 && strings.HasPrefix(slug(parts[0]), want)
}
