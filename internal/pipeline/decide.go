package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/family"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// decide settles, in the order of the stream, everything that depends on what
// came before: erasures, repeats, sessions and families. It runs once for a
// batch and process: a commit that fails is repeated with the same decisions.
func (w *Worker) decide(items []item, letters map[string]string, now time.Time) {
	unread := false // a letter that could not be read goes by the hash of its record
	for id := range letters {
		unread = unread || id[0] == 'x'
	}
	for i := range items {
		w.decideOne(&items[i], letters, unread, now)
	}
	if newest := w.newest.UnixMilli(); newest > 0 {
		w.known.forget(hourOf(newest - dedupLife.Milliseconds()))
		w.sessions.forget(hourOf(newest - sessionLife.Milliseconds()))
	}
}

func (w *Worker) decideOne(it *item, letters map[string]string, unread bool, now time.Time) {
	id := ""
	if len(letters) > 0 {
		if id = it.id(); letters[id] == "" && unread {
			id = recordID(it.raw)
		}
		switch letters[id] {
		case letterReplayed:
			it.outcome, it.reason = duplicate, "letter"
			return
		case letterReplaying:
			it.replayed = true
		}
	}
	if it.outcome == dead {
		return
	}
	e := it.env
	w.newest = later(w.newest, e.Received)
	if w.o.Erased != nil && w.o.Erased(e) {
		it.outcome, it.reason = dropped, "erased"
		return
	}
	if e.Dedup != 0 {
		if _, known := w.known.get(e.Dedup); known && !it.replayed {
			it.outcome = duplicate
			return
		}
	}
	for n := range tries {
		err := w.settle(it, now)
		if err == nil {
			break
		}
		if n == tries-1 {
			it.outcome, it.stage, it.reason = dead, "place", reasonOf(err)
		}
	}
	if it.outcome == stored && e.Dedup != 0 {
		w.known.put(e.Dedup, hourOf(e.Received), struct{}{})
	}
	if it.replayed && it.outcome != dead {
		letters[id] = letterReplayed
	}
}

// settle decides one crash or session. A panic is an error.
func (w *Worker) settle(it *item, now time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	switch e := it.env; e.Kind {
	case eco.KindSession:
		w.settleSession(it)
	case eco.KindCrash:
		if e.Quarantined { // kept apart: it must not shape families
			it.step("place", family.Version, "quarantined", now.UnixMilli())
			return nil
		}
		if it.counted() {
			w.settleCounted(it, now)
			return nil
		}
		p := w.index.Place(it.input)
		if p.Family == "" {
			return fault.E("pipeline.place", fault.Internal, "The crash was given no family.", nil)
		}
		if !p.Known {
			w.changed[it.input.Block] = true
		}
		it.place = crash.Placement{Family: p.Family, New: p.New, Known: p.Known, Score: finite(p.Score)}
		for _, n := range p.Near {
			it.place.Near = append(it.place.Near, crash.Near{Family: n.Family, Score: finite(n.Score)})
		}
		it.step("place", family.Version, p.Family, now.UnixMilli())
		w.suspect(it, now)
		w.placed(it)
	}
	return nil
}

func (w *Worker) settleSession(it *item) {
	s := it.env.Session
	drop := func(reason string) { it.outcome, it.reason = dropped, reason }
	if s.Key == 0 && s.Exited|s.Errored|s.Crashed|s.Abnormal != 0 {
		d, ok := aggregate(s)
		if !ok {
			drop("session:aggregate")
			return
		}
		it.session = d
		return
	}
	if late(it.env) {
		drop("session:late")
		return
	}
	was, known := w.sessions.get(s.Key)
	if s.Key == 0 { // a session without a name: nothing can follow it
		was, known = 0, false
	}
	next, d, ok := was.step(s, known)
	if !ok {
		it.outcome, it.reason = duplicate, "session"
		return
	}
	it.session = d
	if s.Key != 0 {
		w.sessions.put(s.Key, hourOf(max(s.Started, it.env.Received-sessionLife.Milliseconds())), next)
	}
}

