package ingest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A client that leaves half way through its body has sent nothing.
func TestTruncatedOnTheWire(t *testing.T) {
	w := newWorld(t, everyTier)
	addr := w.serve(w.web)
	body := "{}\n{\"type\":\"event\"}\n" + anEvent
	for name, head := range map[string]string{
		"length":  fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)+10, body),
		"chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := fmt.Fprintf(conn, "POST /api/44/envelope/?sentry_key=%s HTTP/1.1\r\nHost: h\r\n%s", linterKey, head); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil { // the server may also hang up
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", name, res.StatusCode)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		_ = conn.Close()
	}
	if kept := w.kept(); len(kept) != 0 {
		t.Errorf("kept %d", len(kept))
	}
}

// The whole of an envelope in chunks of one byte, without a length.
func TestChunkedByteByByte(t *testing.T) {
	w := newWorld(t, everyTier)
	body := "{}\n{\"type\":\"event\"}\n" + anEvent
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.serve(w.web)+"/api/44/envelope/?sentry_key="+linterKey, io.MultiReader(oneByOne(body)...))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := readAll(t, res.Body); res.StatusCode != 200 || !strings.Contains(got, "fc6d8c0c") || len(w.kept()) != 1 {
		t.Errorf("%d %s", res.StatusCode, got)
	}
}

func oneByOne(s string) (list []io.Reader) {
	for i := range len(s) {
		list = append(list, strings.NewReader(s[i:i+1]))
	}
	return list
}
