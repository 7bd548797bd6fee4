package suspect

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// memo keeps what was active by the documents that were read, so that the next run
// reads the new ones alone. Which rows there are is asked anew each time: what was
// erased or purged votes no more, and leaves the memo when nobody asked for it for
// keepUnread. Documents never change what was active (late symbols name frames).
type memo struct {
	lists map[eco.ID]*noted
	names []eco.Active
	codes map[eco.Active]uint32
	held  int // codes in lists
}

// noted is one document: the extensions by their place in names.
type noted struct {
	active []uint32
	size   int   // bytes of the document
	used   int64 // Unix ms of the last run that asked
}

// Bounds of the memo: some 30 MB when it is full. It is emptied then.
const (
	maxNoted   = 100_000   // documents
	maxCodes   = 4_000_000 // extensions of all documents together
	maxNames   = 100_000   // extensions with their versions
	keepUnread = 2 * time.Hour
)

func newMemo() *memo { return &memo{lists: map[eco.ID]*noted{}, codes: map[eco.Active]uint32{}} }

func (m *memo) get(id eco.ID, now int64) (active []eco.Active, size int, ok bool) {
	n := m.lists[id]
	if n == nil {
		return nil, 0, false
	}
	n.used = now
	active = make([]eco.Active, len(n.active))
	for i, c := range n.active {
		active[i] = m.names[c]
	}
	return active, n.size, true
}

func (m *memo) put(id eco.ID, active []eco.Active, size int, now int64) {
	if len(m.lists) >= maxNoted || m.held+len(active) > maxCodes || len(m.names)+len(active) > maxNames {
		*m = *newMemo()
	}
	if len(active) > maxNames {
		return
	}
	n := &noted{size: size, used: now}
	for _, a := range active {
		c, ok := m.codes[a]
		if !ok {
			c = uint32(len(m.names))
			m.names, m.codes[a] = append(m.names, a), c
		}
		n.active = append(n.active, c)
	}
	m.held += len(n.active)
	m.lists[id] = n
}

// forget drops what nobody asked for since a time.
func (m *memo) forget(before int64) {
	for id, n := range m.lists {
		if n.used < before {
			m.held -= len(n.active)
			delete(m.lists, id)
		}
	}
}
