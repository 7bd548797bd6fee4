package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt/diagnose"
)

// helpPage is the form, and what a trace says.
type helpPage struct {
	Shell
	F         *diagnose.Finding
	Head      string // of the answer
	Text      string
	Kind      string
	Icon      string
	Culprit   string // name of the extension
	Link      string // its repository
	Sure      float64
	Reasons   []candidate
	Frames    []helpFrame
	Known     []pair
	Alike     bool
	Errors    []string
	Pasted    string // given back when it cannot be read
	CanSearch bool
}

type helpFrame struct {
	diagnose.Frame
	Whose string
	Own   bool // of the culprit
}

func (s *Server) showHelp(w http.ResponseWriter, r *http.Request) error {
	if s.o.Doctor == nil {
		return notFound("web.help", "Traces are not read here.")
	}
	return s.render(w, r, http.StatusOK, "help", helpPage{Shell: s.public(r, "help", "What crashed, and whose fault is it?"), CanSearch: s.o.Answers != nil})
}

// helpRate is how often one address may have a trace read: a second, and at once.
const helpRate, helpBurst = .5, 12

// diagnose reads a trace. The answer is the page itself: nothing of the text goes
// into an address, a store or a log.
func (s *Server) diagnose(w http.ResponseWriter, r *http.Request) error {
	if s.o.Doctor == nil {
		return notFound("web.help", "Traces are not read here.")
	}
	if err := s.spend(r, "help", helpRate, helpBurst); err != nil {
		return err
	}
	p := helpPage{Shell: s.public(r, "help", "What crashed, and whose fault is it?"), CanSearch: s.o.Answers != nil}
	text, err := pasted(r)
	if err == nil {
		var f diagnose.Finding
		if f, err = s.o.Doctor.Trace(text); err == nil {
			s.diagnosed(&p, f)
			return s.render(w, r, http.StatusOK, "help", p)
		}
	}
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.TooLarge:
		door.InfoOf(r.Context()).SetError(err)
		p.Errors, p.Pasted = []string{fault.TextOf(err)}, text
		return s.render(w, r, http.StatusUnprocessableEntity, "help", p)
	}
	return err
}

// pasted reads the text or the file of the form, in memory, whichever is there.
func pasted(r *http.Request) (string, error) {
	const op = "web.help"
	large := fault.E(op, fault.TooLarge, "That is longer than the 256 KB that are read here.", nil)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return "", tooLong(op, err, large)
		}
		return r.PostForm.Get("text"), nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return "", fault.E(op, fault.Invalid, "This form cannot be read.", err)
	}
	text := ""
	for range 8 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", tooLong(op, err, large)
		}
		body, err := partOf(part)
		if err != nil {
			return "", tooLong(op, err, large)
		}
		if len(body) > diagnose.MaxText {
			return "", large
		}
		if name := part.FormName(); (name == "text" || name == "file") && strings.TrimSpace(body) != "" {
			text = body // a file wins over the field before it
		}
	}
	return text, nil
}

func partOf(p *multipart.Part) (string, error) {
	b, err := io.ReadAll(io.LimitReader(p, diagnose.MaxText+1))
	return string(b), err
}

func tooLong(op string, err, large error) error {
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok && tooBig != nil {
		return large
	}
	return fault.E(op, fault.Invalid, "This form cannot be read.", err)
}

// diagnosed lays a finding out.
func (s *Server) diagnosed(p *helpPage, f diagnose.Finding) {
	p.F, p.Reasons = &f, candidates(f.Blame)
	if e := f.Blame.Extension; e != "" {
		p.Culprit, p.Sure = s.extName(e), f.Blame.Confidence
		if snap := s.o.Registry.Snapshot(); snap != nil && snap.Extensions[e] != nil {
			p.Link = httpLink(snap.Extensions[e].Repository)
		}
	}
	s.diagnosedHead(p, &f)
	for _, fr := range f.Frames {
		p.Frames = append(p.Frames, helpFrame{fr, whose(fr), fr.Owner != "" && fr.Owner == f.Blame.Extension})
	}
	if a := f.Public; a != nil {
		p.Alike = !f.Exact
		page := s.receiptPageOf(viewOf(a, f.Version), s.o.Now(), "", "")
		p.Known = page.Facts
	}
}

// diagnosedHead says the answer in a sentence.
func (s *Server) diagnosedHead(p *helpPage, f *diagnose.Finding) {
	switch {
	case f.Public != nil:
		p.Head, p.Text, p.Kind, p.Icon = receiptWords(*f.Public)
		if p.Alike {
			p.Text = "By what is most like it. " + p.Text
		}
		if p.Culprit != "" {
			p.Head = p.Culprit + ": " + strings.ToLower(p.Head[:1]) + p.Head[1:]
		}
	case p.Culprit != "":
		p.Head, p.Kind, p.Icon = "Most likely "+p.Culprit, "warn", "extensions"
		p.Text = "Its code is where this error comes from. Nothing is published about this crash."
	case f.Blame.Target == "host":
		p.Head, p.Icon, p.Kind = "The application itself", "info", "info"
		p.Text = "No extension is on this stack; the error comes from the application. Nothing is published about this crash."
	default:
		p.Head, p.Icon, p.Kind = "No extension on this stack", "info", ""
		p.Text = "No line of this trace names an extension. If the application has more of the trace, paste all of it."
	}
}

func whose(f diagnose.Frame) string {
	switch {
	case f.Owner != "" && f.Class == eco.FrameVendored:
		return "a library in " + string(f.Owner)
	case f.Owner != "":
		return string(f.Owner)
	case f.Class == eco.FrameHost:
		return "the application"
	case f.Class == eco.FrameRuntime:
		return "the runtime"
	case f.Class == eco.FrameVendored:
		return "a library"
	}
	return ""
}

// httpLink is an address that may be shown as a link, or "".
func httpLink(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}
