package app

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/scrub"
	"github.com/bellwether-project/bellwether/internal/web"
)

// demoTime is the header by which the demo world sets the time of receipt, in
// Unix milliseconds. It means nothing unless Options.Demo is set.
const demoTime = "X-Bellwether-Demo-Time"

// doors mounts every door: the handler of the main address, and the one of the
// address that speaks gRPC alone.
func (a *App) doors(base *url.URL) (main, rpc http.Handler, err error) {
	before, err := a.spent(context.Background())
	if err != nil {
		return nil, nil, err
	}
	in := ingest.New(ingest.Options{
		Registry: a.Records.Registry, Keyring: a.keys, Scrub: scrub.New(scrub.Options{}),
		Append: a.group.Append, Count: a.counts.Add, Full: a.disk.Full,
		Country: a.country(), Now: now, ReceivedAt: a.receivedAt(), Random: random, Spent: before,
		Receipts: a.receipts(base), Dumps: a.dumpDoor(),
	})
	secure := base.Scheme == "https"
	pages, err := web.New(web.Options{
		Log: a.log, Now: now, Accounts: a.Records.Accounts, Registry: a.Records.Registry, Desk: a.desk, Triage: a.triage, Suspects: a.suspect,
		Worker: a.worker, Counts: a.counts, Facts: a.facts, Jobs: a.jobs, Alerts: a.Alerts, Audit: a.Records.Audit,
		Answers: a.answers, AddNote: a.addNote(in), Claims: a.claims(), Doctor: a.doctor(), Dumps: a.dumps,
		Symbols: a.Records.Symbols,
		Base:    base, Secure: &secure, Intake: routes(in.Routes()), Build: Version(),
	})
	if err != nil {
		return nil, nil, err
	}
	management, err := a.management(base, a.addNote(in), routes(in.Routes()))
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	door.Mount(mux, in.Routes())
	mux.Handle("/", door.Secure(routes(pages.Routes())))
	mux.Handle("/api/v1/", management.Handler())
	mux.Handle("/api/0/", management.Builds())
	a.health(mux)
	trusted, err := a.o.proxies()
	if err != nil {
		return nil, nil, err
	}
	front := door.FrontOptions{Log: a.log, Now: now, Random: random, Trusted: trusted}
	return door.Front(mux, front), door.Front(in.GRPC(), front), nil
}

func routes(list []door.Route) http.Handler {
	mux := http.NewServeMux()
	door.Mount(mux, list)
	return mux
}

func random(b []byte) { _, _ = rand.Read(b) }

// country reads the country that a trusted proxy names, when that is switched on.
func (a *App) country() func(*http.Request) string {
	trusted, _ := a.o.proxies() // checked when the options were
	name := a.o.CountryHeader
	if name == "" {
		return nil
	}
	return func(r *http.Request) string {
		c := r.Header.Get(name)
		if len(c) != 2 || !letter(c[0]) || !letter(c[1]) || !fromProxy(r, trusted) {
			return ""
		}
		return c
	}
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

// fromProxy reports whether the peer itself is a trusted proxy.
func fromProxy(r *http.Request, trusted []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) })
}

// receivedAt lets the demo world send thirty days of history through the real doors.
func (a *App) receivedAt() func(*http.Request) time.Time {
	if !a.o.Demo {
		return nil
	}
	return func(r *http.Request) time.Time {
		if ms, err := strconv.ParseInt(r.Header.Get(demoTime), 10, 64); err == nil {
			return time.UnixMilli(ms)
		}
		return now()
	}
}
