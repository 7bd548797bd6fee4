package api

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/eco"
)

const tinyMap = `{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}`

// symbolOf keeps a new symbol file of a tenant's extension, or one that was deleted.
func (h *house) symbolOf(tenant string, deleted bool) string {
	h.t.Helper()
	h.n++
	out, err := h.o.Symbols.Put(h.t.Context(), symbols.Upload{Subject: symbols.Subject{Extension: eco.ExtensionID(extensionOf(tenant))}, Actor: "system:test",
		Name: "a.js.map", Release: fmt.Sprint("1.0.", h.n)}, strings.NewReader(tinyMap))
	if err == nil && deleted {
		err = h.o.Symbols.Delete(h.t.Context(), "system:test", out[0].Kept.ID)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out[0].Kept.ID
}

// raw makes a request with a body.
func (h *house) raw(session, path, kind string, body []byte) (int, uploaded) {
	h.t.Helper()
	w := h.ask(session, "POST", "/api/v1"+path, string(body), "Content-Type", kind)
	var out uploaded
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	return w.Code, out
}

// TestSymbolUploads: a file as the body, a form, an archive; what is hostile is
// refused or skipped with a reason.
func TestSymbolUploads(t *testing.T) {
	h := newHouse(t)
	me := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	const mine = "/symbols?extension=acme.theme&release=1.0.0"
	if code, out := h.raw(me, mine+"&name=x.js.map", "application/octet-stream", []byte(tinyMap)); code != 201 || len(out.Files) != 1 || out.Files[0].Kept.File != "~/x.js" {
		t.Errorf("%d %+v", code, out)
	}
	if code, out := h.raw(me, mine+"&name=x.js.map", "application/octet-stream", []byte(tinyMap)); code != 201 || !out.Files[0].Known {
		t.Errorf("the same again: %d %+v", code, out)
	}
	for name, c := range map[string]struct {
		path, body string
		code       int
	}{
		"nobody's":         {"/symbols", tinyMap, 400},
		"another tenant's": {"/symbols?extension=zeta.lint&release=1", tinyMap, 404},
		"no such":          {"/symbols?extension=no.such&release=1", tinyMap, 404},
		"of a host":        {"/symbols?host=studio&release=1", tinyMap, 404},
		"garbage":          {mine, "hello", 400},
		"no release":       {"/symbols?extension=acme.theme", tinyMap, 400},
		"nothing":          {mine, "", 400},
	} {
		if code, _ := h.raw(me, c.path, "application/octet-stream", []byte(c.body)); code != c.code {
			t.Errorf("%s: %d", name, code)
		}
	}
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	for _, name := range []string{"one.js.map", "two.js.map", "bad.js.map"} {
		part, _ := m.CreateFormFile("file", name)
		if name == "bad.js.map" {
			fmt.Fprint(part, "hello")
			continue
		}
		fmt.Fprint(part, strings.Replace(tinyMap, "a.ts", name, 1))
	}
	_ = m.Close()
	if code, out := h.raw(me, mine, m.FormDataContentType(), form.Bytes()); code != 201 || len(out.Files) != 3 || out.Files[1].Kept == nil || out.Files[2].Skipped == "" {
		t.Errorf("%d %+v", code, out)
	}
	zipped := func(files map[string]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, body := range files {
			w, _ := z.Create(name)
			fmt.Fprint(w, body)
		}
		_ = z.Close()
		return b.Bytes()
	}
	inner := zipped(map[string]string{"deep.map": tinyMap})
	code, out := h.raw(me, mine, "application/zip", zipped(map[string]string{
		"dist/app.js": "x()\n//# sourceMappingURL=app.js.map\n//# debugId=d86c8f7a-f7de-4e81-acd9-1a99c646bee3\n", "dist/app.js.map": strings.Replace(tinyMap, "a.ts", "zip.ts", 1), "inner.zip": string(inner)}))
	if code != 201 || len(out.Files) != 3 {
		t.Fatalf("%d %+v", code, out)
	}
	for _, f := range out.Files {
		switch f.Name {
		case "dist/app.js.map":
			if f.Kept == nil || f.Kept.DebugID != "d86c8f7a-f7de-4e81-acd9-1a99c646bee3" || f.Kept.File != "~/dist/app.js" {
				t.Errorf("%+v", f)
			}
		case "inner.zip":
			if !strings.Contains(f.Skipped, "archive in an archive") {
				t.Errorf("%+v", f)
			}
		}
	}
	// A bomb: 600 MB of zeros in some hundred KB.
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	zeros := make([]byte, 60<<20)
	for i := range 10 {
		w, _ := z.Create(fmt.Sprint(i, ".map"))
		_, _ = w.Write(zeros)
	}
	_ = z.Close()
	if code, _ := h.raw(me, mine, "application/zip", bomb.Bytes()); code != 413 {
		t.Errorf("a bomb of %d bytes: %d", bomb.Len(), code)
	}
}
