package item

import (
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// Trace fills in what a client says of an exception as type, message and a text
// trace. A trace that cannot be read is kept as text for the pipeline, and a type
// beside one that can is kept on its outermost exception.
func Trace(c *eco.Crash, typ, message, text string) {
	if text != "" {
		t, ok := stack.Parse(text)
		if ok && len(t.Exceptions) > 0 {
			c.Exceptions = t.Exceptions
			if t.Platform != "" {
				c.Platform = t.Platform
			}
			x := &c.Exceptions[0]
			if typ != "" {
				x.Type = typ
			}
			if message != "" && (x.Value == "" || !strings.Contains(x.Value, message)) {
				x.Value = message
			}
			x.Parent = -1
			return
		}
		if !t.Private {
			c.Text = text
		}
	}
	if typ != "" || message != "" {
		c.Exceptions = []eco.Exception{{Type: typ, Value: message, Parent: -1}}
	}
}
