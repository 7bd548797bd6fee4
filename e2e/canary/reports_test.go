package canary_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/registry"
)

// browserReports plants into what a real Chromium reported, at each address that
// takes it. All but the words of the protocol is free text of somebody's page.
func browserReports(t *testing.T, key registry.Key, p *planter) []request {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "ingest", "testdata", "wire", "chromium-reporting", "*.http"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	var out []request
	send := func(typ string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/r/" + key.Public + "?release=1.2.3", fmt.Sprintf("/api/%d/security/?sentry_key=%s", key.Project, key.Public), fmt.Sprintf("/api/%d/nel/?sentry_key=%s", key.Project, key.Public)} {
			out = append(out, request{"reporting", path, map[string]string{"Content-Type": typ}, b})
		}
	}
	for _, f := range files {
		r, body := readCapture(t, f)
		var v any
		if r.Method != "POST" || json.Unmarshal(body, &v) != nil {
			continue
		}
		send(r.Header.Get("Content-Type"), plantReport(p, "", v))
	}
	crash := map[string]any{"type": "crash", "age": 3.0, "url": "https://a.example/x", "user_agent": "Chrome/1", "body": map[string]any{"reason": "unresponsive", "stack": "    at spin (https://a.example/a.js:1:2)", "crash_report_api": map[string]any{"mail": "m"}}}
	send("application/reports+json", []any{plantReport(p, "", crash)})
	return out
}

// plantReport puts a canary into every string but the type of a report.
func plantReport(p *planter, key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plantReport(p, k, v[k])
		}
		v["zqcanary_unknown"] = "zqcanary"
		return v
	case []any:
		for i := range v {
			v[i] = plantReport(p, key, v[i])
		}
		return v
	case string:
		if key == "type" || key == "reason" || key == "disposition" {
			return v
		}
		p.n++
		text := strings.ReplaceAll(planted[p.n%len(planted)], "%d", fmt.Sprint(p.n))
		if strings.Contains(v, "://") && p.n%2 == 0 {
			return v + "/zqcanary@leak.example/" + fmt.Sprint(100000+p.n) + "?q=zqcanary#zqcanary" // in the path, and behind it
		}
		return v + text
	}
	return v
}

// wholeReports sends every report of every runtime, with canaries in what nobody
// asked for, as a body of its own and as the text of a crash.
func wholeReports(t *testing.T, key registry.Key, n int) []request {
	t.Helper()
	var out []request
	err := filepath.WalkDir(filepath.Join("..", "..", "internal", "stack", "testdata", "crash-text"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".want") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(b), "/srv/app", fmt.Sprintf("/home/zqcanary%d", n))
		if strings.HasSuffix(path, ".log") {
			text += "\nEnvironment Variables:\nTOKEN=zqcanary\nUSER=zqcanary\n"
		}
		head := map[string]string{"Content-Type": "text/plain", "X-Bellwether-Key": key.Public}
		out = append(out, request{"report", "/api/v1/intake/report?environment=zqcanary@leak.example&install=zqcanary&id=zqcanary@leak.example", head, []byte(text)},
			request{"report", "/api/v1/intake/report", head, []byte(text[:len(text)*2/3])})
		body, err := json.Marshal(map[string]any{"crashes": []any{map[string]any{"text": text}, map[string]any{"report": text[:len(text)/2], "message": "cut"}}})
		if err != nil {
			return err
		}
		out = append(out, request{"report", "/api/v1/intake/crashes", map[string]string{"Content-Type": "application/json", "X-Bellwether-Key": key.Public}, body})
		return nil
	})
	if err != nil || len(out) < 150 {
		t.Fatalf("%d reports: %v", len(out), err)
	}
	return out
}
