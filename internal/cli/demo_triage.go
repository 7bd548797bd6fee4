package cli

import (
	"context"
	"net/http"
	"net/url"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
)

// demoRules send the story's families to their teams.
const demoRules = `rules:
  # A member that another extension took away is for those who own the platform.
  - name: linkage
    when: blame.step == 3 || family.type in ["NoSuchMethodError", "LinkageError"]
    then: {team: editor, labels: [linkage]}
  - name: language tools
    when: extension.id in ["northwind.gobridge", "northwind.java", "northwind.notebook", "northwind.python", "pixelforge.dotnet", "pixelforge.rusty"]
    then: {team: languages}
  - name: workbench
    when: extension.publisher == "acme"
    then: {team: workbench}
  - name: the host itself
    when: blame.target == "host" || blame.target == "interaction"
    then: {team: editor}
  - name: widespread
    when: impact.installs >= 100
    then: {labels: [widespread]}
  - name: no stack
    when: signature.low
    then: {labels: [needs a stack]}
`

// words is what somebody in the story does with the family that crashes most among
// those of an extension with a type.
type words struct {
	ext, typ string
	act      map[string]any
	comments []comment
}

type comment struct {
	text string
	team bool
}

var demoWork = []words{
	{"acme.linter", "TypeError", map[string]any{"new_label": "regression"}, []comment{
		{"Seen since 2.4.0 only. The rule table is built before the settings are there:\n\n```ts\nconst rule = table[id]; // undefined on a cold start\n```", false},
		{"@ravi-menon can you tell whether 2.4.1 has it too?", false},
		{"Let us wait for the beta before we tell people.", true}}},
	{"northwind.python", "KeyError", map[string]any{"new_label": "came back"}, []comment{
		{"Mended in 1.9.1, back in 2.0.0: the cache was rewritten. @languages please take it.", false}}},
	{"northwind.notebook", "", map[string]any{"new_label": "needs a repro"}, nil},
	{"pixelforge.blender", "", map[string]any{"new_label": "bad release"}, []comment{{"3.1.1 is out and takes it back. I look at the numbers tomorrow.", false}}},
}

// demoLabels say what the words mean that people and rules use.
var demoLabels = []struct {
	name, about string
	colour      int
}{
	{"linkage", "One extension took away what another one uses.", 0},
	{"widespread", "Met by a hundred installs or more.", 1},
	{"needs a stack", "The report does not say where it happened; ask for symbols.", 1},
	{"needs a repro", "Nobody made it happen again yet.", 5},
	{"came back", "Was fixed once.", 6},
	{"regression", "Worked in the release before.", 5},
	{"bad release", "One release has it, and the next one takes it back.", 0},
}

// rules saves the routing rules and the labels, as the first thing that people do.
func (d *demoWorld) rules(ctx context.Context) error {
	for _, l := range demoLabels {
		if err := d.client().call(ctx, http.MethodPost, "/labels", map[string]any{"name": l.name, "about": l.about, "colour": l.colour}, nil); err != nil {
			return err
		}
	}
	return d.client().call(ctx, http.MethodPost, "/routing/versions", map[string]any{"text": demoRules, "note": "How our teams share the work."}, nil)
}

// work has people look at what came in.
func (d *demoWorld) work(ctx context.Context, first bool) error {
	if !first {
		return nil
	}
	cl := d.client()
	for i, w := range demoWork {
		list, err := d.familiesOf(ctx, cl, w.ext, w.typ)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		id := list[0].ID
		var view triage.View
		if err := cl.call(ctx, http.MethodGet, "/families/"+id+"/triage", nil, &view); err != nil {
			return err
		}
		if i < 3 && len(view.People) > 0 {
			w.act["person"] = view.People[i%len(view.People)].ID
		}
		w.act["families"] = []string{id}
		if err := cl.call(ctx, http.MethodPost, "/families/triage", w.act, nil); err != nil {
			return err
		}
		for _, c := range w.comments {
			if err := cl.call(ctx, http.MethodPost, "/families/"+id+"/comments", map[string]any{"text": c.text, "team": c.team}, nil); err != nil {
				return err
			}
		}
	}
	return cl.call(ctx, http.MethodPost, "/filters", map[string]any{"name": "Widespread and mine", "query": "who=mine&state=open", "team": "languages"}, nil)
}

func (d *demoWorld) familiesOf(ctx context.Context, cl *client, ext, typ string) ([]crash.Family, error) {
	all, err := every[crash.Family](ctx, cl, "/families?"+url.Values{"extension": {ext}, "limit": {"200"}}.Encode())
	if err != nil {
		return nil, err
	}
	var out []crash.Family
	for _, f := range all {
		if typ == "" || f.Type == typ {
			out = append(out, f)
		}
	}
	return out, nil
}
