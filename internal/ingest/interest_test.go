package ingest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/receipt"
)

func (w *world) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	rec := httptest.NewRecorder()
	w.web.ServeHTTP(rec, r)
	return rec
}

func TestInterest(t *testing.T) {
	w := newWorld(t, everyTier)
	r := receipts(t, w)
	r.Board.Ready()
	const path, hash = "/api/v1/intake/interest", "00112233445566aa"
	r.Board.Learn("acme.linter", "", hash, "F-1")
	set := func(s receipt.Standing) {
		s.Family, s.Owner = "F-1", "acme.linter"
		r.Board.Set(&s)
	}
	set(receipt.Standing{State: receipt.Known, Workaround: "x", Installs: 19})
	get := func(key, sig, release string) receipt.Answer {
		t.Helper()
		var a receipt.Answer
		rec := w.ask(http.MethodGet, path+"?key="+key+"&signature="+sig+"&release="+release, "")
		if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != 200 || !strings.Contains(rec.Header().Get("Cache-Control"), "max-age") {
			t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
		}
		return a
	}
	if a := get(linterKey, "sig/1:"+hash, "1.0"); a.State != receipt.Known || !a.Known || a.Wanted != receipt.Full || a.Workaround != "x" || a.Installs != 0 || !a.Others || a.Receipt != "" {
		t.Errorf("%+v", a)
	}
	if a := get(linterKey, "sig/1:00112233445566ab", ""); a.State != receipt.New || a.Known {
		t.Errorf("%+v", a)
	}
	set(receipt.Standing{State: receipt.Fixed, ResolvedIn: "1.2.0"})
	if a := get(linterKey, "sig/1:"+hash, "1.1"); a.Wanted != receipt.Counts || a.FixedIn != "1.2.0" || a.HaveFix == nil || *a.HaveFix {
		t.Errorf("%+v", a)
	}
	set(receipt.Standing{State: receipt.Known, Wanted: receipt.Nothing})
	if a := get(linterKey, "sig/1:"+hash, ""); a.Wanted != receipt.Nothing {
		t.Errorf("%+v", a)
	}
	if a := get(hostKey, "sig/1:"+hash+"&extension=acme.linter", ""); a.State != receipt.Received || a.Known {
		t.Errorf("another host's key reads it: %+v", a)
	}
	if rec := w.ask(http.MethodPost, path, `{"key":"`+linterKey+`","signature":"sig/1:`+hash+`"}`); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"wanted":"none"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for _, c := range []struct {
		method, path, body string
		code               int
	}{
		{http.MethodGet, path, "", 401}, {http.MethodGet, path + "?key=" + strings.Repeat("9", 32) + "&signature=sig/1:" + hash, "", 401},
		{http.MethodGet, path + "?key=" + linterKey + "&signature=x", "", 400}, {http.MethodGet, path + "?key=" + linterKey + "&signature=sig/2:" + hash, "", 400},
		{http.MethodPost, path, "{", 400}, {http.MethodPost, path, `{"key":"` + strings.Repeat("x", maxInterest) + `"}`, 400}, {http.MethodPut, path, "", 405},
	} {
		if rec := w.ask(c.method, c.path, c.body); rec.Code != c.code {
			t.Errorf("%s %.60s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
	limited := false
	for range int(interestBurst) + 10 {
		limited = limited || w.ask(http.MethodGet, path+"?key="+linterKey+"&signature=sig/1:"+hash, "").Code == 429
	}
	if !limited {
		t.Error("a key may ask as often as it likes")
	}
	if len(w.kept()) != 0 {
		t.Error("asking leaves a record")
	}
}

func FuzzInterest(f *testing.F) {
	f.Add("sig/1:00112233445566aa")
	f.Add(`{"key":"x"}`)
	f.Fuzz(func(t *testing.T, s string) {
		if hash, ok := receipt.ParseSignature(s); ok && receipt.SignaturePrefix+hash != s {
			t.Errorf("%q: %q", s, hash)
		}
	})
}
