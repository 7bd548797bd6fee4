package alert

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// lookBack is how old news may be and still be told: longer than an envelope can
// wait in the stream. perLook bounds what one look takes up.
const (
	lookBack = 7 * 24 * time.Hour
	perLook  = 2000
	// settling is how long a new family is left alone, so that its first crashes are
	// counted and its team is found.
	settling = 15 * time.Second
	// relook is how often a family below somebody's threshold is measured again.
	relook = 5 * time.Minute
)

// news is one thing that happened, on its way to whom it concerns.
type news struct {
	outbox.Item
	family     crash.Family
	installs   int64
	handled    bool     // every crash of it was caught by somebody
	recipients []string // account ids; nil: whoever looks after the family
	always     bool     // the window does not hold it back
	settle     bool
}

// Look is a job: it looks for new families, for some that came back, and for what
// people did, and puts what it found into the outbox. Seeing something twice
// changes nothing.
func (s *Service) Look(ctx context.Context) (string, error) {
	const op = "alert.Look"
	started, err := s.mark(ctx, s.o.Records.Read(), "started")
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	since := s.o.Now().Add(-lookBack)
	if at := time.UnixMilli(started); at.After(since) {
		since = at
	}
	list, err := s.families(ctx, since)
	if err != nil {
		return "", err
	}
	work, seq, err := s.work(ctx)
	if err != nil {
		return "", err
	}
	return "", s.tell(ctx, append(list, work...), seq)
}

// families finds new families and those that came back.
func (s *Service) families(ctx context.Context, since time.Time) ([]news, error) {
	fresh, err := s.o.Desk.Fresh(ctx, since, perLook)
	if err != nil {
		return nil, err
	}
	fresh = slices.DeleteFunc(fresh, func(id string) bool { return s.isSettled("new:" + id) })
	back, err := s.o.Desk.Comebacks(ctx, since, perLook)
	if err != nil {
		return nil, err
	}
	back = slices.DeleteFunc(back, func(c crash.Comeback) bool { return s.isSettled("regressed:" + c.Change) })
	ids := slices.Clone(fresh)
	for _, c := range back {
		ids = append(ids, c.Family)
	}
	known, counts, handled, err := s.measure(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []news
	for _, id := range fresh {
		f, ok := known[id]
		if !ok || f.State == crash.Ignored {
			continue
		}
		note := "Seen for the first time."
		if f.FirstRelease != "" {
			note = "Seen for the first time, in " + f.FirstRelease + "."
		}
		out = append(out, news{Item: outbox.Item{Key: "new:" + id, Kind: string(NewFamily), Topic: id, Note: note, At: f.FirstSeen},
			family: f, installs: counts[id], handled: handled[id], settle: true})
	}
	for _, c := range back {
		if f, ok := known[c.Family]; ok {
			out = append(out, news{Item: outbox.Item{Key: "regressed:" + c.Change, Kind: string(Regressed), Topic: c.Family, Note: backNote(c), At: c.At},
				family: f, installs: counts[c.Family], handled: handled[c.Family], always: true})
		}
	}
	return out, nil
}

// backNote says why a family is open again.
func backNote(c crash.Comeback) string {
	if c.From == crash.Ignored {
		return "It was ignored until now. " + c.Note
	}
	return "It was resolved. " + c.Note
}

// measure reads families, their installs, and whether all their crashes were caught.
func (s *Service) measure(ctx context.Context, ids []string) (known map[string]crash.Family, installs map[string]int64, handled map[string]bool, err error) {
	if len(ids) == 0 {
		return nil, nil, nil, nil
	}
	if known, _, err = s.o.Desk.Subjects(ctx, ids, false); err != nil {
		return nil, nil, nil, err
	}
	impacts, err := s.o.Desk.Impacts(ctx, ids)
	if err != nil {
		return nil, nil, nil, err
	}
	installs = map[string]int64{}
	for id, m := range impacts {
		installs[id] = m.Installs
	}
	handled, err = s.o.Desk.Caught(ctx, ids)
	return known, installs, handled, err
}

// work reads what people did, from where we stand.
func (s *Service) work(ctx context.Context) ([]news, int64, error) {
	if s.o.Triage == nil {
		return nil, 0, nil
	}
	seq, err := s.mark(ctx, s.o.Records.Read(), "work")
	if err != nil {
		return nil, 0, fault.Wrap("alert.work", err)
	}
	events, err := s.o.Triage.Since(ctx, seq, 500)
	if err != nil || len(events) == 0 {
		return nil, 0, err
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Family)
	}
	known, _, err := s.o.Desk.Subjects(ctx, ids, false)
	if err != nil {
		return nil, 0, err
	}
	var out []news
	for _, e := range events {
		f, ok := known[e.Family]
		if !ok || len(e.Recipients) == 0 {
			continue
		}
		n := news{Item: outbox.Item{Key: fmt.Sprintf("work:%d", e.Seq), Kind: string(Work), Topic: e.Family, Note: workNote(e), At: e.At},
			family: f, recipients: e.Recipients, always: e.Actor != "rules"}
		if e.Kind == triage.Regressed { // its owners hear of it as well, by the same key
			n.Key, n.Kind, n.always = "regressed:"+e.Item, string(Regressed), true
		}
		out = append(out, n)
	}
	return out, events[len(events)-1].Seq, nil
}

