package eval

// Pairs is how well two partitions of the same things agree.
type Pairs struct {
	Precision, Recall, F1 float64
	BCubed                float64
	Spray                 float64 // mean clusters a true group is spread over
	Bucket                float64 // mean true groups a cluster holds
	Groups, Clusters      int
}

// compare scores clusters against true groups (section 6 A of the reference).
// Items without a true group are left out.
func compare(truth, got []string) Pairs {
	type key struct{ t, g string }
	joint := map[key]float64{}
	ts, gs := map[string]float64{}, map[string]float64{}
	n := 0.0
	for i, t := range truth {
		if t == "" {
			continue
		}
		joint[key{t, got[i]}]++
		ts[t]++
		gs[got[i]]++
		n++
	}
	var both, inT, inG, bp, br float64
	spray, bucket := map[string]float64{}, map[string]float64{}
	for k, c := range joint {
		both += c * (c - 1) / 2
		bp += c * c / gs[k.g]
		br += c * c / ts[k.t]
		spray[k.t]++
		bucket[k.g]++
	}
	for _, c := range ts {
		inT += c * (c - 1) / 2
	}
	for _, c := range gs {
		inG += c * (c - 1) / 2
	}
	p := Pairs{Precision: ratio(both, inG), Recall: ratio(both, inT), Groups: len(ts), Clusters: len(gs)}
	p.F1 = harmonic(p.Precision, p.Recall)
	p.BCubed = harmonic(ratio(bp, n), ratio(br, n))
	p.Spray, p.Bucket = mean(spray), mean(bucket)
	return p
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 1
	}
	return a / b
}

func harmonic(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

func mean(m map[string]float64) float64 {
	s := 0.0
	for _, v := range m {
		s += v
	}
	return ratio(s, float64(len(m)))
}
