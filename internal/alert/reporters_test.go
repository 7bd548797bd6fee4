package alert_test

import (
	"bytes"
	"context"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
	"github.com/bellwether-project/bellwether/internal/notify/notifytest"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// asker is a house whose reporters can be told, with a report of a family.
type asker struct {
	*house
	answers *answers.Desk
	follow  *follow.Service
	report  eco.ID
	taken   map[string]bool
	from    netip.Addr
}

func newAsker(t *testing.T, d *db.DB) *asker {
	t.Helper()
	h := &asker{house: newHouseOn(t, d), taken: map[string]bool{}, from: netip.MustParseAddr("192.0.2.1")}
	now := func() time.Time { return h.now }
	var err error
	h.answers, err = answers.New(t.Context(), answers.Options{Desk: h.desk, Records: h.d, Audit: h.log, Facts: h.mem, Book: receipt.NewBook(h.ring), Board: receipt.NewBoard(), Now: now, NewID: h.id,
		Project: func(int64) (receipt.Asker, bool) { return receipt.Asker{Extension: "acme.theme"}, true },
		KeyOf:   func(string) (int64, bool) { return 0, false },
		Taken: func(context.Context) (map[string]bool, error) {
			out := map[string]bool{}
			for k, v := range h.taken {
				out[k] = v
			}
			return out, nil
		},
		Stored: func(context.Context) time.Time { return h.now }})
	h.must(err)
	h.open()
	h.report = h.crash("F-one", "acme.theme", 3, h.now)
	h.step()
	return h
}

// open opens the service, as a process does.
func (h *asker) open() {
	h.t.Helper()
	key, err := hook.NewPushKey([]byte(strings.Repeat("k", 32)))
	h.must(err)
	h.Service, err = alert.New(h.t.Context(), alert.Options{Records: h.d, Audit: h.log, Desk: h.desk, Accounts: h.accounts, Registry: h.registry,
		Now: func() time.Time { return h.now }, NewID: h.id, Holder: "test", Mail: h.mail, MailFrom: "bw@example.org", Base: &url.URL{Scheme: "https", Host: "bw.example"},
		Seal: func(b []byte) ([]byte, error) { return h.ring.Seal("notify", b) }, Unseal: func(b []byte) ([]byte, error) { return h.ring.Unseal("notify", b) },
		Reporters: &alert.Reporters{Answers: h.answers, Push: key, Policy: notify.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
			Hash: func(purpose, raw string) uint64 { return h.ring.Hash64("receipt", purpose, raw) }}})
	h.must(err)
	h.follow = h.Reporters()
}

// step lets a minute pass: the board is filled, what changed is looked for, what is
// due is sent, and again.
func (h *asker) step() {
	h.t.Helper()
	for range 2 {
		h.now = h.now.Add(time.Minute)
		h.must(h.answers.Refresh(h.t.Context()))
		_, err := h.follow.Look(h.t.Context())
		h.must(err)
		_, err = h.Deliver(h.t.Context())
		h.must(err)
	}
}

func (h *asker) view() answers.View {
	h.t.Helper()
	v, err := h.answers.Of(h.t.Context(), h.report)
	h.must(err)
	return v
}

func (h *asker) told() follow.Followed {
	h.t.Helper()
	v := h.view()
	f, err := h.follow.Followed(h.t.Context(), &v)
	h.must(err)
	return f
}

func (h *asker) ask(address string) error {
	v := h.view()
	return h.follow.ByMail(h.t.Context(), &v, address, h.from)
}

// to lists what an address got.
func (h *asker) to(address string) (out []notify.Message) {
	for _, m := range h.mail.Sent() {
		if m.To == address {
			out = append(out, m)
		}
	}
	return out
}

// token is that of a link of a mail.
func token(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("token") == "" {
		t.Fatalf("no token in %q: %v", link, err)
	}
	return u.Query().Get("token")
}

func (h *asker) decide(to crash.State, in string) {
	h.t.Helper()
	_, err := h.desk.SetState(h.t.Context(), facts.Everything(), crash.Decision{Family: "F-one", To: to, ResolvedIn: in, Actor: "account:x"})
	h.must(err)
}

func (h *asker) say(workaround string) {
	h.t.Helper()
	w, err := h.answers.Words(h.t.Context(), facts.Everything(), "F-one")
	h.must(err)
	w.Workaround = workaround
	_, err = h.answers.Say(h.t.Context(), facts.Everything(), w, "account:x")
	h.must(err)
}

// The whole way of an address: asked, confirmed, told three times, forgotten.
func TestAReporterIsToldByMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newAsker(t, d)
		const ann = "ann@reporter.example"
		h.must(h.ask(ann))
		h.step()
		got := h.to(ann)
		if len(got) != 1 || !strings.Contains(got[0].Subject, "acme.theme") || got[0].Unsubscribe == "" || got[0].ListID == "" {
			t.Fatalf("%+v", got)
		}
		if all := strings.Join(append(got[0].Text, got[0].Link, got[0].Unsubscribe), " "); strings.Contains(all, h.view().ID) || strings.Contains(all, "F-one") {
			t.Errorf("a mail to what may be a stranger's address names the receipt: %s", all)
		}
		// Nothing is sent before the link was followed, whatever happens.
		h.taken["F-one"] = true
		h.step()
		if n := len(h.to(ann)); n != 1 || h.told() != (follow.Followed{Asked: 1}) {
			t.Fatalf("%d mails, %+v", n, h.told())
		}
		link := token(t, got[0].Link)
		if about, confirmed, err := h.follow.Asking(t.Context(), link); err != nil || confirmed || about.ID != "acme.theme" {
			t.Errorf("%v %v %v", about, confirmed, err)
		}
		for range 2 {
			if v, err := h.follow.Confirm(t.Context(), link); err != nil || v.ID != h.view().ID {
				t.Fatal(err)
			}
		}
		h.step()
		h.say("Turn it off.")
		h.step()
		h.open() // a new process knows as much
		h.step()
		h.decide(crash.Resolved, "1.2.0")
		h.step()
		var subjects []string
		for _, m := range h.to(ann)[1:] {
			subjects = append(subjects, m.Subject)
			if m.Link != "https://bw.example/receipts/"+h.view().ID || m.Unsubscribe == "" || strings.Contains(strings.Join(m.Text, " "), "Turn it off") {
				t.Errorf("%+v", m)
			}
		}
		if s := strings.Join(subjects, "; "); s != "Somebody works on your report to acme.theme; A workaround: your report to acme.theme; Fixed in 1.2.0: your report to acme.theme" {
			t.Errorf("told %q", s)
		}
		// The last message: the address is forgotten, and no link of it is good for anything.
		if h.told().Any() {
			t.Errorf("%+v", h.told())
		}
		if _, err := h.follow.Confirm(t.Context(), link); fault.CodeOf(err) != fault.NotFound {
			t.Error(err)
		}
		h.decide(crash.Open, "")
		h.step()
		h.decide(crash.Resolved, "1.3.0")
		h.step()
		if n := len(h.to(ann)); n != 4 {
			t.Errorf("%d mails", n)
		}
	})
}

