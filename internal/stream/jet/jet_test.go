package jet_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
	"github.com/bellwether-project/bellwether/internal/stream/streamtest"
)

func open(t testing.TB, dir string, max int64) *jet.Log {
	t.Helper()
	l, err := jet.Open(t.Context(), jet.Options{Dir: dir, MaxBytes: max})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

func TestEmbedded(t *testing.T) {
	streamtest.Run(t, func(t *testing.T, max int64) stream.Log { return open(t, t.TempDir(), max) })
}

func TestPositionsSurviveALostStream(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	for range 5 {
		if _, err := l.Append(t.Context(), [][]byte{[]byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Commit(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "jetstream")); err != nil { // all that it held was committed
		t.Fatal(err)
	}
	for range 2 { // and a stream that was made to begin late opens again
		l = open(t, dir, 1<<30)
		if s, err := l.Stats(t.Context()); err != nil || s.Committed != 5 || s.First != 6 || s.Last != 5 {
			t.Fatalf("%+v %v", s, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, dir, 1<<30)
	if seq, err := l.Append(t.Context(), [][]byte{[]byte("y")}); err != nil || seq != 6 {
		t.Fatalf("%d %v, want 6", seq, err)
	}
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 1<<20)
	if l, err := jet.Open(t.Context(), jet.Options{Dir: dir}); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("%v %v, want conflict", l, err)
	}
	if l, err := jet.Open(t.Context(), jet.Options{}); fault.CodeOf(err) != fault.Invalid {
		t.Fatalf("%v %v, want invalid", l, err)
	}
}

func TestBoundCanChange(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	if _, err := l.Append(t.Context(), [][]byte{make([]byte, 2<<20)}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("%v, want unavailable", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, 8<<20)
	if _, err := l.Append(t.Context(), [][]byte{make([]byte, 2<<20)}); err != nil {
		t.Fatal(err)
	}
}

// A real server by URL, as a cluster would be; here one node without replicas.
func TestByURL(t *testing.T) {
	streamtest.Run(t, func(t *testing.T, max int64) stream.Log {
		srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, MaxPayload: 9 << 20})
		if err != nil {
			t.Fatal(err)
		}
		srv.Start()
		t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
		if !srv.ReadyForConnections(time.Minute) {
			t.Fatal("the server does not start")
		}
		l, err := jet.Open(t.Context(), jet.Options{URL: srv.ClientURL(), MaxBytes: max, Replicas: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	})
}

// The reader of a cluster hears of what another node appends.
func TestByURLReaderHearsOthers(t *testing.T) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), MaxPayload: 9 << 20})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	var nodes [2]*jet.Log
	for i := range nodes {
		if nodes[i], err = jet.Open(t.Context(), jet.Options{URL: srv.ClientURL(), MaxBytes: 1 << 20, Replicas: 1}); err != nil {
			t.Fatal(err)
		}
		defer nodes[i].Close()
	}
	got := make(chan error)
	go func() {
		ms, err := nodes[0].Read(t.Context(), 0, 1)
		if err == nil {
			err = nodes[0].Commit(t.Context(), ms[0].Seq)
		}
		got <- err
	}()
	if _, err := nodes[1].Append(t.Context(), [][]byte{[]byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}
