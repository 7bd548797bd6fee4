package crash

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/diagnosis"
	"github.com/bellwether-project/bellwether/internal/crash/priority"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Rated is what the machine says of a family: how urgent it is and what it looks
// like, made from all of its crashes of the last 30 days.
type Rated struct {
	Priority  priority.Result     `json:"priority"`
	Diagnosis diagnosis.Diagnosis `json:"diagnosis"`
}

// Documents that one run reads (the rest waits for the next), and at once.
const (
	maxDiagnosed = 1000
	atOnce       = 100
)

// Rate is the desk's job: it weighs every family that crashed in the last 30 days
// and names what has a new representative.
func (d *Desk) Rate(ctx context.Context) (note string, err error) {
	n, err := d.rate(ctx, nil)
	return fmt.Sprintf("%d families weighed", n), fault.Wrap("crash.Rate", err)
}

// rate weighs families, or (nil) all.
func (d *Desk) rate(ctx context.Context, only []string) (int, error) {
	p := d.period(Period{})
	middle := p.From.Add(p.To.Sub(p.From) / 2)
	of := func(p Period) *ask {
		a := p.crashes(facts.Everything()).not(facts.Family, "")
		if len(only) > 0 {
			a.in(facts.Family, only...)
		}
		return a
	}
	in := map[string]*priority.Input{}
	whose := map[string]string{}
	r, err := d.query(ctx, of(p).by(facts.Family).sum(facts.Count, facts.Installs, facts.Repeated).most(facts.Count).limit(facts.MaxLimit))
	if err != nil || len(r.Rows) == 0 {
		return 0, err
	}
	ids := make([]string, 0, len(r.Rows))
	for _, v := range r.Rows {
		id := text(v[0])
		ids = append(ids, id)
		in[id] = &priority.Input{Crashes: number(v[1]), Installs: number(v[2]), Repeated: number(v[3])}
	}
	if r, err = d.query(ctx, of(p).by(facts.Family, facts.Level, facts.Handled).sum(facts.Count).limit(facts.MaxLimit)); err != nil {
		return 0, err
	}
	for _, v := range r.Rows {
		if x := in[text(v[0])]; x != nil {
			n := number(v[3])
			if text(v[1]) == "fatal" {
				x.Fatal += n
			}
			if number(v[2]) != 0 {
				x.Handled += n
			}
		}
	}
	if r, err = d.query(ctx, of(Period{From: middle, To: p.To}).by(facts.Family).sum(facts.Count).limit(facts.MaxLimit)); err != nil {
		return 0, err
	}
	for _, v := range r.Rows {
		if x := in[text(v[0])]; x != nil {
			x.Recent = number(v[1])
		}
	}
	known, err := d.known(ctx, ids)
	if err != nil {
		return 0, err
	}
	now, err := states(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return 0, err
	}
	active, err := d.active(ctx, p)
	if err != nil {
		return 0, err
	}
	had, err := d.ratedRows(ctx, ids)
	if err != nil {
		return 0, err
	}
	rules, weights := diagnosis.Load(), priority.Load()
	read := 0
	var out []ratedRow
	for some := range slices.Chunk(ids, atOnce) {
		stale := map[string]eco.ID{}
		for _, id := range some {
			if f := known[id]; f != nil && (idText(f.Representative) != had[id].rep || had[id].label == "") && read < maxDiagnosed {
				read++
				stale[id] = f.Representative
			}
		}
		docs, err := d.bodies(ctx, stale)
		if err != nil {
			return 0, err
		}
		for _, id := range some {
			x, f := in[id], known[id]
			x.Earlier = x.Crashes - x.Recent
			row := had[id]
			row.family = id
			if f != nil {
				whose[id] = subjectKey(f.Blame, f.Host)
				x.Active, x.Fresh = active[whose[id]], !f.FirstSeen.Before(p.From)
				if rep, ok := stale[id]; ok {
					if err := d.diagnose(ctx, rules, f, docs[rep], &row); err != nil {
						return 0, err
					}
				}
			}
			x.Back = now[id].regressed
			x.Label, x.Words = row.label, row.words
			x.Stated = x.Crashes
			row.priority = weights.Of(*x)
			out = append(out, row)
		}
	}
	return len(out), d.putRated(ctx, out)
}

func subjectKey(ext eco.ExtensionID, host string) string {
	if ext != "" {
		return string(ext)
	}
	return " " + host
}

// active counts the installs with a session, by what they are of.
func (d *Desk) active(ctx context.Context, p Period) (map[string]int64, error) {
	out := map[string]int64{}
	r, err := d.query(ctx, p.sessions(facts.Everything()).by(facts.SubjectExt).sum(facts.Installs).limit(facts.MaxLimit))
	if err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		if text(v[0]) != "" {
			out[text(v[0])] = number(v[1])
		}
	}
	if r, err = d.query(ctx, p.sessions(facts.Everything()).in(facts.SubjectExt, "").by(facts.Host).sum(facts.Installs).limit(facts.MaxLimit)); err != nil {
		return nil, err
	}
	for _, v := range r.Rows {
		out[" "+text(v[0])] = number(v[1])
	}
	return out, nil
}

