package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}
func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

const cols = `id UUID, kind VARCHAR, received BIGINT, lag BIGINT, project BIGINT, extension VARCHAR, ext_version VARCHAR, host VARCHAR, host_version VARCHAR, channel VARCHAR, os VARCHAR, os_version VARCHAR, arch VARCHAR, runtime VARCHAR, environment VARCHAR, country VARCHAR, sdk VARCHAR, install BIGINT, name VARCHAR, value DOUBLE, weight DOUBLE, assumed BOOLEAN, n BIGINT, errored BIGINT, crashed BIGINT, abnormal BIGINT, signature VARCHAR, family VARCHAR, blame VARCHAR, blame_ver VARCHAR, level VARCHAR, handled BOOLEAN, quarantined BOOLEAN, dedup BIGINT, session BIGINT, client_id VARCHAR, attrs VARCHAR`

func main() {
	ctx := context.Background()
	dir := "/tmp/ducklab/data2"
	os.RemoveAll(dir)
	os.MkdirAll(dir+"/tmp", 0o700)
	c, err := duckdb.NewConnector("", nil)
	must(err)
	db := sql.OpenDB(c)
	ex := func(q string, args ...any) {
		t := time.Now()
		_, err := db.ExecContext(ctx, q, args...)
		if len(q) > 110 {
			q = q[:110]
		}
		fmt.Printf("%8.1fms %s -> %v\n", float64(time.Since(t).Microseconds())/1000, q, err)
	}
	ex(`SET memory_limit='512MB'; SET threads=2; SET checkpoint_threshold='256MB'; SET temp_directory='` + dir + `/tmp'; SET allowed_directories=['` + dir + `/']; SET enable_external_access=false`)
	ex(`ATTACH '` + dir + `/a.duckdb' AS a (STORAGE_VERSION 'latest')`)
	ex(`CREATE TABLE a.f(` + cols + `)`)
	w := NewWorld(1, 20000)
	t0 := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	conn, _ := db.Conn(ctx)
	var ins, gen float64
	N := 300000
	nb := 10000
	for k := 0; k < N; k += nb {
		c0 := cpu()
		b := w.Batch(t0.Add(time.Duration(k)*780*time.Millisecond), 780*time.Millisecond, nb)
		c1 := cpu()
		gen += c1 - c0
		tx, err := conn.BeginTx(ctx, nil)
		must(err)
		must(conn.Raw(func(dc any) error {
			a, err := duckdb.NewAppender(dc.(driver.Conn), "a", "main", "f")
			if err != nil {
				return err
			}
			for _, f := range b.Facts {
				o := &f.Origin
				if err := a.AppendRow(duckdb.UUID(f.ID), string(f.Kind), f.Received, f.Received-f.Time, o.Project, string(o.Extension), o.ExtVersion, o.Host, o.HostVersion, string(o.Channel), o.OS, o.OSVersion, o.Arch, o.Runtime, o.Environment, o.Country, o.SDK, int64(o.Install), f.Name, f.Value, f.Weight, f.Assumed, f.Count, f.Errored, f.Crashed, f.Abnormal, f.Signature, f.Family, string(f.Blame), f.BlameVer, f.Level, f.Handled, f.Quarantined, int64(f.Dedup), int64(f.Session), f.ClientID, f.Attrs); err != nil {
					return err
				}
			}
			return a.Close()
		}))
		must(tx.Commit())
		ins += cpu() - c1
	}
	fmt.Printf("gen %.2f ins %.2f cpu/100k\n", gen/float64(N)*1e5, ins/float64(N)*1e5)
	c1 := cpu()
	ex("CHECKPOINT a")
	fmt.Printf("checkpoint cpu/100k %.2f\n", (cpu()-c1)/float64(N)*1e5)
	ls(dir, N)
	col := func() {
		rows, err := db.Query(`select column_name, compression, count(distinct block_id), count(*), sum(count) from pragma_storage_info('a.f') where segment_type<>'VALIDITY' group by 1,2 order by 1`)
		if err != nil {
			fmt.Println(err)
			return
		}
		for rows.Next() {
			var a, b string
			var x, y, z int64
			rows.Scan(&a, &b, &x, &y, &z)
			fmt.Printf("%s:%s:%d  ", a, b, x)
		}
		fmt.Println()
	}
	ex("USE a")
	col()

	for _, k := range []string{"project,kind,extension,ext_version,blame,blame_ver,host,host_version,os,channel,name", "received//3600000, project,kind,extension,ext_version,blame,blame_ver,host,host_version,os,channel,name", "project,kind,extension,ext_version,blame,blame_ver,host,host_version,os,channel,name, install&63", "project,kind,extension,ext_version,blame,blame_ver,host,channel,install&63","project,kind,extension,ext_version,blame,blame_ver,host,channel,name,install&63","project,kind,extension,ext_version,blame,blame_ver,host,install&63",
	"project,kind,extension,ext_version,host,name,install&63","project,kind,extension,install&63"} {
		for _, n := range []int{28800, 111000, 300000} {
		var c int
		must(db.QueryRow(fmt.Sprintf("select count(*) from (select distinct %s from (select * from a.f limit %d))", k,n)).Scan(&c))
		fmt.Println(n, c, k)
	}}
}
func must1(_ any, err error) { must(err) }

func ls(dir string, n int) {
	es, _ := os.ReadDir(dir)
	for _, e := range es {
		i, _ := e.Info()
		fmt.Printf("   %s %.1f", e.Name(), float64(i.Size())/float64(n))
	}
	fmt.Println()
}
