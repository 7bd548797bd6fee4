//go:build cgo

package duck

import (
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/facts"
)

// schemaVersion is written into each file. Raise it when a column is added (give
// it a default) and add a file of the old version to the tests.
const schemaVersion = 2

// column is a column of the table of facts; def stands in for it in older files.
type column struct{ name, typ, def string }

var factColumns = []column{
	{"batch", "BIGINT", "0"},
	{"id", "UUID", "NULL"},
	{"kind", "VARCHAR", "''"},
	{"received", "BIGINT", "0"},
	{"lag", "BIGINT", "0"}, // received - time: small numbers
	{"project", "BIGINT", "0"},
	{"extension", "VARCHAR", "''"},
	{"ext_version", "VARCHAR", "''"},
	{"host", "VARCHAR", "''"},
	{"host_version", "VARCHAR", "''"},
	{"channel", "VARCHAR", "''"},
	{"os", "VARCHAR", "''"},
	{"os_version", "VARCHAR", "''"},
	{"arch", "VARCHAR", "''"},
	{"runtime", "VARCHAR", "''"},
	{"environment", "VARCHAR", "''"},
	{"country", "VARCHAR", "''"},
	{"sdk", "VARCHAR", "''"},
	{"install", "BIGINT", "0"}, // bit pattern
	{"g", "UTINYINT", "0"},     // facts.Unit
	{"name", "VARCHAR", "''"},
	{"value", "DOUBLE", "0"},
	{"weight", "DOUBLE", "1"},
	{"assumed", "BOOLEAN", "false"},
	{"n", "BIGINT", "1"}, // Count
	{"errored", "BIGINT", "0"},
	{"crashed", "BIGINT", "0"},
	{"abnormal", "BIGINT", "0"},
	{"signature", "VARCHAR", "''"},
	{"family", "VARCHAR", "''"},
	{"blame", "VARCHAR", "''"},
	{"blame_ver", "VARCHAR", "''"},
	{"level", "VARCHAR", "''"},
	{"handled", "BOOLEAN", "false"},
	{"quarantined", "BOOLEAN", "false"},
	{"dedup", "BIGINT", "0"},   // bit pattern
	{"session", "BIGINT", "0"}, // bit pattern
	{"client_id", "VARCHAR", "''"},
	{"attrs", "VARCHAR", "''"},
}

// sortedBy is the order of a closed file: installs of one project lie together.
// Measured against six other orders: 48 bytes a fact instead of 51 to 56.
const sortedBy = "kind, project, install, id"

// sums are what rollups add up, and how a fact yields them.
var sums = []struct{ name, typ, of string }{
	{"n", "BIGINT", "n"},
	{"r", "BIGINT", "1"},
	{"w", "DOUBLE", "n * weight"},
	{"wsq", "DOUBLE", "n * weight * (weight - 1)"},
	{"e", "BIGINT", "errored"},
	{"c", "BIGINT", "crashed"},
	{"a", "BIGINT", "abnormal"},
	{"v", "DOUBLE", "value"},
}

// level is a rollup: sums of the facts that are not quarantined, by dims. It is
// kept in a file when it has at most 1/gain of the rows.
type level struct {
	table string
	dims  []string
	gain  int64
}

// levels are tried from the smallest to the largest.
var levels = []level{
	{"roll_page", []string{"project", "kind", "extension", "ext_version", "blame", "blame_ver", "host", "channel"}, 4},
	{"roll_unit", []string{"project", "kind", "extension", "ext_version", "blame", "blame_ver", "host", "channel", "g"}, 4},
	{"roll_hour", []string{"hour", "project", "kind", "extension", "ext_version", "blame", "blame_ver", "host", "host_version", "os", "channel", "name"}, 4},
}

const hourOf = "received - received % 3600000"

// dimOf says how a fact yields a dimension.
func dimOf(dim string) string {
	if dim == "hour" {
		return hourOf
	}
	return dim
}

// keys is the select list of the dimensions of a level over facts.
func (l level) keys() string {
	var cols []string
	for _, d := range l.dims {
		cols = append(cols, dimOf(d)+" AS "+d)
	}
	return strings.Join(cols, ", ")
}

// raw is the select list of a level over facts, before grouping.
func (l level) raw() string {
	cols := []string{l.keys()}
	for _, s := range sums {
		cols = append(cols, s.of+" AS "+s.name)
	}
	return strings.Join(cols, ", ")
}

// folded is the select list that adds up raw rows or rows of the rollup itself.
func (l level) folded() string {
	cols := slices.Clone(l.dims)
	for _, s := range sums {
		cols = append(cols, total(s.name, s.typ)+" AS "+s.name)
	}
	return strings.Join(cols, ", ")
}

// total adds up a column; integers stop at the largest number instead of failing.
func total(col, typ string) string {
	if typ == "BIGINT" {
		return "least(coalesce(sum(" + col + "), 0), 9223372036854775807)::BIGINT"
	}
	return "coalesce(sum(" + col + "), 0)"
}

// needs returns the dimensions a column is made of, and false when no rollup has it.
func needs(c facts.Column) ([]string, bool) {
	switch c {
	case facts.Date, facts.Class: // those of the file
		return nil, true
	case facts.SubjectExt:
		return []string{"blame", "extension"}, true
	case facts.SubjectVer:
		return []string{"blame", "blame_ver", "ext_version"}, true
	case facts.Hour, facts.Kind, facts.Project, facts.Extension, facts.ExtVersion, facts.Host, facts.HostVersion, facts.Channel,
		facts.OS, facts.Name, facts.Blame, facts.BlameVer:
		return []string{string(c)}, true
	}
	return nil, false
}

func createTables(alias string) string {
	var b strings.Builder
	b.WriteString("BEGIN TRANSACTION;\nCREATE TABLE " + alias + ".facts(")
	for i, c := range factColumns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " " + c.typ)
	}
	// Bodies are packed already; looking for a way to pack them again cost each
	// checkpoint most of its time (1.8 CPU seconds per 100,000 crashes against 0.4)
	// and saved 1 % of the bytes.
	b.WriteString(");\nCREATE TABLE " + alias + ".docs(id UUID, body BLOB USING COMPRESSION uncompressed);\n")
	b.WriteString("CREATE TABLE " + alias + ".applied(batch BIGINT, position UBIGINT, rows BIGINT, docs BIGINT, kinds BIGINT, " +
		"lo BIGINT, hi BIGINT, id_lo BIGINT, id_hi BIGINT, erased BIGINT, sorted BOOLEAN);\n")
	b.WriteString("CREATE TABLE " + alias + ".state(version BIGINT, rolled BIGINT, kept BIGINT);\n")
	b.WriteString("INSERT INTO " + alias + ".state VALUES (" + itoa(schemaVersion) + ", 0, 0);\n")
	for _, l := range levels {
		b.WriteString("CREATE TABLE " + alias + "." + l.table + " AS SELECT " + l.folded() + " FROM (SELECT " + l.raw() +
			" FROM " + alias + ".facts) GROUP BY ALL;\n")
	}
	b.WriteString("COMMIT")
	return b.String()
}
