package api

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/account"
)

func TestDescription(t *testing.T) {
	h := newHouse(t)
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	h.want(200, &doc, "", "GET", "/api/v1/openapi.json", "")
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi %s", doc.OpenAPI)
	}
	for _, r := range h.Routes() {
		if r.Pattern == "/api/v1/openapi.json" {
			continue
		}
		if _, ok := doc.Paths[r.Pattern][strings.ToLower(r.Method)]; !ok {
			t.Errorf("%s %s is not described", r.Method, r.Pattern)
		}
		if a, ok := account.Action(r.Action).Info(); !ok || r.Doc == "" {
			t.Errorf("%s %s: action %q, %q", r.Method, r.Pattern, a.Action, r.Doc)
		}
	}
	if strings.Contains(string(h.Description()), "$schema") || !strings.Contains(string(h.Description()), "application/problem+json") {
		t.Error("the description speaks of $schema, or not of problem documents")
	}
	// The description is a contract: a change of it is to be seen in review.
	const file = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(file, h.Description(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(h.Description())); d != "" {
		t.Errorf("the description changed (-update writes it):\n%s", d)
	}
}
