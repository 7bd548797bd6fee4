package jet_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
	"github.com/bellwether-project/bellwether/internal/stream/streamtest"
)

// TestCluster needs BELLWETHER_NATS: the address of a cluster of three that
// the test may empty, or auto for three servers in this process.
func TestCluster(t *testing.T) {
	addr := os.Getenv("BELLWETHER_NATS")
	switch {
	case addr == "" && os.Getenv("CI") == "true":
		t.Fatal("BELLWETHER_NATS is not set; in CI it must be")
	case addr == "":
		t.Skip("BELLWETHER_NATS is not set (an address, or auto)")
	case addr == "auto":
		addr = cluster(t)
	}
	nc, err := nats.Connect(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	streamtest.Run(t, func(t *testing.T, max int64) stream.Log {
		for _, name := range []string{"BELLWETHER", "KV_bellwether-cursor"} {
			js.DeleteStream(t.Context(), name) // it may not be there
		}
		l, err := jet.Open(t.Context(), jet.Options{URL: addr, MaxBytes: max})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	})
}

func cluster(t *testing.T) string {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 { // a free port each; somebody could take it before the server does
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	var first *server.Server
	for i, port := range ports {
		srv, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, MaxPayload: 9 << 20,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		srv.Start()
		t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
		if !srv.ReadyForConnections(time.Minute) {
			t.Fatal("the server does not start")
		}
		if i == 0 {
			first = srv
		}
	}
	nc, err := nats.Connect(first.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for range 30 { // each question waits for the election itself
		if _, err = js.AccountInfo(t.Context()); err == nil {
			if _, err = js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "BELLWETHER", Replicas: 3}); err == nil {
				return first.ClientURL()
			}
		}
	}
	t.Fatal(err)
	return ""
}
