//go:build cgo

package duck

import (
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// rowWriter turns facts into values for the appender, in the order of
// factColumns. Neighbours share most of their texts: a boxed value is used again
// while it stays the same.
type rowWriter struct {
	vals []driver.Value
	last []string
}

func (w *rowWriter) row(batch int64, f *eco.Fact) []driver.Value {
	if w.vals == nil {
		w.vals = make([]driver.Value, len(factColumns))
		w.last = make([]string, len(factColumns))
	}
	i := 0
	put := func(v driver.Value) { w.vals[i] = v; i++ } // bytes and booleans, which need no memory, and what always differs
	num := func(v int64) {
		if old, same := w.vals[i].(int64); !same || old != v {
			w.vals[i] = v
		}
		i++
	}
	text := func(s string) {
		if w.vals[i] == nil || w.last[i] != s {
			w.vals[i], w.last[i] = s, s
		}
		i++
	}
	o := &f.Origin
	num(batch)
	put(duckdb.UUID(f.ID))
	text(string(f.Kind))
	num(f.Received)
	num(f.Received - f.Time)
	num(o.Project)
	text(string(o.Extension))
	text(o.ExtVersion)
	text(o.Host)
	text(o.HostVersion)
	text(string(o.Channel))
	text(o.OS)
	text(o.OSVersion)
	text(o.Arch)
	text(o.Runtime)
	text(o.Environment)
	text(o.Country)
	text(o.SDK)
	num(int64(o.Install))
	put(uint8(facts.Unit(f)))
	text(f.Name)
	put(f.Value)
	put(f.Weight)
	put(f.Assumed)
	num(f.Count)
	num(f.Errored)
	num(f.Crashed)
	num(f.Abnormal)
	text(f.Signature)
	text(f.Family)
	text(string(f.Blame))
	text(f.BlameVer)
	text(f.Level)
	put(f.Handled)
	put(f.Quarantined)
	num(int64(f.Dedup))
	num(int64(f.Session))
	text(f.ClientID)
	text(f.Attrs)
	return w.vals
}

// rowColumns is the select list that scanFact reads: factColumns without those
// that only the engine needs.
var rowColumns = func() string {
	var cols []string
	for _, c := range factColumns {
		if c.name != "batch" && c.name != "g" {
			cols = append(cols, c.name)
		}
	}
	return strings.Join(cols, ", ")
}()

// scanFact reads a row of rowColumns of a file of the class.
func scanFact(rows *sql.Rows, class eco.Class) (eco.Fact, error) {
	f := eco.Fact{Class: class}
	o := &f.Origin
	var id []byte
	var lag, install, dedup, session int64
	err := rows.Scan(&id, &f.Kind, &f.Received, &lag, &o.Project, &o.Extension, &o.ExtVersion, &o.Host, &o.HostVersion, &o.Channel,
		&o.OS, &o.OSVersion, &o.Arch, &o.Runtime, &o.Environment, &o.Country, &o.SDK, &install,
		&f.Name, &f.Value, &f.Weight, &f.Assumed, &f.Count, &f.Errored, &f.Crashed, &f.Abnormal,
		&f.Signature, &f.Family, &f.Blame, &f.BlameVer, &f.Level, &f.Handled, &f.Quarantined, &dedup, &session, &f.ClientID, &f.Attrs)
	copy(f.ID[:], id)
	f.Time, o.Install, f.Dedup, f.Session = f.Received-lag, eco.Install(install), uint64(dedup), uint64(session)
	return f, err
}
