package web

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// symbolsPage is what is missing, by how many crashes it would improve, and what is
// there; of one extension or host, or of all the viewer may see.
type symbolsPage struct {
	Shell
	Tabs        []tab
	Missing     []missingRow
	Rows        []symbolRow
	Deleted     []symbolRow
	Of          symbols.Subject
	Subjects    []string // for the upload form, where the page is not of one
	Release     string
	Token       string // what a build needs, as a command
	CanEdit     bool
	Error       string
	First, Next string
	Empty       empty
	Whole       empty // nothing is missing
}

type missingRow struct {
	symbols.Missing
	What    string
	Seen    stamp
	Command string
}

type symbolRow struct {
	symbols.File
	What     string
	Uploaded stamp
	Used     stamp
	Bytes    string
	CanEdit  bool
}

func symbolKind(k symbol.Kind) string {
	switch k {
	case symbol.SourceMap:
		return "source map"
	case symbol.ProGuard:
		return "ProGuard or R8 mapping"
	case symbol.Sym:
		return "Breakpad symbols"
	}
	return string(k)
}

func symbolsPath(of symbols.Subject) string {
	switch {
	case of.Extension != "":
		return "/symbols?extension=" + url.QueryEscape(string(of.Extension))
	case of.Host != "":
		return "/symbols?host=" + url.QueryEscape(of.Host)
	}
	return "/symbols"
}

// symbolsOf reads whose symbols a request is about, and whether the viewer may.
func (s *Server) symbolsOf(r *http.Request, v viewer, a account.Action) (of symbols.Subject, err error) {
	if s.o.Symbols == nil {
		return of, notFound("web.symbols", "Symbol files are not kept here.")
	}
	if q := r.FormValue("extension"); q != "" {
		if of.Extension, err = eco.ParseExtensionID(q); err != nil {
			return of, err
		}
	} else if q := r.FormValue("host"); q != "" {
		if of.Host, err = eco.ParseSlug(q); err != nil {
			return of, err
		}
	} else {
		return of, nil
	}
	return of, s.check(v, a, subjectResource("symbol", "", of))
}

func (s *Server) symbols(w http.ResponseWriter, r *http.Request, v viewer) error {
	of, err := s.symbolsOf(r, v, account.SymbolRead)
	if err != nil {
		return err
	}
	return s.showSymbols(w, r, v, of, http.StatusOK, "")
}

func (s *Server) showSymbols(w http.ResponseWriter, r *http.Request, v viewer, of symbols.Subject, status int, problem string) error {
	ctx := r.Context()
	p := symbolsPage{Of: of, Release: clip(r.URL.Query().Get("release"), 128), Error: problem,
		Empty: empty{Icon: "plus", Title: "No symbol file yet", Text: "Upload the source maps of a build, and crashes of minified code get the names their authors wrote. Run “bellwether symbols upload” after each build, or use the form of an extension's Symbols tab."},
		Whole: empty{Icon: "check", Title: "Nothing is missing", Text: "Every crash that asked for symbols has them, or none has asked yet."}}
	list, all := []symbols.Subject{of}, false
	title, name := "Symbol files", ""
	switch {
	case of.Extension != "":
		e, err := s.o.Registry.Extension(ctx, of.Extension)
		if err != nil {
			return err
		}
		name, p.Tabs = cmp.Or(e.Name, string(e.ID)), s.extTabs(v, e, "Symbols")
	case of.Host != "":
		name = of.Host
	default:
		list, all = s.mySymbols(v)
		for _, x := range list {
			if x.Extension != "" && len(p.Subjects) < 200 && s.may(v, account.SymbolEdit, subjectResource("symbol", "", x)) {
				p.Subjects = append(p.Subjects, string(x.Extension))
			}
		}
	}
	p.CanEdit = of != (symbols.Subject{}) && s.may(v, account.SymbolEdit, subjectResource("symbol", "", of))
	if name != "" {
		title = name + ": symbols"
	}
	p.Shell = s.shell(r, v, "crashes", title, crumb{"Crashes", "/crashes"})
	missing, err := s.o.Symbols.Missing(ctx, list, all)
	if err != nil {
		return err
	}
	missing = missing[:min(len(missing), 50)]
	if err := s.o.Symbols.CountInstalls(ctx, s.o.Facts, s.scope(v), missing); err != nil {
		return err
	}
	base := s.base(r).String()
	for _, m := range missing {
		p.Missing = append(p.Missing, missingRow{m, symbolKind(m.Kind), v.at(m.Last), uploadCommand(base, m)})
	}
	page, err := s.o.Symbols.Files(ctx, symbols.Filter{Subjects: list, All: all, Release: p.Release, Cursor: r.URL.Query().Get("cursor"), Limit: 50})
	if err != nil {
		return err
	}
	p.Rows = s.symbolRows(v, page.Files)
	gone, err := s.o.Symbols.Files(ctx, symbols.Filter{Subjects: list, All: all, Deleted: true, Limit: 20})
	if err != nil {
		return err
	}
	p.Deleted = s.symbolRows(v, gone.Files)
	if r.URL.Query().Get("cursor") != "" {
		p.First = with(r.URL, "cursor", "")
	}
	if page.Next != "" {
		p.Next = with(r.URL, "cursor", page.Next)
	}
	return s.render(w, r, status, "symbols", p)
}

