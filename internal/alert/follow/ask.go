package follow

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// ByMail asks an address whether it wants to be told of a report: one mail with a
// link, and nothing more before the link was followed. Whether the address was
// asked before, is told already or wants no mail is not said. from is for the limit
// on tries only and is not kept.
func (s *Service) ByMail(ctx context.Context, v *answers.View, address string, from netip.Addr) error {
	const op = "follow.ByMail"
	if s.o.Mail == nil {
		return fault.E(op, fault.Unavailable, "This server sends no mail.", nil)
	}
	address, err := parse(address)
	if err != nil {
		return err
	}
	if err := s.open(op, v, from); err != nil {
		return err
	}
	return s.put(ctx, op, v, "mail", address, []byte(address))
}

// ByPush tells a browser of a report from now on; that its user agreed to messages
// is what its subscription says.
func (s *Service) ByPush(ctx context.Context, v *answers.View, sub hook.Subscription, from netip.Addr) error {
	const op = "follow.ByPush"
	if s.o.Push == nil {
		return fault.E(op, fault.Unavailable, "This server sends no messages to browsers.", nil)
	}
	if err := sub.Check(s.o.Policy); err != nil {
		return err
	}
	if err := s.open(op, v, from); err != nil {
		return err
	}
	body, err := json.Marshal(sub)
	if err != nil {
		return fault.Wrap(op, err)
	}
	return s.put(ctx, op, v, "push", sub.Endpoint, body)
}

// parse reads an address as people type it.
func parse(s string) (string, error) {
	bad := fault.E("follow.ByMail", fault.Invalid, "mail: An address has the form name@example.org.", nil)
	s = strings.TrimSpace(s)
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > maxAddress {
		return "", bad
	}
	local, domain, _ := strings.Cut(s, "@")
	if local == "" || local[0] == '-' || !strings.Contains(domain, ".") || strings.ContainsAny(s, `"()<>[]\,;: `) {
		return "", bad
	}
	for _, r := range s {
		if r <= ' ' || r > '~' { // what our mail server is given is plain ASCII
			return "", bad
		}
	}
	return local + "@" + strings.ToLower(domain), nil
}

// open says whether anything can change about a report any more, and counts a try.
func (s *Service) open(op string, v *answers.View, from netip.Addr) error {
	switch v.Answer.State {
	case receipt.Withdrawn, receipt.Expired:
		return fault.E(op, fault.Conflict, "This report is kept no longer; there will be no news of it.", nil)
	case receipt.Fixed:
		return fault.E(op, fault.Conflict, "It is fixed already; there will be no more news of it.", nil)
	}
	if _, project, _ := v.Crash(); project == 0 {
		return fault.E(op, fault.Conflict, "The report is still on its way; try again in a minute.", nil)
	}
	if !s.try(from) {
		return fault.E(op, fault.RateLimited, "That was asked too often from your network; try again in an hour.", nil)
	}
	return nil
}

