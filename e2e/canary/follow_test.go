package canary_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The address of a reporter who wants news, and their browser's, lie sealed: no byte
// of them is readable on the disk or in the log, while the mail waits for a server
// that is down.
func TestNoAddressOfAReporterIsReadable(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	s := newHouse(t, "BELLWETHER_MAIL_URL=smtp://127.0.0.1:1?tls=none", "BELLWETHER_MAIL_FROM=bw@example.org")
	send := func(path, kind, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("X-Bellwether-Key", s.key.Public)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	status, body := send("/api/v1/intake/crashes", "application/json", `{"source":{"extension_version":"1.0.0"},"crashes":[{"platform":"javascript","exceptions":[{"type":"TypeError","value":"x","frames":[{"function":"f","file":"a.js","line":1}]}]}]}`)
	var told struct {
		Items []struct {
			Answer struct {
				URL string `json:"receipt_url"`
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || len(told.Items) != 1 {
		t.Fatalf("%d %s", status, body)
	}
	u, err := url.Parse(told.Items[0].Answer.URL)
	if err != nil || u.Path == "" {
		t.Fatalf("no receipt: %s", body)
	}
	followers := "/api/v1" + u.Path + "/followers"
	push := `{"push":{"endpoint":"https://push.example.net/zqpushmark","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) { // 409 while the report is on its way
		if status, body = send(followers, "application/json", push); status != http.StatusConflict || time.Since(began) > 2*time.Minute {
			break
		}
	}
	if status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, body)
	}
	if status, body = send(u.Path+"/follow", "application/x-www-form-urlencoded", "email=zqreporter%40mark.example"); status != http.StatusOK || !strings.Contains(body, "has not said yes yet") {
		t.Errorf("mail: %d", status)
	}
	if status, body = send(followers, "application/json", `{"mail":"zqreporter two@mark.example"}`); status != http.StatusBadRequest || strings.Contains(body, "zqreporter") {
		t.Errorf("no address: %d %s", status, body)
	}
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		log, err := os.ReadFile(filepath.Join(s.Dir, "server.log"))
		if err != nil || time.Since(began) > 2*time.Minute {
			t.Fatalf("the mail was not tried: %v", err)
		}
		if strings.Contains(string(log), "a message was not taken") {
			break
		}
	}
	if _, err := s.Stop(); err != nil {
		t.Error(err)
	}
	for _, f := range grep(t, s.Dir, "zqreporter", "mark.example", "zqpushmark", "push.example.net") {
		t.Error(f)
	}
}
