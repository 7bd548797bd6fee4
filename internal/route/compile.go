package route

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/ext"
	"go.yaml.in/yaml/v4"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Engine compiles rules over the fields of T, each a variable under its cel tag.
type Engine[T any] struct {
	env  *cel.Env
	vars []variable
}

// variable is a field of T.
type variable struct {
	name   string
	index  int
	fields []string // of a struct
}

// For makes an engine. T is a struct whose fields have a cel tag.
func For[T any]() (*Engine[T], error) {
	e := &Engine[T]{}
	opts := []cel.EnvOption{
		cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), ext.Strings(),
		cel.ParserExpressionSizeLimit(MaxWhen), cel.ParserRecursionLimit(32), cel.ParserErrorRecoveryLimit(4),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateComprehensionNestingLimit(2)),
	}
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		f := t.Field(i)
		v := variable{name: f.Tag.Get("cel"), index: i}
		var typ *cel.Type
		switch {
		case f.Type.Kind() == reflect.String:
			typ = cel.StringType
		case f.Type.PkgPath() == "time" && f.Type.Name() == "Time":
			typ = cel.TimestampType
		case f.Type.Kind() == reflect.Struct:
			typ = cel.ObjectType(f.Type.String())
			opts = append(opts, ext.NativeTypes(f.Type, ext.ParseStructTags(true)))
			for j := range f.Type.NumField() {
				v.fields = append(v.fields, f.Type.Field(j).Tag.Get("cel"))
			}
		default:
			return nil, fault.E("route.For", fault.Internal, "", fmt.Errorf("a variable of type %s", f.Type))
		}
		opts = append(opts, cel.Variable(v.name, typ))
		e.vars = append(e.vars, v)
	}
	var err error
	if e.env, err = cel.NewEnv(opts...); err != nil {
		return nil, fault.E("route.For", fault.Internal, "", err)
	}
	return e, nil
}

// Rules is a compiled set. It is immutable and safe for concurrent use.
type Rules[T any] struct {
	engine *Engine[T]
	list   []Rule
	progs  []cel.Program
	uses   map[string]bool
}

// Compile reads a set of rules, YAML or JSON. team, when not nil, reports whether
// there is such a team. With any mistake there are no rules.
func (e *Engine[T]) Compile(text string, team func(string) bool) (*Rules[T], []Mistake) {
	r := &reader{text: text}
	rules := &Rules[T]{engine: e, uses: map[string]bool{}}
	for _, s := range r.read() {
		if s.team != nil && s.Then.Team != "" && team != nil && !team(s.Then.Team) {
			r.wrong(s.team, s.Name, "There is no team "+quote(s.Then.Team)+".", "Teams are kept under Settings, Register.")
		}
		if s.when == nil || s.When == "" {
			if s.when != nil && s.When == "" && s.when.Kind == yaml.ScalarNode && len(s.when.Value) <= MaxWhen {
				r.wrong(s.when, s.Name, "This condition is empty.", `Write "true" for a rule that always matches.`)
			}
			continue
		}
		prog, err := e.program(r, &s, rules.uses)
		if err != nil {
			r.wrong(s.when, s.Name, "This condition cannot be used.", "")
		}
		rules.list, rules.progs = append(rules.list, s.Rule), append(rules.progs, prog)
	}
	if len(r.mistakes) > 0 {
		slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return nil, r.mistakes
	}
	return rules, nil
}

// program compiles one condition; what is wrong with it goes to the reader.
func (e *Engine[T]) program(r *reader, s *source, uses map[string]bool) (cel.Program, error) {
	ast, issues := e.env.Compile(s.When)
	if issues.Err() != nil {
		for _, x := range issues.Errors()[:min(len(issues.Errors()), 5)] {
			m := Mistake{Rule: s.Name, Text: sentence(x), Hint: e.hint(x.Message)}
			m.Line, m.Column = r.place(s.when, max(x.Location.Line(), 1), max(x.Location.Column(), 0))
			r.mistakes = append(r.mistakes, m)
		}
		return nil, nil
	}
	if ast.OutputType() != cel.BoolType {
		r.wrong(s.when, s.Name, "A condition is yes or no; this one is a "+ast.OutputType().String()+".", "Compare it with something: family.type == \"TypeError\".")
		return nil, nil
	}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		uses[ref.Name] = true
	}
	return e.env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100), cel.EvalOptions(cel.OptOptimize))
}

