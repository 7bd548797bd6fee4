package world

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed families.txt
var familiesText string

// family is one root cause; see families.txt.
type family struct {
	name, project, lang string
	typ, message        string
	causeType, cause    string
	rate                float64
	handled             bool
	in                  [][2]string
	pair                []eco.Active
	frames              []frame // innermost first
}

type frame struct {
	function, file, module string
	line, col              int
	foreign                bool // not the extension's own code
}

func readFamilies(text string) ([]*family, error) {
	var out []*family
	var f *family
	for n, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		var err error
		switch {
		case key == "family":
			f = &family{name: value}
			out = append(out, f)
		case f == nil:
			err = fmt.Errorf("no family yet")
		default:
			err = f.set(key, value)
		}
		if err != nil {
			return nil, fault.E("world.readFamilies", fault.Internal, fmt.Sprintf("Line %d of the crash families is not valid.", n+1), err)
		}
	}
	return out, nil
}

func (f *family) set(key, value string) (err error) {
	switch key {
	case "project":
		f.project = value
	case "lang":
		f.lang = value
	case "type":
		f.typ = value
	case "message":
		f.message = value
	case "cause":
		f.causeType, f.cause, _ = strings.Cut(value, ": ")
	case "rate":
		f.rate, err = strconv.ParseFloat(value, 64)
	case "handled":
		f.handled = true
	case "in":
		for r := range strings.FieldsSeq(value) {
			from, to, ok := strings.Cut(r, "..")
			if !ok {
				return fmt.Errorf("%s is not a range", r)
			}
			f.in = append(f.in, [2]string{from, to})
		}
	case "pair":
		for p := range strings.FieldsSeq(value) {
			id, version, _ := strings.Cut(p, "@")
			f.pair = append(f.pair, eco.Active{ID: eco.ExtensionID(id), Version: version})
		}
	case "at":
		var fr frame
		fr, err = readFrame(value)
		f.frames = append(f.frames, fr)
	default:
		err = fmt.Errorf("unknown word %s", key)
	}
	return err
}

func readFrame(s string) (f frame, err error) {
	s, f.foreign = strings.CutPrefix(s, "- ")
	parts := strings.Split(s, "|")
	f.function = strings.TrimSpace(parts[0])
	if len(parts) > 2 {
		f.module = strings.TrimSpace(parts[2])
	}
	if len(parts) < 2 {
		return f, fmt.Errorf("a frame has a function and a place")
	}
	f.file = strings.TrimSpace(parts[1])
	number := func() int {
		i := strings.LastIndexByte(f.file, ':')
		n, err := strconv.Atoi(f.file[i+1:])
		if i < 0 || err != nil {
			return 0
		}
		f.file = f.file[:i]
		return n
	}
	if f.line = number(); f.line > 0 {
		if n := number(); n > 0 {
			f.line, f.col = n, f.line
		}
	}
	return f, nil
}

// happensIn reports whether the family can happen in a version.
func (f *family) happensIn(version string) bool {
	for _, r := range f.in {
		if (r[0] == "" || eco.CompareVersions(version, r[0]) >= 0) && (r[1] == "" || eco.CompareVersions(version, r[1]) < 0) {
			return true
		}
	}
	return len(f.in) == 0
}

// outcomes are what may befall one session of one version.
type outcomes struct {
	fatal, handled []*family
	pFatal         []float64 // running sums
	pHandled       []float64
}

func (s *subject) outcomesOf(version string) *outcomes {
	o := &outcomes{}
	var fatal, handled float64
	for _, f := range s.families {
		switch {
		case !f.happensIn(version) || len(f.pair) > 0:
		case f.handled:
			handled += f.rate / 100_000
			o.handled, o.pHandled = append(o.handled, f), append(o.pHandled, handled)
		default:
			fatal += f.rate / 100_000
			o.fatal, o.pFatal = append(o.fatal, f), append(o.pFatal, fatal)
		}
	}
	return o
}

// pick returns what the number u befalls, nil for nothing.
func pick(u float64, families []*family, sums []float64) *family {
	for i, p := range sums {
		if u < p {
			return families[i]
		}
	}
	return nil
}

var words = []string{"atlas", "harbor", "maple", "quartz", "saffron", "tundra", "velvet", "willow", "cobalt", "ember", "lumen", "marble", "nectar", "orchid", "pepper", "raven"}

// fill replaces placeholders. What it puts in looks like what clients really
// send, people's names and secrets included: the server is to take them out.
func fill(s string, who *person, dice *rand.Rand) string {
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return s
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			return s
		}
		var v string
		switch word := s[i+1 : i+j]; word {
		case "n":
			v = strconv.Itoa(2 + dice.IntN(400))
		case "port":
			v = strconv.Itoa(1024 + dice.IntN(60000))
		case "ip":
			v = fmt.Sprintf("10.%d.%d.%d", dice.IntN(256), dice.IntN(256), 1+dice.IntN(254))
		case "word":
			v = words[dice.IntN(len(words))]
		case "email":
			v = who.login + "@mail.example.org"
		case "token":
			v = fmt.Sprintf("ghp_%018x%018x", dice.Uint64(), dice.Uint64())
		case "home":
			v = who.home()
		case "version":
			v = who.version
		case "ext":
			v = who.folder()
		case "app":
			v = who.app()
		case "addon":
			v = who.addon()
		case "browser":
			v = browserID
		default: // a brace of the message itself
			return s[:i+1] + fill(s[i+1:], who, dice)
		}
		s = s[:i] + v + s[i+j+1:]
	}
}

// browserID is by what browsers know the palette.
const browserID = "kjfhgdmlpcoaebnimlkjhgfdpoiabcde"