func (s *Server) symbolRows(v viewer, files []symbols.File) (out []symbolRow) {
	for _, f := range files {
		row := symbolRow{File: f, What: symbolKind(f.Kind), Uploaded: v.at(f.Uploaded), Used: v.at(f.Used), Bytes: strconv.FormatFloat(float64(f.Size)/1000, 'f', 1, 64) + " KB",
			CanEdit: s.may(v, account.SymbolEdit, subjectResource("symbol", f.ID, f.Subject))}
		out = append(out, row)
	}
	return out
}

// mySymbols are whose files the viewer may see.
func (s *Server) mySymbols(v viewer) (list []symbols.Subject, all bool) {
	scope := s.scope(v)
	if scope.All() && s.may(v, account.SymbolRead, account.OfServer("symbol", "")) {
		return nil, true
	}
	for _, e := range scope.Extensions() {
		if x := (symbols.Subject{Extension: e}); s.may(v, account.SymbolRead, subjectResource("symbol", "", x)) {
			list = append(list, x)
		}
	}
	for _, h := range scope.Hosts() {
		if x := (symbols.Subject{Host: h}); s.may(v, account.SymbolRead, subjectResource("symbol", "", x)) {
			list = append(list, x)
		}
	}
	return list, false
}

// uploadCommand is what to type to upload what is missing.
func uploadCommand(base string, m symbols.Missing) string {
	cmd := "bellwether symbols upload --server " + base
	if m.Subject.Host != "" {
		cmd += " --host " + shell(m.Subject.Host)
	} else {
		cmd += " --ext " + shell(string(m.Subject.Extension))
	}
	if m.DebugID == "" && m.Release != "" {
		cmd += " --release " + shell(m.Release)
	}
	switch m.Kind {
	case symbol.ProGuard:
		return cmd + " mapping.txt"
	case symbol.Sym:
		switch strings.ToLower(path.Ext(m.File)) {
		case ".pdb", ".dll", ".exe", ".dylib": // dump_syms reads these
			return cmd + " " + shell(m.File+".sym")
		}
		return cmd + " " + shell(m.File)
	}
	dir := strings.Split(strings.TrimPrefix(m.File, "~/"), "/")
	if prefix := strings.Join(dir[:len(dir)-1], "/"); m.DebugID == "" && prefix != "" {
		return cmd + " --url-prefix " + shell("~/"+prefix+"/") + " " + shell(dir[len(dir)-2]+"/")
	}
	return cmd + " dist/"
}

