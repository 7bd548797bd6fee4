// Package hook sends messages by HTTP: signed webhooks (Standard Webhooks) whose
// bodies carry the fields of CloudEvents 1.0, and the incoming webhooks of Slack,
// which Mattermost, Rocket.Chat and Discord take as well.
//
// What it is not: a client for anybody's API. Where it may connect to is its
// client's business (notify.Client).
package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify"
)

// maxPayload bounds a body that is sent, in bytes.
const maxPayload = 256 << 10

// maxRead bounds what is read of an answer, in bytes.
const maxRead = 4 << 10

// maxWait bounds what a Retry-After may ask for.
const maxWait = 24 * time.Hour

// agent names us to receivers.
const agent = "Bellwether-Hook/1"

// Webhook sends signed JSON to one address.
type Webhook struct {
	Client  *http.Client
	URL     string
	Source  string // our own address: the source of the event
	Secrets []Secret
	Now     func() time.Time
}

// event is the body: CloudEvents 1.0 in its JSON form, which is also what
// Standard Webhooks recommends (type, data).
type event struct {
	SpecVersion string         `json:"specversion"`
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	Subject     string         `json:"subject,omitempty"`
	Time        time.Time      `json:"time"`
	ContentType string         `json:"datacontenttype"`
	Data        map[string]any `json:"data"`
}

// TypePrefix stands before a message's type in an event.
const TypePrefix = "dev.bellwether."

// Send posts the message.
func (w *Webhook) Send(ctx context.Context, m notify.Message) (notify.Answer, error) {
	const op = "hook.Send"
	if m.ID == "" || m.Subject == "" {
		return notify.Answer{}, fault.E(op, fault.Invalid, "A message has an id and a subject.", nil)
	}
	data := map[string]any{"text": notify.Line(m.Subject, 500), "link": m.Link}
	for k, v := range m.Data {
		data[k] = v
	}
	body, err := json.Marshal(event{"1.0", m.ID, w.Source, TypePrefix + m.Type, m.Topic, m.Time.UTC(), "application/json", data})
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Internal, "", err)
	}
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	Sign(h, m.ID, w.Now(), body, w.Secrets...)
	return post(ctx, w.Client, w.URL, h, body, func(code int) fault.Code {
		switch code {
		case http.StatusGone:
			return fault.NotFound
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
			return fault.Invalid
		}
		return fault.Unavailable
	})
}

// post sends a body and reads a little of the answer. Errors never hold the
// address: it may be a secret.
func post(ctx context.Context, c *http.Client, address string, h http.Header, body []byte, meaning func(int) fault.Code) (notify.Answer, error) {
	const op = "hook.Send"
	if err := ctx.Err(); err != nil {
		return notify.Answer{}, fault.E(op, fault.Unavailable, "It was cancelled.", err)
	}
	if len(body) > maxPayload {
		return notify.Answer{}, fault.E(op, fault.Invalid, "The message is too large.", nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return notify.Answer{}, fault.E(op, fault.Invalid, "The address is not valid.", nil)
	}
	r.Header = h
	r.Header.Set("User-Agent", agent)
	resp, err := c.Do(r)
	if err != nil {
		return unsent(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRead)) // for the log only: what it lacks is no failure
	a := notify.Answer{Code: resp.StatusCode, Text: notify.Line(string(text), notify.MaxAnswer), After: retryAfter(resp.Header.Get("Retry-After"))}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return a, nil
	}
	code := meaning(resp.StatusCode)
	words := map[fault.Code]string{
		fault.NotFound: "The receiver says that this address is no longer in use.", fault.Invalid: "The receiver refuses this message.",
		fault.Unavailable: "The receiver did not take it.",
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return a, fault.E(op, fault.Unavailable, "The receiver answered with a redirect; those are not followed.", nil)
	}
	return a, fault.E(op, code, words[code], nil)
}

// unsent tells why nothing was answered, without the address.
func unsent(err error) (notify.Answer, error) {
	const op = "hook.Send"
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	switch code := fault.CodeOf(err); code {
	case fault.Forbidden, fault.Invalid, fault.Unavailable:
		return notify.Answer{Text: notify.Line(fault.TextOf(err), notify.MaxAnswer)}, fault.E(op, code, fault.TextOf(err), nil)
	}
	text := "The connection failed."
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		text = "The receiver did not answer in time."
	}
	return notify.Answer{Text: text}, fault.E(op, fault.Unavailable, text, nil)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// retryAfter reads seconds; a date is not worth a clock here.
func retryAfter(s string) time.Duration {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxWait)
}
