package alert_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

func TestTheOwnerIsToldOnce(t *testing.T) {
	h := newHouse(t)
	h.crash("F-old", "acme.theme", 3, h.now.Add(-time.Hour)) // before there was anybody to tell
	h.crash("F-one", "acme.theme", 3, h.now)
	for range 3 {
		h.round()
	}
	h.want("jo", "New in acme.theme: TypeError in F-one")
	h.want("rob")
	h.want("ines") // somebody looks after it
	h.start()      // a new process knows as much
	h.round()
	h.want("jo", "New in acme.theme: TypeError in F-one")
	m := h.mail.Sent()[0]
	if text := fmt.Sprint(m); !strings.Contains(text, "In fewer than 20 installs so far.") || strings.Contains(text, "3 crashes") {
		t.Errorf("%+v", m)
	}
	if m.Unsubscribe == "" || m.ListID == "" || m.Items[0].Link != "https://bw.example/families/F-one" {
		t.Errorf("%+v", m)
	}

	// Resolved, and back: told at once, though the day is not over.
	_, err := h.desk.SetState(t.Context(), facts.Everything(), crash.Decision{Family: "F-one", To: crash.Resolved, Actor: "account:x"})
	h.must(err)
	h.now = h.now.Add(time.Minute)
	back, err := h.desk.Reopen(t.Context(), []crash.Sighting{{Family: "F-one", Releases: []string{"1.0.1"}, Happened: h.now.UnixMilli()}})
	if err != nil || len(back) != 1 {
		t.Fatalf("%v %v", back, err)
	}
	h.crash("F-one", "acme.theme", 30, h.now)
	for range 3 {
		h.round()
	}
	h.want("jo", "New in acme.theme: TypeError in F-one", "Back again in acme.theme: TypeError in F-one")
	if text := fmt.Sprint(h.mail.Sent()[1]); !strings.Contains(text, "33 crashes in 33 installs (95 %: 22–47)") {
		t.Errorf("%s", text)
	}
}

func TestAStormIsOneMessage(t *testing.T) {
	h := newHouse(t)
	for i := range 40 {
		h.crash(fmt.Sprintf("F-%02d", i), "acme.theme", 1, h.now)
	}
	h.round()
	if got := h.subjects("jo"); len(got) != alert.Storm {
		t.Errorf("%d at once", len(got))
	}
	h.now = h.now.Truncate(time.Hour).Add(time.Hour)
	h.round()
	got := h.subjects("jo")
	if len(got) != alert.Storm+1 || got[alert.Storm] != "35 new crash families" {
		t.Errorf("%q", got)
	}
}

// One report for each fix that somebody published would be a mail each.
func TestAStormOfComebacksIsOneMessage(t *testing.T) {
	h := newHouse(t)
	var back []crash.Sighting
	for i := range 12 {
		id := fmt.Sprintf("F-%02d", i)
		h.crash(id, "acme.theme", 1, h.now.Add(-100*24*time.Hour))
		_, err := h.desk.SetState(t.Context(), facts.Everything(), crash.Decision{Family: id, To: crash.Resolved, Actor: "account:x"})
		h.must(err)
		back = append(back, crash.Sighting{Family: id, Releases: []string{"1.0.1"}, Happened: h.now.Add(time.Minute).UnixMilli()})
	}
	h.now = h.now.Add(time.Minute)
	list, err := h.desk.Reopen(t.Context(), back)
	if err != nil || len(list) != 12 {
		t.Fatalf("%v %v", list, err)
	}
	h.round()
	before := h.subjects("jo")
	n := 0
	for _, s := range before {
		if strings.HasPrefix(s, "Back again") {
			n++
		}
	}
	if n != alert.Storm {
		t.Errorf("%d at once: %q", n, before)
	}
	h.now = h.now.Truncate(time.Hour).Add(time.Hour)
	h.round()
	if got := h.subjects("jo"); len(got) != len(before)+1 || got[len(before)] != "7 crash families are back" {
		t.Errorf("%q", got)
	}
}

