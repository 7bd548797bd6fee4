package web

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/blame/evidence"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/suspect"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/estimate"
)

// evidenceView is what stood beside a family's crashes: step 6 of blame.
type evidenceView struct {
	Show    bool
	Lead    string // what was found, in a sentence
	Wait    empty  // instead of a finding
	Other   string // "healthy sessions" or "crashes of other families"
	Rows    []suspectRow
	Dropped []droppedRow
	Held    []withheldRow // of Rows, what only the host's people see
	Looked  []string      // how it was looked at, a sentence each
	At      stamp
	Before  []beforeRow
	Kin     []kinRow
}

// kinRow is another family in which the same stands out.
type kinRow struct {
	suspect.Kin
	Href, Merge string
	Shared      string
	Blamed      string
}

type suspectRow struct {
	Members    []suspectMember
	Alike      []eco.ExtensionID
	With       string // "57 of 60"
	Share      string
	ShareIn    string
	Expected   string
	ExpectedIn string
	Difference string
	Between    string
	Q          string
	Elsewhere  string
}

type suspectMember struct {
	ID    eco.ExtensionID // "" = another extension
	Name  string
	Since string
}

type droppedRow struct {
	suspectRow
	Reason string
}

type withheldRow struct{ Names, Why string }

type beforeRow struct {
	From, Until stamp
	Names       string
}

// familySuspects fills the view; a family that did not come through a host has none.
func (s *Server) familySuspects(ctx context.Context, v viewer, f crash.Family) (evidenceView, error) {
	if s.o.Suspects == nil {
		return evidenceView{}, nil
	}
	r, err := s.o.Suspects.Of(ctx, s.scope(v), f)
	if err != nil {
		return evidenceView{}, err
	}
	p := v.evidence(r, f, s.extName)
	if !s.may(v, account.FamilyEdit, familyResource(f)) {
		for i := range p.Kin {
			p.Kin[i].Merge = ""
		}
	}
	return p, nil
}

func (v viewer) evidence(r suspect.Report, f crash.Family, name func(eco.ExtensionID) string) evidenceView {
	a := r.Answer
	p := evidenceView{Show: r.Known, At: v.at(r.At), Other: "healthy sessions"}
	if !r.Known {
		if p.Show = f.Blame == "" && f.Host != "" && !r.Veiled; p.Show {
			p.Wait = empty{Icon: "clock", Title: "Not looked at yet", Text: "Every few minutes the extensions that were active in a host's crashes are compared with its healthy sessions. Clients that name the active extensions are needed for it."}
		}
		return p
	}
	if a.Against == evidence.AgainstCrashes {
		p.Other = "crashes of other families"
	}
	for _, x := range a.Findings {
		row := rowOf(x.Members, x.Numbers, x.Q, name)
		row.Alike = x.Alike
		p.Rows = append(p.Rows, row)
	}
	for _, x := range a.Dropped {
		row := droppedRow{suspectRow: rowOf(x.Members, x.Numbers, x.Q, name)}
		row.Reason = because(x, name) + " its share is " + beside(x.Left, p.Other) + "."
		p.Dropped = append(p.Dropped, row)
	}
	for _, x := range r.Withheld {
		p.Held = append(p.Held, withheldRow{both(x.Members, name), x.Why})
	}
	for _, b := range r.Before {
		row := beforeRow{From: v.at(b.From), Until: v.at(b.Until), Names: "nobody"}
		for i, names := range b.Names {
			if i == 0 {
				row.Names = ""
			} else {
				row.Names += "; "
			}
			row.Names += both(names, name)
		}
		p.Before = append(p.Before, row)
	}
	for _, k := range r.Kin {
		row := kinRow{Kin: k, Href: familyPath(k.Family), Merge: mergePath(f.ID, k.Family), Shared: both(k.Shared, name)}
		if k.Blame != "" {
			row.Blamed = name(k.Blame)
		}
		p.Kin = append(p.Kin, row)
	}
	p.say(r, name)
	return p
}