// seen adds a batch up by family, in the order of first appearance.
func seen(items []item) []crash.Seen {
	var out []crash.Seen
	at := map[string]int{}
	sigs := map[[2]string]bool{}
	for i := range items {
		it := &items[i]
		if it.outcome != stored || it.env.Kind != eco.KindCrash || it.place.Family == "" {
			continue
		}
		e := it.env
		n, ok := at[it.place.Family]
		if !ok {
			n = len(out)
			at[it.place.Family] = n
			sig, _, _ := shown(it)
			blamed, target := it.blame.Extension, it.blame.Target
			if it.associated { // evidence is about crashes of a family, not what a family is
				blamed, target = "", blame.TargetHost
			}
			out = append(out, crash.Seen{
				Family: it.place.Family, Version: family.Version, Title: sig.Title, Type: exceptionType(it), Platform: e.Crash.Platform,
				Block: it.input.Block, Blame: blamed, Target: target, Host: e.Origin.Host,
				First: e.Received, Last: e.Received,
			})
		}
		s := &out[n]
		s.First, s.Last = min(s.First, e.Received), max(s.Last, e.Received)
		s.Happened = max(s.Happened, min(e.Time, e.Received))
		s.Releases = addRelease(s.Releases, it.release)
		s.Near = addNear(s.Near, it.place.Near)
		if it.counted() { // it stands for nothing, and its signature is known
			continue
		}
		if s.Representative.IsZero() {
			s.Representative = e.ID
		}
		if key := [2]string{s.Family, it.sig.Hash}; !sigs[key] {
			sigs[key] = true
			sig, message, frames := shown(it)
			s.Signatures = append(s.Signatures, crash.SeenSignature{Hash: sig.Hash, Key: sig.Key, Title: sig.Title,
				Version: sig.Version, At: e.Received, Message: message, Frames: frames})
		}
	}
	return out
}

// shown is the signature, and the words to find it by, as the blamed extension's
// author may see them: what records say of a family is read by that author too.
// If that breaks, the family is recorded without words.
func shown(it *item) (sig *eco.Signature, message, frames string) {
	defer func() {
		if recover() != nil {
			sig, message, frames = &eco.Signature{Version: it.sig.Version, Hash: it.sig.Hash, Title: exceptionType(it)}, "", ""
		}
	}()
	if it.blame.Extension == "" || it.blame.Extension == it.env.Origin.Extension {
		message, frames = searchText(&it.sig, it.env.Crash)
		return &it.sig, message, frames
	}
	doc := crash.Redact(crash.Document{Origin: it.env.Origin, Crash: *it.env.Crash, Signature: it.sig, Blame: it.blame},
		facts.Only([]eco.ExtensionID{it.blame.Extension}, nil))
	message, frames = searchText(&doc.Signature, &doc.Crash)
	return &doc.Signature, message, frames
}

// maxNear bounds the families close by that one batch notes of one family.
const maxNear = 10

func addNear(list, more []crash.Near) []crash.Near {
	for _, n := range more {
		i := slices.IndexFunc(list, func(x crash.Near) bool { return x.Family == n.Family })
		if i >= 0 {
			list[i].Score = max(list[i].Score, n.Score)
		} else if len(list) < maxNear {
			list = append(list, n)
		}
	}
	return list
}

// maxReleases bounds the distinct releases of one family in one batch; the
// lowest and highest matter, and a client cannot make the list long.
const maxReleases = 64

func addRelease(list []string, r string) []string {
	for _, x := range list {
		if x == r {
			return list
		}
	}
	if len(list) < maxReleases {
		return append(list, r)
	}
	low, high := 0, 0
	for i := range list {
		if eco.CompareVersions(list[i], list[low]) < 0 {
			low = i
		}
		if eco.CompareVersions(list[i], list[high]) > 0 {
			high = i
		}
	}
	if eco.CompareVersions(r, list[high]) > 0 {
		list[high] = r
	} else if eco.CompareVersions(r, list[low]) < 0 {
		list[low] = r
	}
	return list
}

// restore loads what decisions stand on: family snapshots, and the ids and
// sessions of the last days from facts. It runs after the replay of the last
// batch, so that facts are whole.
func (w *Worker) restore(ctx context.Context) error {
	now := w.o.Now()
	if err := w.restoreKnown(ctx, now.Add(-dedupLife), now.Add(time.Hour)); err != nil {
		return err
	}
	return w.restoreSessions(ctx, now.Add(-sessionLife), now.Add(time.Hour))
}
