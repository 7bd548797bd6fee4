package world

import (
	"fmt"
	"strings"
)

// trace writes a report as the language's runtime prints it.
func (r *report) trace() string {
	var b strings.Builder
	f, msg := r.f, fill(r.f.message, &r.who, r.dice)
	frames := r.frames()
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch f.lang {
	case "javascript":
		line("%s: %s", f.typ, msg)
		for _, fr := range frames {
			line("    at %s (%s)", fr.function, fr.place())
		}
	case "python":
		line("Traceback (most recent call last):")
		for i := len(frames) - 1; i >= 0; i-- {
			line("  File \"%s\", line %d, in %s", frames[i].file, frames[i].line, frames[i].function)
		}
		line("%s: %s", f.typ, msg)
	case "ruby":
		for i, fr := range frames {
			if i == 0 {
				line("%s:%d:in `%s': %s (%s)", fr.file, fr.line, fr.function, msg, f.typ)
			} else {
				line("\tfrom %s:%d:in `%s'", fr.file, fr.line, fr.function)
			}
		}
	case "php":
		line("PHP Fatal error:  Uncaught %s: %s in %s:%d", f.typ, msg, frames[0].file, frames[0].line)
		line("Stack trace:")
		for i, fr := range frames {
			line("#%d %s(%d): %s()", i, fr.file, fr.line, fr.function)
		}
		line("#%d {main}", len(frames))
		line("  thrown in %s on line %d", frames[0].file, frames[0].line)
	case "rust":
		line("thread 'main' panicked at %s:%d:17:", frames[min(1, len(frames)-1)].file, frames[min(1, len(frames)-1)].line)
		line("%s", msg)
		line("stack backtrace:")
		for i, fr := range frames {
			line("%4d: %s", i, fr.function)
			line("             at %s:%d:17", fr.file, fr.line)
		}
	}
	return b.String()
}

func (f frame) place() string {
	switch {
	case f.col > 0:
		return fmt.Sprintf("%s:%d:%d", f.file, f.line, f.col)
	case f.line > 0:
		return fmt.Sprintf("%s:%d", f.file, f.line)
	}
	return f.file
}

// frames are the family's frames on this person's disk, at this version's lines.
func (r *report) frames() []frame {
	out := make([]frame, len(r.f.frames))
	shift := 0
	for i := range len(r.who.version) {
		shift = (shift*7 + int(r.who.version[i])) % 9
	}
	for i, fr := range r.f.frames {
		own := strings.HasPrefix(fr.file, "{")
		fr.file = fill(fr.file, &r.who, r.dice)
		if own {
			fr.file = r.who.path(fr.file)
		}
		if !fr.foreign && fr.line > 20 {
			fr.line += shift
		}
		out[i] = fr
	}
	return out
}
