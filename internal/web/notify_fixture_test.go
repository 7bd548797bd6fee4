package web

import (
	"time"

	"github.com/bellwether-project/bellwether/internal/alert"
	"github.com/bellwether-project/bellwether/internal/alert/outbox"
)

func fixDeliveries(v viewer) []deliveryRow {
	item := []outbox.Item{{Key: "new:F-1", Kind: string(alert.NewFamily), Topic: "F-1"}}
	return deliveryRows(v, []alert.Delivery{
		{Delivery: outbox.Delivery{ID: "m-1", Kind: "family.new", Subject: "New in acme.linter: TypeError in lint <b>", State: outbox.Sent, Created: fixNow, Done: fixNow, Tries: 1, Code: 200, Answer: "ok", Items: item}, To: "#linter-crashes", Own: true, Resend: true},
		{Delivery: outbox.Delivery{ID: "m-2", Kind: "family.spike", State: outbox.Waiting, Reason: "The receiver did not take it.", Created: fixNow.Add(-time.Hour), Due: fixNow.Add(time.Hour), Tries: 3, Code: 503, Answer: "down", Items: item}, To: "you", Own: true, Resend: true},
		{Delivery: outbox.Delivery{ID: "m-3", Kind: "digest", State: outbox.Failed, Reason: "The receiver says that this address is no longer in use.", Created: fixNow.Add(-2 * time.Hour), Done: fixNow, Tries: 1, Code: 410}, To: "a channel"},
	})
}

func fixChannels() []channelRow {
	c := alert.Channel{ID: "c-1", Form: alert.Slack, Name: "#linter-crashes", Publisher: "acme", Host: "hooks.slack.example", Kinds: []alert.Kind{alert.NewFamily}, Installs: 1, State: alert.Active, Version: 2}
	d := c
	d.ID, d.Form, d.Name, d.State, d.Reason = "c-2", alert.Webhook, "pager", alert.Disabled, "Refused for good 3 times in a row."
	return []channelRow{{c, "on", "ok", "Acme Tools", "new families"}, {d, "switched off by us", "bad", "Acme Tools", "new families, spikes"}}
}

func fixNotifications(v viewer) notificationsPage {
	p := notificationsPage{settingsShell: fixSettings("Notifications"), HasMail: true, From: "bellwether@example.org", Paused: "550 no such mailbox", P: alert.Defaults(), QuietOn: true,
		From1: "22:00", To1: "07:00", Digest: "09:00", Days: []option{{"1", "Monday", true}}, Zones: commonZones, Wide: true, Errors: []string{"zone: There is no such time zone."},
		Test: &tested{OK: true, Text: "It said: 250 queued"}, Channels: fixChannels(), CanAdd: true, Log: fixDeliveries(v)}
	for _, k := range alert.Kinds {
		p.Rows = append(p.Rows, kindRow{string(k), kindWords[k], k.About(), []option{{"immediate", "at once", true}, {"never", "never", false}}})
	}
	return p
}

func fixChannel(v viewer) channelPage {
	return channelPage{settingsShell: fixSettings("Notifications"), C: fixChannels()[1], Owners: []option{{"publisher:acme", "Acme Tools (publisher)", true}}, Kinds: kindBoxes([]alert.Kind{alert.Spike}),
		CanEdit: true, Secret: "whsec_x", Old: v.at(fixNow.Add(20 * time.Hour)), Test: &tested{Text: "It said: 503 down"}, Errors: []string{"name: It needs 1 to 80 bytes."}, Log: fixDeliveries(v), Next: "#"}
}