func TestQuietHoursAndDigestAreOneMessage(t *testing.T) {
	h := newHouse(t)
	p := alert.Defaults()
	p.Zone, p.QuietFrom, p.QuietTo = "Europe/Berlin", 13*60, 15*60 // 12:11 UTC is 13:11
	_, err := h.SetPreferences(t.Context(), h.jo, p)
	h.must(err)
	q := alert.Defaults()
	q.Modes[alert.NewFamily] = alert.Daily
	_, err = h.SetPreferences(t.Context(), h.rob, q)
	h.must(err)
	for i := range 3 {
		h.crash(fmt.Sprintf("F-a%d", i), "acme.theme", 1, h.now)
		h.crash(fmt.Sprintf("F-r%d", i), "rival.theme", 1, h.now)
		h.round()
	}
	h.want("jo")
	h.want("rob")
	h.now = time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	h.round()
	h.want("jo", "3 new crash families")
	h.now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	h.round()
	h.want("rob", "3 new crash families")
}

func TestSaysWhatItsReaderMaySeeWhenItIsSent(t *testing.T) {
	h := newHouse(t)
	h.crash("F-one", "acme.theme", 3, h.now)
	_, err := h.Look(t.Context())
	h.must(err)
	h.must(h.accounts.SetGrants(t.Context(), account.System("test"), h.jo.ID, []account.Grant{{Role: account.Author, Publisher: "rival"}}))
	h.now = h.now.Add(time.Minute)
	_, err = h.Deliver(t.Context())
	h.must(err)
	h.want("jo")
	list, _, err := h.Deliveries(t.Context(), h.jo, alert.LogFilter{})
	if err != nil || len(list) != 1 || list[0].State != "dropped" || list[0].Subject != "" {
		t.Errorf("%+v %v", list, err)
	}
}

func TestSpike(t *testing.T) {
	h := newHouse(t)
	hour := h.now.Truncate(time.Hour)
	for week := 1; week <= 4; week++ {
		for off := -1; off <= 1; off++ {
			h.crash("F-one", "acme.theme", 2, hour.AddDate(0, 0, -7*week).Add(time.Duration(off)*time.Hour+time.Minute))
		}
	}
	_, err := h.Watch(t.Context())
	h.must(err)
	h.crash("F-one", "acme.theme", 60, h.now)
	for range 2 {
		_, err = h.Watch(t.Context())
		h.must(err)
	}
	h.now = h.now.Add(time.Minute)
	_, err = h.Deliver(t.Context())
	h.must(err)
	h.want("jo", "Spike in acme.theme: TypeError in F-one")
}

