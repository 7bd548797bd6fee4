package web

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Pages for everybody: no account, no cookie, nothing about others.

// publicRoutes is the part of the table that needs no account.
func (s *Server) publicRoutes() []door.Route {
	route := func(method, pattern string, h door.Handler, doc string) door.Route {
		return door.Route{Method: method, Pattern: pattern, Public: true, Doc: doc, Handler: s.open(h)}
	}
	return []door.Route{
		route("GET", "/help", s.showHelp, "Where one pastes a trace and reads whose fault it is."),
		route("POST", "/help", s.diagnose, "Reads a pasted trace; nothing of it is kept."),
		route("GET", "/fixed", s.fixed, "The public log: what was fixed."),
		route("GET", "/fixed.atom", s.fixedAtom, "The public log as a feed."),
		route("GET", "/fixed.json", s.fixedJSON, "The public log for machines, with proofs."),
		route("GET", "/fixed/{id}", s.fixedOne, "One entry of the public log."),
		route("GET", "/receipts/{$}", s.findReceipt, "Where one enters the id of a receipt."),
		route("GET", "/receipts/{id}", s.showReceipt, "What became of a report, for the one who sent it."),
		route("POST", "/receipts/{id}/notes", s.addToReceipt, "Adds what the sender was doing."),
		route("POST", "/receipts/{id}/follow", s.followReceipt, "Asks an address whether it wants news of a report."),
		route("POST", "/receipts/{id}/unfollow", s.unfollowReceipt, "Ends every message about a report."),
		route("GET", "/receipts/worker.js", s.worker, "Shows messages to a browser that asked for them."),
		route("GET", "/following", s.showFollowing, "What a link in a mail asks: whether one wants news of a report."),
		route("POST", "/following", s.confirmFollowing, "Says yes."),
		route("GET", "/following/stop", s.showStop, "Asks whether somebody wants no more mails about a report."),
		route("POST", "/following/stop", s.stopFollowing, "Ends them, by the button or by a mail program's one click."),
		route("GET", "/receipts/{id}/withdraw", s.askWithdraw, "Asks whether a report is to be withdrawn."),
		route("POST", "/receipts/{id}/withdraw", s.withdrawReceipt, "Withdraws a report."),
	}
}

// public is the shell of a page for everybody.
func (s *Server) public(r *http.Request, section, title string) Shell {
	sh := Shell{Title: title, Section: section, Public: true, Flash: flashOf(r)}
	if _, err := s.principal(r); err == nil {
		sh.Inside = true
	}
	return sh
}

// publicHomes are where the parts of the public pages begin.
var publicHomes = map[string]option{
	"help": {Value: "/help", Label: "Read a trace"}, "fixed": {Value: "/fixed", Label: "What was fixed"}, "receipts": {Value: "/receipts/", Label: "Find your report"},
}

// publicSection is the part of the public pages that an address lies in, if any.
func publicSection(path string) string {
	switch first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); first {
	case "help", "fixed", "receipts":
		return first
	case "following":
		return "receipts"
	}
	return ""
}

// Requests of one address a second, and at once. Reading is cheap, the rest is not.
const (
	readRate, readBurst   = 2, 40
	writeRate, writeBurst = .1, 6
)

// spend takes one request of the address; what names the kind of request.
func (s *Server) spend(r *http.Request, what string, rate, burst float64) error {
	ok, wait := s.strangers.Allow(stranger{from(r), what}, 1, rate, burst, s.o.Now())
	if ok {
		return nil
	}
	return door.Later(fault.E("web."+what, fault.RateLimited, "That was too often from your address.", nil), max(wait, time.Second))
}

// stranger is an address; it lives in memory only.
type stranger struct {
	ip   netip.Addr
	what string
}

// maxStrangers bounds the addresses that are remembered.
const maxStrangers = 20_000

// from is the client's address; a host has its whole /64 to choose from.
func from(r *http.Request) netip.Addr {
	ip := door.InfoOf(r.Context()).IP().Unmap()
	if p, err := ip.WithZone("").Prefix(64); err == nil && ip.Is6() {
		return p.Addr()
	}
	return ip
}
