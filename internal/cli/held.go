package cli

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// crashHeldCmd is about crashes that a project's rule holds because a burst looked
// forged. What is held lies with the facts, so only a running server knows it.
type crashHeldCmd struct {
	List    heldListCmd    `cmd:"" default:"1" help:"List the projects with held crashes."`
	Show    heldShowCmd    `cmd:"" help:"Show what of a project is held, by signature, and why."`
	Release heldReleaseCmd `cmd:"" help:"Let held crashes go: they get families and count from then on."`
	Discard heldDiscardCmd `cmd:"" help:"Erase held crashes. This cannot be undone."`
}

// running is a target that must be a server.
type running struct{ target }

func (r *running) with(ctx context.Context, k *kong.Context, c *console, f func(*client) error) error {
	if r.Server == "" {
		return fault.E("cli", fault.Invalid, "This asks a running server: --server or BELLWETHER_SERVER, with --token.", nil)
	}
	return r.target.with(ctx, k, c, f)
}

type heldListCmd struct{ running }

func (h *heldListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.with(ctx, k, c, func(cl *client) error {
		list, err := every[crash.HeldSum](ctx, cl, "/held")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, s := range list {
			rows = append(rows, []string{strconv.FormatInt(s.Project, 10), strconv.FormatInt(s.Crashes, 10), strconv.FormatInt(s.Installs, 10), utc(s.First), utc(s.Last)})
		}
		return cl.table("PROJECT\tCRASHES\tINSTALLS\tFIRST\tLAST", rows, "Nothing is held.")
	})
}

type heldShowCmd struct {
	running
	Project int64 `arg:"" help:"The project's number."`
}

func (h *heldShowCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.with(ctx, k, c, func(cl *client) error {
		var held crash.Held
		if err := cl.call(ctx, http.MethodGet, fmt.Sprintf("/projects/%d/held", h.Project), nil, &held); err != nil {
			return err
		}
		var rows [][]string
		for _, g := range held.Groups {
			rows = append(rows, []string{g.Signature, strconv.FormatInt(g.Crashes, 10), strconv.FormatInt(g.Installs, 10), utc(g.Last), g.Title, g.Why})
		}
		return cl.table("SIGNATURE\tCRASHES\tINSTALLS\tLAST\tTITLE\tWHY", rows, "Nothing of this project is held.")
	})
}

// heldPart is what of a project a decision is about.
type heldPart struct {
	running
	Project   int64  `arg:"" help:"The project's number."`
	Signature string `help:"Only crashes of this signature."`
}

type heldReleaseCmd struct{ heldPart }

func (h *heldReleaseCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.decide(ctx, k, c, "release", "released")
}

type heldDiscardCmd struct {
	heldPart
	Yes bool `help:"Do it; without this nothing happens."`
}

func (h *heldDiscardCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	if !h.Yes {
		return fault.E("cli", fault.Invalid, "This erases reports and cannot be undone. Say --yes to do it.", nil)
	}
	return h.decide(ctx, k, c, "discard", "discarded")
}

// decide repeats the call until nothing that was there at its start is left.
func (h *heldPart) decide(ctx context.Context, k *kong.Context, c *console, do, done string) error {
	return h.with(ctx, k, c, func(cl *client) error {
		var held crash.Held
		if err := cl.quiet().call(ctx, http.MethodGet, fmt.Sprintf("/projects/%d/held", h.Project), nil, &held); err != nil {
			return err
		}
		body := map[string]any{"do": do}
		if h.Signature != "" {
			body["signature"] = h.Signature
		}
		if !held.Last.IsZero() {
			body["before"] = held.Last.Add(time.Millisecond)
		}
		for total := int64(0); ; {
			var r pipeline.HeldResult
			if err := cl.call(ctx, http.MethodPost, fmt.Sprintf("/projects/%d/held", h.Project), body, &r); err != nil {
				return err
			}
			if total += r.Crashes; !r.More || r.Crashes == 0 {
				cl.say("%d %s.", total, done)
				return nil
			}
		}
	})
}

func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
