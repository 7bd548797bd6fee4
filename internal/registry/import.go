package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"slices"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of one import.
const (
	MaxImportBytes = 16 << 20
	MaxImportRows  = 10_000
	maxMistakes    = 200 // reported; the rest is counted
)

// ImportReport says what an import did, or would do.
type ImportReport struct {
	Format    string    `json:"format"` // json or csv
	Created   int       `json:"created"`
	Changed   int       `json:"changed"`
	Unchanged int       `json:"unchanged"`
	DryRun    bool      `json:"dry_run,omitempty"`
	Mistakes  []Mistake `json:"mistakes,omitempty"` // when there is one, nothing was changed
	More      int       `json:"more,omitempty"`     // mistakes beyond those listed
}

// Mistake is one thing wrong. It names the line (of a file) and the field, never the value.
type Mistake struct {
	Line  int    `json:"line,omitempty"`
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

// row is one extension of a file. What is nil stays as it is.
type row struct {
	ID         *string   `json:"id"`
	Kind       *ExtKind  `json:"kind"`
	Name       *string   `json:"name"`
	Summary    *string   `json:"summary"`
	Repository *string   `json:"repository"`
	Contact    *string   `json:"contact"`
	Host       *string   `json:"host"`
	Locals     *[]string `json:"locals"`
	Prefixes   *[]string `json:"prefixes"`
	Shaded     *[]string `json:"shaded"`
	Libraries  *[]string `json:"libraries"`
	// Owners are e-mail addresses that the marketplace's own list names.
	Owners *[]string `json:"owners"`

	line int
}

// Import registers or changes extensions from JSON (an array, or one object after
// the other) or CSV (a header line; lists are separated by spaces). A field that
// the file does not have stays as it is; publishers that are missing are made. The
// file is checked as a whole: with any mistake nothing is changed and all are
// reported. The same file again changes nothing. may, when not nil, is asked for
// each extension, and with owners for those whose listed owners the file names:
// false is a mistake on its line.
func (r *Registry) Import(ctx context.Context, actor string, file io.Reader, dryRun bool, may func(id eco.ExtensionID, owners bool) bool) (ImportReport, error) {
	const op = "registry.Import"
	src, err := io.ReadAll(io.LimitReader(file, MaxImportBytes+1))
	if err != nil {
		return ImportReport{}, fault.E(op, fault.Invalid, "The file could not be read.", err)
	}
	if len(src) > MaxImportBytes {
		return ImportReport{}, fault.E(op, fault.TooLarge, "The file has more than 16 MiB.", nil)
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	rep := ImportReport{Format: "csv", DryRun: dryRun}
	var rows []row
	var bad mistakes
	if t := bytes.TrimSpace(src); len(t) > 0 && (t[0] == '[' || t[0] == '{') {
		rep.Format = "json"
		rows = readJSON(src, &bad)
	} else {
		rows = readCSV(src, &bad)
	}
	if len(rows) > MaxImportRows {
		return rep, fault.E(op, fault.TooLarge, fmt.Sprintf("The file has more than %d extensions.", MaxImportRows), nil)
	}
	if len(rows) == 0 && len(bad) == 0 {
		bad.add("", "The file has no extensions.")
	}
	err = r.change(ctx, func(tx *sql.Tx) (bool, error) {
		list, publishers, err := r.plan(ctx, tx, rows, &bad, may)
		if err != nil {
			return false, fault.Wrap(op, err)
		}
		if len(bad) > 0 {
			return false, nil
		}
		for _, p := range list {
			e := p.now
			e.Created, e.Updated, e.Version = p.old.Created, p.old.Updated, p.old.Version
			switch {
			case p.old.Version == 0:
				rep.Created++
			case same(&e, &p.old) && !p.relist:
				rep.Unchanged++
			default:
				rep.Changed++
			}
		}
		if dryRun || rep.Created+rep.Changed == 0 {
			return false, nil
		}
		for _, id := range publishers {
			if err := r.putPublisher(ctx, tx, actor, &Publisher{ID: id, Name: id}, 0); err != nil {
				return false, err
			}
		}
		for _, p := range list {
			if _, err := r.putExtension(ctx, tx, actor, &p.now, p.old); err != nil {
				return false, err
			}
			if p.relist {
				if err := r.setListed(ctx, tx, actor, p.now.ID, p.owners); err != nil {
					return false, err
				}
			}
		}
		return true, r.record(ctx, tx, actor, "extension.import", eco.Ref{Kind: "file", ID: fmt.Sprintf("sha256-%x", sha256.Sum256(src))},
			fmt.Sprintf("%d created, %d changed, %d unchanged", rep.Created, rep.Changed, rep.Unchanged))
	})
	if len(bad) > maxMistakes {
		rep.More = len(bad) - maxMistakes
		bad = bad[:maxMistakes]
	}
	rep.Mistakes = bad
	return rep, err
}

// planned is one entry before and after.
type planned struct {
	old, now Extension
	owners   []string // that the marketplace lists
	relist   bool     // they are others than those kept
}

// plan turns rows into entries over the stored ones, and collects every mistake,
// and the publishers that are to be made.
func (r *Registry) plan(ctx context.Context, tx *sql.Tx, rows []row, bad *mistakes, may func(eco.ExtensionID, bool) bool) (list []planned, missing []string, err error) {
	stored, hosts, publishers := map[eco.ExtensionID]Extension{}, map[string]bool{}, map[string]bool{}
	if err := scan(ctx, tx, `SELECT `+extensionCols+` FROM registry_extension ORDER BY id`, nil, func(row *sql.Rows) error {
		e, err := scanExtension(row)
		stored[e.ID] = e
		return err
	}); err != nil {
		return nil, nil, err
	}
	for table, set := range map[string]map[string]bool{"registry_host": hosts, "registry_publisher": publishers} {
		if err := scan(ctx, tx, `SELECT id FROM `+table+` ORDER BY id`, nil, func(row *sql.Rows) error {
			var id string
			err := row.Scan(&id)
			set[id] = true
			return err
		}); err != nil {
			return nil, nil, err
		}
	}
	first := map[eco.ExtensionID]int{} // line of each id
	for _, x := range rows {
		var m mistakes
		var e Extension
		if x.ID == nil {
			m.add("id", "It is missing.")
		} else if id, err := eco.ParseExtensionID(*x.ID); err != nil {
			m.add("id", fault.TextOf(err))
		} else {
			old := stored[id]
			e = old
			e.ID = id
			x.over(&e)
			if e.Name == "" {
				e.Name = string(id)
			}
			m = e.check()
			if e.Host != "" && !hosts[e.Host] {
				m.add("host", "There is no such host.")
			}
			if before := first[id]; before != 0 {
				m.add("id", fmt.Sprintf("It is on line %d already.", before))
			}
			if may != nil && !may(id, false) {
				m.add("id", "This publisher is not yours.")
			}
			if may != nil && !may(id, true) { // an author's file
				if err := r.mayOwn(ctx, tx, &e, old); fault.CodeOf(err) == fault.Invalid || fault.CodeOf(err) == fault.Forbidden {
					m.add("id", fault.TextOf(err))
				} else if err != nil {
					return nil, nil, err
				}
			}
			p := planned{old: old, now: e}
			if x.Owners != nil {
				if p.owners = *x.Owners; may != nil && !may(id, true) {
					m.add("owners", "Whom the marketplace lists is kept by those who keep the accounts.")
				} else if err := checkListed("registry.Import", p.owners); err != nil {
					m.add("owners", fault.TextOf(err))
				}
				if p.relist, err = relists(ctx, tx, id, p.owners); err != nil {
					return nil, nil, err
				}
			}
			first[id] = x.line
			list = append(list, p)
			if p := id.Publisher(); !publishers[p] {
				publishers[p] = true
				missing = append(missing, p)
			}
		}
		for _, k := range m {
			k.Line = x.line
			*bad = append(*bad, k)
		}
	}
	slices.SortStableFunc(*bad, func(a, b Mistake) int { return a.Line - b.Line })
	return list, missing, nil
}

// over writes what the row has over an entry.
func (x *row) over(e *Extension) {
	for _, f := range []struct{ from, to *string }{
		{x.Name, &e.Name}, {x.Summary, &e.Summary}, {x.Repository, &e.Repository}, {x.Contact, &e.Contact}, {x.Host, &e.Host},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if x.Kind != nil {
		e.Kind = *x.Kind
	}
	for _, f := range []struct{ from, to *[]string }{
		{x.Locals, &e.Locals}, {x.Prefixes, &e.Prefixes}, {x.Shaded, &e.Shaded}, {x.Libraries, &e.Libraries},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
}

func same(a, b *Extension) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Name == b.Name && a.Summary == b.Summary && a.Repository == b.Repository && a.Contact == b.Contact && a.Host == b.Host &&
		slices.Equal(a.Locals, b.Locals) && slices.Equal(a.Prefixes, b.Prefixes) && slices.Equal(a.Shaded, b.Shaded) && slices.Equal(a.Libraries, b.Libraries)
}
