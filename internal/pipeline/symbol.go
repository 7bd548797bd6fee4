package pipeline

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/signature"
	"github.com/bellwether-project/bellwether/internal/symbol"
)

// withSymbols puts the stage that names frames into the line, behind the first
// classification: whose a frame is decides whose files may name it, and is seen in
// the path it came with. What got a name is classified again.
func withSymbols(line []stage, store *symbols.Store) []stage {
	if store == nil {
		return line
	}
	var out []stage
	for _, s := range line {
		if out = append(out, s); s.name != "classify" {
			continue
		}
		out = append(out, stage{"symbol", symbol.Version, func(it *item, w *blame.World) (string, error) {
			e := it.env
			if e.Quarantined { // it is named when a person lets it go
				return "", nil
			}
			note, renamed := store.Apply(context.Background(), e.ID, e.Crash, &e.Origin, e.Received)
			if renamed {
				reclassify(w, e.Crash, e.Origin)
			}
			return note, nil
		}})
	}
	return out
}

// reclassify judges frames by their new names. What was an extension's or its
// library's by its path stays that owner's; a name in a library's folder makes the
// frame one of a library.
func reclassify(w *blame.World, c *eco.Crash, o eco.Origin) {
	type mark struct {
		class eco.FrameClass
		owner eco.ExtensionID
	}
	var was []mark
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			f := &c.Exceptions[i].Frames[j]
			was = append(was, mark{f.Class, f.Owner})
		}
	}
	w.Classify(c, o)
	k := 0
	for i := range c.Exceptions {
		for j := range c.Exceptions[i].Frames {
			f, m := &c.Exceptions[i].Frames[j], was[k]
			k++
			library := strings.Contains("/"+f.File, "/node_modules/")
			switch {
			case !f.Renamed && !f.Inlined:
				f.Class, f.Owner = m.class, m.owner
			case m.class == eco.FrameExtension || m.class == eco.FrameVendored:
				if f.Owner = m.owner; library || f.Class == eco.FrameVendored {
					f.Class = eco.FrameVendored
				} else {
					f.Class = m.class
				}
			case f.Class == eco.FrameUnknown:
				f.Class, f.Owner = m.class, m.owner
			}
		}
	}
}

// namedAtOnce bounds the crashes that are named in one go; between two the flow goes on.
const namedAtOnce = 200

