package query

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what the values of a key are.
type Kind string

const (
	Text    Kind = "text"
	Version Kind = "version" // compares as versions do
	Count   Kind = "number"
	Moment  Kind = "time" // a day, a time, or an age such as 24h
	Choice  Kind = "one of"
	Words   Kind = "words"
)

// Key is something one can search by.
type Key struct {
	Name    string   `json:"name"`
	Kind    Kind     `json:"kind"`
	Doc     string   `json:"doc"`
	Example string   `json:"example"`
	Choices []string `json:"choices,omitempty"` // of a Choice; of others the fixed values it also takes
}

// Keys are all keys, in the order in which they are offered.
var Keys = []Key{
	{"extension", Text, "The extension a crash counts for: the blamed one, else the one it came from.", "extension:acme.todo", nil},
	{"publisher", Text, "The publisher of that extension.", "publisher:acme", nil},
	{"blame", Text, "Who is blamed: an extension, or nobody.", "blame:none", []string{"none"}},
	{"release", Version, "Its version, or the host's where no extension is blamed.", "release:>=1.4", nil},
	{"host", Text, "The application.", "host:studio", nil},
	{"host_version", Version, "The application's version.", "host_version:1.102.*", nil},
	{"os", Text, "The operating system.", "os:[linux, macos]", []string{"linux", "macos", "windows", "android", "ios"}},
	{"os_version", Version, "Its version.", "os_version:>=14", nil},
	{"arch", Text, "The processor.", "arch:arm64", nil},
	{"channel", Choice, "The release channel.", "channel:beta", []string{"stable", "beta", "nightly"}},
	{"runtime", Text, "What runs the extension.", "runtime:node", nil},
	{"environment", Text, "As the client says.", "environment:production", nil},
	{"is", Choice, "The state of the family; new: first seen in the period.", "is:regressed", []string{"open", "resolved", "ignored", "regressed", "new"}},
	{"level", Choice, "How bad the client says it is.", "level:fatal", []string{"fatal", "error", "warning", "info", "debug"}},
	{"handled", Choice, "Whether the program went on.", "handled:no", []string{"yes", "no"}},
	{"counted", Choice, "Whether only its signature came, and no stack.", "counted:no", []string{"yes", "no"}},
	{"type", Text, "The type of the exception.", "type:TypeError", nil},
	{"message", Words, "Words of the message.", `message:"cannot read"`, nil},
	{"frame", Words, "Words of a function, module or file on the stack.", "frame:onDidChange", nil},
	{"signature", Text, "A signature's 16 hex digits.", "signature:0011223344556677", nil},
	{"family", Text, "A family's id.", "family:F-0ABCDEF", nil},
	{"id", Text, "A crash's id, ours or its client's.", "id:6f1e…", nil},
	{"install", Text, "The id an install calls itself, beside extension: or host:. It is not kept as it is, so it has to be known.", "install:4f7a…", nil},
	{"crashes", Count, "Crashes of the family in the period.", "crashes:>=100", nil},
	{"installs", Count, "Distinct installs that had them.", "installs:>20", nil},
	{"first", Moment, "When the family was first seen.", "first:<7d", nil},
	{"last", Moment, "When it was last seen in the period.", "last:<24h", nil},
	{"time", Moment, "When the crashes came in.", "time:>=2026-11-01", nil},
}

// alsoKnown are words that people try for a key.
var alsoKnown = map[string]string{"state": "is"}

// filters are what lists are filtered by beside the search, with where that is.
var filters = map[string]string{"assigned": "person", "assignee": "person", "person": "person", "team": "team", "label": "label", "labels": "label", "priority": "priority"}

// KeyOf finds a key.
func KeyOf(name string) (Key, bool) {
	if other, ok := alsoKnown[name]; ok {
		name = other
	}
	i := slices.IndexFunc(Keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return Keys[i], true
}

// check holds a term against its key.
func check(t *Term) error {
	if t.Key == "" {
		return nil
	}
	k, ok := KeyOf(t.Key)
	if f, there := filters[t.Key]; !ok && there {
		return wrong(t.At, "There is no key %s:; choose the %s in the filters beside the search. To look for the text itself, put it in quotes", t.Key, f)
	}
	if !ok {
		return wrong(t.At, "There is no key %s:; did you mean %s:? To look for the text itself, put it in quotes", t.Key, nearest(t.Key))
	}
	if slices.Contains(t.Values, "") {
		return wrong(t.At, "%s: wants a value", t.Key)
	}
	if t.Op != Is && (k.Kind == Text || k.Kind == Choice || k.Kind == Words) {
		return wrong(t.At, "%s: does not compare; say %s", t.Key, k.Example)
	}
	for i, v := range t.Values {
		switch k.Kind {
		case Choice:
			t.Values[i] = strings.ToLower(v)
			if !slices.Contains(k.Choices, t.Values[i]) {
				return wrong(t.At, "%s: takes %s", t.Key, strings.Join(k.Choices, ", "))
			}
		case Count:
			if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 {
				return wrong(t.At, "%s: wants a whole number, such as %s", t.Key, k.Example)
			}
		case Moment:
			if len(t.Values) > 1 {
				return wrong(t.At, "%s: takes one time", t.Key)
			}
			if _, _, _, err := moment(v, time.Unix(0, 0)); err != nil {
				return wrong(t.At, "%s: wants a day (2026-11-01), a time (2026-11-01T08:00Z) or an age (90m, 24h, 7d)", t.Key)
			}
		case Version:
			if t.Op != Is && strings.Contains(v, "*") {
				return wrong(t.At, "%s: compares with a whole version; * goes without %s", t.Key, t.Op)
			}
		}
	}
	return nil
}

// nearest suggests a key for one that is not known; "" when none is near.
func nearest(name string) string {
	best, far := "", min(3, (len(name)+1)/2)
	for _, k := range Keys {
		if d := distance(name, k.Name); d < far {
			best, far = k.Name, d
		}
	}
	return best
}

// distance is that of Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			step := 1
			if a[i] == b[j] {
				step = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+step)
		}
	}
	return row[len(b)]
}

// moment reads a day, a time or an age; length is how long what it names lasts.
func moment(v string, now time.Time) (at time.Time, length time.Duration, ago bool, err error) {
	if n := len(v) - 1; n > 0 && n < 6 {
		units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
		if unit, ok := units[v[n]]; ok {
			if count, err := strconv.ParseUint(strings.TrimPrefix(v[:n], "-"), 10, 16); err == nil {
				return now.Add(-time.Duration(count) * unit), 0, true, nil
			}
		}
	}
	if at, err = time.Parse(time.DateOnly, v); err == nil {
		return at, 24 * time.Hour, false, nil
	}
	for _, layout := range []string{"2006-01-02T15:04Z07:00", time.RFC3339} {
		if at, err = time.Parse(layout, v); err == nil {
			return at.UTC(), time.Minute, false, nil
		}
	}
	return at, 0, false, err
}
