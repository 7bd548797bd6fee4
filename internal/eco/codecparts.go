package eco

// The parts of the envelope codec: origin, crash, session. The order of fields is
// the format; see codec.go.

func (w *encoder) origin(o *Origin) {
	w.int(o.Project)
	w.str(string(o.Extension))
	w.str(o.ExtVersion)
	w.str(o.Host)
	w.str(o.HostVersion)
	w.str(string(o.Channel))
	w.str(o.OS)
	w.str(o.OSVersion)
	w.str(o.Arch)
	w.str(o.Runtime)
	w.str(o.Environment)
	w.str(o.Country)
	w.str(o.SDK)
	w.u64(uint64(o.Install))
}

func (r *decoder) origin(o *Origin) {
	o.Project = r.int()
	o.Extension = ExtensionID(r.str())
	o.ExtVersion = r.str()
	o.Host = r.str()
	o.HostVersion = r.str()
	o.Channel = Channel(r.str())
	o.OS = r.str()
	o.OSVersion = r.str()
	o.Arch = r.str()
	o.Runtime = r.str()
	o.Environment = r.str()
	o.Country = r.str()
	o.SDK = r.str()
	o.Install = Install(r.u64())
}

func (w *encoder) crash(c *Crash) {
	w.str(c.Platform)
	w.str(c.Level)
	w.maybe(c.Handled)
	w.str(c.Mechanism)
	w.str(c.Message)
	w.len(len(c.Exceptions))
	for i := range c.Exceptions {
		w.exception(&c.Exceptions[i])
	}
	w.str(c.Text)
	w.str(c.Thread)
	w.len(len(c.Breadcrumbs))
	for i := range c.Breadcrumbs {
		b := &c.Breadcrumbs[i]
		w.int(b.Time)
		w.str(b.Category)
		w.str(b.Message)
		w.str(b.Level)
		w.str(b.Type)
	}
	w.strings(c.Tags)
	w.strings(c.Modules)
	w.active(c.Active)
	w.str(c.Command)
	w.str(string(c.Owner))
	w.str(c.SessionID)
	w.len(len(c.DebugImages))
	for i := range c.DebugImages {
		d := &c.DebugImages[i]
		w.str(d.Type)
		w.str(d.CodeFile)
		w.str(d.DebugID)
	}
	w.str(c.Counted)
}

func (r *decoder) crash(c *Crash) {
	c.Platform = r.str()
	c.Level = r.str()
	c.Handled = r.maybe()
	c.Mechanism = r.str()
	c.Message = r.str()
	if n := r.len(9); n > 0 {
		c.Exceptions = make([]Exception, n)
		for i := range c.Exceptions {
			r.exception(&c.Exceptions[i])
		}
	}
	c.Text = r.str()
	c.Thread = r.str()
	if n := r.len(5); n > 0 {
		c.Breadcrumbs = make([]Breadcrumb, n)
		for i := range c.Breadcrumbs {
			c.Breadcrumbs[i] = Breadcrumb{Time: r.int(), Category: r.str(), Message: r.str(), Level: r.str(), Type: r.str()}
		}
	}
	c.Tags = r.strings()
	c.Modules = r.strings()
	c.Active = r.active()
	c.Command = r.str()
	c.Owner = ExtensionID(r.str())
	c.SessionID = r.str()
	if n := r.len(3); n > 0 {
		c.DebugImages = make([]DebugImage, n)
		for i := range c.DebugImages {
			c.DebugImages[i] = DebugImage{Type: r.str(), CodeFile: r.str(), DebugID: r.str()}
		}
	}
	if r.version >= 4 {
		c.Counted = r.str()
	}
}

func (w *encoder) exception(x *Exception) {
	w.str(x.Type)
	w.str(x.Module)
	w.str(x.Value)
	w.len(len(x.Frames))
	for i := range x.Frames {
		f := &x.Frames[i]
		w.str(f.Function)
		w.str(f.Module)
		w.str(f.File)
		w.int(int64(f.Line))
		w.int(int64(f.Col))
		w.maybe(f.InApp)
		w.str(f.Package)
		w.str(f.Addr)
		w.bool(f.Async)
		w.str(string(f.Class))
		w.str(string(f.Owner))
		w.str(f.Orig)
		w.str(string(f.Trust))
		if w.has(f.Renamed || f.Inlined || f.OrigModule != "" || f.OrigFile != "" || f.OrigLine != 0 || f.OrigCol != 0 || f.Or != "") {
			w.str(f.OrigModule)
			w.str(f.OrigFile)
			w.int(int64(f.OrigLine))
			w.int(int64(f.OrigCol))
			w.bool(f.Renamed)
			w.bool(f.Inlined)
			w.str(f.Or)
		}
	}
	w.int(int64(x.Parent))
	w.bool(x.Suppressed)
	w.bool(x.Grouped)
	w.int(int64(x.More))
	w.str(x.Mechanism)
}

func (r *decoder) exception(x *Exception) {
	x.Type = r.str()
	x.Module = r.str()
	x.Value = r.str()
	if n := r.len(12); n > 0 {
		x.Frames = make([]Frame, n)
		for i := range x.Frames {
			f := &x.Frames[i]
			f.Function = r.str()
			f.Module = r.str()
			f.File = r.str()
			f.Line = int(r.int())
			f.Col = int(r.int())
			f.InApp = r.maybe()
			f.Package = r.str()
			f.Addr = r.str()
			f.Async = r.bool()
			f.Class = FrameClass(r.str())
			f.Owner = ExtensionID(r.str())
			f.Orig = r.str()
			if r.version >= 2 {
				f.Trust = FrameTrust(r.str())
			}
			if r.version >= 3 && r.bool() {
				f.OrigModule, f.OrigFile = r.str(), r.str()
				f.OrigLine, f.OrigCol = int(r.int()), int(r.int())
				f.Renamed, f.Inlined = r.bool(), r.bool()
				f.Or = r.str()
			}
		}
	}
	x.Parent = int(r.int())
	x.Suppressed = r.bool()
	x.Grouped = r.bool()
	x.More = int(r.int())
	x.Mechanism = r.str()
}

func (w *encoder) active(list []Active) {
	w.len(len(list))
	for i := range list {
		w.str(string(list[i].ID))
		w.str(list[i].Version)
	}
}

func (r *decoder) active() []Active {
	n := r.len(2)
	if n == 0 {
		return nil
	}
	list := make([]Active, n)
	for i := range list {
		list[i] = Active{ID: ExtensionID(r.str()), Version: r.str()}
	}
	return list
}

func (w *encoder) session(s *Session) {
	w.u64(s.Key)
	w.str(s.Status)
	w.bool(s.Init)
	w.int(s.Seq)
	w.int(s.Started)
	w.float(s.Duration)
	w.int(s.Errors)
	w.active(s.Active)
	w.int(s.Exited)
	w.int(s.Errored)
	w.int(s.Crashed)
	w.int(s.Abnormal)
}

func (r *decoder) session(s *Session) {
	s.Key = r.u64()
	s.Status = r.str()
	s.Init = r.bool()
	s.Seq = r.int()
	s.Started = r.int()
	s.Duration = r.float()
	s.Errors = r.int()
	s.Active = r.active()
	s.Exited = r.int()
	s.Errored = r.int()
	s.Crashed = r.int()
	s.Abnormal = r.int()
}
