package facts

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of a batch. The doors cut strings far shorter; these keep one bad row
// from harming a partition.
const (
	MaxBatch = 200_000 // facts
	MaxDoc   = 8 << 20 // bytes of a document
	maxCount = 1 << 40 // of Count and its parts, so that sums stay below 2^63
	maxText  = 64 << 10
	maxValue = 1e15 // of Value and Weight
)

// The years a partition can be in: from 2000 to 2199.
const (
	minReceived = 946_684_800_000
	maxReceived = 7_258_118_400_000
)

// Check refuses batches no engine can store: they are mistakes of the caller, and
// repeating them will not help.
func (b *Batch) Check() error {
	bad := func(text string) error { return fault.E("facts.Insert", fault.Invalid, text, nil) }
	if len(b.Facts) > MaxBatch {
		return fault.E("facts.Insert", fault.TooLarge, "A batch holds at most 200,000 facts.", nil)
	}
	for i := range b.Facts {
		f := &b.Facts[i]
		if !slices.Contains(eco.Classes, f.Class) {
			return bad("A fact needs a retention class.")
		}
		if f.Received < minReceived || f.Received >= maxReceived {
			return bad("A fact needs a time of receipt between 2000 and 2199.")
		}
	}
	if len(b.Docs) == 0 {
		return nil
	}
	ids := make(map[eco.ID]bool, len(b.Facts))
	for i := range b.Facts {
		ids[b.Facts[i].ID] = true
	}
	for i := range b.Docs {
		if !ids[b.Docs[i].ID] {
			return bad("A document comes in the same batch as its row.")
		}
		if len(b.Docs[i].Body) > MaxDoc {
			return fault.E("facts.Insert", fault.TooLarge, "A document has at most 8 MB.", nil)
		}
	}
	return nil
}

// CheckAmend refuses what Amend may not be given.
func CheckAmend(docs []Doc) error {
	if len(docs) > MaxIDs {
		return fault.E("facts.Amend", fault.Invalid, "At most 1,000 documents at once.", nil)
	}
	for i := range docs {
		if len(docs[i].Body) == 0 || len(docs[i].Body) > MaxDoc {
			return fault.E("facts.Amend", fault.TooLarge, "A document has 1 byte to 8 MB.", nil)
		}
	}
	return nil
}

// Normal returns the fact as every engine stores it: valid UTF-8 without NUL, finite numbers,
// a weight of at least 1, counts between 0 and 2^40.
func Normal(f eco.Fact) eco.Fact {
	o := &f.Origin
	for _, s := range []*string{
		&o.ExtVersion, &o.Host, &o.HostVersion, &o.OS, &o.OSVersion, &o.Arch, &o.Runtime, &o.Environment, &o.Country, &o.SDK,
		&f.Name, &f.Signature, &f.Family, &f.BlameVer, &f.Level, &f.ClientID, &f.Attrs,
		(*string)(&o.Extension), (*string)(&o.Channel), (*string)(&f.Kind), (*string)(&f.Blame),
	} {
		if len(*s) > maxText || strings.IndexByte(*s, 0) >= 0 || !utf8.ValidString(*s) {
			*s = eco.Clean(*s, maxText)
		}
	}
	for _, n := range []*int64{&f.Count, &f.Errored, &f.Crashed, &f.Abnormal} {
		*n = min(max(*n, 0), maxCount)
	}
	if math.IsNaN(f.Weight) {
		f.Weight = 1
	}
	f.Weight = min(max(f.Weight, 1), maxValue)
	if math.IsNaN(f.Value) {
		f.Value = 0
	}
	f.Value = min(max(f.Value, -maxValue), maxValue) + 0 // -0 becomes 0
	return f
}
