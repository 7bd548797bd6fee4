package crash

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// desk is a desk with a clock that a test turns and crashes that it makes up.
type desk struct {
	*Desk
	t     testing.TB
	db    *db.DB
	mem   *facts.Mem
	audit *audit.Log
	now   time.Time
	pos   uint64
	n     int
}

func newDesk(t testing.TB, d *db.DB) *desk {
	t.Helper()
	x := &desk{t: t, db: d, mem: facts.NewMem(), now: noon}
	now := func() time.Time { return x.now }
	var err error
	if x.audit, err = audit.New(t.Context(), d, now); err != nil {
		t.Fatal(err)
	}
	ids := 0
	x.Desk, err = New(t.Context(), Options{Flow: d, Records: d, Audit: x.audit, Facts: x.mem, Now: now,
		NewID: func() string { ids++; return fmt.Sprintf("c-%d", ids) },
		Pseudonym: func(scope, raw string) eco.Install { // "ext:acme.theme/3" is install 3 there
			var n eco.Install
			if after, ok := strings.CutPrefix(raw, scope+"/"); ok {
				_, _ = fmt.Sscan(after, &n)
			}
			return n
		}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// report is a crash as the flow would store it.
type report struct {
	family, sig   string
	ext, blame    eco.ExtensionID // the project's; the blamed
	version       string          // of the blamed, else of the project's extension
	host          string
	hostVersion   string
	os            string
	environment   string
	install       eco.Install
	at            time.Time // zero: the desk's now
	client, title string
	doc           *Document
	text          string
}

func (x *desk) id(at time.Time) eco.ID {
	x.n++
	var random [16]byte
	binary.BigEndian.PutUint64(random[8:], uint64(x.n))
	return eco.NewID(at, random)
}

// add stores reports the way the flow does, as one batch.
func (x *desk) add(list ...report) []eco.ID {
	x.t.Helper()
	x.pos++
	b := facts.Batch{Position: x.pos}
	var ids []eco.ID
	var seen []Seen
	at := map[string]int{}
	for _, r := range list {
		if r.at.IsZero() {
			r.at = x.now
		}
		if r.host == "" {
			r.host = "studio"
		}
		id := x.id(r.at)
		ids = append(ids, id)
		ms := r.at.UnixMilli()
		f := eco.Fact{ID: id, Class: eco.ClassCrash, Kind: eco.KindCrash, Received: ms, Time: ms, Name: "TypeError", Weight: 1, Count: 1,
			Signature: r.sig, Family: r.family, Blame: r.blame, ClientID: r.client,
			Origin: eco.Origin{Project: 1, Extension: r.ext, Host: r.host, HostVersion: r.hostVersion, OS: r.os, Environment: r.environment, Install: r.install}}
		target := "host"
		if r.blame != "" {
			f.BlameVer, target = r.version, "extension"
		} else {
			f.Origin.ExtVersion = r.version
		}
		b.Facts = append(b.Facts, f)
		doc := Document{}
		if r.doc != nil {
			doc = *r.doc
		}
		doc.Version, doc.ID, doc.Received, doc.Origin, doc.Placement.Family, doc.Signature.Hash = 1, id, ms, f.Origin, r.family, r.sig
		if doc.Blame.Target == "" {
			doc.Blame = eco.Blame{Extension: r.blame, Version: r.version, Target: target}
		}
		body, err := json.Marshal(doc)
		if err != nil {
			x.t.Fatal(err)
		}
		b.Docs = append(b.Docs, facts.Doc{ID: id, Class: eco.ClassCrash, Body: body})
		n, ok := at[r.family]
		if !ok {
			n = len(seen)
			at[r.family] = n
			title := r.title
			if title == "" {
				title = "TypeError in " + r.family
			}
			seen = append(seen, Seen{Family: r.family, Version: "fam/1", Title: title, Type: "TypeError", Platform: "javascript", Block: "b", Blame: r.blame,
				Target: target, Host: r.host, First: ms, Last: ms, Representative: id})
		}
		s := &seen[n]
		s.First, s.Last = min(s.First, ms), max(s.Last, ms)
		s.Releases = append(s.Releases, r.version)
		s.Happened = max(s.Happened, ms)
		s.Signatures = append(s.Signatures, SeenSignature{Hash: r.sig, Key: "key " + r.sig, Title: "title " + r.sig, Version: "sig/1", At: ms, Message: r.title, Frames: r.text})
	}
	x.record(seen)
	if err := x.mem.Insert(x.t.Context(), b); err != nil {
		x.t.Fatal(err)
	}
	var s []Sighting
	for _, f := range seen {
		s = append(s, Sighting{Family: f.Family, Releases: f.Releases, Happened: f.Happened})
	}
	if _, err := x.Reopen(x.t.Context(), s); err != nil {
		x.t.Fatal(err)
	}
	return ids
}

func (x *desk) record(seen []Seen) {
	x.t.Helper()
	err := x.db.Tx(x.t.Context(), func(tx *sql.Tx) error { return x.Record(context.Background(), tx, seen, nil) })
	if err != nil {
		x.t.Fatal(err)
	}
	x.Recorded(seen)
}

// sessions adds sessions of a release.
func (x *desk) sessions(ext eco.ExtensionID, version string, install eco.Install, count, errored, crashed, abnormal int64) {
	x.t.Helper()
	x.pos++
	err := x.mem.Insert(x.t.Context(), facts.Batch{Position: x.pos, Facts: []eco.Fact{{
		ID: x.id(x.now), Class: eco.ClassCrash, Kind: eco.KindSession, Received: x.now.UnixMilli(), Time: x.now.UnixMilli(), Name: "aggregate", Weight: 1,
		Count: count, Errored: errored, Crashed: crashed, Abnormal: abnormal,
		Origin: eco.Origin{Project: 1, Extension: ext, ExtVersion: version, Host: "studio", HostVersion: "5.0", Channel: eco.Beta, Install: install}}}})
	if err != nil {
		x.t.Fatal(err)
	}
}

var (
	everything = facts.Everything()
	themes     = facts.Only([]eco.ExtensionID{"acme.theme"}, nil)
	stranger   = facts.Only([]eco.ExtensionID{"other.thing"}, nil)
	studio     = facts.Only(nil, []string{"studio"})
)
