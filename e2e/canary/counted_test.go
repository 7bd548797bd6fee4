package canary_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
)

// counted is every member of a crash, beside a signature.
const counted = `{"sdk":{"name":"bellwether-ts","version":"0.1.0"},"session":"s","sent_at":"%[2]s",
 "source":{"extension":"acme.linter","extension_version":"1.0.0","host":"studio","host_version":"5.0","channel":"stable","os":"linux","os_version":"12","arch":"x64","runtime":"node/20","environment":"production","install":"i"},
 "active":[{"id":"acme.linter","version":"1.0.0"}],
 "crashes":[{"id":"c","signature":"%[1]s","session":"s","extension_version":"1.0.0","level":"fatal","handled":false,"weight":2,"owner":"acme.linter","platform":"javascript",
  "active":[{"id":"acme.linter","version":"1.0.0"}],"mechanism":"m","command":"c","thread":"t","tags":{"a":"b"},"modules":{"m":"1"},"breadcrumbs":[{"category":"c","message":"m","type":"t"}]}]}`

// TestNoCanaryInCounts sends crashes that are only their signature, with a canary
// in every other member and in the signature itself. What is not read of a count
// must not be anywhere; what is read is no free text.
func TestNoCanaryInCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	s := newHouse(t)
	signature := s.signature(t)
	head := map[string]string{"Content-Type": "application/json", "X-Bellwether-Key": s.key.Public}
	p := &planter{}
	for round := range len(planted) {
		var v any
		if err := json.Unmarshal(fmt.Appendf(nil, counted, signature, time.Now().UTC().Format(time.RFC3339)), &v); err != nil {
			t.Fatal(err)
		}
		p.n = round
		v = p.plant("", v)
		c := v.(map[string]any)["crashes"].([]any)[0].(map[string]any)
		for _, sig := range []any{signature, c["signature"], signature + " zqcanary", "zqcanary@leak.example", map[string]any{"zqcanary": "zqcanary"}} {
			c["signature"], c["id"] = sig, fmt.Sprintf("%032x", p.n)
			p.n++
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			s.post(t, request{"native", "/api/v1/intake/crashes", head, b})
		}
	}
	if _, err := s.Stored(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stop(); err != nil {
		t.Error(err)
	}
	s.look(t)
	if n := s.counted(t); n != len(planted) {
		t.Errorf("%d counts are kept of %d: the test proves nothing for the rest", n, len(planted))
	}
}

// signature is that of a crash that is stored.
func (s *house) signature(t *testing.T) string {
	t.Helper()
	body := `{"source":{"extension_version":"1.0.0"},"crashes":[{"platform":"javascript","exceptions":[{"type":"TypeError","value":"x","frames":[{"function":"f","file":"/x/extensions/acme.linter-1.0.0/a.js","line":1}]}]}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/intake/crashes", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
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
	if _, err := s.Stored(); err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(b, []byte(`"signature":"`))
	sig, _, _ := bytes.Cut(rest, []byte(`"`))
	if !ok || !bytes.HasPrefix(sig, []byte("sig/1:")) {
		t.Fatalf("no signature: %s", b)
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) { // the board looks every few seconds
		resp, err := http.Get(s.URL + "/api/v1/intake/interest?key=" + s.key.Public + "&signature=" + string(sig))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(`"known":true`)) {
			return string(sig)
		}
		if time.Now().After(end) {
			t.Fatalf("after a minute: %s", b)
		}
	}
}

// counted says how many counts are stored; the server has ended.
func (s *house) counted(t *testing.T) int {
	t.Helper()
	store, err := duck.Open(t.Context(), duck.Options{Dir: filepath.Join(s.Dir, "data", "facts"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r, err := store.Query(t.Context(), facts.Query{Scope: facts.Everything(), Rows: true, Limit: 1000, Where: []facts.Cond{
		{Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindCrash)}}, {Col: facts.Counted, Op: facts.In, Values: []string{"1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Facts)
}
