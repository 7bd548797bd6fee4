// Package item is what every decoder of the door makes: one piece of a client's
// request in the house's own types, before consent, scrubbing and pseudonyms.
// Decoders are pure: bytes in, items out, and only allow-listed fields are ever
// read into an item. It is not a record: raw identifiers of people are in here,
// so an item lives for one request, in memory.
package item

import (
	"log/slog"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// Item is one piece. A decoder lends it to its caller for the length of a call
// and may use it again afterwards.
type Item struct {
	Name     string   // the protocol's own word for it, as consent.TierOf knows it
	Category string   // Sentry: the data category that the rate-limit header speaks of
	Kind     eco.Kind // "" = nothing to keep, only to count
	Drop     string   // why there is nothing to keep
	N        int64    // how many things a counted item stands for; 0 = 1

	ClientID string  // the client's own id of a report
	Repeat   string  // what makes a repeat of an item without ClientID recognisable; "" = nothing
	Time     int64   // Unix milliseconds by the client's clock; 0 = not said
	Weight   float64 // 1/inclusion probability; 0 = not said
	Install  Raw     // raw id of the install or user
	Session  Raw     // raw id of the session
	Origin   eco.Origin
	Hints    Hints
	Walk     eco.Step // how the stack of a dump was unwound; its Stage is "" for the rest

	Crash    *eco.Crash
	Update   *eco.Session
	Event    *eco.Event
	Feedback *eco.Feedback
}

// Raw is an identifier as the client sent it. It becomes a pseudonym at the edge
// and never prints.
type Raw string

// LogValue keeps raw identifiers out of logs.
func (Raw) LogValue() slog.Value { return slog.StringValue("•••") }

// String keeps raw identifiers out of formatted text.
func (Raw) String() string { return "•••" }

// Hints is what a client says of the software it runs in. What it means depends
// on whose project the key belongs to; see Place.
type Hints struct {
	Release     string // "name@version", or a version
	Host        string
	HostVersion string
	AppVersion  string // of the program that died, as its dump says: the host's, unless something better tells
	Ext         string // an extension's id
	ExtVersion  string
	For         string // the extension that one record is about, when it is another than Ext
	ForVersion  string
	Channel     string
}

// Emit takes an item.
type Emit func(*Item)

// Place turns hints into dimensions. In an extension's project the release is
// the extension's version and the host is what the hints say; in a host's project
// the release is the host's version, and an extension the client names becomes the
// owner of a crash (rule one of blame) or an attribute of an event.
func Place(it *Item, ext eco.ExtensionID, host string) {
	o, h := &it.Origin, &it.Hints
	o.Extension, o.Channel = ext, channel(h.Channel)
	version := h.Release
	if _, v, ok := strings.Cut(h.Release, "@"); ok {
		version = v
	}
	named, _ := eco.ParseExtensionID(h.Ext)
	if ext != "" {
		o.ExtVersion = version
		if h.ExtVersion != "" && (named == "" || named == ext) {
			o.ExtVersion = h.ExtVersion
		} else if id, err := eco.ParseExtensionID(h.For); err == nil && id == ext && h.ForVersion != "" {
			o.ExtVersion = h.ForVersion
		}
		if s, err := eco.ParseSlug(h.Host); err == nil {
			o.Host = s
		}
		o.HostVersion = h.HostVersion
	} else {
		o.Host = host
		o.HostVersion = version
		if h.HostVersion != "" {
			o.HostVersion = h.HostVersion
		}
	}
	if o.HostVersion == "" {
		o.HostVersion = h.AppVersion
	}
	about := h.ExtVersion
	if id, err := eco.ParseExtensionID(h.For); err == nil {
		named, about = id, h.ForVersion
	}
	if ext != "" && it.Crash != nil && it.Crash.Counted != "" { // counted in the project's own families, whatever it names
		it.Crash.Owner = ""
		return
	}
	if named == "" || named == ext {
		return
	}
	switch {
	case it.Crash != nil:
		it.Crash.Owner = named
		it.Crash.Active = withActive(it.Crash.Active, named, about)
	case it.Event != nil:
		if it.Event.Attrs == nil {
			it.Event.Attrs = make(map[string]string, 2)
		}
		it.Event.Attrs["extension"] = string(named)
		if about != "" {
			it.Event.Attrs["extension.version"] = about
		}
	}
}

func withActive(list []eco.Active, id eco.ExtensionID, version string) []eco.Active {
	for i := range list {
		if list[i].ID == id {
			if list[i].Version == "" {
				list[i].Version = version
			}
			return list
		}
	}
	return append(list, eco.Active{ID: id, Version: version})
}

// AddActive adds an extension to an active set if its id is one and there is room.
func AddActive(list []eco.Active, id, version string) []eco.Active {
	e, err := eco.ParseExtensionID(id)
	if err != nil || len(list) >= MaxActive {
		return list
	}
	return withActive(list, e, Version(version))
}

// Version reads a version: the letters, digits and ".+-_~:" it begins with, at most
// MaxVersion of them. What follows is prose and none of ours.
func Version(s string) string {
	s = strings.TrimSpace(s)
	n := 0
	for n < len(s) && n < MaxVersion {
		c := s[n]
		if !(digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(".+-_~:", c) >= 0) {
			break
		}
		n++
	}
	return s[:n]
}

// HostID makes an id of the display name of a host: "Visual Studio Code" is
// visual-studio-code. A name of more than 48 bytes, with a word of more than 24,
// or with numbers like 1.2 in it is an address, a token or a version: "".
func HostID(s string) string {
	words := strings.Fields(strings.ToLower(s))
	id := strings.Join(words, "-")
	if len(id) > 48 {
		return ""
	}
	for _, w := range words {
		if len(w) > 24 {
			return ""
		}
	}
	for i := 1; i+1 < len(id); i++ {
		if id[i] == '.' && digit(id[i-1]) && digit(id[i+1]) {
			return ""
		}
	}
	return id
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func channel(s string) eco.Channel {
	switch strings.ToLower(s) {
	case "stable", "release", "production":
		return eco.Stable
	case "beta", "preview", "insider", "insiders", "prerelease", "pre-release", "rc":
		return eco.Beta
	case "nightly", "canary", "dev", "alpha":
		return eco.Nightly
	}
	return ""
}

// OS brings names of operating systems to the house's words.
func OS(s string) string {
	l := strings.ToLower(s)
	switch {
	case l == "":
		return ""
	case l == "ios" || l == "ipados" || l == "iphone os":
		return "ios"
	case l == "android":
		return "android"
	case strings.HasPrefix(l, "win"):
		return "windows"
	case strings.HasPrefix(l, "mac") || l == "darwin" || l == "osx" || l == "os x":
		return "macos"
	case l == "linux" || strings.Contains(l, "linux") || l == "debian" || l == "ubuntu" || l == "fedora" || l == "gnu" || l == "centos" ||
		l == "red hat enterprise linux" || l == "rhel" || l == "chrome os" || l == "cros":
		return "linux"
	}
	return "other"
}

// Arch brings names of processors to one form each.
func Arch(s string) string {
	switch l := strings.ToLower(s); l {
	case "amd64", "x86_64", "x64":
		return "x64"
	case "arm64", "aarch64", "arm64e", "arm64-v8a":
		return "arm64"
	case "386", "i386", "i686", "x86", "ia32":
		return "x86"
	case "arm", "armv7", "armv7l", "armeabi-v7a", "arm32":
		return "arm"
	default:
		return eco.Clean(l, 32)
	}
}

// Level brings a severity to the house's words.
func Level(s string) string {
	switch strings.ToLower(s) {
	case "fatal", "critical":
		return "fatal"
	case "error":
		return "error"
	case "warning", "warn":
		return "warning"
	case "info", "log", "information":
		return "info"
	case "debug", "verbose", "trace":
		return "debug"
	}
	return ""
}

// Platform brings the clients' platforms to the house's words.
func Platform(s string) string {
	switch l := strings.ToLower(s); l {
	case "javascript", "node", "nodejs", "webjs", "deno", "bun", "typescript":
		return "javascript"
	case "python":
		return "python"
	case "java", "kotlin", "jvm", "scala", "groovy", "android":
		return "java"
	case "go", "golang":
		return "go"
	case "csharp", "dotnet", ".net":
		return "csharp"
	case "ruby":
		return "ruby"
	case "php":
		return "php"
	case "rust":
		return "rust"
	case "native", "c", "cpp", "c++", "objc", "cocoa", "swift":
		return "native"
	case "":
		return ""
	}
	return "other"
}
