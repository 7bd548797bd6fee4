package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// Forgetting an account takes along how its person wanted to be told, and what they were.
func TestForgetTakesPreferencesAlong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouseOn(t, d)
		for _, p := range []account.Principal{h.jo, h.rob} {
			_, err := h.SetPreferences(t.Context(), p, alert.Defaults())
			h.must(err)
		}
		h.mail.Fail = func(m notify.Message) error { return fault.E("x", fault.NotFound, "550 "+m.To+" is unknown", nil) }
		h.crash("F-jo", "acme.theme", 3, h.now)
		h.crash("F-rob", "rival.theme", 3, h.now)
		h.round()
		count := func(query string, args ...any) (n int) {
			h.must(h.d.Read().QueryRowContext(t.Context(), query, args...).Scan(&n))
			return n
		}
		left := func(id string) [3]int {
			return [3]int{count(`SELECT count(*) FROM alert_preferences WHERE account = $1`, id), count(`SELECT count(*) FROM outbox_message WHERE target = $1`, "account:"+id), count(`SELECT count(*) FROM outbox_item WHERE target = $1`, "account:"+id)}
		}
		if left(h.jo.ID) != [3]int{1, 1, 1} {
			t.Fatalf("before: %v", left(h.jo.ID))
		}
		h.must(h.accounts.Forget(t.Context(), account.System("test"), h.jo.ID))
		if left(h.jo.ID) != [3]int{} || left(h.rob.ID) != [3]int{1, 1, 1} {
			t.Errorf("after: %v, and of another %v", left(h.jo.ID), left(h.rob.ID))
		}
		if n := count(`SELECT count(*) FROM outbox_message WHERE answer LIKE '%jo@%' OR reason LIKE '%jo@%'`); n != 0 {
			t.Errorf("%d messages name the address", n)
		}
	})
}

// An ignored family that came to what it waited for is told, once, like one that came back.
func TestWakeIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouseOn(t, d)
		h.crash("F-one", "acme.theme", 3, h.now)
		h.round()
		_, err := h.desk.SetState(t.Context(), facts.Everything(), crash.Decision{Family: "F-one", To: crash.Ignored, Until: crash.Until{Time: h.now.Add(time.Hour)}, Actor: "account:x"})
		h.must(err)
		h.round()
		h.now = h.now.Add(2 * time.Hour)
		if note, changes, err := h.desk.Wake(t.Context()); err != nil || len(changes) != 1 {
			t.Fatal(note, err)
		}
		for range 3 {
			h.round()
		}
		h.want("jo", "New in acme.theme: TypeError in F-one", "Back again in acme.theme: TypeError in F-one")
		if m := h.mail.Sent()[1]; !strings.Contains(strings.Join(m.Items[0].Facts, " "), "It was ignored until now.") {
			t.Errorf("%+v", m)
		}
	})
}
