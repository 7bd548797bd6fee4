package api

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// OfSubject names an extension or a host.
type OfSubject struct {
	Extension string `query:"extension" maxLength:"128" doc:"publisher.name"`
	Host      string `query:"host" maxLength:"64"`
}

func (o OfSubject) subject() (symbols.Subject, error) {
	switch {
	case o.Extension != "" && o.Host == "":
		id, err := eco.ParseExtensionID(o.Extension)
		return symbols.Subject{Extension: id}, err
	case o.Host != "" && o.Extension == "":
		id, err := eco.ParseSlug(o.Host)
		return symbols.Subject{Host: id}, err
	}
	return symbols.Subject{}, fault.E("api.symbols", fault.Invalid, "Say which extension or which host.", nil)
}

// uploadIn reads its body itself, as it comes: nothing is spilled.
type uploadIn struct {
	OfSubject
	Release string `query:"release" maxLength:"128" doc:"Version of the extension or host. Needed for a file without a debug id."`
	File    string `query:"file" maxLength:"500" doc:"The generated file a source map is for: ~/dist/extension.js."`
	DebugID string `query:"debug_id" maxLength:"64" doc:"Default: the one in the file."`
	Name    string `query:"name" maxLength:"200" doc:"Name of the file, when the body is the file itself."`

	kind string
	body io.Reader
}

// Resolve takes the body over before anybody else reads it.
func (in *uploadIn) Resolve(ctx huma.Context) []error {
	in.kind, in.body = ctx.Header("Content-Type"), ctx.BodyReader()
	return nil
}

// rawBody describes a body of bytes.
func rawBody() *huma.RequestBody {
	file := &huma.Schema{Type: "string", Format: "binary"}
	return &huma.RequestBody{Required: true, Description: "One file or a ZIP archive as the body, or a form with files.", Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: file},
		"multipart/form-data":      {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"file": file}}},
	}}
}

type bySymbol struct {
	ID string `path:"id" maxLength:"64"`
}

type uploaded struct {
	Files []symbols.Outcome `json:"files" doc:"What became of each file, in the order they came."`
}

// symbolOf is the file of an id with what the policies need to know of it.
func (s *Server) symbolOf(c *call, id string) (symbols.File, account.Resource, error) {
	f, err := s.o.Symbols.File(c.ctx, id)
	if fault.CodeOf(err) == fault.NotFound { // nobody's: the answer is that for another tenant's
		return f, ofExtension("symbol", ""), nil
	}
	if err != nil {
		return f, account.Resource{}, err
	}
	return f, resourceOf("symbol", f.ID, f.Subject), nil
}