// What is taken back at once is told nobody, and told when it is so after all.
func TestTakenBack(t *testing.T) {
	h := newAsker(t, dbtest.Open(t))
	h.must(h.ask("ann@reporter.example"))
	h.step()
	_, err := h.follow.Confirm(t.Context(), token(t, h.to("ann@reporter.example")[0].Link))
	h.must(err)
	h.decide(crash.Resolved, "1.2.0")
	h.must(h.answers.Refresh(t.Context()))
	_, err = h.follow.Look(t.Context())
	h.must(err)
	h.decide(crash.Open, "")
	h.step()
	h.step()
	if n := len(h.to("ann@reporter.example")); n != 1 || h.told().Mail != 1 {
		t.Fatalf("%d mails, %+v", n, h.told())
	}
	h.decide(crash.Resolved, "1.3.0")
	h.step()
	if got := h.to("ann@reporter.example"); len(got) != 2 || !strings.Contains(got[1].Subject, "Fixed in 1.3.0") {
		t.Errorf("%+v", got)
	}
}

// Nobody can have a stranger mailed more than twice a day, nor at all after one no.
func TestTheFormIsNoWeapon(t *testing.T) {
	h := newAsker(t, dbtest.Open(t))
	const victim = "victim@stranger.example"
	for range 5 {
		for range 3 { // any number of reports can be made
			h.report = h.crash("F-one", "acme.theme", 1, h.now)
			h.from = h.from.Next() // from any number of networks
			_ = h.ask(victim)
			_ = h.ask("victim+more@stranger.example") // the same box
		}
		h.step()
	}
	if n, more := len(h.to(victim)), len(h.to("victim+more@stranger.example")); n != 2 || more != 0 {
		t.Fatalf("%d mails, and %d behind a plus", n, more)
	}
	for range 3 {
		h.must(h.follow.Stop(t.Context(), token(t, h.to(victim)[0].Unsubscribe)))
		break
	}
	h.now = h.now.Add(48 * time.Hour)
	h.report = h.crash("F-one", "acme.theme", 1, h.now)
	h.step()
	h.must(h.ask(victim)) // who asks is not told
	h.step()
	if n := len(h.to(victim)); n != 2 {
		t.Errorf("%d mails after a no", n)
	}

	// One report asks three addresses a day and is followed by four at most; a network tries six times an hour.
	h.report = h.crash("F-one", "acme.theme", 1, h.now)
	h.step()
	var codes []fault.Code
	for _, name := range strings.Fields("a b c d e f g") {
		codes = append(codes, fault.CodeOf(h.ask(name+"@one.example")))
	}
	h.step()
	n := 0
	for _, m := range h.mail.Sent() {
		if strings.HasSuffix(m.To, "@one.example") {
			n++
		}
	}
	if n != 3 || codes[2] != "" || codes[3] != fault.RateLimited || codes[6] != fault.RateLimited {
		t.Errorf("%d mails, %v", n, codes)
	}
	for _, bad := range []string{"", "x", "a@b", "Ann <ann@one.example>", "a@one.example, b@one.example", "a@one.example\r\nBcc: c@one.example", "-x@one.example", "ä@one.example", strings.Repeat("a", 250) + "@one.example"} {
		h.from = h.from.Next()
		if err := h.ask(bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Whoever does not answer is forgotten after three days; so is who withdraws.
func TestForgotten(t *testing.T) {
	h := newAsker(t, dbtest.Open(t))
	h.must(h.ask("late@reporter.example"))
	h.step()
	h.now = h.now.Add(follow.Unconfirmed)
	h.step()
	if _, err := h.follow.Confirm(t.Context(), token(t, h.to("late@reporter.example")[0].Link)); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
	count := func() (n int) {
		h.t.Helper()
		h.must(h.d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM follow`).Scan(&n))
		return n
	}
	if count() != 0 {
		t.Error("it is still there")
	}
	h.must(h.ask("ann@reporter.example"))
	h.step()
	_, err := h.follow.Confirm(t.Context(), token(t, h.to("ann@reporter.example")[0].Link))
	h.must(err)
	if h.told().Mail != 1 {
		t.Fatalf("%+v", h.told())
	}
	h.decide(crash.Resolved, "1.2.0")
	h.must(h.answers.Refresh(t.Context()))
	_, err = h.follow.Look(t.Context()) // a message is on its way when it is withdrawn
	h.must(err)
	_, err = h.answers.Withdraw(t.Context(), h.view().ID)
	h.must(err)
	if count() != 0 {
		t.Error("withdrawn, and still there")
	}
	h.step()
	if n := len(h.to("ann@reporter.example")); n != 1 {
		t.Errorf("%d mails", n)
	}

	// A report that is erased in another way.
	h.report = h.crash("F-two", "acme.theme", 1, h.now)
	h.step()
	h.must(h.ask("bo@reporter.example"))
	_, err = h.mem.Erase(t.Context(), facts.Subject{Crash: h.report})
	h.must(err)
	h.now = h.now.Add(time.Hour)
	h.step()
	if count() != 0 {
		t.Error("erased, and still there")
	}
}

// An address lies sealed: no byte of the records has it, nor what a mail server said.
func TestNoAddressIsReadable(t *testing.T) {
	dir := t.TempDir()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(dir, "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := newAsker(t, d)
	h.mail.Fail = func(m notify.Message) error {
		if m.To == "canary-zq@reporter.example" {
			return fault.E("x", fault.Unavailable, "450 <canary-zq@reporter.example> is greylisted", nil)
		}
		return nil
	}
	h.must(h.ask("canary-zq@reporter.example"))
	h.step()
	h.must(d.Close())
	files, err := os.ReadDir(dir)
	h.must(err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		h.must(err)
		if bytes.Contains(b, []byte("canary-zq")) {
			t.Errorf("%s holds the address", f.Name())
		}
	}
}

// A browser is told by a real request to its push service, which cannot read it.
func TestAReporterIsToldByPush(t *testing.T) {
	h := newAsker(t, dbtest.Open(t))
	b := notifytest.NewBrowser(t, "mailto:bw@example.org", func() time.Time { return h.now })
	v := h.view()
	h.must(h.follow.ByPush(t.Context(), &v, hook.Subscription{Endpoint: b.Endpoint, Key: b.Key, Auth: b.Auth}, h.from))
	h.must(h.follow.ByPush(t.Context(), &v, hook.Subscription{Endpoint: b.Endpoint, Key: b.Key, Auth: b.Auth}, h.from))
	if h.told() != (follow.Followed{Push: 1}) {
		t.Errorf("%+v", h.told())
	}
	h.taken["F-one"] = true
	h.step()
	got := b.Got()
	if len(got) != 1 || got[0].Subject != "Somebody works on your report to acme.theme" || !strings.Contains(got[0].Body, "https://bw.example/receipts/"+v.ID) {
		t.Fatalf("%+v", got)
	}
	// The browser gave it up: it is forgotten.
	b.Say(fault.NotFound)
	h.say("Turn it off.")
	h.step()
	if h.told().Any() {
		t.Errorf("%+v", h.told())
	}
	if err := h.follow.ByPush(t.Context(), &v, hook.Subscription{Endpoint: "https://169.254.169.254/x", Key: b.Key, Auth: b.Auth}, h.from); fault.CodeOf(err) != fault.Forbidden {
		t.Error(err)
	}
}
