package receipt

import (
	"sync"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// MaxSignatures bounds the board: 200,000 signatures of some 150 bytes. What does
// not fit is answered as received, not as new.
const MaxSignatures = 200_000

// Place is where a signature belongs: to the extension that is blamed, else to
// the host. The same signature at another place is another one.
type Place struct {
	Extension eco.ExtensionID
	Host      string // only without an extension
	Hash      string
}

func placed(ext eco.ExtensionID, host, hash string) Place {
	if ext != "" {
		host = ""
	}
	return Place{ext, host, hash}
}

// Asker is whose key a client holds: an extension's or a host's project.
type Asker struct {
	Extension eco.ExtensionID
	Host      string
}

// Board tells, from memory, what is known of a signature. It is safe for
// concurrent use; a look-up takes a read lock and two map accesses.
type Board struct {
	mu     sync.RWMutex
	ready  bool
	max    int
	full   bool
	sigs   map[Place]string
	family map[string]*Standing
}

// NewBoard makes an empty board. Until Ready is called it says that it does not know.
func NewBoard() *Board {
	return &Board{max: MaxSignatures, sigs: map[Place]string{}, family: map[string]*Standing{}}
}

// Ready says that everything known was put on the board.
func (b *Board) Ready() { b.mu.Lock(); b.ready = true; b.mu.Unlock() }

// Learn puts a signature of a family on the board.
func (b *Board) Learn(ext eco.ExtensionID, host, hash, family string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := placed(ext, host, hash)
	if _, known := b.sigs[p]; !known && len(b.sigs) >= b.max {
		b.full = true
		return
	}
	b.sigs[p] = family
}

// Set replaces what is known of families; what it is given must not change any more.
func (b *Board) Set(list ...*Standing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range list {
		b.family[s.Family] = s
	}
}

// Family returns what is known of one, nil when nothing is.
func (b *Board) Family(id string) *Standing {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.family[id]
}

// Look tells what is known of a signature that a client with a key of the asker's
// met, when the extension ext is to blame ("" = nobody). ok is false when the
// board cannot tell: it is not loaded, it is full, or the place is another
// tenant's and nothing of it is published. A nil standing with ok is a new crash.
func (b *Board) Look(a Asker, ext eco.ExtensionID, hash string) (s *Standing, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.ready {
		return nil, false
	}
	if ext == "" {
		ext = a.Extension // a report of an extension's own project is its own
	}
	host := a.Host
	if a.Extension != "" {
		host = ""
	}
	id, known := b.sigs[placed(ext, host, hash)]
	if s = b.family[id]; known && s == nil {
		return nil, false
	}
	switch {
	case a.Extension != "" && a.Extension != ext, // blamed on somebody else's
		a.Extension == "" && s != nil && s.Host != a.Host: // of another host
		if s != nil && s.Public != "" {
			return s, true
		}
		return nil, false
	case s == nil && b.full:
		return nil, false
	}
	return s, true
}

// Size is how many signatures and families are on the board.
func (b *Board) Size() (signatures, families int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.sigs), len(b.family)
}

// Published returns what everybody may know of a signature or family, for one who
// holds no key: only what its owner published, or what so many installs met that
// Outside tells of them. Of the rest it says nothing, not even that it is there.
func (b *Board) Published(ext eco.ExtensionID, host, hash, family string) *Standing {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if family == "" {
		family = b.sigs[placed(ext, host, hash)]
	}
	s := b.family[family]
	if s == nil {
		return nil
	}
	if count, _ := Outside(s.Installs, s.Shift); s.Public == "" && count == 0 {
		return nil
	}
	return s
}
