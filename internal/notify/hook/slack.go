package hook

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// maxText bounds the text of a chat message, in bytes; Slack cuts at 40,000.
const maxText = 12_000

// Slack sends to an incoming webhook of Slack or of what takes the same form.
type Slack struct {
	Client *http.Client
	URL    string // a secret: whoever has it may post
}

// Send posts the message as text, which every such service shows and every
// screen reader reads.
func (s *Slack) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	const op = "hook.Send"
	if m.ID == "" || m.Subject == "" {
		return notify.Answer{}, fault.E(op, fault.Invalid, "A message has an id and a subject.", nil)
	}
	body, err := json.Marshal(map[string]string{"text": chat(m)})
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	return post(ctx, s.Client, s.URL, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body, func(code int) fault.Code {
		switch code {
		case http.StatusNotFound, http.StatusGone: // no_service, no_team, channel_is_archived
			return fault.NotFound
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge: // invalid_payload
			return fault.Invalid
		}
		return fault.Unavailable
	})
}

// chat writes a message in Slack's markup.
func chat(m notify.Message) string {
	var b strings.Builder
	b.WriteString("*" + escape(m.Subject) + "*\n")
	for _, t := range m.Text {
		b.WriteString(escape(t) + "\n")
	}
	left := 0
	for _, i := range m.Items {
		if b.Len() > maxText-2000 {
			left++
			continue
		}
		b.WriteString("• " + anchor(i.Link, i.Title) + "\n")
		for _, f := range i.Facts {
			b.WriteString("   " + escape(f) + "\n")
		}
	}
	if left > 0 {
		b.WriteString("… and more; the page lists them all\n")
	}
	if m.Link != "" {
		b.WriteString(anchor(m.Link, "Open in Bellwether") + "\n")
	}
	for _, t := range m.Footer {
		b.WriteString("_" + escape(t) + "_\n")
	}
	return b.String()
}

func anchor(link, label string) string {
	if link == "" || strings.ContainsAny(link, "<>| \n") {
		return escape(label)
	}
	return "<" + link + "|" + strings.ReplaceAll(escape(label), "|", "¦") + ">"
}

// escaper is what Slack asks for (& < >), and what keeps a crash's words from
// calling people or making links where others read Markdown.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b", "](", "]\u200b(", "`", "'", "://", ":\u200b//")

func escape(s string) string { return escaper.Replace(notify.Line(s, 500)) }
