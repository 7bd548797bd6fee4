package symbols

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// Bounds of an archive: entries, and what they unfold to together. An archive in
// an archive is skipped.
const (
	maxEntries  = 2000
	maxUnfolded = 512 << 20
)

// isZip: a ZIP archive, or an artifact bundle of sentry-cli, which is one behind
// the letters SYSB and four bytes.
func isZip(data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("SYSB"))
}

// manifest is the list of an artifact bundle.
type manifest struct {
	Release string `json:"release"`
	Files   map[string]struct {
		Type    string            `json:"type"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	} `json:"files"`
}

// bundle keeps what is in an archive, one file after another.
func (s *Store) bundle(ctx context.Context, u Upload, data []byte) ([]Outcome, error) {
	const op = "symbols.Put"
	if bytes.HasPrefix(data, []byte("SYSB")) && len(data) > 8 {
		data = data[8:]
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The archive cannot be read.", err)
	}
	if len(z.File) > maxEntries {
		return nil, fault.E(op, fault.TooLarge, "An archive has at most 2,000 files.", nil)
	}
	var unfolded uint64
	for _, f := range z.File { // what it says of itself; what is read is bounded too
		if unfolded += min(f.UncompressedSize64, 2*maxUnfolded); unfolded > maxUnfolded {
			return nil, tooMuch(op)
		}
	}
	b := &budget{left: maxUnfolded}
	list := b.list(z)
	if u.Release == "" {
		u.Release = eco.Clean(list.Release, 128)
	}
	all := map[string]*zip.File{}
	for _, f := range z.File {
		all[f.Name] = f
	}
	var out []Outcome
	add := func(name, skipped string) {
		out = append(out, Outcome{Name: lineOf(name), Skipped: skipped})
	}
	for _, f := range z.File {
		if f.FileInfo().IsDir() || f.Name == "manifest.json" {
			continue
		}
		if ctx.Err() != nil {
			return out, fault.E(op, fault.Unavailable, "", ctx.Err())
		}
		body, err := b.read(f, symbol.MaxFile)
		if err != nil {
			if fault.CodeOf(err) == fault.TooLarge && b.left <= 0 {
				return out, err
			}
			add(f.Name, fault.TextOf(err))
			continue
		}
		v, script := u, path.Ext(f.Name)
		v.Name, v.File, v.DebugID = f.Name, "", ""
		info := list.Files[f.Name]
		if id := header(info.Headers, "debug-id"); id != "" {
			v.DebugID = id
		}
		switch {
		case isZip(body):
			add(f.Name, "An archive in an archive is not opened.")
			continue
		case script == ".js" || script == ".mjs" || script == ".cjs":
			id, _ := symbol.ScriptID(body)
			m := inlineMap(body)
			if m == nil {
				add(f.Name, "Only its map is needed.")
				continue
			}
			if v.DebugID == "" {
				v.DebugID = id
			}
			body, v.File = m, first(info.URL, f.Name)
		case script == ".map":
			v.File, v.DebugID = owner(list, all, b, f.Name, v.DebugID)
		}
		o, err := s.one(ctx, v, body)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Invalid && code != fault.TooLarge {
				return out, err
			}
			add(f.Name, fault.TextOf(err))
			continue
		}
		o.Name = lineOf(f.Name)
		out = append(out, o)
	}
	return out, nil
}

// owner finds the script that a map in an archive is for: the one whose header or
// last line names it, else the one of its name.
func owner(list manifest, all map[string]*zip.File, b *budget, name, id string) (file, debugID string) {
	for other, info := range list.Files {
		if m := header(info.Headers, "sourcemap"); m != "" && path.Join(path.Dir(other), m) == path.Clean(name) {
			return first(info.URL, other), first(id, header(info.Headers, "debug-id"))
		}
	}
	script := strings.TrimSuffix(name, ".map")
	f := all[script]
	if f == nil {
		return first(strings.TrimSuffix(list.Files[name].URL, ".map"), script), id
	}
	if id == "" {
		if body, err := b.read(f, symbol.MaxFile); err == nil {
			id, _ = symbol.ScriptID(body)
		}
	}
	return first(list.Files[script].URL, script), id
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func header(h map[string]string, name string) string {
	for k, v := range h {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// budget bounds what the files of one archive unfold to, whatever its list says.
type budget struct{ left int64 }

func (b *budget) read(f *zip.File, most int64) ([]byte, error) {
	const op = "symbols.Put"
	r, err := f.Open()
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "The file cannot be read.", err)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, min(most, b.left)+1))
	b.left -= int64(len(body))
	switch {
	case b.left <= 0:
		return nil, tooMuch(op)
	case err != nil:
		return nil, fault.E(op, fault.Invalid, "The file cannot be read.", err)
	case int64(len(body)) > most:
		return nil, fault.E(op, fault.TooLarge, "A symbol file has at most 64 MB.", nil)
	}
	return body, nil
}

func tooMuch(op string) error {
	return fault.E(op, fault.TooLarge, "The files of an archive have at most 512 MB together.", nil)
}

func (b *budget) list(z *zip.Reader) (m manifest) {
	for _, f := range z.File {
		if f.Name != "manifest.json" {
			continue
		}
		body, err := b.read(f, 4<<20)
		if err == nil {
			_ = json.Unmarshal(body, &m) // without it the files speak for themselves
		}
		break
	}
	return m
}

// inlineMap takes a source map out of a script's last lines
// ("//# sourceMappingURL=data:application/json;base64,…"); any other address is
// never followed.
func inlineMap(script []byte) []byte {
	const mark = "//# sourceMappingURL=data:"
	i := bytes.LastIndex(script, []byte(mark))
	if i < 0 {
		return nil
	}
	line, _, _ := bytes.Cut(script[i+len(mark):], []byte("\n"))
	kind, body, ok := bytes.Cut(bytes.TrimSpace(line), []byte(","))
	if !ok || !bytes.HasPrefix(kind, []byte("application/json")) {
		return nil
	}
	if bytes.HasSuffix(kind, []byte(";base64")) {
		out, err := base64.StdEncoding.DecodeString(string(body))
		if err != nil {
			return nil
		}
		return out
	}
	text, err := url.PathUnescape(string(body))
	if err != nil {
		return nil
	}
	return []byte(text)
}
