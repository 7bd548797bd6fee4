package eval

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/family"
)

// Scores are those of section 6 of the reference: A clusters, B oracle ranking, C
// blame, D stability, E regression, F cost. Fields that need labels are zero
// without them.
type Scores struct {
	Crashes    int
	Labelled   int
	Families   Pairs // A
	Signatures Pairs // the exact key alone, to compare
	Spread     Spread
	Oracle     Oracle
	Blame      BlameScore
	Stability  Stability
	Regression Regression
	Cost       []Cost
	Index      family.Stats
}

// Oracle is the ranking of the papers: after each answer the true group is revealed.
type Oracle struct {
	Duplicates          int
	RR1, RR5, RR10, MRR float64
	AUC                 float64 // of the top score: duplicate against first of its group
}

// BlameScore counts the extension that leads.
type BlameScore struct {
	Accuracy  float64 // of all
	Precision float64 // of those answered
	Coverage  float64
}

// Stability compares runs that should agree.
type Stability struct {
	Signatures map[string]float64 // by what was changed: share of equal signatures
	Shuffled   float64            // pairwise F1 of two runs, one shuffled within each day
	Restarted  float64            // share of equal families with a restart in the middle
}

// Regression pretends that each family was resolved after its first release.
type Regression struct {
	Returned, Reopened int // groups seen in a later release; of them, how many reopened
	Gone, False        int // groups never seen again; of them, how many reopened all the same
}

func (s *Set) score(answers []Answer) *Scores {
	out := &Scores{Crashes: len(answers)}
	truth, fams, sigs := make([]string, len(answers)), make([]string, len(answers)), make([]string, len(answers))
	for i := range answers {
		truth[i], fams[i], sigs[i] = s.labels[i].Group, answers[i].Family, answers[i].Signature
		if truth[i] != "" {
			out.Labelled++
		}
	}
	out.Stability = s.stability(answers)
	out.Blame = s.blame(answers)
	if out.Labelled == 0 {
		return out
	}
	out.Families, out.Signatures = compare(truth, fams), compare(truth, sigs)
	out.Spread = s.spread()
	out.Oracle = s.oracle()
	out.Regression = s.regression(answers)
	return out
}

// oracle ranks with the true groups as families; the first tenth only teaches.
func (s *Set) oracle() Oracle {
	var o Oracle
	x := family.NewIndex(family.Options{})
	seen := map[string]bool{}
	var dup, first []float64
	for i := range s.records {
		g := s.labels[i].Group
		if g == "" {
			continue
		}
		c, origin := s.records[i].crash()
		r := judge(s.World, c, origin)
		if i >= len(s.records)/10 {
			ranked := x.Rank(r.in, maxRanked)
			top := -1.0
			if len(ranked) > 0 {
				top = ranked[0].Score
			}
			if !seen[g] {
				first = append(first, top)
			} else {
				dup = append(dup, top)
				at := slices.IndexFunc(ranked, func(n family.Near) bool { return n.Family == g })
				o.note(at)
			}
		}
		seen[g] = true
		x.Assign(r.in, g)
	}
	n := float64(max(o.Duplicates, 1))
	o.RR1, o.RR5, o.RR10, o.MRR = o.RR1/n, o.RR5/n, o.RR10/n, o.MRR/n
	o.AUC = auc(dup, first)
	return o
}

func (o *Oracle) note(at int) {
	o.Duplicates++
	if at < 0 {
		return
	}
	o.MRR += 1 / float64(at+1)
	if at < 1 {
		o.RR1++
	}
	if at < 5 {
		o.RR5++
	}
	if at < 10 {
		o.RR10++
	}
}

// auc is the chance that a positive scores above a negative; ties count half.
func auc(pos, neg []float64) float64 {
	if len(pos) == 0 || len(neg) == 0 {
		return 1
	}
	neg = slices.Sorted(slices.Values(neg))
	sum := 0.0
	for _, p := range pos {
		lo, _ := slices.BinarySearch(neg, p)
		hi, _ := slices.BinarySearchFunc(neg, p, func(e, t float64) int {
			if e <= t {
				return -1
			}
			return 1
		})
		sum += float64(lo) + float64(hi-lo)/2
	}
	return sum / float64(len(pos)*len(neg))
}

func (s *Set) blame(answers []Answer) BlameScore {
	labelled, answered, right := 0.0, 0.0, 0.0
	for i := range answers {
		if s.labels[i].Blame == "" {
			continue
		}
		labelled++
		if answers[i].Blame != "" {
			answered++
		}
		if answers[i].Blame == s.labels[i].Blame {
			right++
		}
	}
	if labelled == 0 {
		return BlameScore{}
	}
	return BlameScore{Accuracy: right / labelled, Precision: ratio(right, answered), Coverage: answered / labelled}
}

