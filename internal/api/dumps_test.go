package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// keepDumps keeps a dump of the crash of each tenant.
func (h *house) keepDumps() {
	h.t.Helper()
	for _, tenant := range tenants {
		id, err := eco.ParseID(h.crash[tenant])
		if err == nil {
			err = h.o.Dumps.Keep(h.t.Context(), id, h.project[tenant], "ext:"+extensionOf(tenant), 7, 14, []byte("MDMP of "+tenant))
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestDumpFile(t *testing.T) {
	h := newHouse(t)
	path := prefix + "/crashes/" + h.crash["acme"] + "/dump"
	for who, want := range map[string]int{"red": 200, "operator": 200, "triager": 200, "acme": 403, "steward": 403, "zeta": 403, "blue": 403} {
		w := h.ask(h.enter(who), "GET", path+"/file", "")
		if w.Code != want || strings.Contains(w.Body.String(), "MDMP") != (want == 200) {
			t.Errorf("%s: %d %s, want %d", who, w.Code, w.Body, want)
		}
		if want == 200 && (w.Body.String() != "MDMP of acme" || w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %q %v", who, w.Body, w.Header())
		}
	}
	n := 0
	list, err := h.log.List(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Action == "dump.read" && r.Ref.ID == h.crash["acme"] {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d downloads in the audit log, want 3", n)
	}
	if w := h.ask(h.enter("red"), "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"until"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// Fewer days end it.
	if w := h.ask(h.enter("steward"), "PUT", fmt.Sprintf("%s/projects/%d/dumps", prefix, h.project["acme"]), `{"days":0}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := h.ask(h.enter("red"), "GET", path, ""); w.Code != 404 {
		t.Errorf("after the policy ended: %d %s", w.Code, w.Body)
	}
}
