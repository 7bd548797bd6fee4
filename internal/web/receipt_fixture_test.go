package web

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

func fixReceipt() receiptPage {
	no := false
	v := answers.View{ID: strings.Repeat("0193abcd", 6), Received: fixNow.Add(-50 * time.Hour), About: eco.Ref{Kind: "extension", ID: "acme.markdown-lint"},
		What: "acme.markdown-lint: TypeError in ruleRange", Blame: "acme.markdown-lint", Release: "2.4.0", Added: 1, Kept: fixNow.AddDate(0, 0, 88), Signed: "bellwether receipt/1\nreceipt x\n\n— bellwether abc=\n",
		Answer: receipt.Answer{State: receipt.Fixed, Known: true, Installs: 42, Others: true, FixedIn: "2.4.1", HaveFix: &no, Impact: "The list stays empty.", Workaround: "Switch **rule 13** off:\n\n1. Open the settings\n2. Take `MD013` out", Wanted: receipt.Counts, Public: "7kq2"}}
	p := (&Server{}).receiptPageOf(v, fixNow, "Markdown Lint", "Markdown Lint")
	p.CanAdd, p.CanTake = true, true
	p.Shell = Shell{Title: p.Head, Public: true, Section: "receipts"}
	p.Note, p.Errors, p.Verifier = "I saved.", []string{"Please tick that the note may be kept; without it nothing is sent."}, "bellwether+9db9c65a+AXbG"
	p.Follow = followBox{Ways: follow.Ways{Mail: true, Push: "BKey"}, Told: follow.Followed{Asked: 1, Mail: 2, Push: 1}, Show: true, To: "/api/v1/receipts/x/followers", Email: "ann@example.org", Errors: []string{"mail: An address has the form name@example.org."}}
	return p
}

func fixAnswer() *answerForm {
	return &answerForm{Words: answers.Words{Family: "F-7kq2mdx4", Impact: "The list stays empty.", Workaround: "Switch it off.", Expected: "2026-12-01", FixedIn: "2.4.1", Title: "Lint stopped", Notes: "Sorry.", Version: 3},
		Action: "/families/F-7kq2mdx4", CanEdit: true, Wants: wants, Head: "Fixed in 2.4.1", Errors: []string{"expected: a day of the form 2026-12-01."}}
}

// Every state has words of its own, and says what to do.
func TestReceiptWords(t *testing.T) {
	yes, no := true, false
	seen := map[string]bool{}
	for _, a := range []receipt.Answer{
		{State: receipt.Received}, {State: receipt.New}, {State: receipt.Known}, {State: receipt.Fixed}, {State: receipt.Fixed, FixedIn: "2.0"}, {State: receipt.Fixed, FixedIn: "after 1.9", HaveFix: &no},
		{State: receipt.Fixed, FixedIn: "2.0", HaveFix: &yes}, {State: receipt.Ignored}, {State: receipt.Held}, {State: receipt.Withdrawn}, {State: receipt.Expired},
	} {
		head, text, _, icon := receiptWords(a)
		if head == "" || text == "" || seen[head+text] || icons[icon] == "" {
			t.Errorf("%+v: %q %q", a, head, text)
		}
		seen[head+text] = true
		steps := receiptSteps(a)
		now := 0
		for _, s := range steps {
			if s.Now {
				now++
			}
		}
		if steps != nil && now != 1 {
			t.Errorf("%+v: %d stations at once", a, now)
		}
	}
}
