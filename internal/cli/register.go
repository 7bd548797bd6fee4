package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// with opens the target, runs f, and closes it.
func (t *target) with(ctx context.Context, k *kong.Context, c *console, f func(*client) error) error {
	cl, err := t.open(ctx, k, c)
	if err != nil {
		return err
	}
	defer cl.close()
	return f(cl)
}

type publisherCmd struct {
	Add  publisherAddCmd  `cmd:"" help:"Register a publisher."`
	List publisherListCmd `cmd:"" help:"List publishers."`
}

type publisherAddCmd struct {
	target
	ID      string `arg:"" help:"Its id, such as acme."`
	Name    string `help:"Its name; default: the id."`
	Contact string `help:"A public address."`
}

func (p *publisherAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return p.with(ctx, k, c, func(cl *client) error {
		in := map[string]string{"name": orElse(p.Name, p.ID)}
		if p.Contact != "" {
			in["contact"] = p.Contact
		}
		if err := cl.call(ctx, http.MethodPut, "/publishers/"+url.PathEscape(p.ID), in, nil); err != nil {
			return err
		}
		cl.say("Publisher %s is registered.", p.ID)
		return nil
	})
}

type publisherListCmd struct{ target }

func (p *publisherListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return p.with(ctx, k, c, func(cl *client) error {
		list, err := every[registry.Publisher](ctx, cl, "/publishers")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list {
			rows = append(rows, []string{x.ID, x.Name, x.Contact})
		}
		return cl.table("PUBLISHER\tNAME\tCONTACT", rows, "No publisher yet. `bellwether publisher add ID` registers one.")
	})
}

type hostCmd struct {
	Add  hostAddCmd  `cmd:"" help:"Register a host application."`
	List hostListCmd `cmd:"" help:"List host applications."`
	Keys hostKeysCmd `cmd:"" help:"Show and change the keys of a host's projects."`
}

type hostAddCmd struct {
	target
	ID       string   `arg:"" help:"Its id, such as studio."`
	Name     string   `help:"Its name; default: the id."`
	Kind     string   `help:"Kind of application." default:"generic"`
	Paths    []string `help:"Path patterns of extensions, such as plugins/{publisher}.{name}-{version}/."`
	Prefixes []string `help:"Class or module prefixes of the host's own code."`
	Files    []string `help:"Path parts of the host's own code."`
}

func (h *hostAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.with(ctx, k, c, func(cl *client) error {
		in := map[string]any{"name": orElse(h.Name, h.ID), "kind": h.Kind}
		for name, list := range map[string][]string{"paths": h.Paths, "prefixes": h.Prefixes, "files": h.Files} {
			if len(list) > 0 {
				in[name] = list
			}
		}
		if err := cl.call(ctx, http.MethodPut, "/hosts/"+url.PathEscape(h.ID), in, nil); err != nil {
			return err
		}
		cl.say("Host %s is registered.", h.ID)
		return nil
	})
}

type hostListCmd struct{ target }

func (h *hostListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.with(ctx, k, c, func(cl *client) error {
		list, err := every[registry.Host](ctx, cl, "/hosts")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list {
			rows = append(rows, []string{x.ID, x.Name, string(x.Kind)})
		}
		return cl.table("HOST\tNAME\tKIND", rows, "No host yet. `bellwether host add ID` registers one.")
	})
}

type releaseCmd struct {
	Add  releaseAddCmd  `cmd:"" help:"Declare a release of an extension or a host."`
	List releaseListCmd `cmd:"" help:"List releases, newest version first."`
}

type releaseAddCmd struct {
	target
	Of        string `arg:"" help:"EXTENSION@VERSION, or with --host HOST@VERSION." placeholder:"ID@VERSION"`
	Host      bool   `help:"The id is a host's."`
	Channel   string `help:"stable, beta or nightly." default:"stable" enum:"stable,beta,nightly"`
	Published string `help:"When it was published, RFC 3339; default: now."`
}

