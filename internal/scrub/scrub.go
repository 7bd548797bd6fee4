// Package scrub takes out of text what must never reach a disk or a log:
// addresses, names, secrets. It is a set of versioned rules over strings and
// over the house's types; it keeps nothing and reports which rule fired where
// and how often, never what it took out. It is no proof of anonymity: free text
// may hold a name that no rule can know.
package scrub

// Version names the rules in lineage and on the public page.
const Version = "scrub/1"

// Hit says that a rule fired in a string.
type Hit struct {
	Rule  string // id of the rule
	Count int
}

// Options adjusts the rules. The zero value is the house's rules.
type Options struct {
	SensitiveKeys []string // further field names whose values are always removed
}

// Rules is a compiled set of rules, safe for concurrent use.
type Rules struct {
	keys map[string]bool
}
