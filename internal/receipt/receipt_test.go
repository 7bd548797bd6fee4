package receipt

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/keyring"
)

func book(t testing.TB) *Book {
	t.Helper()
	r, err := keyring.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return NewBook(r)
}

func newID() eco.ID {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return eco.NewID(time.Now(), b)
}

func TestIDs(t *testing.T) {
	b, id := book(t), newID()
	s := b.ID(id)
	n, err := b.Parse(s)
	if err != nil || n.Crash != id || len(s) != 48 {
		t.Fatalf("%q: %+v %v", s, n, err)
	}
	event, key := strings.Repeat("ab", 16), strings.Repeat("01", 16)
	if n, err = b.Parse("ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB." + key); err != nil || n.Client != event || n.Key != key {
		t.Errorf("the client's: %+v %v", n, err)
	}
	forged := []byte(s)
	forged[47] ^= 1
	for _, bad := range []string{"", "x", id.String(), string(forged), event + ".", "." + key, "1." + key, s + s, strings.Repeat("g", 48), book(t).ID(id)} {
		if _, err := b.Parse(bad); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSlips(t *testing.T) {
	b := book(t)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	signed, err := b.Sign(Slip{Receipt: "r", Received: at, About: eco.Ref{Kind: "extension", ID: "acme.todo"}, State: Fixed, FixedIn: "1.2\nstate new", At: at})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := b.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	text, err := Check(signed, verifier)
	want := "bellwether receipt/1\nreceipt r\nreceived 2026-11-21T12:00:00Z\nextension acme.todo\nstate fixed\nfixed-in 1.2 state new\nas-of 2026-11-21T12:00:00Z\n"
	if err != nil || text != want {
		t.Errorf("%q %v", text, err)
	}
	other, _ := book(t).Verifier()
	for _, c := range [][2]string{{strings.Replace(signed, "fixed", "known", 1), verifier}, {signed, other}, {signed, "x"}, {"", verifier}} {
		if _, err := Check(c[0], c[1]); err == nil {
			t.Errorf("%.40q is taken", c[0])
		}
	}
}

func TestTell(t *testing.T) {
	if a := Tell(nil, "1.0"); a.State != New || a.Known || a.Wanted != Full {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct {
		s       Standing
		version string
		in      string
		have    string
		wanted  Wanted
	}{
		{Standing{State: Known, Installs: 3}, "1.0", "", "?", Full},
		{Standing{State: Fixed, ResolvedIn: "1.2.0"}, "1.2.0", "1.2.0", "true", Counts},
		{Standing{State: Fixed, ResolvedIn: "1.2.0"}, "1.1.9", "1.2.0", "false", Counts},
		{Standing{State: Fixed, ResolvedIn: "1.2.0"}, "", "1.2.0", "?", Counts},
		{Standing{State: Fixed, ResolvedIn: ">1.2.0"}, "1.2.0", "after 1.2.0", "false", Counts},
		{Standing{State: Fixed, ResolvedIn: ">1.2.0"}, "1.10.0", "after 1.2.0", "true", Counts},
		{Standing{State: Fixed, ResolvedIn: ">1.2.0", FixedIn: "1.3.0", Wanted: Full}, "1.2.5", "1.3.0", "false", Full},
		{Standing{State: Fixed}, "1.2.0", "", "?", Counts},
		{Standing{State: Ignored}, "1.2.0", "", "?", Nothing},
	} {
		a := Tell(&c.s, c.version)
		have := "?"
		if a.HaveFix != nil {
			have = fmt.Sprint(*a.HaveFix)
		}
		if a.FixedIn != c.in || have != c.have || a.Wanted != c.wanted || a.Installs != 0 || a.Others != (c.s.Installs > 1) {
			t.Errorf("%+v with %q: %+v have %s", c.s, c.version, a, have)
		}
	}
}

func TestBoardKeepsTenantsApart(t *testing.T) {
	b := NewBoard()
	acme, zeta, studio := Asker{Extension: "acme.todo"}, Asker{Extension: "zeta.lint"}, Asker{Host: "studio"}
	if _, ok := b.Look(acme, "", "h1"); ok {
		t.Error("a board that is not loaded knows nothing")
	}
	b.Ready()
	b.Learn("acme.todo", "studio", "h1", "F-1")
	b.Learn("", "studio", "h2", "F-2")
	b.Set(&Standing{Family: "F-1", Owner: "acme.todo", Host: "studio", State: Known}, &Standing{Family: "F-2", Host: "studio", State: Known})
	look := func(a Asker, ext eco.ExtensionID, hash string) string {
		s, ok := b.Look(a, ext, hash)
		if s == nil {
			return fmt.Sprint(ok)
		}
		return s.Family
	}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("own", look(acme, "acme.todo", "h1"), "F-1")
	check("own, nobody blamed", look(acme, "", "h1"), "F-1")
	check("own, new", look(acme, "", "h9"), "true")
	check("another's", look(zeta, "acme.todo", "h1"), "false")
	check("another's, and not there", look(zeta, "acme.todo", "h9"), "false")
	check("a name alike", look(zeta, "", "h1"), "true")
	check("the host's, blamed on an extension", look(studio, "acme.todo", "h1"), "F-1")
	check("another host's", look(Asker{Host: "shop"}, "acme.todo", "h1"), "false")
	check("the host's own", look(studio, "", "h2"), "F-2")
	check("the host's own, of another host", look(Asker{Host: "shop"}, "", "h2"), "true")
	check("the host's own, for an extension", look(acme, "", "h2"), "true")
	b.Set(&Standing{Family: "F-1", Owner: "acme.todo", Host: "studio", State: Fixed, Public: "p1"})
	check("published", look(zeta, "acme.todo", "h1"), "F-1")
	b.max = 2
	b.Learn("acme.todo", "", "h3", "F-1")
	check("full: no word of new", look(acme, "", "h9"), "false")
	check("full: what is there stays", look(acme, "", "h1"), "F-1")
}

func BenchmarkLook(b *testing.B) {
	board := NewBoard()
	for i := range 100_000 {
		board.Learn("acme.todo", "", fmt.Sprintf("%016x", i), "F-1")
	}
	board.Set(&Standing{Family: "F-1", Owner: "acme.todo", State: Fixed, ResolvedIn: "1.2.0"})
	board.Ready()
	for b.Loop() {
		s, _ := board.Look(Asker{Extension: "acme.todo"}, "acme.todo", "0000000000001234")
		_ = Tell(s, "1.1.0")
	}
}

func FuzzParse(f *testing.F) {
	b := book(f)
	f.Add(b.ID(newID()))
	f.Add(strings.Repeat("ab", 16) + "." + strings.Repeat("01", 16))
	f.Fuzz(func(t *testing.T, s string) {
		n, err := b.Parse(s)
		if err == nil && n.Crash.IsZero() == (n.Client == "") {
			t.Errorf("%q: %+v", s, n)
		}
	})
}
