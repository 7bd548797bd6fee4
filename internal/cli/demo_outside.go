package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest"
)

// saying is what an owner in the story tells everybody about a kind of crash.
type saying struct {
	ext, typ string
	to       crash.State // families that stand so
	words    map[string]any
	publish  bool
}

var sayings = []saying{
	{ext: "acme.linter", typ: "RangeError", to: crash.Resolved, publish: true, words: map[string]any{"title": "The linter stopped in files with very long lines", "fixed_in": "2.4.1", "impact": "No problems were shown until the editor was restarted.",
		"notes": "2.4.0 split lines recursively. **2.4.1** does it in a loop again.\n\nThank you to everybody who said what they had open.", "workaround": "Leave long files out:\n\n```json\n{ \"acme.linter.maxLineLength\": 2000 }\n```"}},
	{ext: "acme.linter", typ: "TypeError", to: crash.Resolved, publish: true, words: map[string]any{"title": "The linter failed at rules without a range", "fixed_in": "2.4.1", "notes": "A rule may be about a whole file; 2.4.0 had forgotten that."}},
	{ext: "acme.linter", typ: "TimeoutError", to: crash.Open, words: map[string]any{"impact": "Linting is slow, or gives up, in large projects.", "workaround": "Switch `import/no-cycle` off in the settings of the linter until then.", "expected": ""}},
	{ext: "northwind.python", typ: "UnicodeDecodeError", to: crash.Ignored, words: map[string]any{"impact": "The file is shown as it is.", "workaround": "It is no text file; open it with another tool."}},
}

// outside lets the owners speak to reporters, publishes what is fixed, and notes
// a receipt in each state.
func (d *demoWorld) outside(ctx context.Context) error {
	if d.state.Receipts != nil {
		return nil
	}
	cl, receipts := d.client(), map[string]string{}
	note := func(state string, id eco.ID) {
		if s := d.app.ReceiptID(id); s != "" && !id.IsZero() && receipts[state] == "" {
			receipts[state] = d.app.URL() + "/receipts/" + s
		}
	}
	for _, s := range sayings {
		q := url.Values{"extension": {s.ext}, "state": {string(s.to)}, "limit": {"200"}}
		list, err := every[crash.Family](ctx, cl, "/families?"+q.Encode())
		if err != nil {
			return err
		}
		published := false
		for _, f := range list {
			if f.Type != s.typ {
				continue
			}
			if s.words["expected"] == "" {
				s.words["expected"] = time.Now().AddDate(0, 0, 12).Format(time.DateOnly)
			}
			if err := cl.call(ctx, http.MethodPut, "/families/"+f.ID+"/answer", s.words, nil); err != nil {
				return err
			}
			if s.publish && !published {
				if err := cl.call(ctx, http.MethodPost, "/families/"+f.ID+"/publish", nil, nil); err != nil {
					return err
				}
				published = true
				old, err := d.counts(ctx, cl, f.ID)
				if err != nil {
					return err
				}
				note("counted", old)
			}
			note(map[crash.State]string{crash.Resolved: "fixed", crash.Ignored: "ignored", crash.Open: "known"}[s.to], f.Representative)
		}
	}
	if err := d.lone(ctx, cl, note, receipts); err != nil {
		return err
	}
	note("expired", eco.NewID(time.Now().AddDate(0, -4, 0), [16]byte{15: 1}))
	d.state.Receipts = receipts
	return d.save()
}

// lone notes the receipt of a crash that nobody else met, as its client was told
// it at once, and withdraws another.
func (d *demoWorld) lone(ctx context.Context, cl *client, note func(string, eco.ID), receipts map[string]string) error {
	body := `{"source":{"extension":"acme.linter","extension_version":"2.5.0","host":"studio","os":"linux","install":"the-only-one"},"crashes":[{"platform":"javascript","exceptions":[{"type":"QuotaExceededError",
		"value":"The cache of rules is full","frames":[{"function":"RuleCache.put","file":"/opt/studio/extensions/acme.linter-2.5.0/out/cache/rules.js","line":61},{"function":"RuleRunner.run","file":"/opt/studio/extensions/acme.linter-2.5.0/out/runner.js","line":77}]}]}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.app.URL()+"/api/v1/intake/crashes", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Bellwether-Key", d.state.Keys["acme.linter"].Public)
	resp, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var told ingest.Answer
	if err := json.UnmarshalRead(io.LimitReader(resp.Body, 1<<16), &told); err != nil {
		return err
	}
	if len(told.Items) == 1 && told.Items[0].Answer != nil {
		receipts["new"] = told.Items[0].Answer.URL
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	list, err := every[crash.Family](ctx, cl, "/families?limit=200&state=open")
	if err != nil || len(list) == 0 {
		return err
	}
	var page struct {
		Items []crash.Row `json:"items"`
	}
	if err := cl.call(ctx, http.MethodGet, "/families/"+list[0].ID+"/crashes?limit=1", nil, &page); err != nil {
		return err
	}
	for _, c := range page.Items {
		if err := cl.call(ctx, http.MethodPost, "/receipts/"+d.app.ReceiptID(c.ID)+"/withdraw", nil, nil); err != nil {
			return err
		}
		note("withdrawn", c.ID)
	}
	return nil
}
