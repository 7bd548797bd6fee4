package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// memo keeps the health of releases for a minute: the overview shows it for
// several extensions at once, and it moves slowly. Keys hold the scope, so that
// nobody is answered with what somebody else may see.
type memo struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	until time.Time
	list  []crash.ReleaseHealth
}

const (
	memoLife = time.Minute
	memoMax  = 512 // entries; when full, everything is forgotten
)

// releases answers from memory, or asks the desk.
func (s *Server) releases(ctx context.Context, v viewer, id eco.ExtensionID, p period) ([]crash.ReleaseHealth, error) {
	scope := s.scope(v)
	key := scopeKey(scope) + "\x00" + string(id) + "\x00" + strconv.Itoa(p.Days) + "\x00" + eco.DayOf(v.now).String()
	m := &s.memo
	m.mu.Lock()
	k, ok := m.kept[key]
	m.mu.Unlock()
	if ok && v.now.Before(k.until) {
		return k.list, nil
	}
	list, err := s.o.Desk.Releases(ctx, scope, id, p.Period)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) >= memoMax {
		m.kept = map[string]kept{}
	}
	m.kept[key] = kept{v.now.Add(memoLife), list}
	return list, nil
}

// scopeKey is a text that two scopes share only when they see the same.
func scopeKey(s facts.Scope) string {
	if s.All() {
		return "*"
	}
	exts := make([]string, 0, len(s.Extensions()))
	for _, e := range s.Extensions() {
		exts = append(exts, string(e))
	}
	slices.Sort(exts)
	hosts := slices.Clone(s.Hosts())
	slices.Sort(hosts)
	return strconv.FormatBool(s.IsSet()) + "\x01" + strings.Join(exts, "\x02") + "\x01" + strings.Join(hosts, "\x02")
}
