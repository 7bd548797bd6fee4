package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// patience is how long an answer may take.
const patience = 30 * time.Second

// client is one connection that sends one request at a time. It writes requests
// itself: a full HTTP client would cost more than the server.
type client struct {
	addr netip.AddrPort
	plan *plan
	seed uint64
	conn net.Conn
	read *bufio.Reader
	buf  []byte

	times                                               histogram
	requests, ok, later, refused, broken, partial, sent int64
	first                                               string
}

func (c *client) send(ctx context.Context, n int64, due time.Time) {
	t := &c.plan.templates[uint64(n)%uint64(len(c.plan.templates))]
	c.buf = append(c.buf[:0], t.bytes...)
	id := c.seed + uint64(n)*0x9e3779b97f4a7c15
	for _, at := range t.ids {
		digits(c.buf[at:at+32], id, uint64(n)^c.seed*0x94d049bb133111eb)
	}
	c.requests++
	c.sent += int64(t.body)
	status, body, err := c.exchange(ctx)
	if ctx.Err() != nil && err != nil {
		c.requests-- // cut off by the end of the run
		return
	}
	c.times.add(time.Since(due))
	switch {
	case err != nil:
		c.broken++
		c.note("no answer: " + err.Error())
	case status/100 == 2:
		c.ok++
		if c.plan.kind == OTLP && len(body) > 0 {
			c.partial++
			c.note(fmt.Sprintf("partial success: %.200q", body))
		}
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		c.later++
	default:
		c.refused++
		c.note(fmt.Sprintf("%d %.200s", status, body))
	}
}

func (c *client) note(s string) {
	if c.first == "" {
		c.first = s
	}
}

// exchange tries a new connection once when a kept one turns out to be closed.
func (c *client) exchange(ctx context.Context) (status int, body []byte, err error) {
	for try := 0; ; try++ {
		fresh := c.conn == nil
		if fresh {
			d := net.Dialer{Timeout: 5 * time.Second}
			if c.conn, err = d.DialContext(ctx, "tcp", c.addr.String()); err != nil {
				c.conn = nil
				return 0, nil, err
			}
			if c.read == nil {
				c.read = bufio.NewReaderSize(nil, 4096)
			}
			c.read.Reset(c.conn)
		}
		status, body, err = c.once(ctx)
		if err == nil {
			return status, body, nil
		}
		c.close()
		if fresh || try > 0 || ctx.Err() != nil {
			return 0, nil, err
		}
	}
}

func (c *client) once(ctx context.Context) (int, []byte, error) {
	deadline := time.Now().Add(patience)
	if d, ok := ctx.Deadline(); ok && d.Add(time.Second).Before(deadline) {
		deadline = d.Add(time.Second) // an answer under way at the end may still come
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(c.buf); err != nil {
		return 0, nil, err
	}
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return 0, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
	if err == nil && resp.Close {
		c.close()
	}
	return resp.StatusCode, bytes.TrimSpace(body), err
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *client) addTo(r *Report) {
	r.Requests += c.requests
	r.Accepted += c.ok
	r.Later += c.later
	r.Refused += c.refused
	r.Broken += c.broken
	r.Partial += c.partial
	r.Bytes += c.sent
	if r.First == "" {
		r.First = c.first
	}
}

// digits writes 32 hex digits.
func digits(dst []byte, a, b uint64) {
	const hex = "0123456789abcdef"
	for i := range 16 {
		dst[i] = hex[a>>(60-4*i)&15]
		dst[16+i] = hex[b>>(60-4*i)&15]
	}
}
