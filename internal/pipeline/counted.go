package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/bellwether-project/bellwether/internal/blame"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// A client that asked first may send a crash as its signature alone: it is counted
// in the family that has this signature, and nothing else is done with it. It has
// no stack to sign, to name, to blame or to compare, and it teaches the index
// nothing. A signature that nobody knows counts nowhere.

// Unknown is why a crash was dropped of which only a signature came that no family has.
const Unknown = "signature:unknown"

// countStep names the step of lineage in which a signature found its family.
const (
	countStep    = "count"
	countVersion = "count/1"
)

// countedTitle stands for a title until the family's is known.
const countedTitle = "Counted by its signature"

func (it *item) counted() bool {
	return it.env != nil && it.env.Kind == eco.KindCrash && it.env.Crash.Counted != ""
}

// learnSigned reads which families have the signatures that a batch counts by. What
// the batch itself brings is added as it is placed.
func (w *Worker) learnSigned(ctx context.Context, items []item) error {
	clear(w.signed)
	var hashes []string
	for i := range items {
		if it := &items[i]; it.outcome == stored && it.counted() && !slices.Contains(hashes, it.env.Crash.Counted) {
			hashes = append(hashes, it.env.Crash.Counted)
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	found, err := w.o.Desk.Signed(ctx, hashes)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		w.signed[h] = found[h]
	}
	return nil
}

// placed notes a crash with a stack that later ones of its batch may be counted by.
func (w *Worker) placed(it *item) {
	list, asked := w.signed[it.sig.Hash]
	if !asked || slices.ContainsFunc(list, func(s crash.Signed) bool { return s.Family == it.place.Family }) {
		return
	}
	s := crash.Signed{Family: it.place.Family, Type: exceptionType(it), Blame: it.blame.Extension, Target: it.blame.Target, Host: it.env.Origin.Host}
	if it.associated {
		s.Blame, s.Target = "", blame.TargetHost
	}
	sig, _, _ := shown(it)
	s.Key, s.Title, s.Version = sig.Key, sig.Title, sig.Version
	w.signed[it.sig.Hash] = append(list, s)
}

// settleCounted places a crash by its signature, or drops it.
func (w *Worker) settleCounted(it *item, now time.Time) {
	c, o := it.env.Crash, &it.env.Origin
	whose := o.Extension // of the project; only a host may name others
	if whose == "" {
		whose = c.Owner
	}
	i := slices.IndexFunc(w.signed[c.Counted], func(s crash.Signed) bool {
		return s.Blame == whose && (whose != "" || s.Host == o.Host)
	})
	if i < 0 {
		it.outcome, it.reason = dropped, Unknown
		return
	}
	it.countAs(w.signed[c.Counted][i], now)
	w.suspect(it, now)
}

// countAs gives a crash what is known of its signature's family.
func (it *item) countAs(s crash.Signed, now time.Time) {
	c := it.env.Crash
	it.sig = eco.Signature{Version: s.Version, Hash: c.Counted, Key: s.Key, Title: s.Title, Type: s.Type}
	it.place = crash.Placement{Family: s.Family, Known: true, Score: 1}
	it.blame = eco.Blame{Extension: s.Blame, Target: s.Target, Confidence: blame.Sure}
	for _, a := range c.Active {
		if a.ID == s.Blame {
			it.blame.Version = a.Version
		}
	}
	why := "Counted by signature; no stack came with it. The family is attributed to it, and so is this crash."
	if s.Blame == "" {
		why = "Counted by signature; no stack came with it. The family is attributed to no extension, and neither is this crash."
	}
	it.blame.Candidates = []eco.Candidate{{Extension: s.Blame, Version: it.blame.Version, Role: blame.RoleCulprit, Reason: why, Confidence: blame.Sure}}
	it.release = release(&it.env.Origin, &it.blame)
	it.step(countStep, countVersion, s.Family+", by its signature; no stack came with it", now.UnixMilli())
}

// recallCounted gives a crash what is known of the family that it was counted in
// before the restart.
func (w *Worker) recallCounted(it *item, d decision, now time.Time) {
	if d.outcome != stored || d.family == "" || !it.counted() {
		return
	}
	list := w.signed[it.env.Crash.Counted]
	if i := slices.IndexFunc(list, func(s crash.Signed) bool { return s.Family == d.family }); i >= 0 {
		it.countAs(list[i], now)
	}
}
