package jet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bellwether-project/bellwether/internal/fault"
)

const maxMemory = 1 << 20 // of streams in memory, of which there are none

// start runs a server without any listener; only this process can talk to it.
func start(o Options, a *alarm) (*server.Server, func() error, error) {
	const op = "jet.Open"
	if o.Dir == "" {
		return nil, nil, fault.E(op, fault.Invalid, "The stream needs a folder or an address.", nil)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, nil, fault.E(op, fault.Invalid, "The stream's folder cannot be made.", err)
	}
	unlock, err := lock(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, nil, fault.E(op, fault.Conflict, "Another process has the stream's folder open.", err)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName: "bellwether", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: o.Dir, SyncAlways: true, DisableJetStreamBanner: true,
		JetStreamMaxMemory: maxMemory, JetStreamMaxStore: o.MaxBytes + 1<<20,
		MaxPayload: maxPayload, NoSystemAccount: true,
	})
	if err != nil {
		return nil, nil, fault.E(op, fault.Internal, "The stream server does not start.", errors.Join(err, unlock()))
	}
	srv.SetLoggerV2(a, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		srv.Shutdown()
		return nil, nil, fault.E(op, fault.Unavailable, "The stream server does not start.", unlock())
	}
	return srv, unlock, nil
}

// file keeps the cursor in a text file that is replaced as a whole, and on disk
// before anything it covers is dropped.
type file string

func (f file) path() string { return filepath.Join(string(f), "cursor") }

func (f file) load(context.Context) (uint64, error) {
	b, err := os.ReadFile(f.path())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.E("jet.Open", fault.Internal, "The stream's cursor cannot be read.", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fault.E("jet.Open", fault.Internal, "The stream's cursor is damaged.", err)
	}
	return n, nil
}

func (f file) store(_ context.Context, seq uint64) error {
	const op = "jet.Commit"
	tmp, err := os.OpenFile(f.path()+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.E(op, fault.Unavailable, "The stream's cursor cannot be stored.", err)
	}
	_, err = tmp.WriteString(strconv.FormatUint(seq, 10) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		if err = os.Rename(f.path()+".new", f.path()); err == nil {
			var d *os.File
			if d, err = os.Open(string(f)); err == nil {
				err = errors.Join(d.Sync(), d.Close())
			}
		}
	}
	if err != nil {
		return fault.E(op, fault.Unavailable, "The stream's cursor cannot be stored.", err)
	}
	return nil
}
