package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// schema makes an empty schema below the base address and drops it afterwards.
func schema(t testing.TB, base string) string {
	t.Helper()
	if base == "auto" {
		c, err := cluster()
		if err != nil {
			t.Fatalf("start PostgreSQL: %v", err)
		}
		base = c.dsn
	}
	pool, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if _, err := pool.ExecContext(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := pool.ExecContext(context.Background(), `DROP SCHEMA `+name+` CASCADE`)
		if err != nil {
			t.Errorf("drop schema: %v", err)
		}
		pool.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// running holds the pipe, lest the collector close it.
type running struct {
	dsn  string
	pipe io.WriteCloser
}

// bin is where Debian keeps the server.
const bin = "/usr/lib/postgresql/15/bin"

// cluster starts one cluster per test process. It listens on a socket in its own
// folder only. A shell holds a pipe from us: when this process ends, however it
// ends, the shell stops the server and removes the folder.
var cluster = sync.OnceValues(func() (running, error) {
	dir, err := os.MkdirTemp("", "bellwether-pg-")
	if err != nil {
		return running{}, err
	}
	var as *syscall.Credential
	if os.Getuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return running{}, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return running{}, err
		}
	}
	run := func(path string, args ...string) *exec.Cmd {
		c := exec.Command(path, args...)
		c.Dir, c.Env = dir, []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C"}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run(bin+"/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return running{}, fmt.Errorf("initdb: %w: %s", err, out)
	}
	guard := run("/bin/sh", "-c", `cat >/dev/null; pg_ctl -D "$1/data" -m immediate stop; rm -rf "$1"`, "sh", dir)
	pipe, err := guard.StdinPipe() // kept open until this process ends
	if err != nil {
		return running{}, err
	}
	if err := guard.Start(); err != nil {
		return running{}, err
	}
	start := run(bin+"/pg_ctl", "-D", data, "-l", filepath.Join(dir, "log"), "-w",
		"-o", "-c listen_addresses='' -c unix_socket_directories="+dir+" -c fsync=off -c max_connections=200", "start")
	if err := start.Run(); err != nil {
		return running{}, fmt.Errorf("pg_ctl: %w", err)
	}
	return running{"postgres://postgres@/postgres?sslmode=disable&host=" + url.QueryEscape(dir), pipe}, nil
})
