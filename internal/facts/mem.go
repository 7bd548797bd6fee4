package facts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Mem is the reference: plain Go over slices, for tests and as the oracle of the
// engines. It answers exactly what the contract says and is not fast.
type Mem struct {
	mu    sync.RWMutex
	parts map[partKey]*memPart
}

type partKey struct {
	day   eco.Day
	class eco.Class
}

type memPart struct {
	rows     map[eco.ID]eco.Fact
	docs     map[eco.ID][]byte
	position uint64
}

var _ Store = (*Mem)(nil)

// NewMem returns an empty store.
func NewMem() *Mem { return &Mem{parts: make(map[partKey]*memPart)} }

// Insert implements Store.
func (m *Mem) Insert(ctx context.Context, b Batch) error {
	if err := ctx.Err(); err != nil {
		return fault.E("facts.Insert", fault.Unavailable, "", err)
	}
	if err := b.Check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	open := make(map[partKey]*memPart) // nil: applied before
	docs := make(map[eco.ID][]byte, len(b.Docs))
	for _, d := range b.Docs {
		docs[d.ID] = slices.Clone(d.Body)
	}
	for i := range b.Facts {
		f := Normal(b.Facts[i])
		k := partKey{f.Day(), f.Class}
		p, seen := open[k]
		if !seen {
			if m.parts[k] == nil {
				m.parts[k] = &memPart{rows: make(map[eco.ID]eco.Fact), docs: make(map[eco.ID][]byte)}
			}
			if p = m.parts[k]; b.Position != 0 && b.Position <= p.position {
				p = nil
			}
			open[k] = p
		}
		if p == nil {
			continue
		}
		if _, have := p.rows[f.ID]; have {
			continue
		}
		p.rows[f.ID] = f
		if body, ok := docs[f.ID]; ok {
			p.docs[f.ID] = body
		}
	}
	for _, p := range open {
		if p != nil {
			p.position = max(p.position, b.Position)
		}
	}
	return nil
}

// Documents implements Store.
func (m *Mem) Documents(ctx context.Context, scope Scope, ids []eco.ID) ([]Doc, error) {
	if !scope.IsSet() {
		return nil, fault.E("facts.Documents", fault.Invalid, "A query needs a scope.", nil)
	}
	if len(ids) > MaxIDs {
		return nil, fault.E("facts.Documents", fault.Invalid, "At most 1,000 documents at once.", nil)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Doc
	for _, id := range ids {
		for k, p := range m.parts {
			f, ok := p.rows[id]
			if body, has := p.docs[id]; ok && has && scope.Sees(&f) {
				out = append(out, Doc{ID: id, Class: k.class, Body: slices.Clone(body)})
			}
		}
	}
	return out, nil
}

// Amend implements Store.
func (m *Mem) Amend(_ context.Context, docs []Doc) (n int, err error) {
	if err := CheckAmend(docs); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range docs {
		for k, p := range m.parts {
			if _, ok := p.docs[d.ID]; ok && k.class == d.Class {
				p.docs[d.ID] = slices.Clone(d.Body)
				n++
			}
		}
	}
	return n, nil
}

// Erase implements Store; in memory it is physical at once.
func (m *Mem) Erase(ctx context.Context, s Subject) (Receipt, error) {
	if err := s.Check(); err != nil {
		return Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Receipt{Physical: true}
	for _, k := range m.keys() {
		p, n := m.parts[k], Partition{Day: k.day, Class: k.class}
		for id, f := range p.rows {
			if !s.Has(&f) {
				continue
			}
			n.Rows++
			if _, ok := p.docs[id]; ok {
				n.Docs++
			}
			delete(p.rows, id)
			delete(p.docs, id)
		}
		if n.Rows > 0 {
			r.Rows, r.Docs = r.Rows+n.Rows, r.Docs+n.Docs
			r.Partitions = append(r.Partitions, n)
		}
	}
	return r, nil
}

// Rewrite implements Store; nothing is ever pending here.
func (m *Mem) Rewrite(context.Context) (int, error) { return 0, nil }

// Purge implements Store.
func (m *Mem) Purge(_ context.Context, now time.Time) ([]Partition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Partition
	for _, k := range m.keys() {
		if p := m.partition(k); p.Expired(now) {
			out = append(out, p)
			delete(m.parts, k)
		}
	}
	return out, nil
}

// Export implements Store, as JSON lines.
func (m *Mem) Export(ctx context.Context, q Query, dir string) ([]string, error) {
	q.Rows, q.Limit, q.Offset, q.Order, q.Relabel = true, 0, 0, nil, nil // rows as they are kept
	if err := q.Check(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	rows, err := m.match(&q)
	if err != nil {
		return nil, err
	}
	byDay := make(map[eco.Day][]byte)
	for i := range rows {
		line, err := json.Marshal(exported(&rows[i]), json.Deterministic(true))
		if err != nil {
			return nil, fault.E("facts.Export", fault.Internal, "", err)
		}
		byDay[rows[i].Day()] = append(append(byDay[rows[i].Day()], line...), '\n')
	}
	var files []string
	for day, text := range byDay {
		path := filepath.Join(dir, fmt.Sprintf("facts-%s.jsonl", day))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, fault.E("facts.Export", fault.Unavailable, "The export could not be written.", err)
		}
		files = append(files, path)
	}
	slices.Sort(files)
	return files, nil
}

// Stats implements Store.
func (m *Mem) Stats(context.Context) (Stats, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var s Stats
	for _, k := range m.keys() {
		s.Partitions = append(s.Partitions, m.partition(k))
		s.Position = max(s.Position, m.parts[k].position)
		for _, f := range m.parts[k].rows {
			if t := time.UnixMilli(f.Received).UTC(); t.After(s.Newest) {
				s.Newest = t
			}
		}
	}
	return s, nil
}

// Close implements Store.
func (m *Mem) Close() error { return nil }

func (m *Mem) partition(k partKey) Partition {
	p := m.parts[k]
	return Partition{Day: k.day, Class: k.class, Rows: int64(len(p.rows)), Docs: int64(len(p.docs))}
}

// keys returns the partitions by day, then class.
func (m *Mem) keys() []partKey {
	var ks []partKey
	for k := range m.parts {
		ks = append(ks, k)
	}
	slices.SortFunc(ks, func(a, b partKey) int {
		if a.day != b.day {
			return int(a.day) - int(b.day)
		}
		return slices.Index(eco.Classes, a.class) - slices.Index(eco.Classes, b.class)
	})
	return ks
}
