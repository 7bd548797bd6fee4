// Package consent decides whether an item may be kept: the tier the item needs
// against the tiers a project's users were asked for, and against what the
// sender said in its request. It is a set of pure functions over values: it
// reads no header, keeps no receipt and knows no clock. What each client's item
// needs is data (tiers.go), taken from no client's own claims.
package consent

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Version names the rules of this package in lineage and receipts.
const Version = "consent/1"

// Never is the tier of what no policy can cover: replays, profiles, view
// hierarchies, request bodies, cookies, e-mail addresses outside support.
const Never eco.Tier = "never"

// Policy is what a project's users were asked for and agreed to. The zero value
// covers the essential tier only.
type Policy struct {
	Tiers   []eco.Tier `json:"tiers,omitempty"`    // covered, beside essential
	Text    string     `json:"text,omitempty"`     // what users are shown when they are asked, at most 4,000 bytes
	AskedBy string     `json:"asked_by,omitempty"` // who asks: "host", "extension", or a name; at most 128 bytes
	Version int        `json:"version,omitempty"`  // grows with each change of Tiers or Text; receipts quote it
}

// The limits of a policy's texts, in bytes.
const (
	MaxText    = 4000
	MaxAskedBy = 128
)

// Covers reports whether the policy covers a tier. Essential always is; Never
// and unknown words never are.
func (p Policy) Covers(t eco.Tier) bool {
	switch t {
	case eco.Essential:
		return true
	case eco.TierCrash, eco.Performance, eco.Usage, eco.Support:
		return slices.Contains(p.Tiers, t)
	}
	return false
}

// Decide says whether an item of a tier may be kept, and the reason its drop is
// counted under: "consent:usage" when the policy does not cover it,
// "optout:usage" when the policy does but the sender opted out for this request,
// "consent:never" for what nobody can consent to here, "consent:unknown" for a
// tier that is no word of ours. The reason is "" when ok.
func Decide(p Policy, tier eco.Tier, optOut bool) (ok bool, reason string) {
	switch {
	case tier == eco.Essential:
		return true, ""
	case tier == Never:
		return false, "consent:never"
	case !slices.Contains(eco.Tiers, tier):
		return false, "consent:unknown"
	case !p.Covers(tier):
		return false, "consent:" + string(tier)
	case optOut:
		return false, "optout:" + string(tier)
	}
	return true, ""
}

// OptOut reads the two opt-out request headers, Sec-GPC and DNT: "1" in either
// means that only the essential tier may be kept.
func OptOut(secGPC, dnt string) bool {
	return strings.TrimSpace(secGPC) == "1" || strings.TrimSpace(dnt) == "1"
}

// Validate checks a policy before it is stored. A policy that covers anything
// beyond essential must say what users were shown and who asked them.
func (p Policy) Validate() error {
	const op = "consent.Policy.Validate"
	seen := map[eco.Tier]bool{}
	for _, t := range p.Tiers {
		switch {
		case t == Never:
			return fault.E(op, fault.Invalid, "No policy can cover the items of the tier never.", nil)
		case !slices.Contains(eco.Tiers, t):
			return fault.E(op, fault.Invalid, "The tiers are essential, crash, performance, usage and support.", nil)
		case seen[t]:
			return fault.E(op, fault.Invalid, fmt.Sprintf("The tier %s is named twice.", t), nil)
		}
		seen[t] = true
	}
	if p.Version < 0 {
		return fault.E(op, fault.Invalid, "The version of a policy starts at 1 and grows.", nil)
	}
	for _, x := range []struct {
		name, s string
		max     int
	}{{"text", p.Text, MaxText}, {"asker", p.AskedBy, MaxAskedBy}} {
		if len(x.s) > x.max {
			return fault.E(op, fault.TooLarge, fmt.Sprintf("The %s of a policy has at most %d bytes.", x.name, x.max), nil)
		}
		if !utf8.ValidString(x.s) || strings.ContainsRune(x.s, 0) {
			return fault.E(op, fault.Invalid, fmt.Sprintf("The %s of a policy is not text.", x.name), nil)
		}
	}
	delete(seen, eco.Essential)
	if len(seen) == 0 {
		return nil
	}
	if strings.TrimSpace(p.Text) == "" {
		return fault.E(op, fault.Invalid, "A policy with tiers states the text that users are shown.", nil)
	}
	if strings.TrimSpace(p.AskedBy) == "" {
		return fault.E(op, fault.Invalid, "A policy with tiers states who asks the users.", nil)
	}
	return nil
}
