package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/load"
)

const peerConfig = `receivers:
  otlp:
    protocols:
      http:
        endpoint: %s
      grpc:
        endpoint: 127.0.0.1:0
exporters:
  file:
    path: %s
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [file]
`

// peer sends the OTLP batches to a Collector that writes them to a file as JSON.
// It checks nothing, scrubs nothing, does not sync, and cannot be asked.
func (b *bench) peer() error {
	dir, err := os.MkdirTemp("", "bench-peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	addr, err := server.FreeAddr()
	if err != nil {
		return err
	}
	config, file := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "out.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, peerConfig, addr, file), 0o600); err != nil {
		return err
	}
	c := exec.Command(b.collector, "--config", config)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		return err
	}
	defer func() { _ = c.Process.Kill() }()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			break
		}
		if time.Since(began) > 30*time.Second {
			return fmt.Errorf("it does not listen:\n%s", said.Bytes())
		}
	}
	time.Sleep(time.Second)
	idle := server.CostOf(c.Process.Pid)
	o := load.Options{URL: "http://" + addr, Key: "00000000000000000000000000000000", Kind: load.OTLP, Clients: b.clients, Count: b.count(load.OTLP), Duration: b.full}
	r, err := load.Run(context.Background(), o)
	if err != nil {
		return err
	}
	loaded := server.CostOf(c.Process.Pid)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%w:\n%s", err, said.Bytes())
	}
	total := c.ProcessState.UserTime() + c.ProcessState.SystemTime() - idle.CPU
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	per := func(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1e5/float64(max(r.Accepted, 1))) }
	fmt.Printf(head, "collector", fmt.Sprint(r.Accepted), fmt.Sprintf("%.0f", r.PerSecond), ms(r.P50), ms(r.P95), ms(r.P99), per(loaded.CPU-idle.CPU), per(total),
		fmt.Sprintf("%.0f", 100*r.OwnCPU.Seconds()/(r.OwnCPU+loaded.CPU-idle.CPU).Seconds()), fmt.Sprint(idle.RSS>>20), fmt.Sprint(loaded.RSS>>20), "-", "-", "-", "-", "-")
	fmt.Printf("%-9s %.0f bytes of file a record; %d refused or broken\n", "", float64(st.Size())/float64(max(r.Accepted, 1)), r.Refused+r.Broken)
	return nil
}
