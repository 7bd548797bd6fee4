package door

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClientIP returns the address of the client: the peer, or, when the peer is a
// trusted proxy, the nearest address in X-Forwarded-For that is not one. What an
// untrusted peer says of itself is ignored. The zero Addr means unknown.
func ClientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := addrOf(r.RemoteAddr)
	if !isTrusted(peer, trusted) {
		return peer
	}
	hops := r.Header.Values("X-Forwarded-For")
	at := peer
	for i, seen := len(hops)-1, 0; i >= 0; i-- {
		rest := hops[i]
		for rest != "" && seen < maxHops {
			var hop string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, hop = rest[:cut], rest[cut+1:]
			} else {
				rest, hop = "", rest
			}
			seen++
			a := addrOf(strings.TrimSpace(hop))
			if !a.IsValid() {
				return at
			}
			if at = a; !isTrusted(a, trusted) {
				return a
			}
		}
	}
	return at
}

// maxHops bounds how many forwarded addresses are read.
const maxHops = 32

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	if !a.IsValid() {
		return false
	}
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func addrOf(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
