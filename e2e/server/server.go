// Package server runs the real server as a process of its own, for tests from
// the outside and for benchmarks: the program that calls Main is the server when
// it starts itself again. It knows what the process costs (processor, memory) and
// when everything is stored.
package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bellwether-project/bellwether/internal/cli"
)

const (
	serveEnv   = "BELLWETHER_E2E_SERVE"
	profileEnv = "BELLWETHER_E2E_PROFILE" // file of a processor profile, written when the server ends; beside it, with .allocs, one of what was allocated
)

// Main is the server when this process was started as one; then it does not return.
func Main() {
	if os.Getenv(serveEnv) == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	end := func() {}
	if name := os.Getenv(profileEnv); name != "" {
		f, err := os.Create(name)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		end = func() {
			pprof.StopCPUProfile()
			f.Close()
			if f, err := os.Create(name + ".allocs"); err == nil {
				_ = pprof.Lookup("allocs").WriteTo(f, 0)
				f.Close()
			}
		}
	}
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	end()
	os.Exit(code)
}

// Command is the program with other arguments: a console beside the server.
func Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	return cmd
}

// Server is a running server.
type Server struct {
	URL   string
	Dir   string
	Took  time.Duration // from the start of the process until it was ready
	Ready Cost          // at that moment
	cmd   *exec.Cmd
	out   bytes.Buffer
	http  http.Client
}

// Cost is what the process used so far.
type Cost struct {
	CPU time.Duration
	RSS int64 // now
}

// FreeAddr is a loopback address that nobody listens on.
func FreeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// How says how a server is started; its zero value will do.
type How struct {
	Profile string    // file of a processor profile
	Level   string    // of the log; "" = warn
	Env     []string  // beside this process's own
	Out     io.Writer // what it prints goes there, too
}

// Start starts a server on DIR/data and waits until it is ready. One that follows
// a killed one must have its address: leases know it.
func Start(dir, addr string, how How) (*Server, error) {
	s := &Server{URL: "http://" + addr, Dir: dir}
	s.cmd = exec.Command(os.Args[0], "serve", "--data", filepath.Join(dir, "data"), "--listen", addr, "--min-free", "0", "--log-level", cmp.Or(how.Level, "warn"))
	s.cmd.Env = append(append(os.Environ(), how.Env...), serveEnv+"=1", profileEnv+"="+how.Profile)
	s.cmd.Stdout = &s.out
	if how.Out != nil {
		s.cmd.Stdout = io.MultiWriter(&s.out, how.Out)
	}
	s.cmd.Stderr = s.cmd.Stdout
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		resp, err := s.http.Get(s.URL + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(began) > 2*time.Minute {
			s.Kill()
			return nil, fmt.Errorf("the server is not ready after two minutes:\n%s", s.out.Bytes())
		}
		time.Sleep(2 * time.Millisecond)
	}
	s.Took, s.Ready = time.Since(began), s.Cost()
	return s, nil
}

// PID is the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Cost reads what the process used.
func (s *Server) Cost() Cost { return CostOf(s.PID()) }

// CostOf reads what a process used from /proc.
func CostOf(pid int) (c Cost) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return c
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 22 {
		return c
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	sys, _ := strconv.ParseInt(f[12], 10, 64)
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	return Cost{CPU: time.Duration(user+sys) * (time.Second / 100), RSS: pages * int64(os.Getpagesize())}
}

// Metric reads one number of /metrics.
func (s *Server) Metric(name string) (float64, error) {
	resp, err := s.http.Get(s.URL + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(text, []byte("\n"+name+" "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return 0, errors.New("no metric " + name)
	}
	return strconv.ParseFloat(string(line), 64)
}

// Stored waits until the stream is empty and returns how long that took.
func (s *Server) Stored() (time.Duration, error) {
	began := time.Now()
	for {
		n, err := s.Metric("bellwether_stream_waiting_messages")
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return time.Since(began), nil
		}
		if time.Since(began) > 10*time.Minute {
			return 0, errors.New("the stream is not empty after ten minutes")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the process as a power switch would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Stop ends the server as an administrator would and returns all it used,
// closing its files included.
func (s *Server) Stop() (time.Duration, error) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if err := s.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("the server ended with %w:\n%s", err, s.out.Bytes())
	}
	u := s.cmd.ProcessState
	return u.UserTime() + u.SystemTime(), nil
}

// Said is what the server wrote so far; read it after its end.
func (s *Server) Said() string { return s.out.String() }
