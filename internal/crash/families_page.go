package crash

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// counted is a family with what facts say of it.
type counted struct {
	id                             string
	urgency                        int64
	crashes, installs, first, last int64
}

func (c *counted) key(s Sort) int64 {
	switch s {
	case ByInstalls:
		return c.installs
	case ByLastSeen:
		return c.last
	case ByFirstSeen:
		return c.first
	case ByPriority:
		return c.urgency
	}
	return c.crashes
}

// cut sorts and takes the page behind the cursor, which names the last row that
// was shown: its sort value and id. So rows that move between two pages are
// neither an error nor shown out of order.
func cut(rows []counted, s Sort, cursor string, limit int) (page []counted, next string, err error) {
	if limit <= 0 {
		limit = defaultFamilies
	}
	limit = min(limit, maxPage)
	order := func(a, b counted) int { return cmp.Or(cmp.Compare(b.key(s), a.key(s)), cmp.Compare(a.id, b.id)) }
	slices.SortFunc(rows, order)
	if cursor != "" {
		value, id, ok := strings.Cut(cursor, ":")
		n, err := strconv.ParseInt(value, 10, 64)
		if !ok || err != nil {
			return nil, "", fault.E("crash.Families", fault.Invalid, "This cursor is not one of ours.", nil)
		}
		from, found := slices.BinarySearchFunc(rows, id, func(c counted, id string) int {
			return cmp.Or(cmp.Compare(n, c.key(s)), cmp.Compare(c.id, id))
		})
		if found {
			from++
		}
		rows = rows[from:]
	}
	if len(rows) > limit {
		last := rows[limit-1]
		rows, next = rows[:limit], strconv.FormatInt(last.key(s), 10)+":"+last.id
	}
	return rows, next, nil
}