// List is the rules as they were written.
func (r *Rules[T]) List() []Rule { return slices.Clone(r.list) }

// Uses reports whether a condition asks for a variable.
func (r *Rules[T]) Uses(variable string) bool { return r.uses[variable] }

// Labels lists the labels that rules give, sorted.
func (r *Rules[T]) Labels() []string {
	var out []string
	for i := range r.list {
		out = append(out, r.list[i].Then.Labels...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Route asks the rules about x. The context ends it early; every rule has its own bound.
func (r *Rules[T]) Route(ctx context.Context, x T) (Outcome, error) {
	var out Outcome
	v := reflect.ValueOf(x)
	in := make(map[string]any, len(r.engine.vars))
	for _, f := range r.engine.vars {
		in[f.name] = v.Field(f.index).Interface()
	}
	stopped := false
	for i := range r.list {
		rule := &r.list[i]
		if stopped {
			out.Steps = append(out.Steps, Step{Rule: rule.Name, Result: Skipped})
			continue
		}
		s := Step{Rule: rule.Name, Result: Not}
		val, _, err := r.progs[i].ContextEval(ctx, in)
		switch {
		case ctx.Err() != nil:
			return Outcome{}, fault.E("route.Route", fault.Unavailable, "There was no time to ask the rules.", ctx.Err())
		case err != nil:
			s.Result, s.Note = Failed, evalNote(err)
		case val.Value() == true:
			s.Result = Matched
			out.take(rule)
			stopped = rule.Stop
		}
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}

// evalNote is why a condition could not be decided, in few words.
func evalNote(err error) string {
	s := err.Error()
	switch {
	case strings.Contains(s, "cost limit"):
		return "It takes too much work to decide."
	case strings.Contains(s, "no such key"), strings.Contains(s, "no such attribute"):
		return "It asks for something that is not there: " + s + "."
	case strings.Contains(s, "index out of bounds"), strings.Contains(s, "invalid_argument"):
		return "It asks for an entry that a list does not have."
	}
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// sentence makes CEL's message one of ours.
func sentence(e *common.Error) string {
	s := strings.TrimPrefix(e.Message, "Syntax error: ")
	s, _, _ = strings.Cut(s, " (in container '')")
	s, _, _ = strings.Cut(s, " expecting {") // every token there is
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	if s == "" {
		return "It cannot be read."
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// hint says what to write instead, where the message tells.
func (e *Engine[T]) hint(message string) string {
	switch {
	case strings.Contains(message, "undeclared reference"):
		var names []string
		for _, v := range e.vars {
			names = append(names, v.name)
		}
		return "There are " + strings.Join(names, ", ") + "; texts stand in quotes."
	case strings.Contains(message, "undefined field"):
		name := between(message, "'", "'")
		best, at := "", 3
		for _, v := range e.vars {
			for _, f := range v.fields {
				if d := distance(name, f); d < at {
					best, at = v.name+"."+f, d
				}
			}
		}
		if best != "" {
			return "Is it " + best + "?"
		}
		return "The fields are listed under the editor."
	case strings.Contains(message, "no matching overload"):
		return "Both sides of a comparison must be of one kind: text in quotes, numbers without."
	case strings.Contains(message, "token recognition error at: '= '"), strings.Contains(message, "'='"):
		return "Compare with ==."
	case strings.Contains(message, "'and'"), strings.Contains(message, "'or'"), strings.Contains(message, "'&"), strings.Contains(message, "'|"):
		return "Join conditions with && and ||."
	case strings.Contains(message, "mismatched input '<EOF>'"):
		return "Something is missing at the end."
	}
	return ""
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// distance is Levenshtein's, of short words.
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return maxWord
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost++
			}
			left = row[j+1]
			row[j+1] = min(cost, row[j]+1, left+1)
		}
	}
	return row[len(b)]
}

// yamlMistake is where YAML itself cannot be read.
func yamlMistake(err error) Mistake {
	m := Mistake{Line: 1, Column: 1, Text: "This is no YAML.", Hint: "Look at the spaces before the line and at open quotes."}
	if le := (*yaml.LoadError)(nil); errors.As(err, &le) {
		m.Line, m.Column = max(le.Mark.Line, 1), max(le.Mark.Column, 1)
		if le.Message != "" {
			m.Text = "This is no YAML: " + strings.TrimSuffix(le.Message, ".") + "."
		}
	}
	return m
}
