package jet_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/stream"
	"github.com/bellwether-project/bellwether/internal/stream/jet"
)

// writerDir makes the test binary a writer that is to be killed.
const writerDir = "BELLWETHER_TEST_JET_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		write(dir)
	}
	os.Exit(m.Run())
}

// write appends through a group until it is killed and prints each answer it
// got; now and then it commits, which empties the log altogether.
func write(dir string) {
	l, err := jet.Open(context.Background(), jet.Options{Dir: dir, MaxBytes: 1 << 30})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	g := stream.NewGroup(l, stream.GroupOptions{})
	lines := make(chan string)
	for i := range 8 {
		go func() {
			for j := 0; ; j++ {
				r := fmt.Sprintf("%d-%d-%s", i, j, strings.Repeat("x", 300))
				seq, err := g.Append(context.Background(), []byte(r))
				if err != nil {
					lines <- "error " + err.Error()
					return
				}
				if i == 0 && j%50 == 49 {
					if err := l.Commit(context.Background(), seq); err != nil {
						lines <- "error " + err.Error()
					}
					lines <- fmt.Sprint("committed ", seq)
				}
				lines <- fmt.Sprint(seq, " ", r)
			}
		}()
	}
	for s := range lines {
		fmt.Println(s)
	}
}

// Nothing that was answered is lost by kill -9, positions never go back, and
// nothing that was committed comes again.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stream")
	var last uint64
	for round := range 4 {
		acked, committed := killed(t, dir, 150+100*round)
		l := open(t, dir, 1<<30)
		s, err := l.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Committed < committed {
			t.Errorf("round %d: committed %d, the log says %d", round, committed, s.Committed)
		}
		got := map[string]uint64{}
		for after := s.Committed; after < s.Last; {
			ms, err := l.Read(t.Context(), after, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range ms {
				for _, r := range m.Records {
					got[string(r)] = m.Seq
				}
				after = m.Seq
			}
		}
		for r, seq := range acked {
			if seq <= last {
				t.Fatalf("round %d: position %d was given before (up to %d)", round, seq, last)
			}
			if seq > s.Committed && got[r] != seq {
				t.Errorf("round %d: an answered record is not at %d but at %d", round, seq, got[r])
			}
		}
		if s.Last > 0 {
			if err := l.Commit(t.Context(), s.Last); err != nil { // the next round begins with an empty log
				t.Fatal(err)
			}
		}
		last = s.Last
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func killed(t *testing.T, dir string, after int) (acked map[string]uint64, committed uint64) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), writerDir+"="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	acked = map[string]uint64{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ { // what is in the pipe when it dies was answered too
		a, b, _ := strings.Cut(lines.Text(), " ")
		switch seq, err := strconv.ParseUint(a, 10, 64); {
		case a == "committed":
			committed, _ = strconv.ParseUint(b, 10, 64)
		case err != nil:
			t.Errorf("writer: %s", lines.Text())
		default:
			acked[b] = seq
		}
		if n == after {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Wait()
	if len(acked) < after/2 {
		t.Fatalf("only %d answers", len(acked))
	}
	return acked, committed
}