func (r *releaseAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	id, version, ok := strings.Cut(r.Of, "@")
	if version = strings.TrimSpace(version); !ok || id == "" || version == "" {
		return fmt.Errorf("a release is written ID@VERSION")
	}
	in := map[string]any{"channel": r.Channel}
	if r.Published != "" {
		at, err := time.Parse(time.RFC3339, r.Published)
		if err != nil {
			return fmt.Errorf("--published is a time such as 2026-11-21T09:00:00Z")
		}
		in["published"] = at
	}
	return r.with(ctx, k, c, func(cl *client) error {
		if err := cl.call(ctx, http.MethodPut, subjectPath(id, r.Host)+"/releases/"+url.PathEscape(version), in, nil); err != nil {
			return err
		}
		cl.say("Release %s is declared.", r.Of)
		return nil
	})
}

type releaseListCmd struct {
	target
	ID   string `arg:"" help:"The extension's id, or with --host the host's."`
	Host bool   `help:"The id is a host's."`
}

func (r *releaseListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return r.with(ctx, k, c, func(cl *client) error {
		list, err := every[registry.Release](ctx, cl, subjectPath(r.ID, r.Host)+"/releases")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list {
			how := "declared"
			if !x.Declared {
				how = "seen in traffic"
			}
			rows = append(rows, []string{x.Version, string(x.Channel), x.Published.UTC().Format(time.RFC3339), how})
		}
		return cl.table("VERSION\tCHANNEL\tPUBLISHED\tHOW", rows, "No release yet. `bellwether release add "+r.ID+"@VERSION` declares one.")
	})
}

func subjectPath(id string, host bool) string {
	if host {
		return "/hosts/" + url.PathEscape(id)
	}
	return "/extensions/" + url.PathEscape(id)
}

type extensionCmd struct {
	Add    extensionAddCmd    `cmd:"" help:"Register an extension and give it a project with a key."`
	Import extensionImportCmd `cmd:"" help:"Register or change many extensions from a JSON or CSV file."`
	List   extensionListCmd   `cmd:"" help:"List extensions."`
	Show   extensionShowCmd   `cmd:"" help:"Show one extension with its projects, keys and releases."`
	Keys   extensionKeysCmd   `cmd:"" help:"Show and change the keys of an extension's projects."`
}

type extensionAddCmd struct {
	target
	ID         string   `arg:"" help:"Its id, publisher.name. The publisher is registered when it is new."`
	Name       string   `help:"Its name; default: the id."`
	Kind       string   `help:"vscode, obsidian, jetbrains, blender, qgis, grafana, browser or generic." default:"generic"`
	Host       string   `help:"The host it is for."`
	Repository string   `help:"Its repository (https)."`
	Contact    string   `help:"A public address."`
	Tiers      []string `help:"What its users are asked for: crash, performance, usage, support. Anything else is dropped." default:"crash"`
	Text       string   `help:"The text users are shown when they are asked."`
	AskedBy    string   `help:"Who asks them: the host, or the extension." name:"asked-by"`
}

func (e *extensionAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	id, err := eco.ParseExtensionID(e.ID)
	if err != nil {
		return err
	}
	return e.with(ctx, k, c, func(cl *client) error {
		p := policy{Tiers: e.Tiers, Text: e.Text, AskedBy: orElse(e.AskedBy, e.Host)}.over("extension", string(id))
		if err := p.check(); err != nil { // before anything is made
			return err
		}
		if err := ensurePublisher(ctx, cl, id.Publisher()); err != nil {
			return err
		}
		in := map[string]any{"id": id, "name": orElse(e.Name, string(id)), "kind": e.Kind}
		for name, v := range map[string]string{"host": e.Host, "repository": e.Repository, "contact": e.Contact} {
			if v != "" {
				in[name] = v
			}
		}
		if err := cl.call(ctx, http.MethodPost, "/extensions", in, nil); err != nil {
			return err
		}
		cl.say("Extension %s is registered.", id)
		if err := newProject(ctx, cl, "extension", string(id), orElse(e.Name, string(id)), p); err != nil {
			return err
		}
		cl.say("Its clients report with:")
		return showKeys(ctx, cl, "extension", string(id))
	})
}

// policy is what the users of a project are asked for.
type policy struct {
	Tiers   []string `json:"tiers"`
	Text    string   `json:"text"`
	AskedBy string   `json:"asked_by"`
}

