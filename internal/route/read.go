package route

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// source is a rule with the places of its parts in the text.
type source struct {
	Rule
	name, when, team *yaml.Node
	node             *yaml.Node
}

// reader reads the text of a set by hand, node by node, so that each mistake has
// its place and nothing is unknown or expanded.
type reader struct {
	text     string
	mistakes []Mistake
}

func (r *reader) wrong(n *yaml.Node, rule, text, hint string) {
	m := Mistake{Rule: rule, Line: 1, Column: 1, Text: text, Hint: hint}
	if n != nil && n.Line > 0 {
		m.Line, m.Column = n.Line, max(n.Column, 1)
	}
	r.mistakes = append(r.mistakes, m)
}

// read takes the text apart: {rules: [...]} or the list itself, YAML or JSON.
func (r *reader) read() []source {
	if len(r.text) > MaxText {
		r.wrong(nil, "", fmt.Sprintf("The rules are longer than %d KiB.", MaxText>>10), "")
		return nil
	}
	if strings.TrimSpace(r.text) == "" {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(r.text), &doc); err != nil {
		r.mistakes = append(r.mistakes, yamlMistake(err))
		return nil
	}
	root := &doc
	if root.Kind == yaml.DocumentNode {
		if len(root.Content) == 0 {
			return nil
		}
		root = root.Content[0]
	}
	if !r.plain(root, 0) {
		return nil
	}
	list := root
	if root.Kind == yaml.MappingNode {
		list = nil
		r.each(root, "", func(key string, k, v *yaml.Node) {
			if key != "rules" {
				r.wrong(k, "", "There is no key "+quote(key)+" here.", `A set is "rules:" and a list under it.`)
				return
			}
			list = v
		})
		if list == nil {
			return nil
		}
	}
	if list.Kind == yaml.ScalarNode && list.Tag == "!!null" { // "rules:" with nothing behind
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		r.wrong(list, "", "This is no list of rules.", `Write "rules:" and below it "- name: …" for each rule.`)
		return nil
	}
	if len(list.Content) > MaxRules {
		r.wrong(list.Content[MaxRules], "", fmt.Sprintf("There are more than %d rules.", MaxRules), "Join some with ||.")
		return nil
	}
	var out []source
	seen := map[string]bool{}
	for _, n := range list.Content {
		s := r.rule(n)
		if seen[s.Name] && s.Name != "" {
			r.wrong(s.name, s.Name, "Another rule has this name.", "Reasons name the rule; give each its own.")
		}
		seen[s.Name] = true
		out = append(out, s)
	}
	return out
}

// plain refuses what would make a small text large, or hide where something stands.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.wrong(n, "", "Anchors and aliases of YAML are not read here.", "Write it out.")
		return false
	case depth > 6:
		r.wrong(n, "", "This is nested too deep.", "")
		return false
	}
	for _, c := range n.Content {
		if !r.plain(c, depth+1) {
			return false
		}
	}
	return true
}

func (r *reader) each(n *yaml.Node, rule string, f func(key string, k, v *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			r.wrong(k, rule, "The key "+quote(k.Value)+" is there twice.", "")
			continue
		}
		seen[k.Value] = true
		f(k.Value, k, n.Content[i+1])
	}
}

func (r *reader) rule(n *yaml.Node) source {
	s := source{node: n}
	s.Line = n.Line
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "", "A rule has name, when and then.", "")
		return s
	}
	r.each(n, "", func(key string, k, v *yaml.Node) {
		switch key {
		case "name":
			s.name, s.Name = v, r.word(v, "", "A name")
		case "when":
			s.when, s.When = v, r.scalar(v, s.Name)
			if len(s.When) > MaxWhen {
				r.wrong(v, s.Name, fmt.Sprintf("A condition has at most %d bytes.", MaxWhen), "Make two rules of it.")
				s.When = ""
			}
		case "then":
			r.then(&s, v)
		case "stop":
			switch {
			case v.Kind == yaml.ScalarNode && (v.Value == "true" || v.Value == "false"):
				s.Stop = v.Value == "true"
			default:
				r.wrong(v, s.Name, "stop is true or false.", "")
			}
		default:
			r.wrong(k, s.Name, "A rule has no "+quote(key)+".", "It has name, when, then and stop.")
		}
	})
	switch {
	case s.name == nil:
		r.wrong(n, "", "This rule has no name.", "Reasons name the rule that decided.")
	case s.when == nil:
		r.wrong(n, s.Name, "This rule has no condition.", `Write "when: true" for a rule that always matches.`)
	case s.Then.Team == "" && len(s.Then.Labels) == 0 && s.Then.Priority == "" && !s.Stop:
		r.wrong(n, s.Name, "Nothing follows from this rule.", "Write then: with a team, labels or a priority.")
	}
	return s
}

func (r *reader) then(s *source, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, s.Name, "What follows is written as team, labels and priority.", "then: {team: editor-core}")
		return
	}
	r.each(n, s.Name, func(key string, k, v *yaml.Node) {
		switch key {
		case "team":
			s.team, s.Then.Team = v, r.word(v, s.Name, "A team")
		case "labels":
			list := []*yaml.Node{v}
			if v.Kind == yaml.SequenceNode {
				list = v.Content
			}
			if len(list) > maxLabels {
				r.wrong(v, s.Name, fmt.Sprintf("A rule gives at most %d labels.", maxLabels), "")
				return
			}
			for _, l := range list {
				if w := r.word(l, s.Name, "A label"); w != "" && !slices.Contains(s.Then.Labels, w) {
					s.Then.Labels = append(s.Then.Labels, w)
				}
			}
		case "priority":
			s.Then.Priority = r.scalar(v, s.Name)
			if i := slices.Index(oldPriorities, s.Then.Priority); i >= 0 {
				s.Then.Priority = Priorities[i]
			}
			if !slices.Contains(Priorities, s.Then.Priority) {
				r.wrong(v, s.Name, "There is no such priority.", "One of "+strings.Join(Priorities, ", ")+".")
			}
		default:
			r.wrong(k, s.Name, "Nothing of the name "+quote(key)+" can follow.", "team, labels or priority can.")
		}
	})
}

func (r *reader) scalar(n *yaml.Node, rule string) string {
	if n.Kind != yaml.ScalarNode {
		r.wrong(n, rule, "One value belongs here.", "")
		return ""
	}
	return n.Value
}

func (r *reader) word(n *yaml.Node, rule, what string) string {
	s := r.scalar(n, rule)
	if n.Kind == yaml.ScalarNode && !word(s) {
		r.wrong(n, rule, fmt.Sprintf("%s has 1 to %d bytes, without quotes, commas and the like.", what, maxWord), "")
		return ""
	}
	return s
}

// place turns a place within a condition (line from 1, column from 0) into one of
// the text. In a block (| or >) the condition begins on the next line, indented.
func (r *reader) place(n *yaml.Node, line, column int) (int, int) {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		if line > 1 || strings.ContainsRune(n.Value, '\n') {
			return n.Line, n.Column
		}
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			column++
		}
		return n.Line, n.Column + column
	}
	lines := strings.Split(r.text, "\n")
	at := n.Line + line // n.Line is that of the sign
	if at > len(lines) {
		return n.Line, n.Column
	}
	indent := len(lines[at-1]) - len(strings.TrimLeft(lines[at-1], " "))
	return at, indent + column + 1
}

func quote(s string) string {
	if len(s) > maxWord {
		s = s[:maxWord] + "…"
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(s, "?"))
}
