package account

import (
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"github.com/bellwether-project/bellwether/internal/fault"
)

//go:embed policies/*.cedar policies/schema.cedarschema
var policyFiles embed.FS

// PolicyInfo shows one policy.
type PolicyInfo struct {
	ID    string `json:"id"`
	About string `json:"about"` // its @description
	Text  string `json:"text"`  // as in the file
}

// policies is a checked set: every policy has an id and a description and fits
// the schema.
type policies struct {
	set       *cedar.PolicySet
	about     map[cedar.PolicyID]string
	list      []PolicyInfo
	validator *validate.Validator
	actions   map[string]bool // of the schema
}

// loadPolicies reads policies/*.cedar and policies/schema.cedarschema of files.
func loadPolicies(files fs.FS) (*policies, error) {
	const op = "account.loadPolicies"
	bad := func(text string, err error) error { return fault.E(op, fault.Invalid, text, err) }
	src, err := fs.ReadFile(files, "policies/schema.cedarschema")
	if err != nil {
		return nil, bad("The schema of the policies is missing.", err)
	}
	var sch schema.Schema
	if err := sch.UnmarshalCedar(src); err != nil {
		return nil, bad("The schema of the policies cannot be read.", err)
	}
	resolved, err := sch.Resolve()
	if err != nil {
		return nil, bad("The schema of the policies does not fit together.", err)
	}
	p := &policies{
		set:       cedar.NewPolicySet(),
		about:     map[cedar.PolicyID]string{},
		validator: validate.New(resolved),
		actions:   map[string]bool{},
	}
	for uid := range resolved.Actions {
		p.actions[string(uid.ID)] = true
	}
	names, err := fs.Glob(files, "policies/*.cedar")
	if err != nil {
		return nil, bad("The policies cannot be listed.", err)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := p.addFile(files, name); err != nil {
			return nil, bad("A policy is not valid.", err)
		}
	}
	return p, nil
}

func (p *policies) addFile(files fs.FS, name string) error {
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	list, err := cedar.NewPolicyListFromBytes(name, src)
	if err != nil {
		return err
	}
	for i, pol := range list {
		notes := pol.Annotations()
		id, about := string(notes["id"]), string(notes["description"])
		if id == "" || about == "" {
			return fmt.Errorf("%s: policy %d needs @id and @description", name, i+1)
		}
		if err := p.validator.Policy(id, (*ast.Policy)(pol.AST())); err != nil {
			return fmt.Errorf("%s: policy %s: %w", name, id, err)
		}
		if !p.set.Add(cedar.PolicyID(id), pol) {
			return fmt.Errorf("%s: policy %s is there twice", name, id)
		}
		p.about[cedar.PolicyID(id)] = about
		start := pol.Position().Offset
		end := len(src)
		if i+1 < len(list) {
			end = list[i+1].Position().Offset
		}
		p.list = append(p.list, PolicyInfo{id, about, strings.TrimSpace(string(src[start:end]))})
	}
	return nil
}
