package symbols

import (
	"container/list"
	"sync"

	"github.com/bellwether-project/bellwether/internal/symbol"
)

// cache keeps parsed files, the most recently used, within a number of bytes. A
// file that is larger than all of it is kept alone.
type cache struct {
	mu    sync.Mutex
	most  int64
	bytes int64
	order *list.List // of *entry, newest first
	by    map[string]*list.Element
}

type entry struct {
	key  string
	a    symbol.Artifact
	size int64
	bad  bool // the file cannot be read: it is not tried again while this is remembered
}

func newCache(most int64) *cache {
	return &cache{most: most, order: list.New(), by: map[string]*list.Element{}}
}

func (c *cache) get(key string) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.by[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry), true
}

func (c *cache) put(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.by[e.key]; ok {
		c.drop(old)
	}
	c.by[e.key] = c.order.PushFront(e)
	c.bytes += e.size
	for c.bytes > c.most && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(at *list.Element) {
	e := at.Value.(*entry)
	c.order.Remove(at)
	delete(c.by, e.key)
	c.bytes -= e.size
}
