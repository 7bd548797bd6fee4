// Package kill_test kills the real server at random moments under load, as a
// power switch would but for the disk's cache, and then compares what clients
// were told with what is stored.
package kill_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
)

func TestMain(m *testing.M) {
	server.Main()
	os.Exit(m.Run())
}

// TestKill: BELLWETHER_KILL_ROUNDS=100 go test ./e2e/kill -timeout 60m is the
// long form; without the variable five rounds run.
func TestKill(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("BELLWETHER_KILL_ROUNDS")); err == nil {
		rounds = n
	}
	if testing.Short() {
		t.Skip("short")
	}
	if !cgo() {
		t.Skip("needs the embedded facts engine, so cgo")
	}
	w := &world{dir: t.TempDir(), acked: map[uint64]bool{}}
	if dir := os.Getenv("BELLWETHER_KILL_DIR"); dir != "" { // keep the folder to look into
		w.dir = dir
	}
	key, err := server.Seed(w.dir)
	if err == nil {
		w.addr, err = server.FreeAddr()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.target = fmt.Sprintf("http://%s/api/%d/envelope/?sentry_version=7&sentry_key=%s", w.addr, key.Project, key.Public)
	w.native, w.key = fmt.Sprintf("http://%s/api/v1/intake/crashes", w.addr), key.Public
	w.plant(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d rounds", seed, rounds)
	rng := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		w.round(t, time.Duration(50+rng.IntN(1200))*time.Millisecond, round)
	}
	w.settle(t)
	w.compare(t)
}

// world is one data folder and the clients' view of it.
type world struct {
	dir, addr, target string
	native, key       string
	signature         string // of a crash that is stored: some are counted by it
	next              atomic.Uint64
	mu                sync.Mutex
	owed              []uint64 // sent, not acknowledged: a real client sends them again
	acked             map[uint64]bool
	sent              atomic.Int64
	slowest           time.Duration // of a start after a kill
}

// round starts the server, sends for a while from many clients, and kills it.
func (w *world) round(t *testing.T, life time.Duration, round int) {
	t.Helper()
	p := w.start(t)
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() { w.client(ctx) })
	}
	timer := time.NewTimer(life)
	<-timer.C
	p.Kill()
	stop()
	clients.Wait()
	if round%10 == 9 {
		t.Logf("round %d: %d acknowledged, %d owed, slowest start %v", round+1, len(w.acked), len(w.owed), w.slowest)
	}
}

func (w *world) start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Start(w.dir, w.addr, server.How{Level: "error"})
	if err != nil {
		t.Fatal(err)
	}
	w.slowest = max(w.slowest, s.Took)
	return s
}

// client sends one crash after the other; what is owed goes first.
func (w *world) client(ctx context.Context) {
	c := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer c.CloseIdleConnections()
	for ctx.Err() == nil {
		n := w.take()
		ok := w.send(ctx, c, n)
		w.mu.Lock()
		if ok {
			w.acked[n] = true
		} else {
			w.owed = append(w.owed, n)
		}
		w.mu.Unlock()
		if !ok && ctx.Err() == nil {
			time.Sleep(2 * time.Millisecond) // the server is gone; the kill ends this client soon
		}
	}
}

func (w *world) take() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.owed); n > 0 {
		id := w.owed[n-1]
		w.owed = w.owed[:n-1]
		return id
	}
	return w.next.Add(1)
}

// send posts one crash and reports whether the server acknowledged it.
func (w *world) send(ctx context.Context, c *http.Client, n uint64) bool {
	id := eventID(n)
	if n%4 == 0 {
		return w.count(ctx, c, n, id)
	}
	event := fmt.Sprintf(`{"event_id":%q,"platform":"javascript","level":"error","release":"acme.linter@1.%d.0","user":{"id":"u%d"},"exception":{"values":[{"type":"TypeError","value":"cannot read x of undefined","stacktrace":{"frames":[{"function":"dispatch","filename":"/opt/studio/resources/app/out/host.js","lineno":1},{"function":"fn%d","filename":"/home/kim/.vscode/extensions/acme.linter-1.0.0/out/main.js","lineno":%d}]}}]}}`,
		id, n%5, n%97, n%23, n%400)
	body := fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"event\",\"length\":%d}\n%s\n", id, len(event), event)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.target, bytes.NewReader([]byte(body)))
	if err != nil {
		return false
	}
	w.sent.Add(1)
	resp, err := c.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	return err == nil && resp.StatusCode == http.StatusOK && bytes.Contains(answer, []byte(id))
}

