package blame

import (
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// Decide attributes a classified crash (steps 1 to 5 and 7).
func Decide(w *World, c *eco.Crash, o eco.Origin) eco.Blame {
	var b eco.Blame
	b.Target = "unknown"
	root := signature.Root(c)
	signature.Walk(c, root, func(f *eco.Frame) bool {
		if f.Owner != "" {
			b.Extension, b.Target = f.Owner, "extension"
			return false
		}
		return true
	})
	if b.Extension == "" {
		for i := range c.Exceptions {
			for j := range c.Exceptions[i].Frames {
				if f := &c.Exceptions[i].Frames[j]; f.Owner != "" && b.Extension == "" {
					b.Extension, b.Target = f.Owner, "extension"
				}
			}
		}
	}
	if b.Extension == "" {
		b.Extension = o.Extension
	}
	if b.Extension == o.Extension {
		b.Version = o.ExtVersion
	}
	return b
}