// regression takes for each true group the family of its first crash and the
// releases of the extension in which it was seen.
func (s *Set) regression(answers []Answer) Regression {
	type group struct {
		family, ext, first string
		later              bool
	}
	groups := map[string]*group{}
	releases := map[string][]string{} // family -> "extension@version" of its crashes
	for i := range answers {
		g, rel := s.labels[i].Group, s.records[i].Release
		ext, version, ok := strings.Cut(rel, "@")
		if g == "" || !ok {
			continue
		}
		releases[answers[i].Family] = append(releases[answers[i].Family], rel)
		x := groups[g]
		if x == nil {
			groups[g] = &group{family: answers[i].Family, ext: ext, first: version}
			continue
		}
		if ext == x.ext && eco.CompareVersions(version, x.first) < 0 {
			x.first = version
		}
		x.later = x.later || ext == x.ext && eco.CompareVersions(version, x.first) > 0
	}
	var r Regression
	for _, x := range groups {
		reopened := slices.ContainsFunc(releases[x.family], func(rel string) bool {
			ext, version, _ := strings.Cut(rel, "@")
			return ext == x.ext && eco.CompareVersions(version, x.first) > 0
		})
		switch {
		case x.later && reopened:
			r.Returned, r.Reopened = r.Returned+1, r.Reopened+1
		case x.later:
			r.Returned++
		case reopened:
			r.Gone, r.False = r.Gone+1, r.False+1
		default:
			r.Gone++
		}
	}
	return r
}

// Print writes the scores as a person reads them.
func (s *Scores) Print(out io.Writer) error {
	p := func(format string, a ...any) string { return fmt.Sprintf(format, a...) }
	var b strings.Builder
	b.WriteString(p("crashes %d, labelled %d\n", s.Crashes, s.Labelled))
	if s.Labelled > 0 {
		b.WriteString("A clusters            precision  recall      F1  B-cubed  spray  bucket  clusters/groups\n")
		for _, row := range []struct {
			name string
			p    Pairs
		}{{"families", s.Families}, {"signatures alone", s.Signatures}} {
			b.WriteString(p("  %-19s     %.4f  %.4f  %.4f   %.4f  %5.2f   %5.2f  %d/%d\n", row.name, row.p.Precision, row.p.Recall, row.p.F1, row.p.BCubed, row.p.Spray, row.p.Bucket, row.p.Clusters, row.p.Groups))
		}
		if s.Spread.Halves > 0 {
			b.WriteString(p("  F1 in %d halves      lowest %.4f  median %.4f  highest %.4f  (random halves of the groups: how far it depends on which defects there are)\n", s.Spread.Halves, s.Spread.Lowest, s.Spread.Median, s.Spread.Highest))
		}
		b.WriteString(p("B oracle ranking      RR@1 %.4f  RR@5 %.4f  RR@10 %.4f  MRR %.4f  AUC %.4f  (%d duplicates)\n", s.Oracle.RR1, s.Oracle.RR5, s.Oracle.RR10, s.Oracle.MRR, s.Oracle.AUC, s.Oracle.Duplicates))
		b.WriteString(p("C blame               accuracy %.4f  precision %.4f  coverage %.4f\n", s.Blame.Accuracy, s.Blame.Precision, s.Blame.Coverage))
	}
	b.WriteString("D stability          ")
	for _, k := range slices.SortedFunc(mapKeys(s.Stability.Signatures), cmp.Compare[string]) {
		b.WriteString(p(" %s %.4f", k, s.Stability.Signatures[k]))
	}
	b.WriteString(p("  shuffled %.4f  restarted %.4f\n", s.Stability.Shuffled, s.Stability.Restarted))
	if s.Labelled > 0 {
		b.WriteString(p("E regression          returned %d, reopened %d; gone %d, falsely reopened %d\n", s.Regression.Returned, s.Regression.Reopened, s.Regression.Gone, s.Regression.False))
	}
	for _, c := range s.Cost {
		b.WriteString(p("F cost at %6d      p50 %v  p99 %v  (%.2f x the first p50)\n", c.Stored, c.P50, c.P99, c.Ratio))
	}
	per := int64(0)
	if s.Index.Representatives > 0 {
		per = s.Index.Bytes / int64(s.Index.Representatives)
	}
	b.WriteString(p("index                 %d blocks, %d families, %d representatives, %d sequences, %d bytes (%d a representative)\n",
		s.Index.Blocks, s.Index.Families, s.Index.Representatives, s.Index.Sequences, s.Index.Bytes, per))
	_, err := io.WriteString(out, b.String())
	return err
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
