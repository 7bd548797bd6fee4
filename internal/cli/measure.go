package cli

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/eval"
	"github.com/bellwether-project/bellwether/internal/load"
)

type evalCmd struct {
	Crash evalCrashCmd `cmd:"" help:"Score signatures, families and blame on labelled crashes."`
	Blame evalBlameCmd `cmd:"" help:"Score blame by evidence on simulated crashes with known culprits."`
}

type evalCrashCmd struct {
	File    string `arg:"" help:"JSON lines, gzipped or not; NAME.classmap.json beside it is used when it is there." type:"existingfile"`
	Answers string `help:"Write one JSON line per crash here."`
	Cost    bool   `help:"Also measure the cost at 1k, 10k and 100k stored crashes."`
}

func (e *evalCrashCmd) Run(c *console) error {
	f, err := os.Open(e.File)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := maybeGzip(f)
	if err != nil {
		return err
	}
	o := eval.CrashOptions{Cost: e.Cost}
	base := strings.TrimSuffix(strings.TrimSuffix(e.File, ".gz"), ".jsonl")
	if m, err := os.Open(base + ".classmap.json"); err == nil {
		defer m.Close()
		o.Classmap = m
	}
	if e.Answers != "" {
		out, err := os.Create(e.Answers)
		if err != nil {
			return err
		}
		defer out.Close()
		o.Answers = out
	}
	scores, err := eval.Crash(in, o)
	if f, ok := o.Answers.(*os.File); ok {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return err
	}
	return scores.Print(c.out)
}

// maybeGzip unpacks what begins like gzip.
func maybeGzip(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, err := b.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		return gzip.NewReader(b)
	}
	return b, nil
}

type loadCmd struct {
	URL      string        `help:"The server, on this machine." default:"http://127.0.0.1:8080"`
	Key      string        `help:"Public key of a project." required:""`
	Project  int64         `help:"Number of the project, for the kinds that name it."`
	Kind     string        `arg:"" help:"event, otlp, crash2k, crash50k or session." enum:"event,otlp,crash2k,crash50k,session"`
	Rate     float64       `help:"Requests a second; 0: as fast as the answers come."`
	Clients  int           `help:"How many at once." default:"64"`
	Batch    int           `help:"Records of one OTLP request." default:"100"`
	Count    int64         `help:"Stop after so many requests."`
	Duration time.Duration `help:"Stop after this time." default:"10s"`
	PID      int           `help:"The server's process, to state its share of the processor." name:"pid"`
	JSON     bool          `help:"Print JSON." name:"json"`
}

func (l *loadCmd) Run(ctx context.Context, c *console) error {
	r, err := load.Run(ctx, load.Options{
		URL: l.URL, Key: l.Key, Project: l.Project, Kind: load.Kind(l.Kind), Rate: l.Rate, Clients: l.Clients,
		Batch: l.Batch, Count: l.Count, Duration: l.Duration, ServerPID: l.PID,
	})
	if err != nil {
		return err
	}
	if l.JSON {
		return json.MarshalWrite(c.out, r)
	}
	_, err = fmt.Fprint(c.out, r)
	return err
}