// say puts the answer into sentences.
func (p *evidenceView) say(r suspect.Report, name func(eco.ExtensionID) string) {
	a := r.Answer
	switch {
	case a.Needs > 0:
		have := evidence.MinCrashes - a.Needs
		p.Wait = empty{Icon: "clock", Title: fmt.Sprintf("Not enough data yet: %d of %d crashes", max(have, 0), evidence.MinCrashes),
			Text: "From then on the extensions that were active are compared with " + p.Other + " on the same host versions and systems. One installation counts once."}
	case len(a.Findings) == 0:
		p.Wait = empty{Icon: "search", Title: "No extension stands out", Text: fmt.Sprintf("None of %s that were active, and no pair of them, was in these crashes surely more often than in %s.", counted(a.Tested, "extension"), p.Other)}
	default:
		p.Lead = "Associated with these crashes, which does not say that it is the cause"
		if r.Given != "" {
			p.Lead = "Beside " + name(r.Given) + ", associated with these crashes, which does not say that it is the cause"
		}
	}
	add := func(format string, args ...any) { p.Looked = append(p.Looked, fmt.Sprintf(format, args...)) }
	if a.Needs == 0 {
		add("%s, one an installation, were compared with %s %s, within each of %s. Expected is the share there, as these crashes are spread over host versions and systems.",
			counted(a.Crashes, "crash"), num(a.Compared), p.Other, counted(a.Strata, "pair of host version and system"))
		if a.Tested > 0 {
			add("%s and %s of them were tested; the false discovery rate is held at %s %% now, and falls as crashes come in.", counted(a.Tested, "extension"), counted(a.Pairs, "pair"), trimFloat(100*a.Level))
		}
		add("A difference below %d points is not shown, however sure.", int(100*evidence.MinDifference))
	}
	if len(a.Findings) > 0 && r.Veiled {
		add("Only installations were asked that the host knew before they crashed.")
	}
	if a.LeftOut > 0 {
		add("%s had nothing to compare with on their host version and system.", counted(a.LeftOut, "crash"))
	}
	if r.Without > 0 {
		add("%s do not say what was active.", counted(r.Without, "crash"))
	}
}

func rowOf(members []evidence.Member, n evidence.Numbers, q float64, name func(eco.ExtensionID) string) suspectRow {
	row := suspectRow{With: fmt.Sprintf("%s of %s", num(n.With), num(int64(n.Share.N))), Share: wholePercent(n.Share.Value), ShareIn: between(n.Share), Expected: wholePercent(n.Expected.Value),
		ExpectedIn: between(n.Expected), Difference: points(n.Difference.Value), Between: points(n.Difference.Low) + " to " + points(n.Difference.High), Q: small(q)}
	if n.Elsewhere.Known() {
		row.Elsewhere = wholePercent(n.Elsewhere.Value) + " of crashes of other families"
	}
	for _, m := range members {
		x := suspectMember{ID: m.ID, Since: m.Since, Name: "another extension"}
		if m.ID != "" {
			x.Name = name(m.ID)
		}
		row.Members = append(row.Members, x)
	}
	return row
}

func both(ids []eco.ExtensionID, name func(eco.ExtensionID) string) string {
	s := ""
	for i, id := range ids {
		if i > 0 {
			s += " and "
		}
		s += name(id)
	}
	return s
}

// because says with what a set goes along that was put aside.
func because(x evidence.Dropped, name func(eco.ExtensionID) string) string {
	for _, id := range x.Because {
		if len(x.Because) == 2 && len(x.Members) == 1 && x.Members[0].ID == id {
			return "Stands out only where " + both(x.Because, name) + " are both active: elsewhere"
		}
	}
	return "Comes along with " + both(x.Because, name) + ": without that,"
}

func beside(left float64, other string) string {
	if left < 0.05 {
		return "that of " + other
	}
	return points(left) + " from that of " + other + ", too little to stand by itself"
}

func counted(n int, what string) string {
	if what == "crash" {
		return num(n) + " " + plural(n, "crash", "crashes")
	}
	if n == 1 {
		return "1 " + what
	}
	if what == "pair of host version and system" {
		return num(n) + " pairs of host version and system"
	}
	return num(n) + " " + what + "s"
}

func wholePercent(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) + " %" }

func between(i estimate.Interval) string {
	return strconv.FormatFloat(100*i.Low, 'f', 0, 64) + "–" + strconv.FormatFloat(100*i.High, 'f', 0, 64) + " %"
}

// points are percentage points, with their sign.
func points(v float64) string {
	n := math.Round(100 * v)
	if n < 0 {
		return "−" + strconv.FormatFloat(-n, 'f', 0, 64)
	}
	return "+" + strconv.FormatFloat(n, 'f', 0, 64)
}

// small writes a chance.
func small(q float64) string {
	if q < 0.0001 {
		return "< 0.0001"
	}
	return strconv.FormatFloat(q, 'f', 4, 64)
}

func trimFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