// shell quotes a word for a shell, when it needs that.
func shell(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/@+~") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// uploadSymbols takes the files of the form, as they come.
func (s *Server) uploadSymbols(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Symbols == nil {
		return notFound("web.symbols", "Symbol files are not kept here.")
	}
	form, err := r.MultipartReader()
	if err != nil {
		return fault.E("web.symbols", fault.Invalid, "The form cannot be read.", err)
	}
	var of symbols.Subject
	u := symbols.Upload{Actor: v.p.Actor()}
	kept, why := 0, ""
	for n := 0; n < 100; n++ {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fault.E("web.symbols", fault.Invalid, "The upload was cut off.", err)
		}
		if part.FileName() == "" {
			text, err := io.ReadAll(io.LimitReader(part, 512))
			if err != nil {
				return fault.E("web.symbols", fault.Invalid, "The upload was cut off.", err)
			}
			value := strings.TrimSpace(string(text))
			switch part.FormName() {
			case "extension":
				if of.Extension, err = eco.ParseExtensionID(value); err != nil {
					return err
				}
			case "host":
				if of.Host, err = eco.ParseSlug(value); err != nil {
					return err
				}
			case "release":
				u.Release = clip(value, 128)
			case "file":
				u.File = clip(value, 500)
			}
			continue
		}
		if of == (symbols.Subject{}) {
			return fault.E("web.symbols", fault.Invalid, "Say whose symbols they are.", nil)
		}
		if err := s.check(v, account.SymbolEdit, subjectResource("symbol", "", of)); err != nil {
			return err
		}
		u.Subject, u.Name = of, part.FileName()
		out, err := s.o.Symbols.Put(r.Context(), u, part)
		if code := fault.CodeOf(err); code == fault.Invalid || code == fault.TooLarge {
			why = fault.TextOf(err)
			continue
		}
		if err != nil {
			return err
		}
		for _, o := range out {
			if o.Kept != nil {
				kept++
			} else {
				why = o.Skipped
			}
		}
	}
	if kept == 0 {
		if err := s.check(v, account.SymbolRead, subjectResource("symbol", "", of)); err != nil {
			return err
		}
		return s.showSymbols(w, r, v, of, http.StatusUnprocessableEntity, cmp.Or(why, "Choose a file."))
	}
	return redirect(w, r, withDone(symbolsPath(of), "symbols-in"))
}

// changeSymbol deletes a file or brings it back.
func (s *Server) changeSymbol(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Symbols == nil {
		return notFound("web.symbols", "Symbol files are not kept here.")
	}
	f, err := s.o.Symbols.File(r.Context(), r.PathValue("id"))
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return err
	}
	of := f.Subject
	if err != nil { // nobody's: the answer is that for another tenant's
		of.Extension = "unknown.unknown"
	}
	if err := s.check(v, account.SymbolEdit, subjectResource("symbol", "", of)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	code := "symbol-gone"
	switch r.PostFormValue("do") {
	case "delete":
		err = s.o.Symbols.Delete(r.Context(), v.p.Actor(), f.ID)
	case "restore":
		code, err = "symbol-back", s.o.Symbols.Restore(r.Context(), v.p.Actor(), f.ID)
	default:
		err = fault.E("web.symbols", fault.Invalid, "Choose to delete or to restore.", nil)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(symbolsPath(of), code))
}

// wasOf is a frame as it came, before a symbol file renamed it.
func wasOf(f eco.Frame) string {
	if !f.Renamed {
		return ""
	}
	s := strings.TrimPrefix(f.OrigModule+"."+f.Orig, ".")
	if at := f.OrigFile; at != "" {
		if f.OrigLine > 0 {
			at += ":" + strconv.Itoa(f.OrigLine)
		}
		if f.OrigCol > 0 {
			at += ":" + strconv.Itoa(f.OrigCol)
		}
		s = strings.TrimPrefix(s+" at "+at, " at ")
	}
	if s == "" {
		s = f.Addr + " in " + f.Package
	}
	return s
}
