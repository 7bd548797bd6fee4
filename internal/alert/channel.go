package alert

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

// Forms of channels.
const (
	Webhook = "webhook" // signed: Standard Webhooks
	Slack   = "slack"   // Slack, Mattermost, Rocket.Chat, Discord
)

// States of channels.
const (
	Active   = "active"
	Off      = "off"      // a person switched it off
	Disabled = "disabled" // we did, after refusals for good
)

// Bounds of channels, how many refusals for good end one, and how long the secret
// before signs as well after a rotation.
const (
	maxChannels = 500 // of the server
	maxRefusals = 3
	oldSecret   = 24 * time.Hour
	maxName     = 80
)

// Channel is a place outside where a publisher, a team or the ecosystem is told.
type Channel struct {
	ID        string    `json:"id"`
	Form      string    `json:"form"`
	Name      string    `json:"name"`
	Publisher string    `json:"publisher,omitempty"` // one of publisher and team, or neither: everything
	Team      string    `json:"team,omitempty"`
	Host      string    `json:"host"` // of its address; the rest of it is shown to nobody
	Kinds     []Kind    `json:"kinds"`
	Installs  int       `json:"installs"`            // a family counts from so many installs on
	Unhandled bool      `json:"unhandled,omitempty"` // only crashes that nobody caught
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"` // why it is disabled
	OldEnds   time.Time `json:"old_secret_ends,omitzero"`
	Version   int64     `json:"version"`
	Created   time.Time `json:"created"`

	url, secret, old []byte
	failures         int
}

// Resource is whose a channel is, for the policies.
func (c *Channel) Resource() account.Resource {
	return account.Resource{Kind: "channel", ID: c.ID, Publisher: c.Publisher, Team: c.Team}
}

// reader is who reads a channel, as the policies see it: what its owners may see.
func (c *Channel) reader() account.Principal {
	g := account.Grant{Role: account.Triager, Team: c.Team}
	if c.Publisher != "" {
		g = account.Grant{Role: account.Author, Publisher: c.Publisher}
	}
	return account.Principal{Kind: account.KindAccount, ID: c.ID, Grants: []account.Grant{g}}
}

const channelColumns = `id, kind, name, publisher, team, url, host, secret, old_secret, old_ends, kinds, installs, unhandled, state, reason, failures, version, created`

func (s *Service) channels(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, where string, args ...any) ([]Channel, error) {
	const op = "alert.channels"
	rows, err := q.QueryContext(ctx, `SELECT `+channelColumns+` FROM alert_channel `+where+` ORDER BY created, id LIMIT 1000`, args...)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer rows.Close()
	var out []Channel
	for rows.Next() {
		var c Channel
		var kinds string
		var ends, created int64
		if err := rows.Scan(&c.ID, &c.Form, &c.Name, &c.Publisher, &c.Team, &c.url, &c.Host, &c.secret, &c.old, &ends, &kinds, &c.Installs, &c.Unhandled,
			&c.State, &c.Reason, &c.failures, &c.Version, &created); err != nil {
			return nil, fault.Wrap(op, err)
		}
		for _, k := range strings.Fields(kinds) {
			c.Kinds = append(c.Kinds, Kind(k))
		}
		c.Created = time.UnixMilli(created).UTC()
		if ends > s.o.Now().UnixMilli() {
			c.OldEnds = time.UnixMilli(ends).UTC()
		} else {
			c.old = nil
		}
		out = append(out, c)
	}
	return out, fault.Wrap(op, rows.Err())
}

// Channels lists the channels that p may see, the oldest first.
func (s *Service) Channels(ctx context.Context, p account.Principal) ([]Channel, error) {
	list, err := s.channels(ctx, s.o.Records.Read(), ``)
	return slices.DeleteFunc(list, func(c Channel) bool {
		return !s.o.Accounts.Authorize(p, account.ChannelRead, c.Resource()).Allow
	}), err
}

// Channel returns one; another tenant's is not_found.
func (s *Service) Channel(ctx context.Context, p account.Principal, id string) (Channel, error) {
	return s.channel(ctx, p, account.ChannelRead, id)
}