func workNote(e triage.Event) string {
	switch e.Kind {
	case triage.Assigned:
		return "It was assigned to you or your team."
	case triage.Mentioned:
		return "You were mentioned in a comment."
	case triage.Commented:
		return "Somebody commented on it."
	case triage.Regressed:
		return "It was resolved or ignored, and is open again."
	}
	return "Its state was changed."
}

func (s *Service) isSettled(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.settled[key]
	return ok && (until.IsZero() || s.o.Now().Before(until))
}

// settle notes until when news needs no looking at.
func (s *Service) settle(keys []string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.settled)+len(keys) > maxSettled {
		clear(s.settled)
	}
	for _, k := range keys {
		s.settled[k] = until
	}
}

// target is somebody or something that is told.
type target struct {
	id        string // of the outbox
	account   string
	who       account.Principal
	prefs     *kept
	channel   *Channel
	since     time.Time // what happened before is no news to it
	installs  int
	unhandled bool
}

// targets lists everybody who can be told.
func (s *Service) targets(ctx context.Context) ([]target, error) {
	var out []target
	if s.o.Mail != nil {
		began, err := s.mark(ctx, s.o.Records.Read(), "mail")
		if err != nil {
			return nil, fault.Wrap("alert.targets", err)
		}
		people, err := s.o.Accounts.Directory(ctx)
		if err != nil {
			return nil, err
		}
		prefs, err := s.allPreferences(ctx)
		if err != nil {
			return nil, err
		}
		for i := range people {
			a := &people[i]
			if a.Disabled || a.Forgotten() {
				continue
			}
			k, ok := prefs[a.ID]
			if !ok {
				k = kept{Preferences: Defaults()}
			}
			since := time.UnixMilli(began)
			if a.Created.After(since) && s.o.Since.IsZero() {
				since = a.Created
			}
			if k.Paused == "" {
				out = append(out, target{id: "account:" + a.ID, account: a.ID, who: a.Principal(), prefs: &k, since: since, installs: k.Installs, unhandled: k.Unhandled})
			}
		}
	}
	channels, err := s.channels(ctx, s.o.Records.Read(), `WHERE state = 'active'`)
	if err != nil {
		return nil, err
	}
	for i := range channels {
		c := &channels[i]
		since := c.Created
		if !s.o.Since.IsZero() {
			since = s.o.Since
		}
		out = append(out, target{id: "channel:" + c.ID, who: c.reader(), channel: c, since: since, installs: c.Installs, unhandled: c.Unhandled})
	}
	return out, nil
}

