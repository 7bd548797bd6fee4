package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/dump"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
	"github.com/bellwether-project/bellwether/internal/ingest/sentry"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/stack"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

type crashCmd struct {
	Sign    signCmd      `cmd:"" help:"Print the signature and the blame of reports, a line each."`
	Explain explainCmd   `cmd:"" help:"Print how the signature and the blame of a report came about."`
	Held    crashHeldCmd `cmd:"" help:"Crashes that are held because a burst looked forged."`
}

// maxReport bounds a report given to sign and explain, in bytes.
const maxReport = native.MaxReport

type reportFlags struct {
	JSON bool     `help:"Print JSON, one object a report." name:"json"`
	File []string `arg:"" help:"A text trace, a whole report (Node.js, JVM, macOS, a CPU profile), a browser report, a Sentry event or a Sentry envelope, a minidump; - is standard input."`
}

// verdict is what the rules say of one report.
type verdict struct {
	File      string        `json:"file"`
	Reader    string        `json:"reader"` // how the report was understood
	Signature eco.Signature `json:"signature"`
	Blame     eco.Blame     `json:"blame"`
	crash     *eco.Crash
}

type signCmd struct{ reportFlags }

func (s *signCmd) Run(c *console) error {
	return s.each(c, func(v verdict) {
		low := ""
		if v.Signature.Low {
			low = "  (low trust)"
		}
		fmt.Fprintf(c.out, "%s  %s  %s%s\n", v.Signature.Hash, orDash(string(v.Blame.Extension)), v.Signature.Title, low)
	})
}

type explainCmd struct{ reportFlags }

func (s *explainCmd) Run(c *console) error {
	return s.each(c, func(v verdict) { explain(c.out, v) })
}

func (f *reportFlags) each(c *console, show func(verdict)) error {
	world, err := blame.NewWorld(nil, nil)
	if err != nil {
		return err
	}
	failed := false
	for _, name := range f.File {
		v, err := judge(c, world, name)
		if err != nil {
			failed = true
			fmt.Fprintf(c.err, "bellwether: %s: %s\n", name, message(err))
			continue
		}
		if !f.JSON {
			show(v)
			continue
		}
		if err := json.MarshalWrite(c.out, v, jsontext.Multiline(false)); err != nil {
			return err
		}
		fmt.Fprintln(c.out)
	}
	if failed {
		return exitCode(1)
	}
	return nil
}

// judge reads a report as the door would, scrubs it, and applies the rules.
func judge(c *console, world *blame.World, name string) (verdict, error) {
	in, err := c.openInput(name)
	if err != nil {
		return verdict{}, fault.E("crash.sign", fault.NotFound, "The file cannot be read.", err)
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, dump.MaxDump+1))
	switch {
	case err != nil:
		return verdict{}, fault.E("crash.sign", fault.Unavailable, "The file cannot be read.", err)
	case len(b) > maxReport && !minidump.Is(b) || len(b) > dump.MaxDump:
		return verdict{}, fault.E("crash.sign", fault.TooLarge, "A report has at most 16 MiB.", nil)
	}
	report, origin, reader, err := understand(b)
	if err != nil {
		return verdict{}, err
	}
	scrub.New(scrub.Options{}).Crash(report)
	if note := stack.Fill(report); note != "" {
		reader += "; " + note
	}
	stack.Normalise(report)
	if len(report.Exceptions) == 0 && report.Message == "" {
		return verdict{}, fault.E("crash.sign", fault.Invalid, "This is no crash report we can read ("+reader+"): no exception and no stack trace was found.", nil)
	}
	world.Classify(report, origin)
	return verdict{File: name, Reader: reader, Signature: signature.Explain(report), Blame: blame.Decide(world, report, origin), crash: report}, nil
}