// NameLate is a job: it names stored crashes whose symbol files came after them. A
// crash keeps its family, signature and counts; what is shown of it gets names. Its
// family learns the crash as it would be placed today, so that new crashes, which
// arrive with names, join it instead of opening another.
func (w *Worker) NameLate(ctx context.Context) (string, error) {
	s := w.o.Symbols
	if s == nil {
		return "", nil
	}
	if _, err := s.Flush(ctx); err != nil {
		return "", err
	}
	due, err := s.Due(ctx)
	if err != nil || len(due) == 0 {
		return "", err
	}
	total := 0
	for _, d := range due {
		n, err := w.nameFor(ctx, d)
		if err != nil {
			return "", err
		}
		total += n
		if err := s.Settle(ctx, d.Missing.ID, n > 0); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d crashes named", total), nil
}

// told is what a family is told.
type told struct {
	crashes int
	again   int // of them, from their kept dumps
	by      map[string]symbols.File
}

func (w *Worker) nameFor(ctx context.Context, d symbols.Waiting) (int, error) {
	families := map[string]*told{}
	total := 0
	for from := 0; from < len(d.Crashes); from += namedAtOnce {
		ids := d.Crashes[from:min(from+namedAtOnce, len(d.Crashes))]
		raw, docs, err := w.o.Desk.Stored(ctx, ids)
		if err != nil {
			return total, err
		}
		world := w.o.World()
		var amended []facts.Doc
		var items []item
		for i := range docs {
			it, again, doc, by := w.name(ctx, world, raw[i], &docs[i])
			if it == nil {
				continue
			}
			amended, items = append(amended, doc), append(items, *it)
			t := families[docs[i].Placement.Family]
			if t == nil {
				t = &told{by: map[string]symbols.File{}}
				families[docs[i].Placement.Family] = t
			}
			t.crashes++
			if again {
				t.again++
			}
			for _, f := range by {
				t.by[f.ID] = f
			}
		}
		if len(items) == 0 {
			continue
		}
		if _, err := w.o.Facts.Amend(ctx, amended); err != nil {
			return total, err
		}
		if err := w.inTurn(ctx, func(turn context.Context) error { return w.learn(turn, items) }); err != nil {
			return total, fault.Wrap("pipeline.NameLate", err)
		}
		total += len(items)
	}
	for id, t := range families {
		if id == "" {
			continue
		}
		text, who := t.text()
		if err := w.o.Desk.Note(ctx, id, who, text); err != nil {
			return total, err
		}
	}
	return total, nil
}

// text says it in a line of history, in the name of whoever uploaded.
func (t *told) text() (text, who string) {
	n := fmt.Sprintf("%d crashes were", t.crashes)
	if t.crashes == 1 {
		n = "1 crash was"
	}
	who = crash.System
	var names []string
	for _, id := range slices.Sorted(maps.Keys(t.by)) {
		f := t.by[id]
		who = f.By
		names = append(names, f.Name+" ("+f.Uploaded.Format("2 January 2006, 15:04 MST")+")")
	}
	text = n + " symbolicated by " + strings.Join(names, ", ") + "."
	switch {
	case t.again > 0 && t.crashes == 1:
		text += " Its kept minidump was unwound again."
	case t.again == t.crashes:
		text += " Their kept minidumps were unwound again."
	case t.again > 0:
		text += fmt.Sprintf(" The kept minidumps of %d of them were unwound again.", t.again)
	}
	return text, who
}

// name gives one stored crash its names: the item as it would be placed today, and
// the document as it is kept from now on. nil: nothing changed.
func (w *Worker) name(ctx context.Context, world *blame.World, raw facts.Doc, doc *crash.Document) (_ *item, again bool, out facts.Doc, by []symbols.File) {
	defer func() {
		if recover() != nil { // a crash without names rather than a job that stands still
			by = nil
		}
	}()
	if doc.Quarantined {
		return nil, false, out, nil
	}
	again = w.again(ctx, world, doc)
	note, by := w.o.Symbols.Name(ctx, &doc.Crash, &doc.Origin)
	if note == "" {
		return nil, false, out, nil
	}
	reclassify(world, &doc.Crash, doc.Origin)
	now := w.o.Now().UnixMilli()
	doc.Steps = append(doc.Steps, eco.Step{Stage: "symbol", Version: symbol.Version, Note: "later: " + note, At: now})
	body, err := encodeDocument(doc)
	if err != nil || len(body) > facts.MaxDoc {
		return nil, false, out, nil
	}
	env := &eco.Envelope{ID: doc.ID, Received: doc.Received, Time: doc.Time, Kind: eco.KindCrash, Class: raw.Class, Origin: doc.Origin, Crash: &doc.Crash}
	it := &item{env: env, crashPart: &crashPart{sig: signature.Explain(&doc.Crash), blame: blame.Decide(world, &doc.Crash, doc.Origin)}}
	it.release = release(&env.Origin, &it.blame)
	it.input = family.Describe(env.Crash, it.sig, it.blame)
	it.place.Family = doc.Placement.Family
	return it, again, facts.Doc{ID: doc.ID, Class: raw.Class, Body: body}, by
}

// learn gives the families of crashes that got names the crashes' new form. A form
// that another family knows already stays there: what came since is not moved. In
// the goroutine of Run.
func (w *Worker) learn(ctx context.Context, items []item) error {
	var taught []item
	titles := map[string]string{}
	for i := range items {
		it := &items[i]
		if it.place.Family == "" {
			continue
		}
		if f, ok := w.index.Known(it.input.Block, it.sig.Hash); ok && f != it.place.Family {
			continue
		}
		w.index.Assign(it.input, it.place.Family)
		w.changed[it.input.Block] = true
		taught = append(taught, *it)
		if titles[it.place.Family] == "" {
			sig, _, _ := shown(it)
			titles[it.place.Family] = sig.Title
		}
	}
	if len(taught) == 0 {
		return nil
	}
	families := seen(taught)
	blocks, err := w.snapshots()
	if err != nil {
		return err
	}
	err = w.persist(ctx, "families", func() error {
		return w.o.Flow.Tx(ctx, func(tx *sql.Tx) error {
			if err := w.o.Desk.Record(ctx, tx, families, blocks); err != nil {
				return err
			}
			for id, title := range titles {
				if err := w.o.Desk.Retitle(ctx, tx, id, title); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil {
		w.o.Desk.Recorded(families)
	}
	return err
}
