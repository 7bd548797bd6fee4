package receipt

import (
	"crypto/ed25519"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Slip is what a signed receipt says. Its text is lines of "word value" below the
// line "bellwether receipt/1", in the form of a signed note (golang.org/x/mod/sumdb/note,
// Ed25519): whoever has our verifier key can check it without us.
type Slip struct {
	Receipt  string
	Received time.Time
	About    eco.Ref // whose project took it: extension or host
	State    State
	FixedIn  string
	At       time.Time // when this was said
	Gone     time.Time // of a withdrawn report: when the last copy is gone
}

const slipHead = "bellwether receipt/1"

// Text is what is signed.
func (s Slip) Text() string {
	var b strings.Builder
	line := func(word, value string) {
		if value != "" {
			b.WriteString(word + " " + strings.Map(oneLine, value) + "\n")
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	b.WriteString(slipHead + "\n")
	line("receipt", s.Receipt)
	line("received", at(s.Received))
	line(s.About.Kind, s.About.ID)
	line("state", string(s.State))
	line("fixed-in", s.FixedIn)
	line("gone-by", at(s.Gone))
	line("as-of", at(s.At))
	return b.String()
}

func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// Sign signs a slip under the server's name.
func (b *Book) Sign(s Slip) (string, error) {
	return b.SignText(s.Text())
}

// SignText signs lines of text under the server's name: slips, and heads of the
// audit log.
func (b *Book) SignText(text string) (string, error) {
	key, err := b.key()
	if err != nil {
		return "", err
	}
	msg, err := note.Sign(&note.Note{Text: text}, key)
	if err != nil {
		return "", fault.E("receipt.Sign", fault.Internal, "", err)
	}
	return string(msg), nil
}

// Verifier is the key by which outsiders check slips, in the form of notes.
func (b *Book) Verifier() (string, error) {
	key, err := b.key()
	if err != nil {
		return "", err
	}
	return key.verifier, nil
}

// Check opens a signed slip with a verifier key and returns its text.
func Check(signed, verifier string) (string, error) {
	text, err := Open(signed, verifier)
	if err == nil && !strings.HasPrefix(text, slipHead+"\n") {
		return "", fault.E("receipt.Check", fault.Conflict, "This is no receipt.", nil)
	}
	return text, err
}

// Open opens a signed text with a verifier key.
func Open(signed, verifier string) (string, error) {
	const op = "receipt.Open"
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return "", fault.E(op, fault.Invalid, "This is not a verifier key.", err)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return "", fault.E(op, fault.Conflict, "It was not signed with this key, or it was changed.", err)
	}
	return n.Text, nil
}

const signerName = "bellwether"

// signer is an Ed25519 key of the ring as notes want it.
type signer struct {
	key      ed25519.PrivateKey
	hash     uint32
	verifier string
}

func (s *signer) Name() string                    { return signerName }
func (s *signer) KeyHash() uint32                 { return s.hash }
func (s *signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

func (b *Book) key() (*signer, error) {
	const op = "receipt.key"
	seed, err := b.keys.Derive(Scope, "sign")
	if err != nil {
		return nil, err
	}
	s := &signer{key: ed25519.NewKeyFromSeed(seed)}
	if s.verifier, err = note.NewEd25519VerifierKey(signerName, s.key.Public().(ed25519.PublicKey)); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	parts := strings.SplitN(s.verifier, "+", 3)
	n, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	s.hash = uint32(n)
	return s, nil
}
