package crash

import (
	"fmt"
	"testing"

	"github.com/bellwether-project/bellwether/internal/db/dbtest"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
)

// An install that had two families counts once in their list, however many
// families a filter keeps or leaves out.
func TestInstallsOfAList(t *testing.T) {
	x := newDesk(t, dbtest.Open(t))
	const n = 1200
	var reports []report
	for i := range n {
		id := fmt.Sprintf("F-%04d", i)
		for _, install := range []eco.Install{7, 8} {
			reports = append(reports, report{family: id, sig: fmt.Sprintf("%016d", i), blame: "acme.theme", ext: "acme.theme", install: install})
		}
	}
	x.add(reports...)
	want := func(f Filter, total int, installs int64) {
		t.Helper()
		p, err := x.Families(t.Context(), everything, f)
		if err != nil || p.Total != total || p.Installs != installs {
			t.Errorf("%+v: %d families, %d installs, %v", f, p.Total, p.Installs, err)
		}
	}
	want(Filter{}, n, 2)
	for i := range 300 {
		if _, err := x.SetState(t.Context(), everything, Decision{Family: fmt.Sprintf("F-%04d", i), To: Ignored, Actor: "a-1"}); err != nil {
			t.Fatal(err)
		}
	}
	want(Filter{State: Ignored}, 300, 2)
	want(Filter{State: Open}, n-300, 2)
	p, err := x.Family(t.Context(), facts.Everything(), "F-0000", Period{})
	if err != nil || len(p.List) != 1 || p.List[0].Installs != 2 || p.List[0].Crashes != 2 {
		t.Errorf("%+v, %v", p.List, err)
	}
}
