package alert

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// kept is what is stored of somebody's preferences.
type kept struct {
	Preferences
	// Paused is why mail to the address rests; saving the preferences ends that.
	Paused   string `json:"paused,omitempty"`
	Failures int    `json:"failures,omitempty"` // refusals for good, in a row
}

// Preferences returns how p wants to be told, and why mail to p rests, if it does.
func (s *Service) Preferences(ctx context.Context, p account.Principal) (Preferences, string, error) {
	k, err := s.kept(ctx, s.o.Records.Read(), p.ID)
	return k.Preferences, k.Paused, err
}

func (s *Service) kept(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, id string) (kept, error) {
	k := kept{Preferences: Defaults()}
	var body string
	err := q.QueryRowContext(ctx, `SELECT body FROM alert_preferences WHERE account = $1`, id).Scan(&body)
	if err == db.ErrNoRows {
		return k, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &k)
	}
	return k, fault.Wrap("alert.Preferences", err)
}

// allPreferences reads everybody's at once.
func (s *Service) allPreferences(ctx context.Context) (map[string]kept, error) {
	rows, err := s.o.Records.Read().QueryContext(ctx, `SELECT account, body FROM alert_preferences ORDER BY account`)
	if err != nil {
		return nil, fault.Wrap("alert.allPreferences", err)
	}
	defer rows.Close()
	out := map[string]kept{}
	for rows.Next() {
		var id, body string
		k := kept{Preferences: Defaults()}
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fault.Wrap("alert.allPreferences", err)
		}
		if err := json.Unmarshal([]byte(body), &k); err != nil {
			return nil, fault.Wrap("alert.allPreferences", err)
		}
		out[id] = k
	}
	return out, fault.Wrap("alert.allPreferences", rows.Err())
}

// SetPreferences changes p's own.
func (s *Service) SetPreferences(ctx context.Context, p account.Principal, to Preferences) (Preferences, error) {
	const op = "alert.SetPreferences"
	if p.ID == "" || p.Kind == account.KindSystem {
		return Preferences{}, fault.E(op, fault.Forbidden, "Preferences are a person's own.", nil)
	}
	if err := to.check(op); err != nil {
		return Preferences{}, err
	}
	return to, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.putPreferences(ctx, tx, p.ID, kept{Preferences: to}); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "notifications.preferences", "account", p.ID, "")
	})
}

func (s *Service) putPreferences(ctx context.Context, tx *sql.Tx, id string, k kept) error {
	body, err := json.Marshal(k)
	if err != nil {
		return fault.Wrap("alert.putPreferences", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO alert_preferences (account, body, at_ms) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET body = excluded.body, at_ms = excluded.at_ms`, id, string(body), s.o.Now().UnixMilli())
	return fault.Wrap("alert.putPreferences", err)
}

// maxToken bounds an unsubscribe token, in bytes.
const maxToken = 512

// unsubscribe is the token of a mail's last line: sealed, so that nobody can make
// one, or read from it whose it is.
func (s *Service) unsubscribe(accountID string, k Kind) (string, error) {
	b, err := s.o.Seal([]byte("unsubscribe\n" + accountID + "\n" + string(k)))
	return base64.RawURLEncoding.EncodeToString(b), err
}

func (s *Service) readToken(token string) (accountID string, k Kind, err error) {
	bad := fault.E("alert.Unsubscribe", fault.NotFound, "This link is not one of ours, or it has ended.", nil)
	if len(token) > maxToken {
		return "", "", bad
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", "", bad
	}
	plain, err := s.o.Unseal(b)
	if err != nil {
		return "", "", bad
	}
	parts := strings.Split(string(plain), "\n")
	if len(parts) != 3 || parts[0] != "unsubscribe" || parts[2] != "" && !slices.Contains(Kinds, Kind(parts[2])) {
		return "", "", bad
	}
	return parts[1], Kind(parts[2]), nil
}

// Unsubscribing says what a token would end, without ending it: mail scanners
// follow links. Kind "" is everything.
func (s *Service) Unsubscribing(token string) (Kind, error) {
	_, k, err := s.readToken(token)
	return k, err
}

// Unsubscribe ends the mails of a token's kind to its account; doing it again
// changes nothing. Nobody needs to be signed in for it (RFC 8058).
func (s *Service) Unsubscribe(ctx context.Context, token string) (Kind, error) {
	id, only, err := s.readToken(token)
	if err != nil {
		return "", err
	}
	return only, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		k, err := s.kept(ctx, tx, id)
		if err != nil {
			return err
		}
		changed := false
		for _, kind := range Kinds {
			if (only == "" || kind == only) && k.Modes[kind] != Never {
				k.Modes[kind], changed = Never, true
			}
		}
		if !changed {
			return nil
		}
		if err := s.putPreferences(ctx, tx, id, k); err != nil {
			return err
		}
		return s.record(ctx, tx, account.Principal{Kind: account.KindAccount, ID: id}, "notifications.unsubscribe", "account", id, string(only))
	})
}
