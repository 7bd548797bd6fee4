package registry

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of the register. Beyond them a change is too_large or invalid.
const (
	MaxName       = 100  // bytes, as all of these
	MaxSummary    = 500  //
	MaxAddress    = 300  // repository, contact
	MaxPattern    = 200  // one path pattern or prefix
	MaxPatterns   = 50   // in one list
	MaxOwned      = 5000 // extensions or hosts of one team
	MaxProjects   = 100  // of one extension or host
	MaxKeys       = 50   // of one project, revoked ones included
	MaxOrigins    = 50   // of one key
	MaxReleases   = 5000 // declared ones of one extension or host
	MaxSeen       = 1000 // releases of one extension or host that only traffic named
	MaxVersion    = 64   // a version, in bytes
	MaxSampling   = 500  //
	MaxRate       = 10_000_000
	MaxDailyQuota = 1_000_000_000_000
)

// mistakes collects what is wrong with an entry, field by field; it never repeats
// the values.
type mistakes []Mistake

func (m *mistakes) add(field, text string) { *m = append(*m, Mistake{Field: field, Text: text}) }

// err is nil, or one invalid error that names every field.
func (m mistakes) err(op string) error {
	if len(m) == 0 {
		return nil
	}
	words := make([]string, len(m))
	for i, x := range m {
		words[i] = x.Field + ": " + x.Text
	}
	return fault.E(op, fault.Invalid, strings.Join(words, " "), nil)
}

// line checks one line of text: trimmed, no control characters.
func (m *mistakes) line(field string, s *string, least, most int) {
	*s = strings.TrimSpace(*s)
	switch {
	case eco.Clean(*s, len(*s)) != *s || strings.ContainsFunc(*s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		m.add(field, "It must be one line of plain text.")
	case len(*s) < least:
		m.add(field, "It must not be empty.")
	case len(*s) > most:
		m.add(field, fmt.Sprintf("It has at most %d bytes.", most))
	}
}

func (m *mistakes) slug(field string, s *string) {
	id, err := eco.ParseSlug(*s)
	if err != nil {
		m.add(field, fault.TextOf(err))
		return
	}
	*s = id
}

// web checks an optional http(s) address without credentials.
func (m *mistakes) web(field string, s *string) {
	m.line(field, s, 0, MaxAddress)
	if *s != "" && !isWeb(*s) {
		m.add(field, "It must be an address that begins with https:// or http://.")
	}
}

func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && !strings.ContainsAny(s, " \"<>")
}

// contact checks an optional public address: of the web or of e-mail.
func (m *mistakes) contact(field string, s *string) {
	m.line(field, s, 0, MaxAddress)
	if *s == "" || isWeb(*s) {
		return
	}
	if a, err := mail.ParseAddress(*s); err != nil || a.Address != *s {
		m.add(field, "It must be a web address or an e-mail address that may be shown to everybody.")
	}
}

func (m *mistakes) kind(field string, k *ExtKind) {
	if *k == "" {
		*k = Generic
	}
	if !slices.Contains(Kinds, *k) {
		m.add(field, "The kinds are vscode, obsidian, jetbrains, blender, qgis, grafana, browser and generic.")
	}
}

// words checks a list of prefixes, ids or patterns: trimmed, each once.
func (m *mistakes) words(field string, list *[]string, check func(string) error) {
	var out []string
	for _, w := range *list {
		w = strings.TrimSpace(w)
		switch {
		case w == "" || slices.Contains(out, w):
			continue
		case len(w) > MaxPattern || eco.Clean(w, MaxPattern) != w || strings.ContainsFunc(w, func(r rune) bool { return r < ' ' || r == 0x7f }):
			m.add(field, fmt.Sprintf("Each has at most %d bytes of plain text.", MaxPattern))
			return
		}
		if check != nil {
			if err := check(w); err != nil {
				m.add(field, fault.TextOf(err))
				return
			}
		}
		out = append(out, w)
	}
	if len(out) > MaxPatterns {
		m.add(field, fmt.Sprintf("There are at most %d.", MaxPatterns))
	}
	*list = out
}

func (m *mistakes) channel(field string, c *eco.Channel) {
	if *c == "" {
		*c = eco.Stable
	}
	if *c != eco.Stable && *c != eco.Beta && *c != eco.Nightly {
		m.add(field, "The channels are stable, beta and nightly.")
	}
}

// version checks the text of a version: any scheme, but no spaces and no signs
// that would need care in addresses and file names.
func (m *mistakes) version(field string, s *string) {
	*s = strings.TrimSpace(*s)
	if !isVersion(*s) {
		m.add(field, "A version has 1 to 64 letters, digits and the signs . _ + ~ : -")
	}
}

func isVersion(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._+~:-", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= MaxVersion
}

func (p *Publisher) check() (m mistakes) {
	m.slug("id", &p.ID)
	if strings.Contains(p.ID, ".") {
		m.add("id", "A publisher's id has no dot: it is what stands before the dot of an extension's id.")
	}
	m.line("name", &p.Name, 1, MaxName)
	m.contact("contact", &p.Contact)
	return m
}

func (h *Host) check() (m mistakes) {
	m.slug("id", &h.ID)
	m.line("name", &h.Name, 1, MaxName)
	m.kind("kind", &h.Kind)
	m.words("paths", &h.Paths, blame.CheckPattern)
	m.words("prefixes", &h.Prefixes, nil)
	m.words("files", &h.Files, nil)
	return m
}

// check looks at the entry alone; whether its publisher and host exist is asked
// inside the transaction.
func (e *Extension) check() (m mistakes) {
	if id, err := eco.ParseExtensionID(string(e.ID)); err != nil {
		m.add("id", fault.TextOf(err))
	} else if len(id.Publisher()) > 64 {
		m.add("id", "The publisher's part has at most 64 bytes.")
	} else {
		e.ID = id
	}
	m.kind("kind", &e.Kind)
	m.line("name", &e.Name, 1, MaxName)
	m.line("summary", &e.Summary, 0, MaxSummary)
	m.web("repository", &e.Repository)
	m.contact("contact", &e.Contact)
	if e.Host != "" {
		m.slug("host", &e.Host)
	}
	m.words("locals", &e.Locals, nil)
	m.words("prefixes", &e.Prefixes, nil)
	m.words("shaded", &e.Shaded, nil)
	m.words("libraries", &e.Libraries, nil)
	return m
}
