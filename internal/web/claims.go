package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// claimsPage is one's own claims to extensions, and the way to a new one.
type claimsPage struct {
	Shell
	Errors     []string
	Extension  string
	Publisher  string
	Publishers []string
	Places     []claimPlace // of the extension that was named
	Mine       string       // the publisher of one's own that it belongs to
	Claims     []claimRow
	Empty      empty
}

type claimPlace struct {
	registry.Place
	Value, Label, Help string
}

type claimRow struct {
	registry.Claim
	At, Till, Looked stamp
	Word, Kind       string
}

// claims shows the claims, and for ?extension= how it can be proven.
func (s *Server) claims(w http.ResponseWriter, r *http.Request, v viewer) error {
	return s.showClaims(w, r, v, nil, http.StatusOK)
}

func (s *Server) showClaims(w http.ResponseWriter, r *http.Request, v viewer, errs []string, status int) error {
	if s.o.Claims == nil {
		return notFound("web.claims", "This process takes no claims.")
	}
	p := claimsPage{Shell: s.shell(r, v, "extensions", "Claim an extension", crumb{"Extensions", "/extensions"}), Errors: errs, Publishers: v.p.Publishers(),
		Extension: clip(r.FormValue("extension"), 128), Publisher: clip(r.FormValue("publisher"), 64)}
	if p.Extension != "" {
		id, err := eco.ParseExtensionID(p.Extension)
		if err == nil {
			var places []registry.Place
			if places, err = s.o.Claims.Places(r.Context(), id); err == nil {
				if owner := s.o.Registry.OwnerOf(id); len(p.Publishers) == 1 && p.Publishers[0] == owner {
					p.Mine = owner
				}
				for _, x := range places {
					p.Places = append(p.Places, placeOf(x))
				}
			}
		}
		if err != nil && len(errs) == 0 {
			p.Errors = append(p.Errors, "There is no such extension in the register. Its id is publisher.name.")
			status = http.StatusUnprocessableEntity
		}
	}
	list, err := s.o.Registry.Claims(r.Context(), v.p.ID)
	if err != nil {
		return err
	}
	for _, c := range list {
		p.Claims = append(p.Claims, v.claimRow(c))
	}
	p.Empty = empty{Icon: "check", Title: "No claims yet", Text: "Name an extension above. You then learn how to prove that it is yours; once proven, it belongs to your publisher, and whoever had access through the former one has none any more."}
	return s.render(w, r, status, "claims", p)
}

func placeOf(x registry.Place) claimPlace {
	p := claimPlace{Place: x, Value: string(x.Method) + " " + x.Place}
	switch x.Method {
	case registry.ByFile:
		p.Label, p.Help = "A file in its repository", x.Place
	case registry.ByDNS:
		p.Label, p.Help = "A DNS record", x.Place
	case registry.ByList:
		p.Label, p.Help = "The marketplace's list", "It names the e-mail address of your account as an owner."
	}
	return p
}

func (v viewer) claimRow(c registry.Claim) claimRow {
	row := claimRow{Claim: c, At: v.at(c.Created), Till: v.at(c.Expires), Looked: v.at(c.Checked)}
	switch c.State {
	case registry.ClaimOpen:
		row.Word, row.Kind = "Waiting for the proof", "warn"
	case registry.ClaimProven:
		row.Word, row.Kind = "Proven", "ok"
	case registry.ClaimExpired:
		row.Word, row.Kind = "Expired", ""
	default:
		row.Word, row.Kind = "Ended", ""
	}
	return row
}

// newClaim opens a claim.
func (s *Server) newClaim(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Claims == nil {
		return notFound("web.claims", "This process takes no claims.")
	}
	ext, err := eco.ParseExtensionID(r.FormValue("extension"))
	if err != nil {
		return s.showClaims(w, r, v, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	method, place, _ := strings.Cut(r.FormValue("way"), " ")
	c, err := s.o.Claims.Open(r.Context(), v.p, registry.Claim{Extension: ext, Publisher: clip(r.FormValue("publisher"), 64), Method: registry.Way(method), Place: place})
	switch fault.CodeOf(err) {
	case "":
		return redirect(w, r, "/claims#claim-"+url.PathEscape(c.ID))
	case fault.Invalid, fault.Forbidden, fault.Conflict, fault.NotFound:
		return s.showClaims(w, r, v, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
	}
	return err
}

// settleClaim looks for the proof, or withdraws.
func (s *Server) settleClaim(w http.ResponseWriter, r *http.Request, v viewer) error {
	if s.o.Claims == nil {
		return notFound("web.claims", "This process takes no claims.")
	}
	id := r.PathValue("id")
	if r.FormValue("do") == "withdraw" {
		if err := s.o.Registry.Withdraw(r.Context(), v.p.Actor(), v.p.ID, id); err != nil {
			return err
		}
		return redirect(w, r, "/claims")
	}
	if _, err := s.o.Claims.Check(r.Context(), v.p, id); err != nil {
		if code := fault.CodeOf(err); code == fault.Forbidden || code == fault.Conflict {
			return s.showClaims(w, r, v, []string{fault.TextOf(err)}, http.StatusUnprocessableEntity)
		}
		return err
	}
	return redirect(w, r, "/claims#claim-"+url.PathEscape(id))
}
