package canary_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// What somebody pastes on /help is read and forgotten: not one byte of it reaches
// the disk, no matter how it was sent or whether it could be read.
func TestNothingPastedIsKept(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	const mark = "zqpastedmark"
	s := newHouse(t)
	trace := "TypeError: " + mark + " is not a function\n    at " + mark + "Run (/home/ann/.vscode/extensions/acme.linter-1.0.0/out/" + mark + ".js:3:1)\n    at next (/home/ann/.vscode/extensions/acme.linter-1.0.0/out/main.js:9:1)\n"
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", mark+".log")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte(trace))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(map[string]string{"text": trace})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		path, kind string
		body       []byte
		want       int
	}{
		{"/help", m.FormDataContentType(), form.Bytes(), 200},
		{"/help", "application/x-www-form-urlencoded", []byte("text=" + strings.ReplaceAll(trace, "\n", "%0A")), 200},
		{"/help", "application/x-www-form-urlencoded", []byte("text=no+trace+" + mark), 422},
		{"/help", "application/x-www-form-urlencoded", []byte("text=" + strings.Repeat(mark, 40_000)), 422},
		{"/help", m.FormDataContentType(), form.Bytes()[:form.Len()/2], 422},
		{"/api/v1/help", "application/json", asJSON, 200},
		{"/api/v1/help", "application/json", asJSON[:len(asJSON)-4], 400},
		{"/receipts/" + mark, "", nil, 404},
	} {
		method := http.MethodPost
		if r.body == nil {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+r.path, bytes.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", r.kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != r.want {
			t.Errorf("%s %s of %d bytes: %s, want %d", method, r.path, len(r.body), resp.Status, r.want)
		}
	}
	if _, err := s.Stop(); err != nil {
		t.Error(err)
	}
	for _, f := range grep(t, s.Dir, mark) {
		t.Error(f)
	}
}