func (s *Server) symbolRoutes() {
	if s.o.Symbols == nil {
		return
	}
	type all struct {
		OfSubject
		Release string `query:"release" maxLength:"128"`
		Deleted bool   `query:"deleted" doc:"Those deleted within seven days instead."`
		Paging
	}
	byID := func(c *call, in *bySymbol) (account.Resource, error) {
		_, r, err := s.symbolOf(c, in.ID)
		return r, err
	}
	about := func(kind string, o OfSubject) (account.Resource, error) {
		if o == (OfSubject{}) {
			return account.List(kind), nil
		}
		x, err := o.subject()
		return resourceOf(kind, "", x), err
	}
	add(s, op{Method: "GET", Path: "/symbols", ID: "symbols.list", Action: account.SymbolRead, Doc: "Symbol files that are kept, newest first."},
		func(_ *call, in *all) (account.Resource, error) { return about("symbol", in.OfSubject) },
		func(c *call, in *all) (list[symbols.File], error) {
			subjects, everything := c.subjects(in.OfSubject)
			p, err := s.o.Symbols.Files(c.ctx, symbols.Filter{Subjects: subjects, All: everything, Release: in.Release, Deleted: in.Deleted, Cursor: in.Cursor, Limit: in.Limit})
			return listOf(p.Files, p.Next), err
		})
	add(s, op{Method: "GET", Path: "/symbols/missing", ID: "symbols.missing", Action: account.SymbolRead, Doc: "Symbol files that crashes ask for in vain, the one that would help most first, at most 200."},
		func(_ *call, in *OfSubject) (account.Resource, error) { return about("symbol", *in) },
		func(c *call, in *OfSubject) (list[symbols.Missing], error) {
			subjects, everything := c.subjects(*in)
			items, err := s.o.Symbols.Missing(c.ctx, subjects, everything)
			if err == nil {
				err = s.o.Symbols.CountInstalls(c.ctx, s.o.Facts, c.scope(), items[:min(len(items), 50)])
			}
			return listOf(items, ""), err
		})
	add(s, op{Method: "GET", Path: "/symbols/{id}", ID: "symbols.get", Action: account.SymbolRead, Doc: "One symbol file's entry."}, byID,
		func(c *call, in *bySymbol) (symbols.File, error) { return s.o.Symbols.File(c.ctx, in.ID) })
	add(s, op{Method: "POST", Path: "/symbols", ID: "symbols.upload", Action: account.SymbolEdit, Max: symbols.MaxUpload, Raw: true, Status: http.StatusCreated,
		Doc: "Uploads source maps, ProGuard or R8 mappings, Breakpad symbol files, or a ZIP archive of them."},
		func(_ *call, in *uploadIn) (account.Resource, error) {
			x, err := in.subject()
			return resourceOf("symbol", "", x), err
		},
		func(c *call, in *uploadIn) (uploaded, error) { return s.upload(c, in) })
	addNone(s, op{Method: "DELETE", Path: "/symbols/{id}", ID: "symbols.delete", Action: account.SymbolEdit, Doc: "Takes a symbol file out of use; for seven days it can be restored."}, byID,
		func(c *call, in *bySymbol) error { return s.o.Symbols.Delete(c.ctx, c.actor(), in.ID) })
	addNone(s, op{Method: "POST", Path: "/symbols/{id}/restore", ID: "symbols.restore", Action: account.SymbolEdit, Doc: "Brings a deleted symbol file back."}, byID,
		func(c *call, in *bySymbol) error { return s.o.Symbols.Restore(c.ctx, c.actor(), in.ID) })
}

// subjects are whose files a list holds: one, or all that the caller may see.
func (c *call) subjects(o OfSubject) (list []symbols.Subject, all bool) {
	if o != (OfSubject{}) {
		x, err := o.subject()
		if err != nil {
			return nil, false
		}
		return []symbols.Subject{x}, false
	}
	scope := c.scope()
	if scope.All() && c.may(account.SymbolRead, account.OfServer("symbol", "")) {
		return nil, true
	}
	for _, e := range scope.Extensions() {
		if c.may(account.SymbolRead, account.OfExtension("symbol", "", e)) {
			list = append(list, symbols.Subject{Extension: e})
		}
	}
	for _, h := range scope.Hosts() {
		if c.may(account.SymbolRead, account.OfHost("symbol", "", h)) {
			list = append(list, symbols.Subject{Host: h})
		}
	}
	return list, false
}

// upload reads the body as it comes: one file, or the files of a form.
func (s *Server) upload(c *call, in *uploadIn) (uploaded, error) {
	const op = "api.symbols"
	x, err := in.subject()
	if err != nil {
		return uploaded{}, err
	}
	u := symbols.Upload{Subject: x, Actor: c.actor(), Name: in.Name, Release: in.Release, File: in.File, DebugID: in.DebugID}
	out := uploaded{Files: []symbols.Outcome{}}
	kind, params, _ := mime.ParseMediaType(in.kind)
	body := io.LimitReader(in.body, symbols.MaxUpload+1)
	if kind != "multipart/form-data" {
		out.Files, err = s.o.Symbols.Put(c.ctx, u, body)
		return out, err
	}
	parts := multipart.NewReader(body, params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil || n == 200 {
			return out, fault.E(op, fault.Invalid, "The form cannot be read, or it has more than 200 parts.", err)
		}
		if part.FileName() == "" {
			continue
		}
		u.Name = part.FileName()
		files, err := s.o.Symbols.Put(c.ctx, u, part)
		if err != nil && (n == 0 || fault.CodeOf(err) != fault.Invalid) {
			return out, err
		}
		if err != nil {
			files = []symbols.Outcome{{Name: eco.Clean(u.Name, 200), Skipped: fault.TextOf(err)}}
		}
		out.Files = append(out.Files, files...)
	}
	return out, nil
}
