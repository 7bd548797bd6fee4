package crash

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// interaction is a crash of the host's own project: the reader's extension
// calls another one, which throws. Everything that is not the reader's is marked.
func interaction() Document {
	yes := true
	return Document{
		Version: 1, ID: eco.ID{1}, ClientID: "canary-client", Received: 5, Time: 4, Protocol: "sentry",
		Origin: eco.Origin{Project: 1, Host: "studio", HostVersion: "5.0", OS: "linux", Country: "canary-country", Environment: "canary-env",
			SDK: "canary-sdk", Install: 123456789},
		Crash: eco.Crash{
			Platform: "javascript", Level: "error", Handled: &yes, Message: "canary-message", Text: "canary-text", Thread: "canary-thread",
			Command: "canary.command", Owner: "canary.owner", SessionID: "canary-session",
			Breadcrumbs: []eco.Breadcrumb{{Message: "canary-crumb"}}, Tags: map[string]string{"canary-tag": "canary-value"},
			Modules: map[string]string{"canary-module": "canary-1"}, DebugImages: []eco.DebugImage{{CodeFile: "canary-image"}},
			Active: []eco.Active{{ID: "acme.theme", Version: "1.2.0"}, {ID: "canary.active", Version: "canary-4"}},
			Exceptions: []eco.Exception{{
				Type: "RangeError", Module: "canarylib/out/thing.js", Value: "canary secret value in acme.theme", Parent: -1,
				Frames: []eco.Frame{
					{Function: "canaryThrow", Module: "CanaryLib", File: "/ext/canary.thing-3.1.4/out/canary.js", Line: 7, Class: eco.FrameExtension, Owner: "canary.thing"},
					{Function: "draw", File: "/ext/acme.theme-1.2.0/out/draw.js", Line: 9, Class: eco.FrameExtension, Owner: "acme.theme"},
					{Function: "canaryUnknown", File: "/somewhere/canary/unknown.js", Class: eco.FrameUnknown},
					{Function: "dispatch", File: "/app/host.js", Class: eco.FrameHost},
					{Function: "node", File: "node:events", Class: eco.FrameRuntime},
				},
			}, {
				Type: "TypeError", Value: "acme text that quotes canaryThrow and canary.thing", Parent: 0,
				Frames: []eco.Frame{{Function: "emit", File: "node:events", Class: eco.FrameRuntime}, {Function: "draw", File: "/ext/acme.theme-1.2.0/out/draw.js", Class: eco.FrameExtension, Owner: "acme.theme"}},
			}},
		},
		Signature: eco.Signature{Version: "sig/1", Key: "RangeError|canaryThrow|draw", Hash: "00112233aabbccdd", Title: "canary.thing: RangeError in canaryThrow",
			Tokens: []string{"extension|canary.thing|canaryThrow", "extension|acme.theme|draw"},
			Why:    []eco.WhyStep{{Step: "head", What: "canaryThrow of canary.thing"}}},
		Blame: eco.Blame{Extension: "acme.theme", Version: "1.2.0", Target: "interaction", Confidence: .8, Candidates: []eco.Candidate{
			{Extension: "acme.theme", Role: "caller", Step: 5, Reason: "draw calls canaryThrow of canary.thing", Confidence: .8},
			{Extension: "canary.thing", Version: "3.1.4", Role: "callee", Step: 5, Reason: "canaryThrow threw", Confidence: .7},
		}},
		Placement: Placement{Family: "F-A", Near: []Near{{Family: "F-CANARY", Score: .2}}, Why: []eco.WhyStep{{What: "canaryThrow"}}},
		Removed:   []eco.Removal{{Rule: "email", Place: "tags.canary", Count: 1}},
		Steps:     []eco.Step{{Stage: "blame", Version: "blame/1", Note: "canary.thing", At: 3}},
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRedactLeavesNoCanary(t *testing.T) {
	doc := interaction()
	got := Redact(doc, themes)
	if s := strings.ToLower(asText(t, got)); strings.Contains(s, "canary") || strings.Contains(s, "123456789") || strings.Contains(s, "3.1.4") {
		t.Errorf("a canary got out:\n%s", s)
	}
	if !got.Redacted {
		t.Error("it does not say that it is redacted")
	}
	x := got.Crash.Exceptions[0]
	if x.Frames[1] != doc.Crash.Exceptions[0].Frames[1] || x.Frames[3].Function != "dispatch" || x.Frames[4].Function != "node" {
		t.Errorf("the reader's own frames, the host's and the runtime's stay: %+v", x.Frames)
	}
	if x.Frames[0] != (eco.Frame{Function: Removed, Class: eco.FrameExtension}) || x.Value != Removed {
		t.Errorf("another's frame: %+v %q", x.Frames[0], x.Value)
	}
	if v := got.Crash.Exceptions[1].Value; v != "acme text that quotes "+Removed+" and "+Removed {
		t.Errorf("the reader's own text: %q", v)
	}
	if diff := cmp.Diff([]eco.Active{{ID: "acme.theme", Version: "1.2.0"}}, got.Crash.Active); diff != "" {
		t.Error(diff)
	}
	if got.Blame.Extension != "acme.theme" || len(got.Blame.Candidates) != 2 || got.Blame.Candidates[1].Extension != "" || got.Blame.Candidates[1].Role != "callee" {
		t.Errorf("blame: %+v", got.Blame)
	}
}

func TestRedactByScope(t *testing.T) {
	doc := interaction()
	for name, scope := range map[string]facts.Scope{"everything": everything, "the host": studio} {
		if diff := cmp.Diff(doc, Redact(doc, scope)); diff != "" {
			t.Errorf("%s sees it whole: %s", name, diff)
		}
	}
	own := doc
	own.Origin.Extension = "acme.theme"
	if Redact(own, themes).Redacted {
		t.Error("what came in through the own project is the own")
	}
	if !Redact(own, studio).Redacted {
		t.Error("an extension's project is not the host's")
	}
}

// Every string of a document that is not on the short list of what a blamed
// author may see is a canary: a field added later leaks only if it is listed here.
func TestRedactStartsFromNothing(t *testing.T) {
	var doc Document
	rng := rand.New(rand.NewPCG(1, 1))
	fill(reflect.ValueOf(&doc).Elem(), rng, "doc")
	doc.Origin.Extension = "canary.project"
	got := Redact(doc, themes)
	allowed := map[string]bool{
		"doc.Protocol": true, "doc.Origin.Host": true, "doc.Origin.HostVersion": true, "doc.Origin.Channel": true, "doc.Origin.OS": true,
		"doc.Origin.OSVersion": true, "doc.Origin.Arch": true, "doc.Origin.Runtime": true, "doc.Crash.Platform": true, "doc.Crash.Level": true,
		"doc.Crash.Mechanism": true, "doc.Crash.Counted": true, "doc.Crash.Exceptions.Type": true, "doc.Crash.Exceptions.Module": true, "doc.Crash.Exceptions.Mechanism": true,
		"doc.Crash.Exceptions.Frames.Class": true, "doc.Placement.Family": true, "doc.Steps.Stage": true, "doc.Steps.Version": true,
		"doc.Signature.Version": true, "doc.Signature.Key": true, "doc.Signature.Hash": true, "doc.Signature.Title": true, "doc.Signature.Tokens": true,
		"doc.Signature.Type": true, "doc.Signature.Why.Step": true, "doc.Signature.Why.What": true, "doc.Signature.Why.Rule": true, "doc.Signature.Why.Place": true,
		"doc.Blame.Target": true, "doc.Blame.Candidates.Role": true,
	}
	walk(reflect.ValueOf(got), "doc", func(path, s string) {
		if s != "" && s != Removed && !allowed[path] {
			t.Errorf("%s came through: %q", path, s)
		}
	})
}

// fill sets every field; strings name their own path.
func fill(v reflect.Value, rng *rand.Rand, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("canary." + strings.ToLower(strings.ReplaceAll(path, ".", "")))
	case reflect.Int, reflect.Int64:
		v.SetInt(rng.Int64N(1000) + 1)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), rng, path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), rng, path)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), rng, path)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, rng, path)
		fill(e, rng, path)
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), rng, path+"."+v.Type().Field(i).Name)
		}
	default:
		panic(fmt.Sprint("no way to fill ", v.Kind()))
	}
}

