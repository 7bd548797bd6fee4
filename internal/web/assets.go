package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFS embed.FS

// asset is one static file as it is sent: its name carries a hash of its content,
// so that browsers may keep it for ever.
type asset struct {
	name string // "app.3f9c2a10.css"
	kind string
	raw  []byte
	gz   []byte
}

// assets are every static file, by the name templates use and by the name that is sent.
type assets struct {
	byName map[string]*asset
	byPath map[string]*asset
}

// loadAssets reads the embedded files. The style sheet is one file for the
// browser and several for us: css/*.css joined in the order of their names.
func loadAssets() (*assets, error) {
	a := &assets{byName: map[string]*asset{}, byPath: map[string]*asset{}}
	sheets, err := fs.Glob(staticFS, "static/css/*.css")
	if err != nil {
		return nil, err
	}
	var css bytes.Buffer
	for _, name := range sheets {
		b, err := staticFS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		css.Write(b)
	}
	if err := a.add("app.css", "text/css; charset=utf-8", slimCSS(css.Bytes())); err != nil {
		return nil, err
	}
	for _, f := range []struct{ name, kind string }{
		{"app.js", "text/javascript; charset=utf-8"},
		{"worker.js", "text/javascript; charset=utf-8"},
		{"icon.svg", "image/svg+xml"},
		{"icon.png", "image/png"}, // where a vector is not shown: messages, older browsers
	} {
		body, err := staticFS.ReadFile("static/" + f.name)
		if err != nil {
			return nil, err
		}
		if err := a.add(f.name, f.kind, body); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) add(name, kind string, body []byte) error {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	x := &asset{name: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext, kind: kind, raw: body}
	var gz bytes.Buffer
	zw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zw.Write(body); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	x.gz = gz.Bytes()
	a.byName[name] = x
	a.byPath[x.name] = x
	return nil
}

// url is the address a template writes for a file.
func (a *assets) url(name string) string {
	x, ok := a.byName[name]
	if !ok {
		panic("web: no asset " + name) // a mistake in a template; the test of templates finds it
	}
	return "/static/" + x.name
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) error {
	x, ok := a.byPath[r.PathValue("file")]
	if !ok {
		return notFound("web.static", "There is no such file.")
	}
	h := w.Header()
	h.Set("Content-Type", x.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	body := x.raw
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = x.gz
	}
	_, err := w.Write(body)
	return err
}

// acceptsGzip reads the one header that matters; "gzip;q=0" is honoured.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}

// slimCSS drops comments and the blanks at the beginning of lines. Our own style
// sheets hold neither in strings.
func slimCSS(b []byte) []byte {
	var out bytes.Buffer
	for {
		i := bytes.Index(b, []byte("/*"))
		if i < 0 {
			out.Write(b)
			break
		}
		out.Write(b[:i])
		j := bytes.Index(b[i:], []byte("*/"))
		if j < 0 {
			break
		}
		b = b[i+j+2:]
	}
	var slim bytes.Buffer
	for line := range bytes.Lines(out.Bytes()) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			slim.Write(line)
			slim.WriteByte('\n')
		}
	}
	return slim.Bytes()
}
