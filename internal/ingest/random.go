package ingest

import "sync"

// randomPool hands out random bytes from blocks.
type randomPool struct {
	mu    sync.Mutex
	block [1024]byte
	left  int
}

func (p *randomPool) read(fill func([]byte), dst []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < len(dst) {
		fill(p.block[:])
		p.left = len(p.block)
	}
	p.left -= len(dst)
	copy(dst, p.block[p.left:])
	clear(p.block[p.left : p.left+len(dst)])
}
