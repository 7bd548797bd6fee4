package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// rootOf recomputes the root of a log by RFC 6962 (2.1.1), from nothing but the
// proof: what an outsider would write.
func rootOf(leaf []byte, index, size int64, path [][]byte) []byte {
	node := func(l, r []byte) []byte { s := sha256.Sum256(append(append([]byte{1}, l...), r...)); return s[:] }
	h, fn, sn := leaf, index, size-1
	for _, p := range path {
		if fn == sn || fn&1 == 1 {
			h = node(p, h)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			h = node(h, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	return h
}

func TestFixed(t *testing.T) {
	h := newHouse(t)
	me := h.as("me", append(everything(), account.Grant{Role: account.Author, Publisher: "acme"})...)
	family := "/api/v1/families/" + h.family["acme"]
	h.want(409, nil, me, "POST", family+"/publish", "") // not resolved
	for i := range 60 {                                 // sixty installs with the release before, thirty of them crash
		e := h.crashOf("acme.theme", h.project["acme"], "")
		e.Origin.Install = eco.Install(1000 + i)
		if i >= 30 {
			e.Kind, e.Crash, e.Class, e.Tier = eco.KindSession, nil, eco.Standard, eco.TierCrash
			e.Session = &eco.Session{Key: uint64(i + 1), Status: "exited", Init: true, Started: e.Received}
		}
		h.send(e)
	}
	h.drain()
	h.want(200, nil, me, "POST", family+"/state", `{"state":"resolved"}`)
	h.want(409, nil, me, "POST", family+"/publish", "") // no release named
	h.want(200, nil, me, "PUT", family+"/answer", `{"fixed_in":"1.1.0","title":"Draws <again>","notes":"Sorry."}`)
	var e answers.Fix
	h.want(200, &e, me, "POST", family+"/publish", "")
	if e.Revision != 1 || e.FixedIn != "1.1.0" || e.Sure != "early" || e.Before.Share == nil || e.Before.Hit < 30 || e.After.Installs != 0 || len(e.Signatures) != 1 {
		t.Errorf("%+v", e)
	}
	h.want(404, nil, h.as("zeta", account.Grant{Role: account.Author, Publisher: "zeta"}), "POST", family+"/publish", "")

	// Four weeks on, eighty installs have the fix and none crashes; a job revises.
	h.now = h.now.Add(48 * time.Hour)
	for i := range 80 {
		s := h.crashOf("acme.theme", h.project["acme"], "")
		s.Origin.Install, s.Origin.ExtVersion = eco.Install(1000+i), "1.1.0"
		s.Kind, s.Crash, s.Class, s.Tier = eco.KindSession, nil, eco.Standard, eco.TierCrash
		s.Session = &eco.Session{Key: uint64(1000 + i), Status: "exited", Init: true, Started: s.Received}
		h.send(s)
	}
	h.drain()
	for range 2 { // the second time nothing changed
		if _, err := h.answers.Revise(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var one answers.ProvenFix
	body := h.want(200, &one, "", "GET", "/api/v1/fixed/"+e.ID, "").Body.String()
	if one.Revision != 2 || one.Sure != "sure" || one.After.Installs != 80 || one.After.Hit != 0 || !strings.Contains(one.Sentence, "none of about 80 installations") || !strings.Contains(one.Sentence, "sure that it is gone") || one.Published != e.Published {
		t.Errorf("%+v", one)
	}
	for _, secret := range []string{h.family["acme"], h.people["me"].Principal.ID, h.key["acme"], "zeta"} {
		if strings.Contains(body, secret) {
			t.Errorf("the public log names %q: %s", secret, body)
		}
	}

	// An outsider checks: the content is what the record's note says, the record is in the log.
	p := one.Log
	sum := sha256.Sum256([]byte(p.Content))
	if !strings.Contains(p.Record, "revision 2 sha256:"+hex.EncodeToString(sum[:])) {
		t.Errorf("%s does not name the content", p.Record)
	}
	leaf := sha256.Sum256(append([]byte{0}, p.Record...))
	var path [][]byte
	for _, s := range p.Path {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		path = append(path, b)
	}
	root := rootOf(leaf[:], p.Index, p.Size, path)
	if base64.StdEncoding.EncodeToString(leaf[:]) != p.Leaf || base64.StdEncoding.EncodeToString(root) != p.Root {
		t.Errorf("leaf %x root %x: %+v", leaf, root, p)
	}
	// So does the command: with the key alone, and not when a byte is another one.
	var key verifierBody
	h.want(200, &key, "", "GET", "/api/v1/receipts/key", "")
	saved, err := answers.ReadProof([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if fix, err := saved.Check(key.Verifier); err != nil || fix.ID != e.ID || fix.Revision != 2 {
		t.Errorf("%+v %v", fix, err)
	}
	if _, err := saved.Check(""); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*answers.Proof){
		"content": func(p *answers.Proof) { p.Content = strings.Replace(p.Content, "1.1.0", "1.1.1", 1) },
		"record":  func(p *answers.Proof) { p.Record = strings.Replace(p.Record, "revision 2", "revision 3", 1) },
		"leaf":    func(p *answers.Proof) { p.Leaf = p.Root },
		"root":    func(p *answers.Proof) { p.Root = p.Leaf },
		"path":    func(p *answers.Proof) { p.Path = append([]string{p.Root}, p.Path[1:]...) },
		"short":   func(p *answers.Proof) { p.Path = p.Path[1:] },
		"index":   func(p *answers.Proof) { p.Index-- },
		"size":    func(p *answers.Proof) { p.Size++ },
		"head":    func(p *answers.Proof) { p.Head = strings.Replace(p.Head, "\n"+p.Root, "\n"+p.Leaf, 1) },
	} {
		q := saved
		q.Path = append([]string(nil), saved.Path...)
		change(&q)
		if _, err := q.Check(key.Verifier); err == nil {
			t.Errorf("it holds with another %s", name)
		}
	}
	if _, err := saved.Check("bellwether+9db9c65a+AXbGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"); err == nil {
		t.Error("it holds with another key")
	}
	cp, err := h.log.Checkpoint(t.Context())
	if err != nil || string(cp.Root[:]) != string(root) {
		t.Errorf("%v %v", cp, err)
	}

	var page list[answers.Fix]
	for q, want := range map[string]int{"": 1, "?q=draws": 1, "?q=dr%25ws": 0, "?extension=acme.theme": 1, "?extension=zeta.lint": 0, "?q=draws+sorry": 1, "?q=nothing": 0} {
		if h.want(200, &page, "", "GET", "/api/v1/fixed"+q, ""); len(page.Items) != want {
			t.Errorf("%q: %d", q, len(page.Items))
		}
	}
	h.want(400, nil, "", "GET", "/api/v1/fixed?cursor=x", "")
	me = h.as("later", append(everything(), account.Grant{Role: account.Author, Publisher: "acme"})...) // two days on, the session has ended
	h.want(204, nil, me, "POST", family+"/unpublish", "")
	h.want(204, nil, me, "POST", family+"/unpublish", "")
	h.want(404, nil, "", "GET", "/api/v1/fixed/"+e.ID, "")
	var again answers.Fix
	if h.want(200, &again, me, "POST", family+"/publish", ""); again.ID != e.ID || again.Revision != 3 || again.Published != e.Published {
		t.Errorf("%+v", again)
	}
	if r, err := h.log.Verify(t.Context()); err != nil || !r.OK() {
		t.Errorf("%+v %v", r, err)
	}
}
