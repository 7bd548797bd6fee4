package account

import (
	"bytes"
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of a password: characters below, bytes above.
const (
	MinPassword = 12
	MaxPassword = 256
)

// argon2id with the parameters of RFC 9106's second choice, scaled to 19 MiB.
const (
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
	argonMemory = 19 * 1024 // KiB
)

// noPassword stands where an account has none any more.
const noPassword = "none"

//go:embed common.txt
var commonText []byte

// common holds the commonest passwords of twelve and more characters, in lower
// case; shorter ones fail by their length.
var common = func() map[string]bool {
	m := map[string]bool{}
	for line := range bytes.Lines(commonText) {
		if w := string(bytes.TrimSpace(line)); w != "" && w[0] != '#' {
			m[w] = true
		}
	}
	return m
}()

// checkPassword applies the rules: at least twelve characters, not the address
// or a part of it, not among the commonest, not one short pattern repeated and
// not a run of the keyboard or the alphabet. There is no rule about digits and signs.
func checkPassword(op, password, email string) error {
	bad := func(text string) error { return fault.E(op, fault.Invalid, "password: "+text, nil) }
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return bad("It is not text.")
	}
	if utf8.RuneCountInString(password) < MinPassword {
		return bad(fmt.Sprintf("It needs at least %d characters.", MinPassword))
	}
	if len(password) > MaxPassword {
		return bad(fmt.Sprintf("It has at most %d bytes.", MaxPassword))
	}
	low := strings.ToLower(strings.TrimSpace(password))
	local, domain, _ := strings.Cut(email, "@")
	for _, mine := range []string{email, local, domain} {
		if mine != "" && (low == mine || strings.Trim(low, "0123456789!?.-_ ") == mine || len(mine) >= 3 && strings.ReplaceAll(low, mine, "") == "") {
			return bad("It must not be your e-mail address or a part of it.")
		}
	}
	if common[low] || common[strings.ReplaceAll(low, " ", "")] {
		return bad("It is one of the commonest passwords.")
	}
	if repeats(low) || isRun(low) {
		return bad("It is a repeated or running pattern that is easily guessed.")
	}
	return nil
}

// repeats reports whether s is one piece of at most four bytes over and over.
func repeats(s string) bool {
	for n := 1; n <= 4; n++ {
		if s[:len(s)-n] == s[n:] {
			return true
		}
	}
	return false
}

// isRun reports whether s runs along the alphabet, the digits or the keyboard,
// forwards or backwards, from end to end.
func isRun(s string) bool {
	const rows = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n01234567890123456789012345678901234567890123456789\n1234567890qwertyuiopasdfghjklzxcvbnm\nqwertyuiopasdfghjklzxcvbnm1234567890\n1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return strings.Contains(rows, s) || strings.Contains(rows, string(r))
}

// hash makes the PHC form of a password. It waits for a slot.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(s.opts.Rand, salt); err != nil {
		return "", fault.E("account.hash", fault.Internal, "", err)
	}
	key, err := s.argon(ctx, password, salt, argonTime, s.opts.PasswordMemory, argonLanes, argonKey)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, s.opts.PasswordMemory, argonTime, argonLanes, b64(salt), b64(key)), nil
}

// matches compares a password with its PHC form, with the parameters that stand
// in it. stale says that the form should be made anew with today's.
func (s *Service) matches(ctx context.Context, password, phc string) (ok, stale bool, err error) {
	var version, memory, time, lanes uint32
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, fault.E("account.matches", fault.Internal, "", fmt.Errorf("password form %q", parts[min(1, len(parts)-1)]))
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &lanes); err != nil {
		return false, false, fault.E("account.matches", fault.Internal, "", err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || version != argon2.Version || len(want) == 0 || memory > 1<<20 || time > 16 || time == 0 || lanes == 0 || lanes > 16 {
		return false, false, fault.E("account.matches", fault.Internal, "", fmt.Errorf("password form out of bounds"))
	}
	got, err := s.argon(ctx, password, salt, time, memory, uint8(lanes), uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	stale = memory != s.opts.PasswordMemory || time != argonTime || lanes != argonLanes
	return subtle.ConstantTimeCompare(got, want) == 1, stale, nil
}

// argon runs argon2id in one of the slots, so that a flood of sign-ins costs a
// bounded amount of memory.
func (s *Service) argon(ctx context.Context, password string, salt []byte, time, memory uint32, lanes uint8, size uint32) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fault.E("account.argon", fault.Unavailable, "Too many people are signing in; please try again.", ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, size), nil
}
