package facts

import (
	"strings"
	"unicode/utf8"
)

// Relabel makes a query see the rows of a family, or those of them that have a
// signature, as another family's, whatever was stored: in conditions, groups and
// the facts it returns. So what people merge and split is counted exactly,
// distinct installs included, without a row being written anew. An entry with a
// signature goes before the one without; To is not looked up again.
type Relabel struct{ Family, Signature, To string }

// MaxRelabels bounds those of one query.
const MaxRelabels = 5000

func checkRelabel(list []Relabel) error {
	if len(list) > MaxRelabels {
		return invalid("That is too much for one query.")
	}
	for _, r := range list {
		for _, s := range []string{r.Family, r.Signature, r.To} {
			if len(s) > 256 || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
				return invalid("A family has no such name.")
			}
		}
		if r.Family == "" || r.To == "" {
			return invalid("What is in no family stays there.")
		}
	}
	return nil
}

// Relabeled returns the family of a row as the query sees it.
func (q *Query) Relabeled(family, signature string) string {
	to := family
	for _, r := range q.Relabel {
		if r.Family != family {
			continue
		}
		if r.Signature == signature && signature != "" {
			return r.To
		}
		if r.Signature == "" {
			to = r.To
		}
	}
	return to
}
