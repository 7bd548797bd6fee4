package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// describe writes the description once, and serves it.
func (s *Server) describe() error {
	o := op{Method: "GET", Path: "/openapi.json", ID: "description.get", Action: account.PublicRead, Doc: "This description."}
	s.ops = append(s.ops, o)
	b, err := json.Marshal(s.huma.OpenAPI())
	var doc map[string]any
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err == nil {
		tidy(doc)
		s.spec, err = json.MarshalIndent(doc, "", " ")
	}
	if err != nil {
		return fault.E("api.describe", fault.Internal, "The description cannot be written.", err)
	}
	s.spec = append(s.spec, '\n')
	s.mux.HandleFunc("GET "+prefix+o.Path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.spec)
	})
	return nil
}

// Description is the OpenAPI document.
func (s *Server) Description() []byte { return bytes.Clone(s.spec) }

// tidy brings the document in line with what is answered: mistakes of form are a
// 400 here, never a 422, and answers may grow new fields, which requests may not
// name.
func tidy(doc map[string]any) {
	sent := map[string]bool{} // schemas of requests
	paths, _ := doc["paths"].(map[string]any)
	for _, path := range paths {
		methods, _ := path.(map[string]any)
		for _, m := range methods {
			op, _ := m.(map[string]any)
			if answers, ok := op["responses"].(map[string]any); ok {
				delete(answers, "422")
			}
			refs(doc, op["requestBody"], sent)
		}
	}
	components, _ := doc["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for name, v := range schemas {
		if schema, ok := v.(map[string]any); ok && !sent[name] && schema["additionalProperties"] == false {
			delete(schema, "additionalProperties")
		}
	}
}

// refs collects the schemas that a part of the document leads to.
func refs(doc map[string]any, part any, found map[string]bool) {
	switch x := part.(type) {
	case []any:
		for _, v := range x {
			refs(doc, v, found)
		}
	case map[string]any:
		for k, v := range x {
			ref, ok := v.(string)
			name, local := strings.CutPrefix(ref, "#/components/schemas/")
			if k != "$ref" || !ok || !local {
				refs(doc, v, found)
				continue
			}
			if !found[name] {
				found[name] = true
				components, _ := doc["components"].(map[string]any)
				schemas, _ := components["schemas"].(map[string]any)
				refs(doc, schemas[name], found)
			}
		}
	}
}