// receiver is somebody's program: it checks signatures and answers as it is told.
type receiver struct {
	mu     sync.Mutex
	secret string
	status int
	bodies []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	key, err := hook.ParseSecret(r.secret)
	if err == nil {
		var sec int64
		fmt.Sscan(q.Header.Get("Webhook-Timestamp"), &sec)
		err = hook.Verify(q.Header, b, time.Unix(sec, 0), key)
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	r.bodies = append(r.bodies, string(b))
	io.WriteString(w, "thanks")
}

func TestChannel(t *testing.T) {
	h := newHouse(t)
	r := &receiver{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	c, secret, err := h.CreateChannel(t.Context(), h.jo, alert.Channel{Form: alert.Webhook, Name: "pager", Publisher: "acme", Kinds: alert.Kinds, Installs: 2}, srv.URL+"/hook?key=verysecret")
	h.must(err)
	r.secret = secret
	if _, _, err := h.CreateChannel(t.Context(), h.jo, alert.Channel{Form: alert.Webhook, Name: "x", Publisher: "rival", Kinds: alert.Kinds, Installs: 1}, srv.URL); err == nil {
		t.Error("jo made a channel of rival")
	}
	if _, err := h.Channel(t.Context(), h.rob, c.ID); err == nil {
		t.Error("rob sees acme's channel")
	}
	d, err := h.Test(t.Context(), h.jo, c.ID)
	if err != nil || d.State != "sent" || d.Answer != "thanks" {
		t.Fatalf("%+v %v", d, err)
	}
	h.now = h.now.Add(time.Minute)
	h.crash("F-one", "acme.theme", 1, h.now)
	h.crash("F-rival", "rival.theme", 9, h.now)
	h.round()
	if len(r.bodies) != 1 {
		t.Fatalf("before the threshold: %v", r.bodies)
	}
	h.crash("F-one", "acme.theme", 1, h.now)
	h.now = h.now.Add(5 * time.Minute)
	h.round()
	if len(r.bodies) != 2 || !strings.Contains(r.bodies[1], `"installs_below":20`) || strings.Contains(r.bodies[1], "rival") {
		t.Fatalf("%v", r.bodies)
	}
	// The secret is exchanged: both sign for a day.
	fresh, err := h.RotateSecret(t.Context(), h.jo, c.ID)
	h.must(err)
	for _, s := range []string{secret, fresh} {
		r.secret = s
		h.now = h.now.Add(time.Minute)
		if d, err := h.Test(t.Context(), h.jo, c.ID); err != nil || d.State != "sent" {
			t.Errorf("%+v %v", d, err)
		}
	}
	h.now = h.now.Add(25 * time.Hour)
	r.secret = secret
	if d, err := h.Test(t.Context(), h.jo, c.ID); err != nil || d.State == "sent" {
		t.Errorf("the old one still signs: %+v %v", d, err)
	}
	// Gone for good: switched off, and whoever looks after it is told.
	r.secret, r.status = fresh, http.StatusGone
	for i := range 3 {
		h.crash(fmt.Sprintf("F-x%d", i), "acme.theme", 2, h.now)
		h.round()
	}
	h.round()
	got, err := h.Channel(t.Context(), h.jo, c.ID)
	if err != nil || got.State != alert.Disabled || !strings.Contains(got.Reason, "410") {
		t.Errorf("%+v %v", got, err)
	}
	if all := strings.Join(h.subjects("jo"), "\n"); strings.Count(all, "A channel was switched off") != 1 {
		t.Errorf("%s", all)
	}
	// Neither the address nor a secret lies in the clear.
	for _, table := range []string{"alert_channel", "outbox_message", "audit_entry"} {
		rows, err := h.d.Read().Query(`SELECT * FROM ` + table)
		if err != nil {
			continue
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new(sql.RawBytes)
			}
			h.must(rows.Scan(vals...))
			for _, v := range vals {
				if s := string(*v.(*sql.RawBytes)); strings.Contains(s, "verysecret") || strings.Contains(s, fresh[6:]) {
					t.Errorf("%s holds %q", table, s)
				}
			}
		}
		rows.Close()
	}
}

func TestUnsubscribe(t *testing.T) {
	h := newHouse(t)
	h.crash("F-one", "acme.theme", 1, h.now)
	h.round()
	u, err := url.Parse(h.mail.Sent()[0].Unsubscribe)
	h.must(err)
	token := u.Query().Get("token")
	for _, bad := range []string{"", "x", token[:len(token)-2], token + "AA", strings.Repeat("A", 600)} {
		if _, err := h.Unsubscribe(t.Context(), bad); err == nil {
			t.Errorf("%.20q was taken", bad)
		}
	}
	if strings.Contains(token, h.jo.ID) {
		t.Error("the token names the account")
	}
	for range 2 {
		if k, err := h.Unsubscribe(t.Context(), token); err != nil || k != alert.NewFamily {
			t.Errorf("%v %v", k, err)
		}
	}
	h.crash("F-two", "acme.theme", 1, h.now)
	h.round()
	if n := len(h.subjects("jo")); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestForgotTellsNothing(t *testing.T) {
	h := newHouse(t)
	for _, to := range []string{"jo@example.org", "nobody@example.org"} {
		if err := h.Forgot(t.Context(), to, "192.0.2.1"); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	h.round()
	got := h.mail.Sent()
	if len(got) != 1 || got[0].To != "jo@example.org" {
		t.Fatalf("%+v", got)
	}
	u, err := url.Parse(got[0].Link)
	h.must(err)
	h.must(h.accounts.Reset(t.Context(), u.Query().Get("token"), "another believable one"))
	for range 5 {
		err = h.Forgot(t.Context(), "jo@example.org", "192.0.2.1")
	}
	if err == nil {
		t.Error("no limit")
	}
}