// try counts one try of a network; it is kept in memory, for an hour.
func (s *Service) try(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	if p, err := from.Prefix(64); err == nil && from.Is6() {
		from = p.Addr()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	if len(s.tries) >= maxNetworks {
		clear(s.tries)
	}
	var late []time.Time
	for _, t := range s.tries[from] {
		if now.Sub(t) < time.Hour {
			late = append(late, t)
		}
	}
	if len(late) >= asksNetwork {
		s.tries[from] = late
		return false
	}
	s.tries[from] = append(late, now)
	return true
}

// who is what an address is compared by; the address cannot be read from it. What
// stands behind a plus lands in the same box: it is the same address to the bounds.
func (s *Service) who(way, raw string) (string, error) {
	if at := strings.LastIndexByte(raw, '@'); way == "mail" && at > 0 {
		if plus := strings.IndexByte(raw[:at], '+'); plus > 0 {
			raw = raw[:plus] + raw[at:]
		}
	}
	h := s.o.Hash("follow "+way, strings.ToLower(raw))
	if h == 0 {
		return "", fault.E("follow.who", fault.Unavailable, "The keys cannot be read.", nil)
	}
	return fmt.Sprintf("%016x", h), nil
}

// put notes that somebody wants to be told, and asks by mail whether they do.
func (s *Service) put(ctx context.Context, op string, v *answers.View, way, raw string, plain []byte) error {
	who, err := s.who(way, raw)
	if err != nil {
		return err
	}
	sealed, err := s.o.Seal(plain)
	if err != nil {
		return err
	}
	crash, _, _ := v.Crash()
	family, hash := v.Place()
	now := s.o.Now()
	return fault.Wrap(op, s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM follow WHERE crash = $1 AND who = $2`, crash.String(), who).Scan(&id, &state)
		if err != nil && err != db.ErrNoRows {
			return err
		}
		if id != "" && state != "asked" {
			return nil // told already
		}
		if id == "" {
			if err := s.room(ctx, tx, op, crash.String()); err != nil {
				return err
			}
			id = s.o.NewID()
			state, ends := "active", v.Kept
			if way == "mail" {
				state, ends = "asked", now.Add(Unconfirmed)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO follow (id, crash, family, hash, way, who, sealed, state, told, at_ms, ends_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
				id, crash.String(), family, hash, way, who, sealed, state, strings.Join(marks(&v.Answer), " "), now.UnixMilli(), ends.UnixMilli()); err != nil {
				return err
			}
		}
		if way != "mail" {
			return nil
		}
		ask, err := s.mayAsk(ctx, tx, op, who, crash.String())
		if err != nil || !ask {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO follow_ask (who, crash, at_ms) VALUES ($1, $2, $3)`, who, crash.String(), now.UnixMilli()); err != nil {
			return err
		}
		_, err = s.o.Out.Put(ctx, tx, outbox.Letter{Target: target + id, Kind: KindConfirm, Ends: now.Add(Unconfirmed)})
		return err
	}))
}

// room says whether one more may be told.
func (s *Service) room(ctx context.Context, tx *sql.Tx, op, crash string) error {
	var here, all int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM follow WHERE crash = $1`, crash).Scan(&here); err != nil {
		return err
	}
	if here >= perReport {
		return fault.E(op, fault.Conflict, fmt.Sprintf("%d addresses or browsers are told of this report already; that is the most.", perReport), nil)
	}
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM follow`).Scan(&all); err != nil {
		return err
	}
	if all >= maxFollowed {
		return fault.E(op, fault.Unavailable, "Too many want to be told at the moment; keep the address of this page and look again.", nil)
	}
	return nil
}

// mayAsk says whether an address may be asked once more. That one got enough such
// mails, or wants none, is not told to whoever asks: it is silently left out.
func (s *Service) mayAsk(ctx context.Context, tx *sql.Tx, op, who, crash string) (bool, error) {
	now := s.o.Now()
	count := func(query string, args ...any) (n int, err error) {
		err = tx.QueryRowContext(ctx, query, args...).Scan(&n)
		return n, err
	}
	day, hour := now.Add(-24*time.Hour).UnixMilli(), now.Add(-time.Hour).UnixMilli()
	n, err := count(`SELECT count(*) FROM follow_ask WHERE crash = $1 AND at_ms > $2`, crash, day)
	if err == nil && n >= asksReport {
		err = fault.E(op, fault.RateLimited, "Enough mails were sent for this report; try again tomorrow.", nil)
	}
	if err != nil {
		return false, err
	}
	if n, err = count(`SELECT count(*) FROM follow_ask WHERE at_ms > $1`, hour); err == nil && n >= asksServer {
		err = fault.E(op, fault.Unavailable, "Too many mails are being sent at the moment; try again in an hour.", nil)
	}
	if err != nil {
		return false, err
	}
	if n, err = count(`SELECT count(*) FROM follow_refused WHERE who = $1 AND ends_ms > $2`, who, now.UnixMilli()); err != nil || n > 0 {
		return false, err
	}
	n, err = count(`SELECT count(*) FROM follow_ask WHERE who = $1 AND at_ms > $2`, who, day)
	return n < asksAddress, err
}
