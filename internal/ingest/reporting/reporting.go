// Package reporting reads what browsers report by themselves: bodies of the
// Reporting API (application/reports+json) and the older application/csp-report.
// A page's process that died, ran out of memory or did not answer is a crash, and
// so is a broken policy: both are errors that a page's people want to see. Of each
// only the members named here are read. Addresses lose their user, query and
// fragment, and what looks like an id in their path; of a user agent the family and
// its major version stay. Samples of code, policies, referrers, addresses of
// servers and what a page adds (crash_report_api) are never read.
package reporting

import (
	"cmp"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// Protocol is this protocol's name in envelopes, counts and consent.
const Protocol = "reporting"

// MaxReports is how many reports of a request are read.
const MaxReports = 200

// NotKept is why a report of a known type is dropped that is no error of a page:
// deprecations, interventions, network errors.
const NotKept = "not_kept"

// Read reads a request: an array of reports, one report, or {"csp-report": …}.
// agent is the request's own user agent, for reports without one; now is our clock
// in Unix milliseconds. A report that is not kept is an item that says why.
func Read(b []byte, agent string, now int64) ([]item.Item, error) {
	r := jsonin.Open(b, item.MaxDepth)
	defer r.Close()
	d := decoder{r: r, agent: agent, now: now}
	switch r.Kind() {
	case '[':
		r.Each(1<<30, func(i int) {
			if i >= MaxReports {
				d.over++
				r.Skip()
				return
			}
			d.report()
		})
	default:
		d.report()
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	if len(d.items) == 0 {
		return nil, fault.E("reporting.Read", fault.Invalid, "The body is no list of reports.", nil)
	}
	if d.over > 0 {
		d.items = append(d.items, item.Item{Name: "csp-violation", Drop: "limit:reports", N: d.over})
	}
	return d.items, nil
}

type decoder struct {
	r     *jsonin.Reader
	agent string
	now   int64
	over  int64
	items []item.Item
}

// body is what the bodies of all types hold that is read.
type body struct {
	reason, stack, visibility       string // crash
	blocked, document, source       string
	directive, disposition          string
	policy, kind, destination       string
	line, col                       int
	top, reportOnly, legacy, exists bool
}

// report reads one report; its members come in any order.
func (d *decoder) report() {
	r := d.r
	if r.Kind() != '{' {
		r.Skip()
		d.items = append(d.items, item.Item{Name: "unknown", Drop: "schema:object"})
		return
	}
	var typ, url, agent string
	var age int64
	var b body
	r.Fields(func(name []byte) {
		switch string(name) {
		case "age":
			age = r.Int(1 << 40)
		case "type":
			typ = r.Str(48)
		case "url":
			url = r.Str(4096)
		case "user_agent":
			agent = r.Str(512)
		case "body":
			b.read(r)
		case "csp-report":
			typ, b.legacy = "csp-violation", true
			b.read(r)
		default:
			r.Skip()
		}
	})
	it := item.Item{Name: typ, Time: d.now - age}
	page := cmp.Or(url, b.document)
	switch typ {
	case "crash":
		it.Crash = b.crash()
	case "csp-violation", "integrity-violation", "permissions-policy-violation", "document-policy-violation", "coep", "coop":
		if !b.exists {
			it.Drop = "schema:body"
			break
		}
		it.Crash = b.violation(typ)
	case "deprecation", "intervention", "network-error":
		it.Drop = NotKept
	default:
		it.Name, it.Drop = "unknown", "schema:type"
	}
	if it.Crash != nil {
		it.Kind = eco.KindCrash
		tag(it.Crash, "page", place(page, true))
		it.Origin.Runtime, it.Origin.OS = browser(cmp.Or(agent, d.agent))
		it.Crash.Mechanism = cmp.Or(it.Crash.Mechanism, typ)
	}
	d.items = append(d.items, it)
}

func (b *body) read(r *jsonin.Reader) {
	b.exists = r.Kind() == '{'
	r.Fields(func(name []byte) {
		switch string(name) {
		case "reason":
			b.reason = r.Str(32)
		case "stack":
			b.stack = r.Str(item.MaxText)
		case "visibility_state":
			b.visibility = r.Str(16)
		case "is_top_level":
			v := r.Bool()
			b.top = v != nil && *v
		case "blockedURL", "blocked-uri":
			b.blocked = r.Str(4096)
		case "documentURL", "document-uri":
			b.document = r.Str(4096)
		case "sourceFile", "source-file":
			b.source = r.Str(4096)
		case "effectiveDirective", "effective-directive":
			b.directive = r.Str(64)
		case "violated-directive":
			if v := r.Str(64); b.directive == "" {
				b.directive = v
			}
		case "disposition":
			b.disposition = r.Str(16)
		case "policyId", "featureId":
			b.policy = r.Str(64)
		case "type":
			b.kind = r.Str(48)
		case "destination":
			b.destination = r.Str(32)
		case "reportOnly":
			v := r.Bool()
			b.reportOnly = v != nil && *v
		case "lineNumber", "line-number":
			b.line = int(r.Int(1 << 30))
		case "columnNumber", "column-number":
			b.col = int(r.Int(1 << 30))
		default:
			r.Skip()
		}
	})
}

// crash is a page whose process ended or hung.
func (b *body) crash() *eco.Crash {
	c := &eco.Crash{Platform: "javascript", Level: "fatal", Handled: new(bool)}
	x := eco.Exception{Type: "PageCrash", Value: "The page's process ended.", Parent: -1}
	switch b.reason {
	case "oom":
		x.Type, x.Value, c.Mechanism = "PageOutOfMemory", "The page's process ran out of memory.", "oom"
	case "unresponsive":
		x.Type, x.Value, c.Mechanism = "PageUnresponsive", "The page did not answer and was ended.", "unresponsive"
	}
	if b.stack != "" {
		if tr, ok := stack.Parse("Error: x\n" + b.stack); ok {
			x.Frames = tr.Exceptions[0].Frames
		}
		for i := range x.Frames {
			x.Frames[i].File = place(x.Frames[i].File, true)
		}
	}
	c.Exceptions = []eco.Exception{x}
	tag(c, "visibility", word(b.visibility))
	if !b.top {
		tag(c, "frame", "embedded")
	}
	return c
}

// violation is a policy that a page broke, or somebody in it: what was blocked, and
// the place in the code that asked for it. A violation that was only reported is a
// warning.
func (b *body) violation(typ string) *eco.Crash {
	handled := true
	c := &eco.Crash{Platform: "other", Level: "error", Handled: &handled}
	if b.disposition == "report" || b.disposition == "reporting" || b.reportOnly {
		c.Level = "warning"
	}
	blocked := place(b.blocked, false)
	what := ""
	switch typ {
	case "csp-violation":
		directive, _, _ := strings.Cut(strings.TrimSpace(b.directive), " ")
		what = "CSP " + cmp.Or(word(directive), "violation")
	case "integrity-violation":
		what = "Integrity " + cmp.Or(word(b.destination), "violation")
	case "permissions-policy-violation":
		what = "Permissions policy " + cmp.Or(word(b.policy), "violation")
	case "document-policy-violation":
		what = "Document policy " + cmp.Or(word(b.policy), "violation")
	case "coep":
		what = "COEP " + cmp.Or(strings.TrimSpace(word(b.kind)+" "+word(b.destination)), "violation")
	case "coop":
		what = "COOP " + cmp.Or(word(b.kind), "violation")
	}
	x := eco.Exception{Type: what, Parent: -1, Value: "A policy of the page was broken."}
	if blocked != "" {
		x.Value = "Blocked: " + blocked
		if extension(blocked) {
			x.Frames = append(x.Frames, eco.Frame{File: blocked})
		} else {
			x.Frames = append(x.Frames, eco.Frame{Function: blocked})
		}
	}
	if source := place(b.source, true); source != "" {
		x.Frames = append(x.Frames, eco.Frame{File: source, Line: b.line, Col: b.col})
	}
	c.Exceptions = []eco.Exception{x}
	tag(c, "disposition", word(b.disposition))
	return c
}

func tag(c *eco.Crash, key, value string) {
	if value == "" {
		return
	}
	if c.Tags == nil {
		c.Tags = map[string]string{}
	}
	c.Tags[key] = value
}

// word lets a token of a specification through: lower-case letters, digits, - and _.
func word(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 48 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return ""
		}
	}
	return s
}
