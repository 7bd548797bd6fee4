package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/e2e/server"
	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/facts/duck"
	"github.com/bellwether-project/bellwether/internal/keyring"
)

// load stores n crashes the way the flow does, past the doors: facts with their
// documents, then what records say of families.
func (w *world) load(ctx context.Context, dir string, n int) error {
	o := server.Options(dir)
	keys, err := keyring.Open(o.Keyring)
	if err != nil {
		return err
	}
	r, err := app.OpenRecords(ctx, o, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer r.Close()
	store, err := duck.Open(ctx, duck.Options{Dir: filepath.Join(o.Data, "facts"), Now: time.Now})
	if err != nil {
		return err
	}
	defer store.Close()
	began := time.Now()
	if err := w.insert(ctx, store, keys, n); err != nil {
		return err
	}
	stored := time.Since(began)
	if _, err := store.Compact(ctx, eco.DayOf(w.now)); err != nil {
		return err
	}
	closed := time.Since(began) - stored
	changes := 0
	desk, err := crash.New(ctx, crash.Options{Flow: r.Flow, Records: r.DB, Audit: r.Audit, Facts: store, Now: time.Now,
		NewID: func() string { changes++; return fmt.Sprintf("c%d", changes) }})
	if err != nil {
		return err
	}
	if err := w.record(ctx, r, desk); err != nil {
		return err
	}
	fmt.Printf("%d crashes of %d families over %d days: stored in %.0f s, days closed in %.0f s, records in %.0f s\n",
		n, len(w.families), w.days, stored.Seconds(), closed.Seconds(), (time.Since(began) - stored - closed).Seconds())
	return store.Close()
}

func (w *world) insert(ctx context.Context, store facts.Store, keys *keyring.Ring, n int) error {
	known := map[string]eco.Install{}
	pseudonym := func(ext eco.ExtensionID, host string, n int) eco.Install {
		scope := "ext:" + string(ext)
		if ext == "" {
			scope = "host:" + host
		}
		raw := fmt.Sprintf("install-%d", n)
		id, ok := known[scope+"/"+raw]
		if !ok {
			id = keys.Pseudonym(scope, raw)
			known[scope+"/"+raw] = id
		}
		return id
	}
	from := w.now.AddDate(0, 0, -w.days)
	step := w.now.Sub(from) / time.Duration(n)
	for at := 0; at < n; at += 10_000 {
		var b facts.Batch
		for i := at; i < min(n, at+10_000); i++ {
			share := float64(i) / float64(n)
			f := &w.families[w.pick.Uint64()]
			for f.from > share {
				f = &w.families[w.pick.Uint64()]
			}
			x, doc := w.crash(f, from.Add(time.Duration(i)*step), pseudonym)
			body, err := json.Marshal(doc)
			if err != nil {
				return err
			}
			b.Facts = append(b.Facts, x)
			b.Docs = append(b.Docs, facts.Doc{ID: x.ID, Class: x.Class, Body: body})
		}
		if err := store.Insert(ctx, b); err != nil {
			return err
		}
	}
	return keys.Err()
}

// record writes families and signatures, and lets people resolve one in twenty, of
// which half come back.
func (w *world) record(ctx context.Context, r *app.Records, desk *crash.Desk) error {
	var seen []crash.Seen
	for i := range w.families {
		f := &w.families[i]
		if f.first.IsZero() {
			continue
		}
		s := crash.Seen{Family: f.id, Version: "fam/1", Title: f.typ + " in " + f.sigs[0].frames[0].Function, Type: f.typ, Platform: "javascript", Block: f.typ, Blame: f.ext,
			Target: "extension", Host: f.host, First: f.first.UnixMilli(), Last: f.last.UnixMilli(), Happened: f.last.UnixMilli(), Representative: f.rep}
		for release := range f.releases {
			s.Releases = append(s.Releases, release)
		}
		slices.Sort(s.Releases)
		for _, sig := range f.sigs {
			var frames strings.Builder
			for _, fr := range sig.frames {
				frames.WriteString(fr.Function + " " + fr.File[strings.LastIndexByte(fr.File, '/')+1:] + " ")
			}
			s.Signatures = append(s.Signatures, crash.SeenSignature{Hash: sig.hash, Key: f.typ + "|" + sig.frames[0].Function, Title: f.typ + " in " + sig.frames[0].Function, Version: "sig/1",
				At: f.first.UnixMilli(), Message: f.typ + " " + f.message, Frames: frames.String()})
		}
		seen = append(seen, s)
	}
	for part := range slices.Chunk(seen, 1000) {
		if err := r.Flow.Tx(ctx, func(tx *sql.Tx) error { return desk.Record(ctx, tx, part, nil) }); err != nil {
			return err
		}
		desk.Recorded(part)
	}
	for i := 0; i < min(len(seen), 4000); i += 20 {
		f := &seen[i]
		if _, err := desk.SetState(ctx, facts.Everything(), crash.Decision{Family: f.Family, To: crash.Resolved, Actor: "a-bench"}); err != nil {
			return err
		}
		if i%40 == 0 {
			if _, err := desk.Reopen(ctx, []crash.Sighting{{Family: f.Family, Releases: f.Releases, Happened: time.Now().Add(time.Minute).UnixMilli()}}); err != nil {
				return err
			}
		}
	}
	return nil
}
