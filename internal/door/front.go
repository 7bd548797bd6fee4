package door

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// FrontOptions configures Front.
type FrontOptions struct {
	Log     *slog.Logger
	Now     func() time.Time
	Random  func([]byte)   // fills a slice with random bytes, for request ids
	Trusted []netip.Prefix // proxies whose Forwarded and X-Forwarded-For are believed
}

// Info is what is known of a request while it is served. A nil Info takes and
// gives nothing, so that handlers also run without Front.
type Info struct {
	id      string
	ip      netip.Addr
	route   string
	project int64
	items   int
	err     error
}

type infoKey struct{}

// InfoOf returns the request's Info, or nil.
func InfoOf(ctx context.Context) *Info {
	i, _ := ctx.Value(infoKey{}).(*Info)
	return i
}

// ID returns the request id.
func (i *Info) ID() string {
	if i == nil {
		return ""
	}
	return i.id
}

// IP returns the client's address, for rate limits and the country only: it must
// not be stored or logged.
func (i *Info) IP() netip.Addr {
	if i == nil {
		return netip.Addr{}
	}
	return i.ip
}

// SetRoute names the route for the log line, where one pattern serves several.
func (i *Info) SetRoute(pattern string) {
	if i != nil {
		i.route = pattern
	}
}

// SetProject names the project for the log line.
func (i *Info) SetProject(id int64) {
	if i != nil {
		i.project = id
	}
}

// SetItems says how many records the request held, for the log line.
func (i *Info) SetItems(n int) {
	if i != nil {
		i.items = n
	}
}

// SetError leaves the error for the log line.
func (i *Info) SetError(err error) {
	if i != nil {
		i.err = err
	}
}

// Front stands before every door: it gives the request an id, finds the client's
// address, survives panics and writes the one log line, with the route's pattern
// and never the path, query, address or user agent.
func Front(next http.Handler, o FrontOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := o.Now()
		info := &Info{ip: ClientIP(r, o.Trusted)}
		var id [8]byte
		o.Random(id[:])
		info.id = fmt.Sprintf("%x", id[:])
		rec := &recorder{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, info))
		w.Header().Set("X-Request-Id", info.id)
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				err := fault.E("door.Front", fault.Internal, "", &panicError{kind: fmt.Sprintf("%T", p), stack: ourStack()})
				info.err = err
				if !rec.wrote {
					Fail(rec, r, err)
				}
			}
			logLine(o, r, rec, info, o.Now().Sub(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

func logLine(o FrontOptions, r *http.Request, rec *recorder, info *Info, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	level := slog.LevelInfo
	if status >= 500 && !errors.Is(info.err, context.Canceled) { // who left needs no alarm
		level = slog.LevelError
	}
	if !o.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs, slog.String("method", knownMethod(r.Method)), slog.String("route", routeOf(r, info)),
		slog.Int("status", status), slog.Duration("took", took), slog.Int64("bytes_in", max(r.ContentLength, 0)), slog.Int64("bytes_out", rec.bytes))
	if info.project != 0 {
		attrs = append(attrs, slog.Int64("project", info.project))
	}
	if info.items != 0 {
		attrs = append(attrs, slog.Int("items", info.items))
	}
	attrs = append(attrs, slog.String("request", info.id))
	if info.err != nil {
		attrs = append(attrs, slog.String("code", string(fault.CodeOf(info.err))))
		if p, ok := errors.AsType[*panicError](info.err); ok {
			attrs = append(attrs, slog.String("panic", p.kind), slog.String("stack", p.stack))
		} else if status >= 500 { // the causes of a client's mistake may hold its input
			attrs = append(attrs, slog.String("error", info.err.Error()))
		}
	}
	o.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

func routeOf(r *http.Request, info *Info) string {
	if info.route != "" {
		return info.route
	}
	p := r.Pattern
	if _, after, ok := strings.Cut(p, " "); ok {
		p = after
	}
	if p == "" {
		return "none"
	}
	return p
}

func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// panicError says where our own code panicked. The value of the panic stays out:
// it may hold a payload.
type panicError struct{ kind, stack string }

func (e *panicError) Error() string { return "panic of type " + e.kind }

const ourModule = "github.com/bellwether-project/bellwether/"

// ourStack lists the frames of our own code, innermost first, at most 16.
func ourStack() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var b strings.Builder
	for n := 0; n < 16; {
		f, more := frames.Next()
		if name, ok := strings.CutPrefix(f.Function, ourModule); ok && !strings.Contains(name, "door.Front") && !strings.Contains(name, "door.ourStack") {
			fmt.Fprintf(&b, "%s:%d\n", name, f.Line)
			n++
		}
		if !more {
			break
		}
	}
	return b.String()
}

// recorder counts what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (w *recorder) WriteHeader(status int) {
	if status >= 200 {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is for pages that stream.
func (w *recorder) Flush() {
	w.wrote = true
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack is for upgrades.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.wrote = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
