package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// oldCounts is how often people who did not update yet meet what is fixed.
const oldCounts = 9

// counts plays a client that asks before it sends: of a crash that is fixed it
// sends the signature alone. It returns the last one's id.
func (d *demoWorld) counts(ctx context.Context, cl *client, family string) (id eco.ID, err error) {
	var f crash.Detail
	if err := cl.call(ctx, http.MethodGet, "/families/"+family, nil, &f); err != nil || len(f.List) == 0 {
		return id, err
	}
	ask := d.app.URL() + "/api/v1/intake/interest?" + url.Values{"key": {d.state.Keys[string(f.Blame)].Public}, "signature": {receipt.SignaturePrefix + f.List[0].Hash}, "release": {f.LastRelease}}.Encode()
	var told ingest.Told
	for end := time.Now().Add(20 * time.Second); told.Wanted != receipt.Counts; { // what people decide is told within seconds
		if err := d.door(ctx, http.MethodGet, ask, f.Blame, nil, &told); err != nil {
			return id, err
		}
		if told.Wanted != receipt.Counts && time.Now().After(end) {
			return id, nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	for i := range oldCounts {
		body := map[string]any{"sdk": map[string]any{"name": "bellwether-ts", "version": "0.1.0"}, "crashes": told.Send.Body.Crashes,
			"source": map[string]any{"extension_version": f.LastRelease, "host": "studio", "host_version": "1.102.3", "channel": "stable", "os": "linux", "install": fmt.Sprint("old-", i%7)}}
		var a ingest.Answer
		if err := d.door(ctx, told.Send.Method, told.Send.URL, f.Blame, body, &a); err != nil {
			return id, err
		}
		if len(a.Items) == 1 && a.Items[0].ID != "" {
			if id, err = eco.ParseID(a.Items[0].ID); err != nil {
				return id, err
			}
		}
	}
	return id, nil
}

// door asks our own intake with an extension's key.
func (d *demoWorld) door(ctx context.Context, method, address string, ext eco.ExtensionID, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.MarshalWrite(&body, in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Bellwether-Key", d.state.Keys[string(ext)].Public)
	resp, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.UnmarshalRead(io.LimitReader(resp.Body, 1<<16), out)
}