// concerned reports whether a target is to hear of a piece of news.
func (s *Service) concerned(t *target, n *news) bool {
	if n.recipients != nil {
		return t.account != "" && slices.Contains(n.recipients, t.account)
	}
	if n.At.Before(t.since) || t.channel != nil && !slices.Contains(t.channel.Kinds, Kind(n.Kind)) {
		return false
	}
	f := &n.family
	for _, g := range t.who.Grants {
		switch {
		case g.Role == account.Author:
			if f.Blame != "" && f.Blame.Publisher() == g.Publisher {
				return true
			}
		case g.Role == account.Triager && g.Team != "":
			exts, hosts := s.o.Registry.TeamOwns(g.Team)
			if f.Blame != "" && slices.Contains(exts, f.Blame) || f.Blame == "" && f.Host != "" && slices.Contains(hosts, f.Host) {
				return true
			}
		case g.Role == account.Triager: // of everything: what nobody is blamed for, unless they want all
			if t.channel != nil || t.prefs.All || f.Blame == "" {
				return true
			}
		}
	}
	return false
}

// tell puts news into the outbox of everybody concerned, and moves the place in
// the feed of work in the same transaction.
func (s *Service) tell(ctx context.Context, list []news, seq int64) error {
	const op = "alert.tell"
	if len(list) == 0 && seq == 0 {
		return nil
	}
	targets, err := s.targets(ctx)
	if err != nil {
		return err
	}
	var done, open []string
	// A few at a time: transactions are short.
	for part := range slices.Chunk(list, 50) {
		err := s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
			for i := range part {
				n := &part[i]
				later := false
				for j := range targets {
					more, err := s.offer(ctx, tx, &targets[j], n)
					if err != nil {
						return err
					}
					later = later || more
				}
				if later {
					open = append(open, n.Key)
				} else {
					done = append(done, n.Key)
				}
			}
			return nil
		})
		if err != nil {
			return fault.Wrap(op, err)
		}
	}
	if seq > 0 {
		err = s.o.Records.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE alert_mark SET value = $1 WHERE name = 'work' AND value < $1`, seq)
			return err
		})
	}
	if err == nil {
		s.settle(done, time.Time{})
		s.settle(open, s.o.Now().Add(relook))
	}
	return fault.Wrap(op, err)
}

// offer decides about one piece of news and one target. later: it may become due
// (more installs), so it is looked at again.
func (s *Service) offer(ctx context.Context, tx *sql.Tx, t *target, n *news) (later bool, err error) {
	if !s.concerned(t, n) {
		return false, nil
	}
	now := s.o.Now()
	had, told, recent, err := s.out.Had(ctx, tx, t.id, n.Item, now.Add(-Window), now.Add(-time.Hour))
	if err != nil || had {
		return false, err
	}
	kind := Kind(n.Kind)
	if kind != Work && n.recipients == nil && (n.installs < int64(t.installs) && t.installs > 1 || t.unhandled && n.handled) {
		return true, nil
	}
	if told && !n.always {
		n := n.Item
		n.Note = "Told of the family within the day before."
		return false, s.out.Skip(ctx, tx, t.id, n)
	}
	l := outbox.Letter{Target: t.id, Kind: n.Kind, Due: now, Items: []outbox.Item{n.Item}}
	if n.settle {
		l.Due = now.Add(settling)
	}
	if t.prefs != nil {
		due, batch, why, ok := t.prefs.slot(kind, now)
		if !ok {
			return false, nil
		}
		if batch != "" {
			l.Due, l.Batch, l.Reason, l.Kind = due, batch, why, "digest"
		}
	}
	switch {
	case l.Batch != "":
	case (kind == NewFamily || kind == Regressed) && recent >= Storm:
		end := now.Truncate(time.Hour).Add(time.Hour)
		l.Batch, l.Due, l.Kind = "storm "+end.UTC().Format("2006-01-02T15"), end, "digest"
		l.Reason = fmt.Sprintf("More than %d new families, or %d that came back, within an hour go into one message.", Storm, Storm)
	case kind == Work:
		l.Batch, l.Due = "work "+n.Topic, now.Add(time.Minute)
	}
	if strings.HasPrefix(l.Batch, "quiet ") {
		l.Kind = "digest"
	}
	_, err = s.out.Put(ctx, tx, l)
	return false, err
}
