package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// receiptPage is what became of a report.
type receiptPage struct {
	Shell
	V         answers.View
	Head      string // the answer in a few words
	Text      string // and in a sentence or two
	Kind      string // ok, warn, info, bad: how it looks
	Icon      string
	Facts     []pair
	Steps     []receiptStep
	Received  stamp
	Withdrawn stamp
	AboutName string
	CanAdd    bool
	CanTake   bool // withdraw
	Note      string
	Errors    []string
	Verifier  string
	Path      string
	Follow    followBox
}

// receiptStep is one station of a report's way.
type receiptStep struct {
	Name, Text string
	Done, Now  bool
}

type findReceiptPage struct {
	Shell
	ID     string
	Errors []string
}

type withdrawPage struct {
	Shell
	V    answers.View
	Path string
}

func receiptPath(id string) string { return "/receipts/" + url.PathEscape(id) }

// findReceipt leads to a receipt: an id alone, or an event id with the project's key.
func (s *Server) findReceipt(w http.ResponseWriter, r *http.Request) error {
	p := findReceiptPage{Shell: s.public(r, "receipts", "Find your report")}
	q := r.URL.Query()
	p.ID = clip(q.Get("id"), 80)
	id := p.ID
	if key := clip(q.Get("key"), 64); key != "" && id != "" {
		id = receipt.ClientID(id, key)
	}
	if p.ID == "" {
		return s.render(w, r, http.StatusOK, "receipt-find", p)
	}
	if id == "" || strings.ContainsAny(id, "/?#%") {
		p.Errors = []string{"That is not an id of a receipt, nor an event id with a key."}
		return s.render(w, r, http.StatusUnprocessableEntity, "receipt-find", p)
	}
	return redirect(w, r, receiptPath(id))
}

// view reads the receipt of the request. An id made by the client leads to ours.
func (s *Server) view(r *http.Request, what string, rate, burst float64) (answers.View, error) {
	if s.o.Answers == nil {
		return answers.View{}, notFound("web.receipt", "There are no receipts here.")
	}
	if err := s.spend(r, what, rate, burst); err != nil {
		return answers.View{}, err
	}
	return s.o.Answers.Receipt(r.Context(), r.PathValue("id"))
}

func (s *Server) showReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "receipt", readRate, readBurst)
	if err != nil {
		return err
	}
	if v.ID != r.PathValue("id") {
		return redirect(w, r, receiptPath(v.ID))
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the key
	return s.renderReceipt(w, r, http.StatusOK, v, "", nil)
}

func (s *Server) renderReceipt(w http.ResponseWriter, r *http.Request, status int, v answers.View, note string, errs []string) error {
	p, err := s.laidOut(r, v)
	if err != nil {
		return err
	}
	p.Note, p.Errors = note, errs
	return s.render(w, r, status, "receipt", p)
}

// laidOut is the whole page of a receipt.
func (s *Server) laidOut(r *http.Request, v answers.View) (p receiptPage, err error) {
	p = s.receiptPage(v)
	p.Shell = s.public(r, "receipts", p.Head)
	if v.Answer.State == receipt.Received {
		p.Shell.Reload = 15
	}
	if p.Verifier, err = s.o.Answers.Verifier(); err != nil {
		return p, err
	}
	p.Follow, err = s.followBox(r.Context(), &v)
	return p, err
}

func (s *Server) receiptPage(v answers.View) receiptPage {
	about := ""
	switch v.About.Kind {
	case "extension":
		about = s.extName(eco.ExtensionID(v.About.ID))
	case "host":
		about = s.hostName(v.About.ID, "")
	}
	blame := ""
	if v.Blame != "" {
		blame = s.extName(v.Blame)
	}
	return s.receiptPageOf(v, s.o.Now(), about, blame)
}

// receiptPageOf lays a receipt out; about and blame are names.
func (s *Server) receiptPageOf(v answers.View, now time.Time, about, blame string) receiptPage {
	p := receiptPage{V: v, AboutName: about, Received: stamp{v.Received, now}, Withdrawn: stamp{v.Withdrawn, now}, Path: receiptPath(v.ID)}
	p.Head, p.Text, p.Kind, p.Icon = receiptWords(v.Answer)
	switch v.Answer.State {
	case receipt.Withdrawn, receipt.Expired:
	default:
		p.CanTake = true
		_, project, _ := v.Crash()
		p.CanAdd = project != 0 && s.o.AddNote != nil && v.Added < answers.MaxAdded
	}
	add := func(name, value string) {
		if value != "" {
			p.Facts = append(p.Facts, pair{Name: name, Value: value})
		}
	}
	add("What happened", v.What)
	add("Attributed to", blame)
	if v.Counted {
		add("What was sent", "The signature, not the stack: this report is only counted")
	}
	add("Your version", v.Release)
	add("Fixed in", fixedWords(v.Answer.FixedIn))
	add("Impact", v.Answer.Impact)
	add("Fix expected", v.Answer.Expected)
	switch {
	case v.Answer.Installs > 0:
		add("Others", "At least "+num(v.Answer.Installs)+" installations met this in the last 90 days")
	case v.Answer.Others:
		add("Others", "You are not the only one who met this")
	}
	if !v.Kept.IsZero() {
		add("Kept until", v.Kept.Format("2006-01-02")+", then it is deleted")
	}
	p.Steps = receiptSteps(v.Answer)
	return p
}

