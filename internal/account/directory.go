package account

import (
	"context"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// MaxDirectory bounds Directory; beyond it the newest accounts are missing.
const MaxDirectory = 5000

// Directory lists every account with its grants, the oldest first, in two
// questions: for finding out whom something concerns. Pages list Members.
func (s *Service) Directory(ctx context.Context) ([]Account, error) {
	const op = "account.Directory"
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+accountCols+` FROM account ORDER BY created, id LIMIT $1`, MaxDirectory)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var list []Account
	at := map[string]int{}
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		at[a.ID] = len(list)
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fault.Wrap(op, err)
	}
	grants, err := s.db.Read().QueryContext(ctx, `SELECT account, role, publisher, team FROM account_grant ORDER BY account, role, publisher, team`)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer grants.Close()
	for grants.Next() {
		var id string
		var g Grant
		if err := grants.Scan(&id, &g.Role, &g.Publisher, &g.Team); err != nil {
			return nil, fault.Wrap(op, err)
		}
		if i, ok := at[id]; ok {
			list[i].Grants = append(list[i].Grants, g)
		}
	}
	return list, fault.Wrap(op, grants.Err())
}

// Forgotten reports whether the person was taken out of the account (Forget).
func (a *Account) Forgotten() bool { return strings.HasPrefix(a.Email, "forgotten ") }

// Principal is the account as somebody who asks, for questions about what it may do.
func (a *Account) Principal() Principal {
	return Principal{Kind: KindAccount, ID: a.ID, Name: a.Name, Grants: a.Grants}
}
