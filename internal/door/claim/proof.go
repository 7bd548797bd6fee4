// Package claim looks for the proof of a claim to an extension: a file in its
// repository, or a TXT record of its domain. It fetches from public addresses
// only, follows nothing, and reads little.
package claim

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Bounds of one look.
const (
	maxFile = 16 << 10 // bytes of the file
	timeout = 10 * time.Second
)

// Prover looks. Client must refuse private addresses (notify.Client).
type Prover struct {
	Client *http.Client
	TXT    func(ctx context.Context, name string) ([]string, error) // nil: the system's resolver
	Listed func(ctx context.Context, ext eco.ExtensionID, email string) (bool, error)
}

// Look reports whether the proof stands where it has to, and what was found.
func (p *Prover) Look(ctx context.Context, c registry.Claim, email string) (proven bool, why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch c.Method {
	case registry.ByFile:
		proven, why = p.file(ctx, c)
	case registry.ByDNS:
		proven, why = p.record(ctx, c)
	case registry.ByList:
		ok, err := p.Listed(ctx, c.Extension, email)
		if err != nil {
			return false, "", err
		}
		if !ok {
			return false, "The marketplace's list does not name your e-mail address as an owner of this extension.", nil
		}
		return true, "The marketplace's list names your e-mail address.", nil
	default:
		return false, "", fault.E("claim.Look", fault.Internal, "No such proof.", nil)
	}
	return proven, why, nil
}

func (p *Prover) file(ctx context.Context, c registry.Claim) (bool, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Place, nil)
	if err != nil {
		return false, "The address cannot be asked."
	}
	req.Header.Set("User-Agent", "Bellwether (claim of an extension)")
	req.Header.Set("Accept", "text/plain, */*")
	resp, err := p.Client.Do(req)
	if err != nil {
		if fault.CodeOf(err) == fault.Forbidden {
			return false, "The address is not a public one."
		}
		return false, "The address does not answer."
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return false, "There is no such file (404). It has to be on the default branch, and public."
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return false, "The address leads elsewhere (" + strconv.Itoa(resp.StatusCode) + "); redirects are not followed. Does the register name the repository where it is now?"
	case resp.StatusCode != http.StatusOK:
		return false, "The address answers " + strconv.Itoa(resp.StatusCode) + "."
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFile))
	if err != nil {
		return false, "The answer broke off."
	}
	for line := range strings.SplitSeq(string(body), "\n") {
		if strings.TrimSpace(line) == c.Proof() {
			return true, "The file holds the line."
		}
	}
	return false, "The file is there, and does not hold the line."
}

func (p *Prover) record(ctx context.Context, c registry.Claim) (bool, string) {
	look := p.TXT
	if look == nil {
		look = net.DefaultResolver.LookupTXT
	}
	list, err := look(ctx, c.Place)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return false, "There is no such record yet. A new one may take an hour to be seen everywhere."
		}
		return false, "The name server does not answer."
	}
	for _, txt := range list {
		if strings.TrimSpace(txt) == c.Proof() {
			return true, "The record is there."
		}
	}
	return false, "There are records of that name; none is the one."
}
