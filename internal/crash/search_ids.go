package crash

import (
	"context"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/query"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// byID finds a crash by its id or its client's: the crash itself in a list of
// crashes, its family in one of families.
func (d *Desk) byID(ctx context.Context, scope facts.Scope, t query.Term, s *search, a *ask) error {
	ids := map[string]bool{}
	var crashes []string
	for _, v := range t.Values {
		id, err := eco.ParseID(v)
		if err != nil {
			continue
		}
		f, err := d.locate(ctx, scope, id.String(), v)
		if err != nil {
			return err
		}
		if f != nil {
			ids[f.Family] = true
			crashes = append(crashes, f.ID.String())
		}
	}
	switch {
	case !a.q.Rows:
		s.put(ids, t.Not)
	case !t.Not:
		a.in(facts.ID, crashes...)
	case len(crashes) > 0:
		a.not(facts.ID, crashes...)
	}
	return nil
}

// byInstall narrows to what one install sent: of the one extension or host that
// stands beside it, because pseudonyms are comparable within one only.
func (d *Desk) byInstall(scope facts.Scope, q query.Query, t query.Term, a *ask) error {
	const op = "crash.search"
	if d.o.Pseudonym == nil {
		return fault.E(op, fault.Invalid, "This process has no keys, so it cannot look for an install.", nil)
	}
	if t.Not {
		return fault.E(op, fault.Invalid, "install: takes no !.", nil)
	}
	for _, key := range []string{"extension", "host"} {
		of := q.Of(key)
		if len(of) != 1 || of[0].Not || len(of[0].Values) != 1 || strings.Contains(of[0].Values[0], "*") {
			continue
		}
		id := strings.ToLower(of[0].Values[0])
		whose, col := "ext:"+id, facts.Extension
		if key == "host" {
			whose, col = "host:"+id, facts.Host
			a.in(facts.Extension, "")
		}
		ownProjects(scope, q, a)
		var installs []string
		for _, raw := range t.Values {
			installs = append(installs, strconv.FormatInt(int64(d.o.Pseudonym(whose, raw)), 10))
		}
		a.in(col, id).in(facts.Install, installs...)
		return nil
	}
	return fault.E(op, fault.Invalid, "install: stands beside one extension: or one host:. What an install is called there is told apart for each of them.", nil)
}

func setOf(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}

// byFamily finds families by their ids; one that was merged stands for the other.
func (d *Desk) byFamily(ctx context.Context, t query.Term, s *search) error {
	l, err := d.Links(ctx)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, v := range t.Values {
		for _, id := range familyForms(v) {
			ids[l.Resolve(id, "")] = true
		}
	}
	s.put(ids, t.Not)
	return nil
}

func familyForms(id string) []string {
	id = eco.Clean(id, 64)
	rest := id
	if len(id) > 2 && strings.EqualFold(id[:2], "F-") {
		rest = id[2:]
	}
	return []string{"F-" + rest, "F-" + strings.ToUpper(rest), "F-" + strings.ToLower(rest)}
}
