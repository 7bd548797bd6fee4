package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// target says what an administrative command works on: the records of a data
// folder, or a running server.
type target struct {
	Server string `help:"Work on this running server, such as https://bellwether.example.org, instead of the data folder." env:"BELLWETHER_SERVER"`
	Token  string `help:"API token for --server." env:"BELLWETHER_TOKEN"`
	JSON   bool   `help:"Print what the API answered." name:"json"`
	settings
}

// client makes one request after the other, over the network or in the process.
type client struct {
	send  func(*http.Request) (*http.Response, error)
	base  string
	token string
	match string // If-Match of its requests, when it is set
	close func() error
	raw   bool
	out   io.Writer
}

func (t *target) open(ctx context.Context, k *kong.Context, c *console) (*client, error) {
	if t.Server != "" {
		u, err := url.Parse(strings.TrimRight(t.Server, "/"))
		if err != nil || u.Host == "" {
			return nil, fault.E("cli", fault.Invalid, "--server is an address such as https://bellwether.example.org.", err)
		}
		if t.Token == "" {
			return nil, fault.E("cli", fault.Invalid, "A server wants an API token: --token or BELLWETHER_TOKEN. Make one under Settings, Tokens.", nil)
		}
		h := &http.Client{Timeout: time.Minute}
		return &client{send: h.Do, base: u.String(), token: t.Token, close: func() error { return nil }, raw: t.JSON, out: c.out}, nil
	}
	o, err := t.resolve(k)
	if err != nil {
		return nil, err
	}
	handler, records, err := app.Console(ctx, o, c.logger(o))
	if err != nil {
		return nil, err
	}
	send := func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result(), nil
	}
	return &client{send: send, base: "http://console", close: records.Close, raw: t.JSON, out: c.out}, nil
}

// problem is an RFC 9457 document.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

// call makes a request below /api/v1 and reads the answer into out, when there is one.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	return c.request(ctx, method, path, "application/json", body, out)
}

func (c *client) request(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.match != "" {
		req.Header.Set("If-Match", c.match)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.send(req)
	if err != nil {
		return fault.E("cli", fault.Unavailable, "The server does not answer.", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fault.E("cli", fault.Unavailable, "The answer broke off.", err)
	}
	if resp.StatusCode >= 400 {
		return refusal(resp, answer)
	}
	if c.raw {
		if _, err := c.out.Write(answer); err != nil {
			return err
		}
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func refusal(resp *http.Response, answer []byte) error {
	var p problem
	if err := json.Unmarshal(answer, &p); err != nil || p.Code == "" {
		return fault.E("cli", fault.Unavailable, "The server answered "+resp.Status+".", nil)
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, e := range p.Errors {
		if e.Message != "" && e.Message != text {
			text += "\n  " + strings.TrimPrefix(e.Location, "body.") + ": " + e.Message
		}
	}
	return fault.E("cli", fault.Code(p.Code), text, nil)
}

// page is a part of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// every reads a whole list.
func every[T any](ctx context.Context, c *client, path string) ([]T, error) {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	var all []T
	for cursor := ""; ; {
		var p page[T]
		at := path
		if cursor != "" {
			at += sep + "cursor=" + url.QueryEscape(cursor)
		}
		if err := c.call(ctx, http.MethodGet, at, nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if cursor = p.Next; cursor == "" {
			return all, nil
		}
	}
}

// table prints rows under a heading; nothing when --json printed the answer.
func (c *client) table(heading string, rows [][]string, empty string) error {
	if c.raw {
		return nil
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(c.out, empty)
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	for _, r := range rows {
		for i := range r {
			r[i] = orDash(r[i])
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// quiet is the same client, for requests whose answer nobody asked to see.
func (c *client) quiet() *client {
	q := *c
	q.raw = false
	return &q
}

func (c *client) say(format string, args ...any) {
	if !c.raw {
		fmt.Fprintf(c.out, format+"\n", args...)
	}
}
