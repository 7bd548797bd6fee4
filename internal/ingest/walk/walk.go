// Package walk has another program unwind a minidump: minidump-stackwalk of
// rust-minidump, where it is installed. It is not needed: without it the house's
// own walk stands (stack/minidump).
//
// The program never sees a file of ours. It gets the dump as a sealed memory file
// (memfd), an environment of nothing, and limits: MaxTime, MaxMemory beside
// four times the dump (and four times that of address space), MaxTime of processor time, no files written,
// no core dump, MaxOutput bytes of answer; at most two run at once. Its answer is
// read into allow-listed fields. What it writes to its error output is discarded:
// it may repeat the dump. On systems without memfd there is no Tool.
package walk

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/dump"
	"github.com/bellwether-project/bellwether/internal/stack/minidump"
)

// The bounds of one walk.
const (
	MaxTime   = 10 * time.Second
	MaxMemory = 1 << 30
	MaxOutput = 16 << 20
	atOnce    = 2
	maxWait   = 2 * time.Second // for one of those
)

// Program is what is looked for when none is named.
const Program = "minidump-stackwalk"

// Tool is the other program.
type Tool struct {
	path    string
	symbols []string // folders of Breakpad symbols
	name    string   // with its version, for lineage
	slots   chan struct{}
	time    time.Duration
	memory  uint64
}

// Find looks for the program: at path, or in PATH when it is "auto". A nil Tool
// means that there is none to be used.
func Find(ctx context.Context, path string, symbols []string) (*Tool, error) {
	const op = "walk.Find"
	switch path {
	case "", "off":
		return nil, nil
	case "auto":
		found, err := exec.LookPath(Program)
		if err != nil {
			return nil, nil
		}
		path = found
	}
	if !canFeed {
		return nil, fault.E(op, fault.Invalid, "Only Linux can feed a stack walker from memory.", nil)
	}
	t := &Tool{path: path, symbols: symbols, slots: make(chan struct{}, atOnce), time: MaxTime, memory: MaxMemory}
	out, err := t.run(ctx, nil, []string{"--version"})
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The stack walker cannot be run.", err)
	}
	t.name = Program
	if f := strings.Fields(eco.Clean(string(out), 128)); len(f) >= 2 {
		t.name = f[0] + "/" + f[1]
	}
	return t, nil
}

// Name is the program with its version.
func (t *Tool) Name() string { return t.name }

// Walk unwinds a dump. Where the program fails, By is empty and Note says why.
func (t *Tool) Walk(ctx context.Context, raw []byte, d *minidump.Dump) dump.Stack {
	wait := time.NewTimer(maxWait)
	defer wait.Stop()
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-wait.C:
		return dump.Stack{Note: t.name + " was busy"}
	case <-ctx.Done():
		return dump.Stack{Note: t.name + " was given up"}
	}
	args := []string{"--json", "--no-color", "--no-interactive", "--verbose", "off"}
	for _, s := range t.symbols {
		args = append(args, "--symbols-path", s)
	}
	out, err := t.run(ctx, raw, args)
	if err != nil {
		why := "failed"
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			why = "took too long"
		case errors.Is(err, errFlood):
			why = "answered too much"
		}
		return dump.Stack{Note: t.name + " " + why}
	}
	frames, err := Parse(out, d)
	if err != nil || len(frames) == 0 {
		return dump.Stack{Note: t.name + " gave no stack"}
	}
	return dump.Stack{By: t.name, Frames: frames}
}

var errFlood = errors.New("walk: too much output")

// answer is what is read of the program's JSON.
type answer struct {
	Status string `json:"status"`
	Thread struct {
		Frames []answerFrame `json:"frames"`
	} `json:"crashing_thread"`
}

type answerFrame struct {
	Module  string  `json:"module"`
	Offset  string  `json:"module_offset"`
	Trust   string  `json:"trust"`
	Inlines []place `json:"inlines"`
	place
}

type place struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

// Parse reads the program's answer about d. Frames in modules that the dump does
// not have lose their module; those past minidump.MaxFrames are left out.
func Parse(out []byte, d *minidump.Dump) ([]minidump.Frame, error) {
	if len(out) > MaxOutput {
		return nil, fault.E("walk.Parse", fault.TooLarge, "The answer is too large.", nil)
	}
	var a answer
	if err := json.Unmarshal(out, &a, json.RejectUnknownMembers(false)); err != nil {
		return nil, fault.E("walk.Parse", fault.Invalid, "The answer is not the JSON of minidump-stackwalk.", err)
	}
	var frames []minidump.Frame
	for i := range a.Thread.Frames {
		f := &a.Thread.Frames[i]
		base := minidump.Frame{Trust: trustOf(f.Trust)}
		base.Module, base.Offset = moduleOf(d, f.Module, f.Offset)
		for _, p := range append(f.Inlines[:len(f.Inlines):len(f.Inlines)], f.place) {
			if len(frames) == minidump.MaxFrames {
				return frames, nil
			}
			one := base
			one.Function, one.File = eco.Clean(p.Function, maxName), eco.Clean(p.File, maxName)
			if p.Line > 0 && p.Line < 1<<24 {
				one.Line = p.Line
			}
			frames = append(frames, one)
		}
	}
	return frames, nil
}

const maxName = 512

func trustOf(s string) eco.FrameTrust {
	switch s {
	case "context":
		return eco.TrustContext
	case "cfi":
		return eco.TrustCFI
	case "frame_pointer":
		return eco.TrustFP
	}
	return eco.TrustScan // scan, cfi_scan, and what we do not know
}
