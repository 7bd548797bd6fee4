package native

import (
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/receipt"
	"github.com/bellwether-project/bellwether/internal/stack"
)

func (d *decoder) crash(it *item.Item) {
	r := d.r
	c := new(eco.Crash)
	signature := ""
	it.Name, it.Kind, it.Crash = "crash", eco.KindCrash, c
	r.Fields(func(key []byte) {
		switch string(key) {
		case "id":
			it.ClientID = r.Str(item.MaxID)
		case "time":
			it.Time = d.time()
		case "platform":
			c.Platform = item.Platform(r.Str(item.MaxWord))
		case "level":
			c.Level = item.Level(r.Str(item.MaxWord))
		case "handled":
			c.Handled = r.Bool()
		case "mechanism":
			c.Mechanism = r.Str(item.MaxWord)
		case "message":
			c.Message = r.Str(item.MaxMessage)
		case "exceptions":
			r.Each(item.MaxExceptions, func(int) { d.exception(c) })
		case "text", "report":
			c.Text = r.Str(MaxReport)
		case "thread":
			c.Thread = r.Str(item.MaxWord)
		case "breadcrumbs":
			r.Each(item.MaxCrumbs, func(int) { d.crumb(c) })
		case "tags":
			c.Tags = d.pairs(item.MaxTags, item.MaxValue)
		case "modules":
			c.Modules = d.pairs(item.MaxModules, item.MaxVersion)
		case "active":
			c.Active = d.actives([]eco.Active{})
		case "command":
			c.Command = r.Str(item.MaxKey)
		case "owner":
			c.Owner, _ = eco.ParseExtensionID(r.Str(item.MaxID))
		case "extension_version":
			it.Hints.ExtVersion = r.Str(item.MaxVersion)
		case "session":
			it.Session = item.Raw(r.Str(item.MaxID))
		case "weight":
			it.Weight, _ = r.Num()
		case "signature":
			signature = r.Str(item.MaxWord)
		default:
			r.Skip()
		}
	})
	if c.Level == "" {
		c.Level = "error"
	}
	if private := readText(it); private && len(c.Exceptions) == 0 && c.Message == "" {
		it.Kind, it.Crash, it.Drop = "", nil, Unread
		return
	}
	if len(c.Exceptions) > 0 || c.Text != "" || c.Message != "" {
		return // a stack, or something to make one of: its signature is made here
	}
	if signature != "" {
		counted(it, signature)
	} else {
		it.Kind, it.Crash, it.Drop = "", nil, "schema:empty"
	}
}

// counted makes of a crash that says nothing but its signature one that is only
// counted. What else of its content came along, which is nothing for a count, is
// not taken.
func counted(it *item.Item, signature string) {
	hash, ok := receipt.ParseSignature(signature)
	if !ok {
		it.Kind, it.Crash, it.Drop = "", nil, "schema:signature"
		return
	}
	c := it.Crash
	it.Crash = &eco.Crash{Level: c.Level, Handled: c.Handled, Active: c.Active, Owner: c.Owner, Counted: hash}
}

// readText makes frames of a text. A whole report (of Node.js, a JVM, macOS …) holds
// environments and command lines: of it nothing stays but what was read, and it is
// reported as private. A text that is no trace stays, cut, for the pipeline.
func readText(it *item.Item) (private bool) {
	c := it.Crash
	if c.Text == "" {
		return false
	}
	tr, ok := stack.Parse(c.Text)
	if ok && !framed(c) {
		stack.Adopt(c, tr)
		it.Origin = tr.Origin
		c.Text = ""
	}
	if tr.Private {
		c.Text = ""
	}
	c.Text = eco.Clean(c.Text, item.MaxText)
	return tr.Private
}

func framed(c *eco.Crash) bool {
	for i := range c.Exceptions {
		if len(c.Exceptions[i].Frames) > 0 {
			return true
		}
	}
	return false
}

func (d *decoder) exception(c *eco.Crash) {
	r := d.r
	x := eco.Exception{Parent: len(c.Exceptions) - 1}
	r.Fields(func(key []byte) {
		switch string(key) {
		case "type":
			x.Type = r.Str(item.MaxName)
		case "module":
			x.Module = r.Str(item.MaxName)
		case "value":
			x.Value = r.Str(item.MaxMessage)
		case "parent":
			if v, ok := r.Num(); ok && v >= -1 && v < float64(len(c.Exceptions)) {
				x.Parent = int(v)
			}
		case "suppressed":
			x.Suppressed = truth(r.Bool())
		case "grouped":
			x.Grouped = truth(r.Bool())
		case "mechanism":
			x.Mechanism = r.Str(item.MaxWord)
		case "frames":
			r.Each(item.MaxFrames, func(int) { d.frame(&x) })
		default:
			r.Skip()
		}
	})
	c.Exceptions = append(c.Exceptions, x)
}

func (d *decoder) frame(x *eco.Exception) {
	r := d.r
	if r.Kind() != '{' {
		r.Skip()
		return
	}
	x.Frames = append(x.Frames, eco.Frame{})
	f := &x.Frames[len(x.Frames)-1]
	r.Fields(func(key []byte) {
		switch string(key) {
		case "function":
			f.Function = r.Str(item.MaxName)
		case "module":
			f.Module = r.Str(item.MaxName)
		case "file":
			f.File = r.Str(item.MaxName)
		case "line":
			f.Line = int(r.Int(1 << 31))
		case "col":
			f.Col = int(r.Int(1 << 31))
		case "in_app":
			f.InApp = r.Bool()
		case "package":
			f.Package = r.Str(item.MaxName)
		case "addr":
			f.Addr = r.Str(32)
		case "async":
			f.Async = truth(r.Bool())
		default:
			r.Skip()
		}
	})
}

func (d *decoder) crumb(c *eco.Crash) {
	r := d.r
	var b eco.Breadcrumb
	r.Fields(func(key []byte) {
		switch string(key) {
		case "time":
			b.Time = d.time()
		case "category":
			b.Category = r.Str(item.MaxKey)
		case "message":
			b.Message = r.Str(item.MaxValue)
		case "level":
			b.Level = item.Level(r.Str(item.MaxWord))
		case "type":
			b.Type = r.Str(item.MaxWord)
		default:
			r.Skip()
		}
	})
	c.Breadcrumbs = append(c.Breadcrumbs, b)
}

// pairs reads an object of single values.
func (d *decoder) pairs(most, value int) map[string]string {
	r := d.r
	m := map[string]string{}
	r.Fields(func(name []byte) {
		if len(m) >= most || len(name) == 0 {
			r.Skip()
			return
		}
		key := eco.Clean(string(name), item.MaxKey)
		m[key] = r.Str(value)
	})
	if len(m) == 0 {
		return nil
	}
	return m
}

func truth(b *bool) bool { return b != nil && *b }