// count sends a crash as its signature alone.
func (w *world) count(ctx context.Context, c *http.Client, n uint64, id string) bool {
	w.sent.Add(1)
	answer, ok := w.postNative(ctx, c, fmt.Sprintf(`{"source":{"install":"u%d","extension_version":"1.%d.0"},"crashes":[{"id":%q,"signature":%q}]}`, n%97, n%5, id, w.signature))
	return ok && bytes.Contains(answer, []byte(`"outcome":"kept"`))
}

func (w *world) postNative(ctx context.Context, c *http.Client, body string) (answer []byte, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.native, strings.NewReader(body))
	if err != nil {
		return nil, false
	}
	req.Header.Set("X-Bellwether-Key", w.key)
	resp, err := c.Do(req)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	return answer, err == nil && resp.StatusCode == http.StatusOK
}

// planted is the client's id of the crash whose signature others are counted by.
const planted = "planted"

// plant stores one crash and learns its signature.
func (w *world) plant(t *testing.T) {
	t.Helper()
	p := w.start(t)
	answer, ok := w.postNative(t.Context(), http.DefaultClient, `{"crashes":[{"id":"`+planted+`","platform":"javascript","exceptions":[{"type":"TypeError","value":"x","frames":[{"function":"plant","file":"/x/extensions/acme.linter-1.0.0/a.js","line":1}]}]}]}`)
	_, rest, found := bytes.Cut(answer, []byte(`"signature":"`))
	sig, _, _ := bytes.Cut(rest, []byte(`"`))
	if !ok || !found {
		t.Fatalf("no signature: %s", answer)
	}
	w.signature = string(sig)
	if _, err := p.Stored(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stop(); err != nil {
		t.Fatal(err)
	}
}

func eventID(n uint64) string {
	var b [16]byte
	r := rand.New(rand.NewPCG(n, 17))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(b[:])
}

// settle starts the server once more, pays what is owed, waits until everything
// is stored, and stops it as an administrator would.
func (w *world) settle(t *testing.T) {
	t.Helper()
	p := w.start(t)
	c := &http.Client{Timeout: 30 * time.Second}
	for _, n := range w.owed {
		if !w.send(t.Context(), c, n) {
			t.Fatalf("a quiet server did not take report %d", n)
		}
		w.acked[n] = true
	}
	if _, err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	p = w.start(t) // what waited in the stream is stored now
	if _, err := p.Stored(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stop(); err != nil {
		t.Fatal(err)
	}
}

// compare reads the fact files themselves: each acknowledged report is there,
// and each report that is there is there once.
func (w *world) compare(t *testing.T) {
	t.Helper()
	store, err := duck.Open(t.Context(), duck.Options{Dir: filepath.Join(w.dir, "data", "facts"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	stored := map[string]int64{}
	where := []facts.Cond{
		{Col: facts.Kind, Op: facts.In, Values: []string{string(eco.KindCrash)}},
		{Col: facts.Quarantined, Op: facts.In, Values: []string{"0", "1"}}, // such a burst looks forged, and is
	}
	for page := where; ; {
		res, err := store.Query(t.Context(), facts.Query{Scope: facts.Everything(), Where: page, Rows: true, Limit: facts.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		for i := range res.Facts {
			stored[res.Facts[i].ClientID] += res.Facts[i].Count
		}
		if !res.More {
			break
		}
		oldest := res.Facts[len(res.Facts)-1].ID // newest first: the next page lies below
		page = append(where[:len(where):len(where)], facts.Cond{Col: facts.ID, Op: facts.Lt, Values: []string{oldest.String()}})
	}
	delete(stored, planted)
	lost, twice := 0, 0
	for n := range w.acked {
		if stored[eventID(n)] == 0 {
			lost++
		}
	}
	for _, count := range stored {
		if count > 1 {
			twice++
		}
	}
	t.Logf("%d requests sent, %d reports acknowledged, %d stored, %d lost, %d counted twice; slowest start after a kill %v",
		w.sent.Load(), len(w.acked), len(stored), lost, twice, w.slowest)
	if lost > 0 || twice > 0 || len(stored) != len(w.acked) {
		t.Errorf("lost %d, twice %d, stored %d of %d acknowledged", lost, twice, len(stored), len(w.acked))
	}
}
