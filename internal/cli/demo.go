package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/world"
)

type demoCmd struct {
	Keep   string  `help:"Keep the world in this folder and go on with it next time; default: a temporary one that is removed at the end."`
	Listen string  `help:"Address; a free port is taken when this one is in use." default:"127.0.0.1:8080"`
	Seed   uint64  `help:"Of the world; the same seed and day give the same world." default:"1"`
	Scale  float64 `help:"How much traffic: 1 is some seven thousand crashes a month." default:"1"`
	Once   bool    `help:"Load the history, say that it is done, and stop." hidden:""`
	Log    string  `help:"Least level that is logged." default:"error" enum:"debug,info,warn,error"`
}

// demoPassword is everybody's. The demo listens on this machine only.
const demoPassword = "believable world"

// login is somebody to sign in as, printed and kept in demo.json.
type login struct {
	Name     string `json:"name"`
	About    string `json:"about"`
	Role     string `json:"role"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// demoState is DIR/demo.json: what a world that is gone on with must remember,
// and what tests and scripts read.
type demoState struct {
	URL      string                      `json:"url"`
	Accounts []login                     `json:"accounts"`
	Token    string                      `json:"token"` // an API token of the first account
	Keys     map[string]world.ProjectKey `json:"keys"`
	Start    time.Time                   `json:"start"`
	Sent     time.Time                   `json:"sent"` // traffic up to here is in
	Ready    bool                        `json:"ready"`
	Receipts map[string]string           `json:"receipts,omitempty"` // addresses of a receipt in each state
	Mails    string                      `json:"mails"`              // folder of the mails that were sent
}

func (d *demoCmd) Run(ctx context.Context, c *console) error {
	dir := d.Keep
	if dir == "" {
		tmp, err := os.MkdirTemp("", "bellwether-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	o := app.Options{Data: filepath.Join(dir, "data"), Listen: d.Listen, Roles: []string{"ingest", "worker", "web", "jobs"}, StreamMax: 2 << 30, LogLevel: d.Log, Demo: true, NotifyAllowPrivate: []string{"127.0.0.0/8"},
		MailFrom: "Bellwether <bellwether@demo.example>"}
	mails, err := filepath.Abs(filepath.Join(dir, "mails"))
	if err != nil {
		return err
	}
	address, closeMails, err := openMailBox(mails)
	if err != nil {
		return err
	}
	defer closeMails()
	o.MailURL = address
	a, err := app.New(ctx, o, c.logger(o))
	if fault.CodeOf(err) == fault.Unavailable && d.Listen == "127.0.0.1:8080" {
		o.Listen = "127.0.0.1:0"
		a, err = app.New(ctx, o, c.logger(o))
	}
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- a.Run(serving) }()
	demo := &demoWorld{cmd: d, app: a, file: filepath.Join(dir, "demo.json"), out: c.out}
	demo.state.Mails = mails
	err = demo.play(serving)
	stop()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, <-done, a.Close())
}

// demoWorld plays the world to a running server.
type demoWorld struct {
	cmd   *demoCmd
	app   *app.App
	file  string
	out   io.Writer
	state demoState
	world *world.World
	http  http.Client
}

func (d *demoWorld) play(ctx context.Context) error {
	_, err := os.Stat(d.file)
	first := err != nil // nobody has worked in this world yet
	if err := d.found(ctx); err != nil {
		return err
	}
	stop, err := d.sink(ctx)
	if err != nil {
		return err
	}
	defer stop()
	w, err := world.New(world.Options{Seed: d.cmd.Seed, Start: d.state.Start, Base: d.app.URL(), Keys: d.state.Keys})
	if err != nil {
		return err
	}
	d.world = w
	d.http.Transport = &http.Transport{MaxIdleConnsPerHost: senders}
	d.http.Timeout = time.Minute
	fmt.Fprintf(d.out, "Bellwether's demo world is at %s. Sign in there as one of these:\n\n", d.state.URL)
	for _, l := range d.state.Accounts {
		fmt.Fprintf(d.out, "  %-26s %-14s %s\n", l.Email, l.Name, l.About)
	}
	fmt.Fprintf(d.out, "\nEverybody's password is %s\n\nThirty days of history are being sent through the doors; pages fill meanwhile …\nMails go nowhere but into %s\n", demoPassword, d.state.Mails)
	began := time.Now()
	n, err := d.history(ctx)
	if err != nil {
		return err
	}
	d.runJobs(ctx)
	if err := d.outside(ctx); err != nil {
		return err
	}
	if err := d.work(ctx, first); err != nil {
		return err
	}
	d.state.Ready = true
	if err := d.save(); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%d requests sent in %.0f s; the story goes on live. Ctrl-C ends it.\n", n, time.Since(began).Seconds())
	if d.cmd.Once {
		return nil
	}
	return d.live(ctx)
}

// found reads the state of a world that is gone on with, or founds a new one.
func (d *demoWorld) found(ctx context.Context) error {
	mails := d.state.Mails
	b, err := os.ReadFile(d.file)
	if err == nil {
		if err := json.Unmarshal(b, &d.state); err != nil {
			return fault.E("demo", fault.Invalid, "demo.json in the folder is not ours.", err)
		}
		d.state.Mails = mails
		d.state.URL, d.state.Ready = d.app.URL(), false // until what it missed is in
		return d.save()
	}
	seed, err := world.New(world.Options{Seed: d.cmd.Seed, Start: time.Now().Add(-world.History)})
	if err != nil {
		return err
	}
	eco := seed.Ecosystem()
	by := account.System("demo").Actor()
	if d.state.Keys, err = eco.Register(ctx, d.app.Records.Registry, by); err != nil {
		return err
	}
	if err := d.people(ctx, eco.Accounts); err != nil {
		return err
	}
	y, m, day := time.Now().Add(-world.History).UTC().Date()
	d.state.Start = time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	d.state.Sent, d.state.URL = d.state.Start, d.app.URL()
	if err := d.rules(ctx); err != nil {
		return err
	}
	return d.save()
}

// people makes the accounts: the first by the set-up link, the others by invitation.
func (d *demoWorld) people(ctx context.Context, list []world.Account) error {
	s := d.app.Records.Accounts
	for i, p := range list {
		d.state.Accounts = append(d.state.Accounts, login{Name: p.Name, About: p.About, Role: string(p.Grants[0].Role), Email: p.Email, Password: demoPassword})
		n := account.NewAccount{Email: p.Email, Name: p.Name, Password: demoPassword, Agent: "demo"}
		if i > 0 {
			_, token, err := s.Invite(ctx, account.System("demo"), p.Email, p.Name, p.Grants)
			if err != nil {
				return err
			}
			if _, err = s.Accept(ctx, token, n); err != nil {
				return err
			}
			continue
		}
		token, _, err := s.SetupLink(ctx)
		if err != nil {
			return err
		}
		first, err := s.SetUp(ctx, token, n)
		if err != nil {
			return err
		}
		_, d.state.Token, err = s.CreateToken(ctx, first.Principal, "demo", account.Scopes, time.Now().AddDate(0, 6, 0))
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *demoWorld) save() error {
	b, err := json.Marshal(&d.state, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	next := d.file + ".new"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, d.file)
}

// senders is how many requests are under way at once.
const senders = 16

// history sends everything up to now, a day at a time, so that what people did
// on a day comes before the traffic of the next.
func (d *demoWorld) history(ctx context.Context) (int, error) {
	sent := 0
	for end := time.Now(); d.state.Sent.Before(end); {
		to := d.state.Sent.Add(24 * time.Hour)
		if to.After(end) {
			to = end
		}
		n, err := d.send(ctx, d.state.Sent, to, d.cmd.Scale)
		if err != nil {
			return sent, err
		}
		sent += n
		d.state.Sent = to
		day := int(to.Sub(d.state.Start) / (24 * time.Hour))
		if day > 0 && day%10 == 0 && to.Before(end) {
			fmt.Fprintf(d.out, "  day %d of 30\n", day)
		}
		if err := d.decide(ctx, day); err != nil {
			return sent, err
		}
		if err := d.save(); err != nil {
			return sent, err
		}
	}
	return sent, d.settled(ctx)
}

// liveliness is how much busier the world is while somebody looks: something
// arrives every few seconds, and a day of it is still no spike to speak of.
const liveliness = 6

// live follows the clock.
func (d *demoWorld) live(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case at := <-tick.C:
			if _, err := d.send(ctx, d.state.Sent, at, liveliness*d.cmd.Scale); err != nil {
				return err
			}
			d.state.Sent = at
			if n%30 == 0 {
				if err := d.save(); err != nil {
					return err
				}
			}
		}
	}
}

// send plays a span of the world, in order, with some requests under way at once.
func (d *demoWorld) send(ctx context.Context, from, to time.Time, scale float64) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan world.Request)
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for r := range queue {
				if err := d.post(ctx, r); err != nil {
					cancel(err)
				}
			}
		})
	}
	n := 0
	for r := range d.world.Traffic(from, to, scale) {
		if ctx.Err() != nil {
			break
		}
		queue <- r
		n++
	}
	close(queue)
	wg.Wait()
	return n, context.Cause(ctx)
}

// post sends one request as its client would, again when the answer is "later".
func (d *demoWorld) post(ctx context.Context, r world.Request) error {
	for try := range 20 {
		req, err := http.NewRequestWithContext(ctx, r.Method, d.app.URL()+r.Path, bytes.NewReader(r.Body))
		if err != nil {
			return err
		}
		for name, values := range r.Header {
			req.Header[name] = values
		}
		resp, err := d.http.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
		resp.Body.Close()
		if resp.StatusCode < 300 {
			return nil
		}
		if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("the door answered %s to %s of %s", resp.Status, r.Path, r.Project)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try+1) * 50 * time.Millisecond):
		}
	}
	return fmt.Errorf("the door kept answering \"later\" to %s", r.Project)
}
