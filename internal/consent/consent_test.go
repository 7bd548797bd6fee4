package consent

import (
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// TestDecide walks every combination: three policies, every tier, both headers.
func TestDecide(t *testing.T) {
	none := Policy{}
	some := Policy{Tiers: []eco.Tier{eco.TierCrash, eco.Support}, Text: "We ask.", AskedBy: "host", Version: 1}
	odd := Policy{Tiers: []eco.Tier{Never, "everything"}} // as if stored past Validate
	for _, c := range []struct {
		p      Policy
		tier   eco.Tier
		optOut bool
		reason string // "" = kept
	}{
		{none, eco.Essential, false, ""},
		{none, eco.Essential, true, ""},
		{none, eco.TierCrash, false, "consent:crash"},
		{none, eco.TierCrash, true, "consent:crash"},
		{none, eco.Performance, false, "consent:performance"},
		{none, eco.Usage, false, "consent:usage"},
		{none, eco.Support, false, "consent:support"},
		{none, Never, false, "consent:never"},
		{some, eco.Essential, true, ""},
		{some, eco.TierCrash, false, ""},
		{some, eco.TierCrash, true, "optout:crash"},
		{some, eco.Support, false, ""},
		{some, eco.Support, true, "optout:support"},
		{some, eco.Usage, false, "consent:usage"},
		{some, eco.Usage, true, "consent:usage"},
		{some, Never, false, "consent:never"},
		{some, "", false, "consent:unknown"},
		{some, "Crash", false, "consent:unknown"},
		{odd, Never, false, "consent:never"},
		{odd, "everything", false, "consent:unknown"},
		{odd, eco.Usage, false, "consent:usage"},
	} {
		ok, reason := Decide(c.p, c.tier, c.optOut)
		if ok != (c.reason == "") || reason != c.reason {
			t.Errorf("%v %q optOut=%v: %v %q, want %q", c.p.Tiers, c.tier, c.optOut, ok, reason, c.reason)
		}
	}
}

func TestOptOut(t *testing.T) {
	for _, c := range []struct {
		gpc, dnt string
		want     bool
	}{{"1", "", true}, {"", "1", true}, {" 1 ", "0", true}, {"", "", false}, {"0", "0", false}, {"", "null", false}, {"true", "", false}} {
		if got := OptOut(c.gpc, c.dnt); got != c.want {
			t.Errorf("%q %q: %v", c.gpc, c.dnt, got)
		}
	}
}

func TestValidate(t *testing.T) {
	full := Policy{Tiers: []eco.Tier{eco.TierCrash}, Text: "We ask.", AskedBy: "host", Version: 1}
	with := func(f func(*Policy)) Policy { p := full; p.Tiers = slices.Clone(p.Tiers); f(&p); return p }
	for name, c := range map[string]struct {
		p    Policy
		code fault.Code
	}{
		"nothing":        {Policy{}, ""},
		"essential only": {Policy{Tiers: []eco.Tier{eco.Essential}}, ""},
		"full":           {full, ""},
		"no text":        {with(func(p *Policy) { p.Text = " \n" }), fault.Invalid},
		"no asker":       {with(func(p *Policy) { p.AskedBy = "" }), fault.Invalid},
		"never":          {with(func(p *Policy) { p.Tiers = append(p.Tiers, Never) }), fault.Invalid},
		"no tier":        {with(func(p *Policy) { p.Tiers = append(p.Tiers, "all") }), fault.Invalid},
		"twice":          {with(func(p *Policy) { p.Tiers = append(p.Tiers, eco.TierCrash) }), fault.Invalid},
		"negative":       {with(func(p *Policy) { p.Version = -1 }), fault.Invalid},
		"long text":      {with(func(p *Policy) { p.Text = strings.Repeat("x", MaxText+1) }), fault.TooLarge},
		"long asker":     {with(func(p *Policy) { p.AskedBy = strings.Repeat("x", MaxAskedBy+1) }), fault.TooLarge},
		"no UTF-8":       {with(func(p *Policy) { p.Text = "\xff" }), fault.Invalid},
		"with NUL":       {with(func(p *Policy) { p.Text = "a\x00" }), fault.Invalid},
	} {
		if got := fault.CodeOf(c.p.Validate()); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
}

// TestDataItems lints the table: known tiers, a reason, no item twice, and the
// things that must never be kept.
func TestDataItems(t *testing.T) {
	seen := map[string]bool{}
	for _, it := range Items() {
		if k := it.Protocol + " " + it.Name; seen[k] {
			t.Errorf("%s twice", k)
		} else {
			seen[k] = true
		}
		if it.Why == "" || it.Tier != Never && !slices.Contains(eco.Tiers, it.Tier) {
			t.Errorf("%+v", it)
		}
	}
	for _, p := range []string{"sentry", "otlp", "appinsights", "glean", "reporting", "minidump", "native", "gotelemetry"} {
		if !slices.ContainsFunc(Items(), func(it Item) bool { return it.Protocol == p }) {
			t.Errorf("nothing of %s", p)
		}
	}
}

func TestTierOf(t *testing.T) {
	for _, c := range []struct {
		protocol, item string
		want           eco.Tier
	}{
		{"sentry", "event", eco.TierCrash}, {"sentry", "session", eco.TierCrash}, {"sentry", "transaction", eco.Performance},
		{"sentry", "client_report", eco.Essential}, {"sentry", "feedback", eco.Support}, {"sentry", "event.message", eco.Usage},
		{"sentry", "replay_recording", Never}, {"sentry", "profile", Never}, {"sentry", "attachment.view_hierarchy", Never},
		{"sentry", "request.data", Never}, {"sentry", "request.cookies", Never}, {"sentry", "user.email", Never},
		{"otlp", "metric", eco.Performance}, {"otlp", "log.crash", eco.TierCrash}, {"otlp", "log.event", eco.Usage},
		{"appinsights", "EventData", eco.Usage}, {"appinsights", "ExceptionData", eco.TierCrash},
		{"glean", "deletion-request", eco.Essential}, {"reporting", "crash", eco.TierCrash}, {"reporting", "network-error", eco.Performance},
		{"gotelemetry", "stack", eco.TierCrash}, {"native", "event", eco.Usage}, {"native", "feature_flag.evaluation", eco.Usage},
		// What nobody declared cannot be kept.
		{"sentry", "brand_new_item", Never}, {"telnet", "event", Never}, {"", "", Never},
	} {
		if got := TierOf(c.protocol, c.item); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.protocol, c.item, got, c.want)
		}
	}
	for _, k := range []eco.Kind{eco.KindCrash, eco.KindSession, eco.KindEvent, eco.KindSpan, eco.KindMetric, eco.KindFeedback} {
		if TierOf("native", string(k)) == Never {
			t.Errorf("native %s has no tier", k)
		}
	}
}
