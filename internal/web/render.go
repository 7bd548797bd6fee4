package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed tmpl
var tmplFS embed.FS

// pages are the templates: tmpl/page/NAME.html, each joined with a copy of the frame
// and the parts in tmpl/*.html when it is first asked for. All copies together would
// be more than half of what an idle server holds. No function is bound per request.
type pages struct {
	parts *template.Template
	files map[string]string // by name

	mu     sync.Mutex
	byName map[string]*template.Template
}

func loadPages(a *assets) (*pages, error) {
	parts, err := template.New("").Funcs(funcs(a)).Option("missingkey=error").ParseFS(tmplFS, "tmpl/*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(tmplFS, "tmpl/page/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{parts: parts, files: map[string]string{}, byName: map[string]*template.Template{}}
	for _, f := range files {
		p.files[strings.TrimSuffix(path.Base(f), ".html")] = f
	}
	return p, nil
}

func (p *pages) page(name string) (*template.Template, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.byName[name]; ok {
		return t, nil
	}
	file, ok := p.files[name]
	if !ok {
		return nil, fmt.Errorf("no template %q", name)
	}
	t, err := p.parts.Clone()
	if err == nil {
		t, err = t.ParseFS(tmplFS, file)
	}
	if err == nil {
		p.byName[name] = t
	}
	return t, err
}

// funcs are pure and the same for every request.
func funcs(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset": a.url, "icon": icon, "mark": mark,
		"num": numAny, "short": short, "part": part, "bytes": bytesText, "span": span, "day": dayText, "plural": pluralAny,
		"obs": observations, "rate": rateText, "ratespan": rateSpan, "spark": spark, "area": area, "meter": meter,
		"initials": initials, "shortid": shortID, "hexlow": strings.ToLower, "join": strings.Join, "upper": strings.ToUpper, "markdown": markdown,
		"add":       func(a, b int) int { return a + b },
		"trustWord": trustWord, "ver": versionHTML, "reason": reasonWord, "protocol": protocolWord, "labelClass": labelClass, "alongWord": alongWord, "stateClass": stateClass, "stateWord": stateWord,
	}
}

func numAny(v any) (string, error) {
	switch n := v.(type) {
	case int:
		return num(n), nil
	case int64:
		return num(n), nil
	case int32:
		return num(n), nil
	case uint64:
		return num(n), nil
	}
	return "", fmt.Errorf("num: not a whole number: %T", v)
}

func pluralAny(v any, one, many string) (string, error) {
	switch n := v.(type) {
	case int:
		return plural(n, one, many), nil
	case int64:
		return plural(n, one, many), nil
	case uint64:
		return plural(int64(n), one, many), nil
	}
	return "", fmt.Errorf("plural: not a whole number: %T", v)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
var zippers = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(discard, gzip.BestSpeed); return z }}

// execute writes a page into a buffer, so that a failing template answers 500
// and not half a page.
func (p *pages) execute(buf *bytes.Buffer, name string, page any) error {
	t, err := p.page(name)
	if err != nil {
		return fault.E("web.render", fault.Internal, "", err)
	}
	if err := t.ExecuteTemplate(buf, "frame", page); err != nil {
		return fault.E("web.render", fault.Internal, "", err)
	}
	return nil
}

// render answers with a page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, page any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := s.pages.execute(buf, name, page); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding")
	if buf.Len() < 1400 || !acceptsGzip(r) {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(buf.Bytes())
		}
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(w)
	_, _ = z.Write(buf.Bytes())
	_ = z.Close()
	return nil
}

// errorPage is what one sees instead of a page.
type errorPage struct {
	Shell
	Status  int
	Title   string
	Text    string
	What    string // what to do next
	Request string
	SignIn  bool
	Back    option // where to go instead
}

// fail answers an error as a page in the same design.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	info := door.InfoOf(r.Context())
	info.SetError(err)
	code, status := fault.CodeOf(err), door.StatusOf(err)
	if after, ok := door.RetryAfter(err); ok {
		door.SetRetryAfter(w.Header(), after)
	}
	p := errorPage{Status: status, Text: fault.TextOf(err), Request: info.ID()}
	switch code {
	case fault.NotFound:
		p.Title, p.What = "Not here", "It may have expired, been merged or erased, or it belongs to somebody else. The search finds ids, extensions and families."
	case fault.Forbidden:
		p.Title, p.What = "Not for you", "An operator can change what your roles allow, in Settings → Members."
	case fault.Unauthenticated:
		p.Title, p.What, p.SignIn = "Please sign in", "Your session has ended.", true
	case fault.RateLimited:
		p.Title, p.What = "Too fast", "Wait a moment and try again."
	case fault.Invalid, fault.TooLarge:
		p.Title, p.What = "That does not work", "Go back and correct what you entered."
	case fault.Conflict:
		p.Title, p.What = "Somebody was faster", "Reload the page to see how it stands now."
	case fault.Unavailable:
		p.Title, p.What = "Not just now", "The server cannot answer this at the moment. Nothing is lost; try again in a minute."
	default:
		p.Title, p.What = "Something broke", "It is our fault, and it is in the log. Name the number below when you tell the operator."
		s.o.Log.LogAttrs(r.Context(), slogError, "page", errAttr(err))
	}
	p.Back = option{Value: "/", Label: "To the overview"}
	if v, ok := viewerOf(r); ok {
		p.Shell = s.shell(r, v, "", p.Title)
	} else if section := publicSection(r.URL.Path); section != "" {
		p.Shell, p.SignIn, p.Back = s.public(r, section, p.Title), false, publicHomes[section]
		if code == fault.NotFound {
			p.What = ""
		}
	} else {
		p.Shell = s.bare(p.Title)
		if code == fault.NotFound && r.URL.Query().Has("token") {
			p.Title, p.What = "This link has ended", "Whoever sent it can send a new one. For a new password, ask for one at the sign-in."
		}
		p.Back = option{Value: "/sign-in", Label: "To the sign-in"}
	}
	if rerr := s.render(w, r, status, "error", p); rerr != nil {
		door.Fail(w, r, rerr)
	}
}