func walk(v reflect.Value, path string, f func(path, s string)) {
	switch v.Kind() {
	case reflect.String:
		f(path, v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), path, f)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(k, path, f)
			walk(v.MapIndex(k), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	}
}

func TestCrashByIDAndItsFamily(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	doc := interaction()
	second := interaction()
	second.Signature.Tokens = []string{"e|acme.theme|draw", "h|studio|dispatch"}
	r := report{family: "F-A", sig: "aaaaaaaaaaaaaaaa", blame: "acme.theme", version: "1.2.0", client: "abc-1", doc: &doc}
	s := r
	s.sig, s.client, s.doc = "bbbbbbbbbbbbbbbb", "abc-2", &second
	got := x.add(r, s)
	for _, id := range []string{got[0].String(), "abc-1"} {
		d, err := x.Crash(t.Context(), themes, id)
		if err != nil || !d.Redacted || d.ID != got[0] {
			t.Errorf("%s: %v %v", id, d.ID, err)
		}
	}
	for _, id := range []string{got[0].String(), "abc-1", "none", "", strings.Repeat("f", 32), strings.Repeat("x", 1000)} {
		if _, err := x.Crash(t.Context(), stranger, id); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("a stranger, %q: %v", id, err)
		}
	}
	if tog, err := x.Together(t.Context(), themes, got[0].String()); err != nil || !tog.Same || tog.Score != 1 {
		t.Errorf("the representative itself: %+v %v", tog, err)
	}
	tog, err := x.Together(t.Context(), themes, got[1].String())
	if err != nil || tog.Same || tog.Representative != got[0] || len(tog.Matched) == 0 || tog.Score <= -1 || tog.Score > 1 {
		t.Fatalf("together: %+v %v", tog, err)
	}
	sum := 0.0
	for _, m := range tog.Matched {
		sum += m.Part
	}
	if sum < .999 || sum > 1.001 {
		t.Errorf("the matched parts add up to %v", sum)
	}
	if s := strings.ToLower(asText(t, tog)); strings.Contains(s, "canary") {
		t.Errorf("a canary got out: %s", s)
	}
}
