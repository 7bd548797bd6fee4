package dumps

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

const (
	chunkSize = 64 << 10
	chunkHead = 16 + 4 + 1
	maxSealed = chunkHead + chunkSize + 64
)

// sealing reads as the sealed form of a dump, chunk by chunk.
type sealing struct {
	keys  Sealer
	scope string
	id    eco.ID
	rest  []byte
	n     uint32
	out   []byte
	done  bool
}

func (s *sealing) Read(p []byte) (int, error) {
	if len(s.out) == 0 {
		if s.done {
			return 0, io.EOF
		}
		take := min(len(s.rest), chunkSize)
		plain := make([]byte, 0, chunkHead+take)
		plain = append(plain, s.id[:]...)
		plain = binary.BigEndian.AppendUint32(plain, s.n)
		s.done = take == len(s.rest)
		if s.done {
			plain = append(plain, 1)
		} else {
			plain = append(plain, 0)
		}
		plain = append(plain, s.rest[:take]...)
		s.rest, s.n = s.rest[take:], s.n+1
		sealed, err := s.keys.Seal(s.scope, plain)
		if err != nil {
			return 0, err
		}
		s.out = append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(sealed)), uint32(len(sealed))), sealed...)
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// unseal opens the chunks in their order.
func unseal(r io.Reader, keys Sealer, scope string, id eco.ID, size int64) ([]byte, error) {
	bad := func(err error) error {
		return fault.E("dumps.unseal", fault.Internal, "The stored dump is damaged.", err)
	}
	if size < 0 || size > maxSize {
		return nil, bad(nil)
	}
	out := make([]byte, 0, size)
	var head [4]byte
	for n := uint32(0); ; n++ {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, bad(err)
		}
		length := binary.BigEndian.Uint32(head[:])
		if length > maxSealed {
			return nil, bad(nil)
		}
		sealed := make([]byte, length)
		if _, err := io.ReadFull(r, sealed); err != nil {
			return nil, bad(err)
		}
		plain, err := keys.Unseal(scope, sealed)
		if err != nil {
			return nil, err // the key is gone
		}
		if len(plain) < chunkHead || !bytes.Equal(plain[:16], id[:]) || binary.BigEndian.Uint32(plain[16:]) != n || int64(len(out)+len(plain)-chunkHead) > size {
			return nil, bad(nil)
		}
		out = append(out, plain[chunkHead:]...)
		if plain[20] == 1 {
			if int64(len(out)) != size {
				return nil, bad(nil)
			}
			return out, nil
		}
	}
}