// receiptWords is the answer as it is said to the one who sent the report.
func receiptWords(a receipt.Answer) (head, text, kind, icon string) {
	switch a.State {
	case receipt.Received:
		return "Your report has arrived", "It is safe with us and waits to be sorted. This page follows it; come back whenever you like.", "info", "clock"
	case receipt.New:
		return "You are the first to report this", "Nobody had sent us this crash before. The people who build it see it now.", "info", "info"
	case receipt.Known:
		text = "The people who build it know of this crash; it is not fixed yet."
		if a.Taken {
			text = "Somebody works on this crash; it is not fixed yet."
		}
		if a.Expected != "" {
			text += " They expect a fix by " + a.Expected + "."
		}
		return "Known, and not fixed yet", text, "warn", "warn"
	case receipt.Fixed:
		in := fixedWords(a.FixedIn)
		switch {
		case in == "":
			return "Fixed", "The people who build it say that this is fixed. Use the newest version.", "ok", "check"
		case a.HaveFix != nil && *a.HaveFix:
			return "You already have the fix", "It is fixed in " + in + ", and your version has that. If it happened again, add below what you were doing: it may have come back.", "ok", "check"
		case a.HaveFix != nil:
			return "Fixed in " + in + ": please update", "Your version does not have the fix yet.", "ok", "check"
		}
		return "Fixed in " + in, "Update to that version or a later one.", "ok", "check"
	case receipt.Ignored:
		return "Not being worked on", "The people who build it have seen this crash and decided not to work on it.", "", "info"
	case receipt.Held:
		return "Kept apart for now", "Many reports alike came within a short time, so a person looks at them before they count.", "", "clock"
	case receipt.Withdrawn:
		return "You withdrew this report", "It is out of every count and page. The last copy, in backups and queues, is gone by the day below.", "ok", "check"
	case receipt.Expired:
		return "This report is kept no longer", "Its time ran out, it was a repeat of another one, it was erased, or it was a signature alone that nobody knew here.", "", "clock"
	}
	return "Your report", "", "", "info"
}

// fixedWords says a release that has no name yet in words.
func fixedWords(in string) string {
	if low, ok := strings.CutPrefix(in, "after "); ok {
		return "the release after " + low
	}
	return in
}

func receiptSteps(a receipt.Answer) []receiptStep {
	steps := []receiptStep{{Name: "Received"}, {Name: "Sorted"}, {Name: "Fixed"}}
	at := 0
	switch a.State {
	case receipt.Withdrawn, receipt.Expired:
		return nil
	case receipt.Received, receipt.Held:
	case receipt.Ignored:
		steps[2].Name, at = "Not planned", 1
	case receipt.Fixed:
		if at = 2; a.HaveFix == nil || !*a.HaveFix {
			steps = append(steps, receiptStep{Name: "You update"})
			at = 3
		}
	default:
		at = 1
	}
	for i := range steps {
		steps[i].Done, steps[i].Now = i < at || i == at && a.State == receipt.Fixed && len(steps) == 3, i == at
	}
	return steps
}

func (s *Server) addToReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "note", writeRate, writeBurst)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(r.PostFormValue("message"))
	bad := ""
	switch {
	case s.o.AddNote == nil:
		return notFound("web.receipt", "Nothing can be added here.")
	case r.PostFormValue("agree") != "yes":
		bad = "Please tick that the note may be kept; without it nothing is sent."
	case text == "":
		bad = "Please write something first."
	default:
		id, project, client := v.Crash()
		if client == "" {
			client = id.String()
		}
		err := s.o.Answers.Attach(r.Context(), v, func() (eco.ID, error) { return s.o.AddNote(r.Context(), project, client, text, from(r)) })
		switch fault.CodeOf(err) {
		case "":
		case fault.Invalid, fault.Conflict, fault.TooLarge:
			bad = fault.TextOf(err)
		default:
			return err
		}
	}
	if bad != "" {
		return s.renderReceipt(w, r, http.StatusUnprocessableEntity, v, clip(text, 4000), []string{bad})
	}
	return redirect(w, r, withDone(receiptPath(v.ID), "noted"))
}

func (s *Server) askWithdraw(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "receipt", readRate, readBurst)
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.render(w, r, http.StatusOK, "receipt-withdraw", withdrawPage{Shell: s.public(r, "receipts", "Withdraw your report"), V: v, Path: receiptPath(v.ID)})
}

func (s *Server) withdrawReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r, "withdraw", writeRate, writeBurst)
	if err != nil {
		return err
	}
	if v, err = s.o.Answers.Withdraw(r.Context(), v.ID); err != nil && fault.CodeOf(err) != fault.Conflict {
		return err
	}
	return redirect(w, r, receiptPath(v.ID))
}

// viewOf is an answer without a report, for pages that lay both out alike.
func viewOf(a *receipt.Answer, version string) answers.View {
	return answers.View{Answer: *a, Release: version}
}
