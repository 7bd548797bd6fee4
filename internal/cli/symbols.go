package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/fault"
)

type symbolsCmd struct {
	Upload symbolsUploadCmd `cmd:"" help:"Upload source maps, ProGuard or R8 mappings, Breakpad symbol files and ELF binaries with debug information: run it after the build."`
	List   symbolsListCmd   `cmd:"" help:"List symbol files, or what crashes ask for in vain (--missing)."`
	Delete symbolsDeleteCmd `cmd:"" help:"Take a symbol file out of use; for seven days it can be restored."`
}

// ofWhat names an extension or a host.
type ofWhat struct {
	Ext  string `help:"Extension the symbols belong to, publisher.name." xor:"of"`
	Host string `help:"Host application the symbols belong to." xor:"of"`
}

func (o ofWhat) query() url.Values {
	v := url.Values{}
	if o.Ext != "" {
		v.Set("extension", o.Ext)
	}
	if o.Host != "" {
		v.Set("host", o.Host)
	}
	return v
}

type symbolsUploadCmd struct {
	target
	ofWhat
	Paths     []string `arg:"" name:"path" help:"Folders of a build's output, or single files."`
	Release   string   `help:"Version they belong to; needed for files without a debug id."`
	URLPrefix string   `help:"Where the generated files lie as crashes name them." default:"~/" name:"url-prefix"`
	Inject    bool     `help:"Write a debug id into each script and its map first, so that they match whatever their path is."`
	DryRun    bool     `help:"Say what would be done; change and send nothing." name:"dry-run"`
}

func (u *symbolsUploadCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	if u.Ext == "" && u.Host == "" {
		return fault.E("cli.symbols", fault.Invalid, "Say whose they are: --ext publisher.name or --host NAME.", nil)
	}
	b := build{prefix: u.URLPrefix, release: u.Release, inject: u.Inject, dry: u.DryRun}
	for _, p := range u.Paths {
		if err := b.collect(p); err != nil {
			return err
		}
	}
	if err := b.pair(); err != nil {
		return err
	}
	if u.DryRun {
		cl := &client{out: c.out, raw: u.JSON}
		return u.report(cl, &b)
	}
	return u.with(ctx, k, c, func(cl *client) error {
		for i := range b.files {
			if f := &b.files[i]; f.why == "" {
				if err := u.send(ctx, cl, f); err != nil {
					return err
				}
			}
		}
		return u.report(cl, &b)
	})
}

// send uploads one file. A file that the server refuses is a line of the report;
// any other fault ends the command.
func (u *symbolsUploadCmd) send(ctx context.Context, cl *client, f *buildFile) error {
	data, err := f.load()
	if code := fault.CodeOf(err); f.elf && (code == fault.Invalid || code == fault.TooLarge) {
		f.why = fault.TextOf(err)
		return nil
	}
	if err != nil {
		return err
	}
	v := u.query()
	for name, value := range map[string]string{"release": u.Release, "file": f.file, "debug_id": f.debugID, "name": f.name()} {
		if value != "" {
			v.Set(name, value)
		}
	}
	var out struct {
		Files []symbols.Outcome `json:"files"`
	}
	err = cl.request(ctx, http.MethodPost, "/symbols?"+v.Encode(), "application/octet-stream", bytes.NewReader(data), &out)
	if code := fault.CodeOf(err); code == fault.Invalid || code == fault.TooLarge {
		f.why = fault.TextOf(err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range out.Files {
		switch {
		case o.Kept != nil:
			f.sent++
			f.helps += o.Helps
			if o.Known {
				f.known++
			}
		case len(out.Files) == 1:
			f.why = o.Skipped
		}
	}
	if f.sent == 0 && f.why == "" {
		f.why = "nothing in it is kept"
	}
	return nil
}

func (u *symbolsUploadCmd) report(cl *client, b *build) error {
	var rows [][]string
	sent, skipped, helps := 0, 0, int64(0)
	for i := range b.files {
		f := &b.files[i]
		what := "uploaded"
		switch {
		case f.why != "":
			what = "skipped: " + f.why
			skipped++
		case u.DryRun:
			what = "would be uploaded"
			sent++
		case f.known == f.sent:
			what = "was there already"
			sent += f.sent
		default:
			sent += f.sent
		}
		if f.injected {
			what += ", debug id injected"
		}
		helps += f.helps
		rows = append(rows, []string{f.path, f.file, f.debugID, what})
	}
	if err := cl.table("FILE\tFOR\tDEBUG ID\tWHAT", rows, "No source map, mapping or symbol file is there. Does the build write source maps?"); err != nil {
		return err
	}
	verb := "uploaded"
	if u.DryRun {
		verb = "to upload"
	}
	cl.say("%d %s, %d skipped.", sent, verb, skipped)
	if helps > 0 {
		cl.say("%d crashes asked for them and get their names now.", helps)
	}
	if sent == 0 {
		return exitCode(1)
	}
	return nil
}

type symbolsListCmd struct {
	target
	ofWhat
	Release string `help:"Only those of this release."`
	Missing bool   `help:"What crashes ask for in vain, the one that would help most first."`
	Deleted bool   `help:"Those deleted within seven days."`
}

func (l *symbolsListCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return l.with(ctx, k, c, func(cl *client) error {
		v := l.query()
		if l.Missing {
			list, err := every[symbols.Missing](ctx, cl, "/symbols/missing?"+v.Encode())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, m := range list {
				rows = append(rows, []string{fmt.Sprint(m.Crashes), m.Subject.Ref().ID, string(m.Kind), m.Release, m.File, m.DebugID})
			}
			return cl.table("CRASHES\tOF\tKIND\tRELEASE\tFILE\tDEBUG ID", rows, "Nothing is missing: every crash that asked for symbols has them.")
		}
		if l.Release != "" {
			v.Set("release", l.Release)
		}
		if l.Deleted {
			v.Set("deleted", "true")
		}
		list, err := every[symbols.File](ctx, cl, "/symbols?"+v.Encode())
		if err != nil {
			return err
		}
		var rows [][]string
		for _, f := range list {
			used := "never"
			if !f.Used.IsZero() {
				used = f.Used.Format("2006-01-02")
			}
			rows = append(rows, []string{f.ID, f.Subject.Ref().ID, string(f.Kind), f.Release, f.File, f.DebugID, fmt.Sprintf("%.1f KB", float64(f.Size)/1000), f.Uploaded.Format("2006-01-02"), used})
		}
		return cl.table("ID\tOF\tKIND\tRELEASE\tFILE\tDEBUG ID\tSIZE\tUPLOADED\tUSED", rows, "No symbol file yet. `bellwether symbols upload DIR --ext ID` uploads a build's source maps.")
	})
}

type symbolsDeleteCmd struct {
	target
	IDs     []string `arg:"" name:"id" help:"Ids as list prints them."`
	Restore bool     `help:"Bring them back instead."`
}

func (d *symbolsDeleteCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return d.with(ctx, k, c, func(cl *client) error {
		for _, id := range d.IDs {
			method, path := http.MethodDelete, "/symbols/"+url.PathEscape(id)
			if d.Restore {
				method, path = http.MethodPost, path+"/restore"
			}
			if err := cl.call(ctx, method, path, nil, nil); err != nil {
				return err
			}
			if d.Restore {
				cl.say("%s is back.", id)
			} else {
				cl.say("%s is deleted; `bellwether symbols delete --restore %s` brings it back within seven days.", id, id)
			}
		}
		return nil
	})
}
