package crash

import "cmp"

// conflicts says, in sentences, what of two families does not fit together.
func conflicts(into, f *Family) (out []string) {
	if f.State != into.State {
		out = append(out, f.ID+" is "+string(f.State)+", "+into.ID+" is "+string(into.State)+": the merged family is "+string(into.State)+".")
	} else if f.ResolvedIn != into.ResolvedIn {
		out = append(out, f.ID+" and "+into.ID+" are resolved in different releases: what was said of "+into.ID+" holds.")
	}
	if f.Blame != into.Blame {
		out = append(out, f.ID+" is attributed to "+cmp.Or(string(f.Blame), "nobody")+", "+into.ID+" to "+cmp.Or(string(into.Blame), "nobody")+": those of "+into.ID+" decide on both.")
	}
	if f.Type != into.Type {
		out = append(out, "They begin with different exceptions: "+cmp.Or(into.Type, "none")+" and "+cmp.Or(f.Type, "none")+".")
	}
	if f.Platform != into.Platform {
		out = append(out, "They come from different languages: "+cmp.Or(into.Platform, "unknown")+" and "+cmp.Or(f.Platform, "unknown")+".")
	}
	return out
}