// bodies reads the documents of crashes; what is gone is not in the answer.
func (d *Desk) bodies(ctx context.Context, of map[string]eco.ID) (map[eco.ID][]byte, error) {
	if len(of) == 0 {
		return nil, nil
	}
	found, err := d.o.Facts.Documents(ctx, facts.Everything(), slices.Collect(maps.Values(of)))
	out := make(map[eco.ID][]byte, len(found))
	for _, doc := range found {
		out[doc.ID] = doc.Body
	}
	return out, err
}

// diagnose names what a family's representative looks like. Without its body (gone)
// what was said of it stands.
func (d *Desk) diagnose(ctx context.Context, rules *diagnosis.Rules, f *Family, body []byte, row *ratedRow) error {
	row.rep = idText(f.Representative)
	var doc Document
	if body != nil {
		if err := json.Unmarshal(body, &doc); err != nil {
			return fault.E("crash.diagnose", fault.Internal, "The document cannot be read.", err)
		}
	}
	if doc.Version == 0 && row.label != "" {
		return nil
	}
	var err error
	var h diagnosis.Hint
	if dg := rules.Name(&doc.Crash, h); dg.Label == "missing_member" && f.Blame != "" {
		if h.OnlyHost, err = d.onlyHost(ctx, f); err != nil {
			return err
		}
	}
	row.diagnosis = rules.Name(&doc.Crash, h)
	row.label = row.diagnosis.Label
	row.words = nearWords(&doc.Crash)
	return nil
}

// onlyHost is the host version that all crashes of a family came from, when its
// extension had sessions on others as well; else "".
func (d *Desk) onlyHost(ctx context.Context, f *Family) (string, error) {
	p := d.period(Period{})
	r, err := d.query(ctx, p.crashes(facts.Everything()).in(facts.Family, f.ID).by(facts.HostVersion).sum(facts.Count).limit(2))
	if err != nil || len(r.Rows) != 1 || text(r.Rows[0][0]) == "" {
		return "", err
	}
	only := text(r.Rows[0][0])
	r, err = d.query(ctx, p.sessions(facts.Everything()).in(facts.SubjectExt, string(f.Blame)).not(facts.HostVersion, only, "").sum(facts.Rows))
	if err != nil || len(r.Rows) == 0 || number(r.Rows[0][0]) == 0 {
		return "", err
	}
	return only, nil
}

// nearWords are the names of the functions near a crash: the first eight of an extension.
func nearWords(c *eco.Crash) string {
	var out []string
	for i := range c.Exceptions {
		for _, f := range c.Exceptions[i].Frames {
			if f.Class == eco.FrameExtension && len(out) < 8 && f.Function != "" {
				out = append(out, eco.Clean(f.Function, 80))
			}
		}
	}
	return strings.Join(out, " ")
}

type ratedRow struct {
	family, rep, label, words string
	diagnosis                 diagnosis.Diagnosis
	priority                  priority.Result
}

func (d *Desk) ratedRows(ctx context.Context, ids []string) (map[string]ratedRow, error) {
	out := map[string]ratedRow{}
	err := each(ids, func(marks string, args []any) error {
		rows, err := d.o.Flow.Read().QueryContext(ctx, `SELECT family, representative, label, words, diagnosis, priority FROM crash_rated WHERE family IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r ratedRow
			var dg, pr string
			if err := rows.Scan(&r.family, &r.rep, &r.label, &r.words, &dg, &pr); err != nil {
				return err
			}
			if json.Unmarshal([]byte(dg), &r.diagnosis) != nil || json.Unmarshal([]byte(pr), &r.priority) != nil {
				continue // made anew
			}
			out[r.family] = r
		}
		return rows.Err()
	})
	return out, err
}

func (d *Desk) putRated(ctx context.Context, list []ratedRow) error {
	at := d.o.Now().UnixMilli()
	for part := range slices.Chunk(list, 500) {
		err := d.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
			for _, r := range part {
				dg, _ := json.Marshal(r.diagnosis)
				pr, _ := json.Marshal(r.priority)
				_, err := tx.ExecContext(ctx, `INSERT INTO crash_rated (family, representative, label, diagnosis, words, score, band, priority, at_ms)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (family) DO UPDATE SET representative = excluded.representative, label = excluded.label,
					diagnosis = excluded.diagnosis, words = excluded.words, score = excluded.score, band = excluded.band, priority = excluded.priority, at_ms = excluded.at_ms`,
					r.family, r.rep, r.label, string(dg), r.words, r.priority.Score, r.priority.Band, string(pr), at)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// judged adds priorities and labels to families that the scope may decide on; those
// that the job has not met yet are weighed now.
func (d *Desk) judged(ctx context.Context, scope facts.Scope, list []Family) error {
	var ids []string
	for i := range list {
		if owns(scope, &list[i]) {
			ids = append(ids, list[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	had, err := d.ratedRows(ctx, ids)
	if err != nil {
		return err
	}
	var missing []string
	for _, id := range ids {
		if _, ok := had[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		if _, err := d.rate(ctx, missing); err != nil {
			return err
		}
		if had, err = d.ratedRows(ctx, ids); err != nil {
			return err
		}
	}
	said, err := overruled(ctx, d.o.Records.Read(), ids)
	if err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		if r, ok := had[f.ID]; ok && owns(scope, f) {
			f.Priority, f.Label, f.rated = r.priority.Band, r.label, &Rated{r.priority, r.diagnosis}
		}
		if o, ok := said[f.ID]; ok && owns(scope, f) {
			f.Priority, f.Overruled = o.Band, &o
		}
	}
	return nil
}
