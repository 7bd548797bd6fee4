package api

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// ByReceipt names a receipt in the path.
type ByReceipt struct {
	ID string `path:"id" maxLength:"80" doc:"The receipt's id; or the event id, a dot and the project's public key."`
}

type noteBody struct {
	Message string `json:"message" minLength:"1" maxLength:"4000" doc:"What the sender was doing; scrubbed before it is kept."`
	Agree   bool   `json:"agree" doc:"That the note may be kept with the report for 180 days, and read by its owner. Without it nothing is kept."`
}

type verifierBody struct {
	Verifier string `json:"verifier" doc:"Key of the signed notes (golang.org/x/mod/sumdb/note)."`
}

type answerBody struct {
	Impact     string         `json:"impact,omitempty" maxLength:"300"`
	Expected   string         `json:"expected,omitempty" maxLength:"10" doc:"The day a fix is expected: 2026-12-01."`
	Workaround string         `json:"workaround,omitempty" maxLength:"4096" doc:"Markdown."`
	FixedIn    string         `json:"fixed_in,omitempty" maxLength:"64" doc:"The release to name; absent: where the family is resolved in."`
	Wanted     receipt.Wanted `json:"wanted,omitempty" enum:"none,counts,full" doc:"Absent: full, counts once fixed, none when ignored."`
	Title      string         `json:"title,omitempty" maxLength:"200" doc:"Of the public entry; absent: the family's."`
	Notes      string         `json:"notes,omitempty" maxLength:"8192" doc:"Of the public entry; Markdown."`
	Version    int64          `json:"version,omitempty" doc:"The version that was read; 0 when there was none."`
}

func (c *call) answers() (*answers.Desk, error) {
	if c.s.o.Answers == nil {
		return nil, absent("api.answers")
	}
	return c.s.o.Answers, nil
}

func (s *Server) receiptRoutes() {
	add(s, op{Method: "GET", Path: "/receipts/key", ID: "receipts.key", Action: account.PublicRead, Doc: "The key by which signed receipts are checked."}, server[struct{}]("public"),
		func(c *call, _ *struct{}) (verifierBody, error) {
			d, err := c.answers()
			if err != nil {
				return verifierBody{}, err
			}
			v, err := d.Verifier()
			return verifierBody{v}, err
		})
	add(s, op{Method: "GET", Path: "/receipts/{id}", ID: "receipts.get", Action: account.PublicRead, Doc: "What became of a report, for whoever holds its receipt."}, server[ByReceipt]("public"),
		func(c *call, in *ByReceipt) (answers.View, error) {
			d, err := c.answers()
			if err != nil {
				return answers.View{}, err
			}
			v, err := d.Receipt(c.ctx, in.ID)
			return c.s.absolute(v), err
		})
	add(s, op{Method: "POST", Path: "/receipts/{id}/withdraw", ID: "receipts.withdraw", Action: account.PublicSubmit, Doc: "Withdraws a report: it and its notes are erased. The answer is the proof; asking again gives it again."}, server[ByReceipt]("public"),
		func(c *call, in *ByReceipt) (answers.View, error) {
			d, err := c.answers()
			if err != nil {
				return answers.View{}, err
			}
			v, err := d.Withdraw(c.ctx, in.ID)
			return c.s.absolute(v), err
		})
	type note struct {
		ByReceipt
		Body noteBody
	}
	add(s, op{Method: "POST", Path: "/receipts/{id}/notes", ID: "receipts.note", Action: account.PublicSubmit, Doc: "Adds what the sender was doing to a report; at most five times."}, server[note]("public"),
		func(c *call, in *note) (answers.View, error) {
			d, err := c.answers()
			if err != nil {
				return answers.View{}, err
			}
			if c.s.o.AddNote == nil {
				return answers.View{}, absent("api.receipts")
			}
			text := strings.TrimSpace(in.Body.Message)
			if !in.Body.Agree || text == "" {
				return answers.View{}, fault.E("api.receipts", fault.Invalid, "agree: Without it nothing is kept.", nil)
			}
			v, err := d.Receipt(c.ctx, in.ID)
			if err != nil {
				return v, err
			}
			id, project, client := v.Crash()
			if client == "" {
				client = id.String()
			}
			if project == 0 {
				return v, fault.E("api.receipts", fault.Conflict, "The report is still on its way; try again in a minute.", nil)
			}
			if err := d.Attach(c.ctx, v, func() (eco.ID, error) { return c.s.o.AddNote(c.ctx, project, client, text, ipOf(c.ctx)) }); err != nil {
				return v, err
			}
			v, err = d.Receipt(c.ctx, v.ID)
			return c.s.absolute(v), err
		})
	add(s, op{Method: "GET", Path: "/families/{id}/answer", ID: "families.answer", Action: account.FamilyRead, Doc: "What reporters of a family are told."}, listed[ByFamily]("family"),
		func(c *call, in *ByFamily) (answers.Words, error) {
			d, err := c.answers()
			if err != nil {
				return answers.Words{}, err
			}
			return d.Words(c.ctx, c.scope(), in.ID)
		})
	type say struct {
		ByFamily
		Body answerBody
	}
	add(s, op{Method: "PUT", Path: "/families/{id}/answer", ID: "families.say", Action: account.FamilyEdit, Doc: "Changes what reporters of a family are told."},
		func(c *call, in *say) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *say) (answers.Words, error) {
			d, err := c.answers()
			if err != nil {
				return answers.Words{}, err
			}
			b := in.Body
			return d.Say(c.ctx, c.scope(), answers.Words{Family: in.ID, Impact: b.Impact, Expected: b.Expected, Workaround: b.Workaround, FixedIn: b.FixedIn, Wanted: b.Wanted,
				Title: b.Title, Notes: b.Notes, Version: b.Version}, c.actor())
		})
}

// absolute gives the links of an answer the server's address.
func (s *Server) absolute(v answers.View) answers.View {
	if s.o.Base != nil {
		if v.Answer.Public != "" {
			v.Answer.Public = s.o.Base.JoinPath("fixed", v.Answer.Public).String()
		}
		if v.ID != "" {
			v.Answer.URL = s.o.Base.JoinPath("receipts", v.ID).String()
		}
	}
	return v
}
