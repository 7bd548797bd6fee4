// Package cli holds the commands of the binary: it reads flags, environment and
// configuration file, calls the packages that do the work, and prints for
// people. It contains no rules of the domain.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// grammar is every command. kong makes the help from it.
type grammar struct {
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Demo        demoCmd        `cmd:"" help:"Run a seeded ecosystem with live traffic through the real doors; prints addresses and logins."`
	CheckConfig checkConfigCmd `cmd:"" name:"check-config" help:"Check flags, environment and configuration file, and print the result."`
	Extension   extensionCmd   `cmd:"" help:"Register and look at extensions."`
	Publisher   publisherCmd   `cmd:"" help:"Register and look at publishers."`
	Host        hostCmd        `cmd:"" help:"Register and look at hosts."`
	Release     releaseCmd     `cmd:"" help:"Declare and list releases."`
	User        userCmd        `cmd:"" help:"Invite people and look after accounts."`
	Token       tokenCmd       `cmd:"" help:"API tokens."`
	Symbols     symbolsCmd     `cmd:"" help:"Source maps, ProGuard and R8 mappings, Breakpad symbol files."`
	Crash       crashCmd       `cmd:"" help:"Sign and explain any crash report, offline."`
	Eval        evalCmd        `cmd:"" help:"Score our rules on labelled data."`
	Load        loadCmd        `cmd:"" help:"A bounded load generator for the doors of a server on this machine."`
	Audit       auditCmd       `cmd:"" help:"The tamper-evident log."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Help        helpCmd        `cmd:"" help:"Show every command."`
}

// console is what a command may touch of the outside.
type console struct {
	in       io.Reader
	out, err io.Writer
	app      *kong.Kong
	exited   int // code with which the parser would have ended the process; -1: not
}

// Main runs one command line and returns its exit code: 0 done, 1 failed, 2 the
// command line is wrong.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	var g grammar
	out, errOut = plain{out}, plain{errOut}
	con := &console{in: in, out: out, err: errOut, exited: -1}
	parser, err := kong.New(&g,
		kong.Name("bellwether"),
		kong.Description("Crashes, telemetry under consent and support for software with extensions."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { con.exited = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: len(args) == 0}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(con),
	)
	if err != nil {
		fmt.Fprintln(errOut, "bellwether:", err)
		return 2
	}
	con.app = parser
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if con.exited >= 0 {
		return con.exited
	}
	if err != nil {
		fmt.Fprintln(errOut, "bellwether:", err)
		fmt.Fprintln(errOut, "`bellwether help` lists every command.")
		return 2
	}
	if err := k.Run(); err != nil {
		if exit, ok := errors.AsType[exitCode](err); ok {
			return int(exit)
		}
		fmt.Fprintln(errOut, "bellwether:", message(err))
		return 1
	}
	return 0
}

// exitCode ends a command that has already said why.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// message is an error as somebody at a console wants it: the text for people
// when there is one, and the cause.
func message(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Text != "" {
		if e.Err != nil {
			return e.Text + " (" + e.Err.Error() + ")"
		}
		return e.Text
	}
	return err.Error()
}

// logger writes one JSON line per request and job to standard error.
func (c *console) logger(o app.Options) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(c.err, &slog.HandlerOptions{Level: level, ReplaceAttr: milliseconds}))
}

// milliseconds writes durations with their unit; slog's own form is bare nanoseconds.
func milliseconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration().Microseconds())/1000)
}

type versionCmd struct{}

func (versionCmd) Run(c *console) error {
	_, err := fmt.Fprintln(c.out, "bellwether", app.Version(), runtime.Version())
	return err
}

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

func (h helpCmd) Run(c *console) error {
	_, err := c.app.Parse(append(h.Command, "--help"))
	if c.exited == 0 {
		return nil // the help was shown; what the parser says of a command line that goes on is moot
	}
	return err
}

// openInput opens a file, or standard input for "-".
func (c *console) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.in), nil
	}
	return os.Open(name)
}
