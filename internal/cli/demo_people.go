package cli

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

// verdict is what somebody in the story decides at the end of a day of it, about
// the families of an extension with an exception type.
type verdictOfDay struct {
	day        int
	ext, typ   string
	release    string // only families seen in it
	to         crash.State
	resolvedIn string
	note       string
}

var verdicts = []verdictOfDay{
	{day: 10, ext: "northwind.python", typ: "KeyError", to: crash.Resolved, resolvedIn: "1.9.1", note: "The cache is filled before the first look-up now."},
	{day: 22, ext: "acme.linter", typ: "RangeError", release: "2.4.0", to: crash.Resolved, resolvedIn: "2.4.1", note: "2.4.0 was a bad release; 2.4.1 takes it back."},
	{day: 22, ext: "acme.linter", typ: "TypeError", release: "2.4.0", to: crash.Resolved, resolvedIn: "2.4.1", note: "2.4.0 was a bad release; 2.4.1 takes it back."},
	{day: 26, ext: "northwind.python", typ: "UnicodeDecodeError", to: crash.Ignored, note: "Files that are not text. The user is told."},
}

// client speaks the API as the first account.
func (d *demoWorld) client() *client {
	return &client{send: d.http.Do, base: d.app.URL(), token: d.state.Token, close: func() error { return nil }}
}

// decide does what people did on a day of the story, as they would: by the API.
func (d *demoWorld) decide(ctx context.Context, day int) error {
	for _, v := range verdicts {
		if v.day != day {
			continue
		}
		if err := d.settled(ctx); err != nil {
			return err
		}
		cl := d.client()
		q := url.Values{"extension": {v.ext}, "limit": {"200"}}
		if v.release != "" {
			q.Set("release", v.release)
		}
		list, err := every[crash.Family](ctx, cl, "/families?"+q.Encode())
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Type != v.typ || f.State != crash.Open || v.release != "" && f.FirstRelease != v.release {
				continue
			}
			in := map[string]any{"state": v.to, "note": v.note}
			if v.resolvedIn != "" {
				in["resolved_in"] = v.resolvedIn
			}
			if err := cl.call(ctx, http.MethodPost, "/families/"+f.ID+"/state", in, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled waits until everything sent is stored.
func (d *demoWorld) settled(ctx context.Context) error {
	cl := d.client()
	for range 3000 {
		var in pipeline.Intake
		if err := cl.call(ctx, http.MethodGet, "/intake", nil, &in); err != nil {
			return err
		}
		if in.Waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fault.E("demo", fault.Unavailable, "The flow does not keep up.", nil)
}