func (s *Service) channel(ctx context.Context, p account.Principal, a account.Action, id string) (Channel, error) {
	const op = "alert.Channel"
	list, err := s.channels(ctx, s.o.Records.Read(), `WHERE id = $1`, id)
	if err != nil {
		return Channel{}, err
	}
	if len(list) == 0 {
		return Channel{}, fault.E(op, fault.NotFound, "There is no such thing, or it is not yours to see.", nil)
	}
	return list[0], s.o.Accounts.Check(op, p, a, list[0].Resource())
}

// check brings what people say of a channel to its form.
func (s *Service) check(op string, c *Channel, address string) ([]byte, error) {
	bad := func(text string) ([]byte, error) { return nil, fault.E(op, fault.Invalid, text, nil) }
	if c.Name = notify.Line(c.Name, maxName); c.Name == "" {
		return bad("name: It needs 1 to 80 bytes.")
	}
	if c.Form != Webhook && c.Form != Slack {
		return bad("form: A channel is a webhook or a slack.")
	}
	if c.Publisher != "" && c.Team != "" {
		return bad("publisher, team: At most one of them.")
	}
	if snap := s.o.Registry.Snapshot(); snap != nil && (c.Publisher != "" && snap.Publishers[c.Publisher] == nil || c.Team != "" && snap.Teams[c.Team] == nil) {
		return bad("publisher, team: There is no such publisher or team.")
	}
	var kinds []Kind
	for _, k := range Kinds {
		if slices.Contains(c.Kinds, k) && k != Work {
			kinds = append(kinds, k)
		}
	}
	if c.Kinds = kinds; len(kinds) == 0 {
		return bad("kinds: At least one of family.new, family.regressed and family.spike.")
	}
	if c.Installs < 1 || c.Installs > maxInstalls {
		return bad("installs: From 1 to 1,000,000.")
	}
	if address == "" {
		return nil, nil
	}
	u, err := s.o.Policy.Check(strings.TrimSpace(address))
	if err != nil {
		return nil, err
	}
	c.Host = u.Host
	return s.o.Seal([]byte(u.String()))
}

func (c *Channel) kindText() string {
	words := make([]string, len(c.Kinds))
	for i, k := range c.Kinds {
		words[i] = string(k)
	}
	return strings.Join(words, " ")
}

// CreateChannel makes a channel. The secret that signs a webhook's messages is
// shown this once; Slack has none.
func (s *Service) CreateChannel(ctx context.Context, p account.Principal, c Channel, address string) (Channel, string, error) {
	const op = "alert.CreateChannel"
	if err := s.o.Accounts.Check(op, p, account.ChannelEdit, c.Resource()); err != nil {
		return Channel{}, "", err
	}
	if strings.TrimSpace(address) == "" {
		return Channel{}, "", fault.E(op, fault.Invalid, "url: It has the form https://host/path.", nil)
	}
	sealed, err := s.check(op, &c, address)
	if err != nil {
		return Channel{}, "", err
	}
	key := hook.NewSecret()
	secret, err := s.o.Seal(key)
	if err != nil {
		return Channel{}, "", err
	}
	c.ID, c.State, c.Version, c.Created = "c-"+s.o.NewID(), Active, 1, s.o.Now().UTC().Truncate(time.Millisecond)
	err = s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alert_channel`).Scan(&n); err != nil {
			return fault.Wrap(op, err)
		}
		if n >= maxChannels {
			return fault.E(op, fault.TooLarge, "There are 500 channels; remove some.", nil)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO alert_channel (`+channelColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, 0, $9, $10, $11, 'active', '', 0, 1, $12)`,
			c.ID, c.Form, c.Name, c.Publisher, c.Team, sealed, c.Host, secret, c.kindText(), c.Installs, bit(c.Unhandled), c.Created.UnixMilli()); err != nil {
			return fault.Wrap(op, err)
		}
		return s.record(ctx, tx, p, "channel.create", "channel", c.ID, c.owner())
	})
	if err != nil {
		return Channel{}, "", err
	}
	if c.Form == Slack {
		return c, "", nil
	}
	return c, key.Reveal(), nil
}

func (c *Channel) owner() string {
	switch {
	case c.Publisher != "":
		return "publisher " + c.Publisher
	case c.Team != "":
		return "team " + c.Team
	}
	return "the ecosystem"
}

// UpdateChannel changes name, kinds, thresholds, state (active or off) and, when
// one is given, the address. Whose it is and its form stay.
func (s *Service) UpdateChannel(ctx context.Context, p account.Principal, to Channel, address string) (Channel, error) {
	const op = "alert.UpdateChannel"
	c, err := s.channel(ctx, p, account.ChannelEdit, to.ID)
	if err != nil {
		return Channel{}, err
	}
	c.Name, c.Kinds, c.Installs, c.Unhandled = to.Name, to.Kinds, to.Installs, to.Unhandled
	sealed, err := s.check(op, &c, address)
	if err != nil {
		return Channel{}, err
	}
	if sealed == nil {
		sealed = c.url
	}
	switch to.State {
	case Active:
		c.State, c.Reason, c.failures = Active, "", 0
	case Off:
		c.State, c.Reason = Off, ""
	}
	return c, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE alert_channel SET name = $1, url = $2, host = $3, kinds = $4, installs = $5, unhandled = $6, state = $7, reason = $8, failures = $9,
			version = version + 1 WHERE id = $10 AND version = $11`, c.Name, sealed, c.Host, c.kindText(), c.Installs, bit(c.Unhandled), c.State, c.Reason, c.failures, c.ID, max(to.Version, 1))
		if err != nil {
			return fault.Wrap(op, err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return fault.E(op, fault.Conflict, "Somebody changed the channel meanwhile; reload it.", err)
		}
		c.Version++
		return s.record(ctx, tx, p, "channel.edit", "channel", c.ID, c.State)
	})
}