// over fills in what was not said.
func (p policy) over(kind, id string) policy {
	p.Text = orElse(p.Text, "Send reports to the makers of "+id+", so that faults can be found?")
	p.AskedBy = orElse(p.AskedBy, kind)
	return p
}

func (p policy) check() error {
	c := consent.Policy{Text: p.Text, AskedBy: p.AskedBy}
	for _, t := range p.Tiers {
		c.Tiers = append(c.Tiers, eco.Tier(t))
	}
	return c.Validate()
}

// newProject makes a project, with its first key.
func newProject(ctx context.Context, cl *client, kind, id, name string, p policy) error {
	return cl.call(ctx, http.MethodPost, "/projects", map[string]any{kind: id, "name": name, "policy": p}, nil)
}

// ensurePublisher registers a publisher that is not known yet.
func ensurePublisher(ctx context.Context, cl *client, id string) error {
	quiet := cl.quiet()
	if err := quiet.call(ctx, http.MethodGet, "/publishers/"+url.PathEscape(id), nil, nil); err == nil {
		return nil
	}
	return quiet.call(ctx, http.MethodPut, "/publishers/"+url.PathEscape(id), map[string]string{"name": id}, nil)
}

type extensionImportCmd struct {
	target
	File   string `arg:"" help:"JSON (an array, or an object a line) or CSV; - is standard input."`
	DryRun bool   `help:"Say what would be done, and do nothing." name:"dry-run"`
}

func (e *extensionImportCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return e.with(ctx, k, c, func(cl *client) error {
		in, err := c.openInput(e.File)
		if err != nil {
			return err
		}
		defer in.Close()
		kind := "application/json"
		if strings.EqualFold(filepath.Ext(e.File), ".csv") {
			kind = "text/csv"
		}
		path := "/extensions/import"
		if e.DryRun {
			path += "?dry_run=true"
		}
		body := bufio.NewReader(in)
		if _, err := body.Peek(1); err == io.EOF {
			return fault.E("cli", fault.Invalid, "The file is empty.", nil)
		}
		var report registry.ImportReport
		if err := cl.request(ctx, http.MethodPost, path, kind, body, &report); err != nil {
			return err
		}
		for _, m := range report.Mistakes {
			fmt.Fprintf(c.err, "line %d: %s: %s\n", m.Line, orElse(m.Field, "file"), m.Text)
		}
		if n := len(report.Mistakes) + report.More; n > 0 {
			cl.say("Nothing was changed. Mistakes in the file: %d.", n)
			return exitCode(1)
		}
		how := ""
		if e.DryRun {
			how = "A dry run, nothing was changed. It would be: "
		}
		cl.say("%s%d created, %d changed, %d unchanged.", how, report.Created, report.Changed, report.Unchanged)
		return nil
	})
}

type extensionListCmd struct{ target }

func (e *extensionListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return e.with(ctx, k, c, func(cl *client) error {
		list, err := every[registry.Extension](ctx, cl, "/extensions")
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range list {
			rows = append(rows, []string{string(x.ID), x.Name, string(x.Kind), x.Host})
		}
		return cl.table("EXTENSION\tNAME\tKIND\tHOST", rows, "No extension yet. `bellwether extension add PUBLISHER.NAME` registers one.")
	})
}

type extensionShowCmd struct {
	target
	ID string `arg:"" help:"The extension's id."`
}

func (e *extensionShowCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return e.with(ctx, k, c, func(cl *client) error {
		var x registry.Extension
		if err := cl.call(ctx, http.MethodGet, "/extensions/"+url.PathEscape(e.ID), nil, &x); err != nil {
			return err
		}
		cl.say("%s  %s\n  kind        %s\n  host        %s\n  repository  %s\n  contact     %s\n  registered  %s",
			x.ID, x.Name, x.Kind, orDash(x.Host), orDash(x.Repository), orDash(x.Contact), x.Created.UTC().Format(time.RFC3339))
		return showKeys(ctx, cl, "extension", e.ID)
	})
}

func tiers(list []eco.Tier) string {
	if len(list) == 0 {
		return "essential only"
	}
	s := make([]string, len(list))
	for i, t := range list {
		s[i] = string(t)
	}
	return strings.Join(s, ", ")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
