package registry

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/db/dbtest"
)

// BenchmarkImport imports 10,000 extensions over an equal register: the cost of
// the check and of one snapshot.
func BenchmarkImport(b *testing.B) {
	d := dbtest.Open(b)
	now := func() time.Time { return time.Unix(1e9, 0) }
	log, err := audit.New(b.Context(), d, now)
	if err != nil {
		b.Fatal(err)
	}
	r, err := New(b.Context(), d, log, Options{Now: now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		var file bytes.Buffer
		file.WriteString("id,name\n")
		i++
		for n := range 10_000 {
			fmt.Fprintf(&file, "p%d.e%d,Name %d\n", n%100, n, i)
		}
		if _, err := r.Import(b.Context(), who, &file, false, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeyByPublic(b *testing.B) {
	r := &Registry{}
	s := &Snapshot{keysOf: map[int64][]Key{}}
	for i := range 10_000 {
		s.projects = append(s.projects, Project{ID: int64(i)})
		s.keysOf[int64(i)] = []Key{{Public: fmt.Sprintf("%032x", i), Project: int64(i), Status: KeyActive}}
	}
	s.index(slog.Default())
	r.snap.Store(s)
	at := time.Unix(1e9, 0)
	key := fmt.Sprintf("%032x", 77)
	for b.Loop() {
		k, ok := r.KeyByPublic(key)
		if usable, _ := k.Usable(at); !ok || !usable {
			b.Fatal("not usable")
		}
	}
}