// RotateSecret gives a webhook a new secret, shown this once. For a day messages
// are signed with both.
func (s *Service) RotateSecret(ctx context.Context, p account.Principal, id string) (string, error) {
	const op = "alert.RotateSecret"
	c, err := s.channel(ctx, p, account.ChannelEdit, id)
	if err != nil {
		return "", err
	}
	if c.Form != Webhook {
		return "", fault.E(op, fault.Invalid, "Only webhooks have a secret.", nil)
	}
	key := hook.NewSecret()
	secret, err := s.o.Seal(key)
	if err != nil {
		return "", err
	}
	return key.Reveal(), s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE alert_channel SET old_secret = secret, old_ends = $1, secret = $2, version = version + 1 WHERE id = $3`,
			s.o.Now().Add(oldSecret).UnixMilli(), secret, id); err != nil {
			return fault.Wrap(op, err)
		}
		return s.record(ctx, tx, p, "channel.rotate", "channel", id, "")
	})
}

// DeleteChannel removes a channel with its log.
func (s *Service) DeleteChannel(ctx context.Context, p account.Principal, id string) error {
	const op = "alert.DeleteChannel"
	if _, err := s.channel(ctx, p, account.ChannelEdit, id); err != nil {
		return err
	}
	return s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM alert_channel WHERE id = $1`, id); err != nil {
			return fault.Wrap(op, err)
		}
		if err := s.out.Drop(ctx, tx, "channel:"+id); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "channel.delete", "channel", id, "")
	})
}

// sender opens what is sealed of a channel.
func (s *Service) sender(c *Channel) (notify.Sender, error) {
	address, err := s.o.Unseal(c.url)
	if err != nil {
		return nil, err
	}
	if c.Form == Slack {
		return &hook.Slack{Client: notify.Client(s.o.Policy), URL: string(address)}, nil
	}
	var secrets []hook.Secret
	for _, sealed := range [][]byte{c.secret, c.old} {
		if len(sealed) == 0 {
			continue
		}
		b, err := s.o.Unseal(sealed)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, b)
	}
	return &hook.Webhook{Client: notify.Client(s.o.Policy), URL: string(address), Source: s.link("/"), Secrets: secrets, Now: s.o.Now}, nil
}

func (s *Service) oneChannel(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, id string) (Channel, error) {
	list, err := s.channels(ctx, q, `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fault.E("alert.channel", fault.NotFound, "The channel was removed.", db.ErrNoRows)
	}
	if err != nil {
		return Channel{}, err
	}
	return list[0], nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
