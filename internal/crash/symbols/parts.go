package symbols

import (
	"bytes"
	"context"
	"crypto/sha1" // of the protocol: a name for pieces, no protection
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/bellwether-project/bellwether/internal/blob"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Pieces of uploads that come in parts, as sentry-cli sends them: each under the
// SHA-1 of its bytes, kept for an hour for whoever sent it, put together when all
// are there. Nobody can name another's.
const (
	MaxPart  = 8 << 20   // bytes of a piece
	maxParts = 256 << 20 // bytes of the pieces of one person
	partFor  = time.Hour
	partRoot = "symbol-parts/"
)

func partsOf(who string) string {
	sum := sha256.Sum256([]byte(who))
	return partRoot + hex.EncodeToString(sum[:12]) + "/"
}

func sha1Name(sum string) bool {
	b, err := hex.DecodeString(sum)
	return err == nil && len(b) == sha1.Size
}

// PutPart keeps a piece.
func (s *Store) PutPart(ctx context.Context, who, sum string, data []byte) error {
	const op = "symbols.PutPart"
	if got := sha1.Sum(data); hex.EncodeToString(got[:]) != sum {
		return fault.E(op, fault.Invalid, "A piece of the upload is not what its name says.", nil)
	}
	if len(data) > MaxPart {
		return fault.E(op, fault.TooLarge, "A piece of an upload has at most 8 MB.", nil)
	}
	total := int64(len(data))
	if err := s.o.Blobs.List(ctx, partsOf(who), func(i blob.Info) error { total += i.Size; return nil }); err != nil {
		return fault.Wrap(op, err)
	}
	if total > maxParts {
		return fault.E(op, fault.Unavailable, "Your uploads of the last hour have more than 256 MB; try again later.", nil)
	}
	return fault.Wrap(op, s.o.Blobs.Put(ctx, partsOf(who)+sum, bytes.NewReader(data)))
}

// PutParts puts pieces together and keeps the whole like Put. missing lists those
// that are not there; then nothing was done.
func (s *Store) PutParts(ctx context.Context, u Upload, who, whole string, sums []string) (out []Outcome, missing []string, err error) {
	const op = "symbols.PutParts"
	if !sha1Name(whole) || len(sums) > MaxUpload/1024 {
		return nil, nil, fault.E(op, fault.Invalid, "The upload names no pieces that can be.", nil)
	}
	for _, sum := range sums {
		if !sha1Name(sum) {
			return nil, nil, fault.E(op, fault.Invalid, "The upload names no pieces that can be.", nil)
		}
		r, err := s.o.Blobs.Get(ctx, partsOf(who)+sum)
		if fault.CodeOf(err) == fault.NotFound {
			missing = append(missing, sum)
			continue
		}
		if err != nil {
			return nil, nil, fault.Wrap(op, err)
		}
		_ = r.Close()
	}
	if len(missing) > 0 || len(sums) == 0 {
		return nil, missing, nil
	}
	if err := belongs(u.Subject); err != nil {
		return nil, nil, err
	}
	done, err := s.turn() // before anything is in memory
	if err != nil {
		return nil, nil, err
	}
	defer done()
	var data bytes.Buffer
	for _, sum := range sums {
		if data.Len() > MaxUpload {
			break
		}
		r, err := s.o.Blobs.Get(ctx, partsOf(who)+sum)
		if err == nil {
			_, err = data.ReadFrom(r)
			if cerr := r.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			return nil, nil, fault.E(op, fault.Unavailable, "A piece of the upload cannot be read.", err)
		}
	}
	if got := sha1.Sum(data.Bytes()); data.Len() <= MaxUpload && hex.EncodeToString(got[:]) != whole {
		return nil, nil, fault.E(op, fault.Invalid, "The pieces make another file than the upload says.", nil)
	}
	out, err = s.take(ctx, u, &data)
	return out, nil, err
}

// dropParts removes pieces past their hour.
func (s *Store) dropParts(ctx context.Context) error {
	var old []string
	err := s.o.Blobs.List(ctx, partRoot, func(i blob.Info) error {
		if i.Modified.Before(s.o.Now().Add(-partFor)) {
			old = append(old, i.Key)
		}
		return nil
	})
	for _, key := range old {
		if err == nil {
			err = s.o.Blobs.Delete(ctx, key)
		}
	}
	return err
}