// understand finds out what kind of report the bytes are.
func understand(b []byte) (*eco.Crash, eco.Origin, string, error) {
	trimmed := bytes.TrimSpace(b)
	if len(trimmed) == 0 {
		return nil, eco.Origin{}, "", fault.E("crash.sign", fault.Invalid, "The report is empty.", nil)
	}
	if c, o, reader, is, err := dumpReport(b); is {
		return c, o, reader, err
	}
	if c, o, reader, is, err := wholeReport(b); is {
		return c, o, reader, err
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		if c, o, reader, is, err := browserReport(trimmed); is {
			return c, o, reader, err
		}
	}
	if trimmed[0] != '{' {
		return &eco.Crash{Text: string(b)}, eco.Origin{}, "text trace", nil
	}
	var found *eco.Crash
	var origin eco.Origin
	take := func(it *item.Item) {
		if it.Crash != nil && found == nil {
			item.Place(it, "", "")
			report := *it.Crash
			found, origin = &report, it.Origin
		}
	}
	if bytes.IndexByte(trimmed, '\n') >= 0 {
		if _, err := sentry.Envelope(trimmed, 0, maxReport, take); err == nil && found != nil {
			return found, origin, "Sentry envelope", nil
		}
	}
	if _, err := sentry.Event(trimmed, 0, take); err != nil {
		return nil, origin, "", fault.E("crash.sign", fault.Invalid, "The JSON is no Sentry event.", err)
	}
	if found == nil {
		return nil, origin, "", fault.E("crash.sign", fault.Invalid, "The event holds no crash: no exception, and not fatal.", nil)
	}
	return found, origin, "Sentry event", nil
}

func explain(w io.Writer, v verdict) {
	fmt.Fprintf(w, "%s\n  read as    %s\n  signature  %s (%s)\n  key        %s\n", v.Signature.Title, v.Reader, v.Signature.Hash, v.Signature.Version, v.Signature.Key)
	if v.Signature.Low {
		fmt.Fprintln(w, "  trust      low: no usable stack, a place without a name, or a frame that was guessed; see below")
	}
	fmt.Fprintln(w, "\nHow the signature came about:")
	for i, s := range v.Signature.Why {
		fmt.Fprintf(w, "  %2d. %s\n", i+1, whyLine(s))
	}
	fmt.Fprintf(w, "\nBlame: %s, confidence %.2f\n", blameLine(v.Blame), v.Blame.Confidence)
	for _, k := range v.Blame.Candidates {
		fmt.Fprintf(w, "  step %d  %-30s %.2f  %s\n", k.Step, orDash(strings.TrimSpace(string(k.Extension)+" "+k.Version)), k.Confidence, k.Reason)
	}
	fmt.Fprintln(w, "\nFrames, the crash first:")
	for _, x := range v.crash.Exceptions {
		head := x.Type
		if x.Value != "" {
			head += ": " + x.Value
		}
		fmt.Fprintf(w, "  %s\n", head)
		for _, f := range x.Frames {
			fmt.Fprintf(w, "    %-9s %-24s %s\n", f.Class, orDash(string(f.Owner)), frameLine(f))
		}
	}
}

func whyLine(s eco.WhyStep) string {
	parts := []string{s.Step}
	for _, p := range []string{s.What, s.Place} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if s.Rule != "" {
		parts = append(parts, "(rule "+s.Rule+")")
	}
	return strings.Join(parts, " ")
}

func blameLine(b eco.Blame) string {
	if b.Extension == "" {
		return b.Target
	}
	return strings.TrimSpace(string(b.Extension) + " " + b.Version)
}

func frameLine(f eco.Frame) string {
	name := f.Function
	if name == "" && strings.HasPrefix(f.Addr, "+0x") {
		return strings.TrimSpace(f.Module + f.Addr + "  " + string(f.Trust))
	}
	if f.Module != "" && !strings.HasPrefix(name, f.Module) {
		name = f.Module + "." + name
	}
	if f.File == "" {
		return name
	}
	return fmt.Sprintf("%s (%s:%d)", name, f.File, f.Line)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
