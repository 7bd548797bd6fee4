package app

import (
	"github.com/bellwether-project/bellwether/internal/door/claim"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// claims lets people claim extensions; proofs are fetched as messages are sent:
// from public addresses, unless the configuration allows others.
func (a *App) claims() *claim.Claims {
	policy, _ := a.o.outgoing() // checked when the options were
	r := a.Records
	return &claim.Claims{Registry: r.Registry, Accounts: r.Accounts, Prover: &claim.Prover{Client: notify.Client(policy), Listed: r.Registry.Listed}}
}
