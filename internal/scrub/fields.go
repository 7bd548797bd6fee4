package scrub

import (
	"sort"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// MaxActive is how many active extensions of a crash or session are kept.
const MaxActive = 512

// removed stands where the value of a sensitive field was.
const removed = "<removed>"

// job scrubs one record and collects what it took out, by rule and place.
type job struct {
	r    *Rules
	x    scan
	outs []eco.Removal
}

// place is where a string stands; it becomes a text only when something was found.
type place struct {
	exception int // its number from 1 on; 0: of none
	field     string
	in, key   string // instead: the map, and the name in it
}

func (p place) String() string {
	switch {
	case p.exception > 0:
		return "exceptions[" + strconv.Itoa(p.exception-1) + "]." + p.field
	case p.in != "":
		return p.in + "[" + fieldName(p.key) + "]"
	}
	return p.field
}

// put scrubs one string in place.
func (j *job) put(s *string, m mode, at place) {
	if len(*s) < 3 {
		return
	}
	if m == modeName && strings.ContainsAny(*s, " \t\n=?") || m == modeVersion && strings.Count(*s, " ") > 1 {
		m = modeText // prose or a query where code or a version should be
	}
	out := j.x.known(*s, m)
	if !j.x.any {
		return
	}
	*s = out
	where := at.String()
	for i, n := range j.x.hits {
		if n > 0 {
			j.note(ruleID(i), where, int(n))
		}
	}
}

// note adds to the removal of the same rule and place.
func (j *job) note(id ruleID, place string, n int) {
	for i := range j.outs {
		if j.outs[i].Rule == rules[id].ID && j.outs[i].Place == place {
			j.outs[i].Count += n
			return
		}
	}
	if len(j.outs) >= 256 { // the rest under one name
		place = "…"
		if last := &j.outs[len(j.outs)-1]; last.Place == place {
			last.Count += n
			return
		}
	}
	j.outs = append(j.outs, eco.Removal{Rule: rules[id].ID, Place: place, Count: n})
}

func fixed(field string) place { return place{field: field} }

// Crash scrubs every string of a crash in place and reports what it removed.
func (r *Rules) Crash(c *eco.Crash) []eco.Removal {
	j := job{r: r, x: scan{rules: r}}
	j.put(&c.Platform, modeText, fixed("platform"))
	j.put(&c.Level, modeText, fixed("level"))
	j.put(&c.Mechanism, modeText, fixed("mechanism"))
	j.put(&c.Message, modeText, fixed("message"))
	j.put(&c.Text, modeText, fixed("text"))
	j.put(&c.Thread, modeText, fixed("thread"))
	j.put(&c.Command, modeText, fixed("command"))
	j.put(&c.SessionID, modeText, fixed("session_id"))
	j.id(&c.Owner, "owner")
	for i := range c.Exceptions {
		x := &c.Exceptions[i]
		at := func(field string) place { return place{exception: i + 1, field: field} }
		j.put(&x.Type, modeName, at("type"))
		j.put(&x.Module, modeName, at("module"))
		j.put(&x.Value, modeText, at("value"))
		j.put(&x.Mechanism, modeText, at("mechanism"))
		for k := range x.Frames {
			f := &x.Frames[k]
			j.put(&f.Function, modeName, at("frames[].function"))
			j.put(&f.Module, modeName, at("frames[].module"))
			j.put(&f.File, modePath, at("frames[].file"))
			j.put(&f.Package, modePath, at("frames[].package"))
			j.put(&f.Orig, modeName, at("frames[].orig"))
			if !hexAddr(f.Addr) {
				f.Addr = ""
				j.note(ruleForm, "exceptions[].frames[].addr", 1)
			}
			j.id(&f.Owner, "exceptions[].frames[].owner")
			switch f.Trust {
			case "", eco.TrustContext, eco.TrustCFI, eco.TrustFP, eco.TrustScan:
			default: // it is one of our words, or nothing
				f.Trust = ""
			}
		}
	}
	for i := range c.Breadcrumbs {
		b := &c.Breadcrumbs[i]
		j.put(&b.Category, modeText, fixed("breadcrumbs[].category"))
		j.put(&b.Message, modeText, fixed("breadcrumbs[].message"))
		j.put(&b.Level, modeText, fixed("breadcrumbs[].level"))
		j.put(&b.Type, modeText, fixed("breadcrumbs[].type"))
	}
	j.fields(c.Tags, "tags", modeText)
	j.fields(c.Modules, "modules", modeVersion)
	c.Active = j.active(c.Active)
	for i := range c.DebugImages {
		d := &c.DebugImages[i]
		j.put(&d.Type, modeText, fixed("debug_images[].type"))
		j.put(&d.CodeFile, modePath, fixed("debug_images[].code_file"))
		if !guidLike(d.DebugID) {
			d.DebugID = ""
			j.note(ruleForm, "debug_images[].debug_id", 1)
		}
	}
	return j.outs
}

// Event scrubs a telemetry event in place.
func (r *Rules) Event(e *eco.Event) []eco.Removal {
	j := job{r: r, x: scan{rules: r}}
	j.put(&e.Name, modeText, fixed("name"))
	j.put(&e.Unit, modeText, fixed("unit"))
	j.fields(e.Attrs, "attrs", modeText)
	return j.outs
}

// Session scrubs a session in place.
func (r *Rules) Session(s *eco.Session) []eco.Removal {
	j := job{r: r, x: scan{rules: r}}
	j.put(&s.Status, modeText, fixed("status"))
	s.Active = j.active(s.Active)
	return j.outs
}

// Feedback scrubs feedback in place. The contact address stays: it is what the
// user gave for the answer, under the support tier; so does the name.
func (r *Rules) Feedback(f *eco.Feedback) []eco.Removal {
	j := job{r: r, x: scan{rules: r}}
	j.put(&f.Message, modeText, fixed("message"))
	if !oneAddress(f.Contact) {
		j.put(&f.Contact, modeText, fixed("contact"))
	}
	if strings.ContainsAny(f.Name, "@/\\:=0123456789") {
		j.put(&f.Name, modeText, fixed("name"))
	}
	j.put(&f.CrashID, modeText, fixed("crash_id"))
	if o := originOf(f.URLOrigin); o != f.URLOrigin {
		f.URLOrigin = o
		j.note(ruleQuery, "url_origin", 1)
	}
	j.put(&f.URLOrigin, modeText, fixed("url_origin"))
	return j.outs
}

// Origin scrubs the dimensions in place.
func (r *Rules) Origin(o *eco.Origin) []eco.Removal {
	j := job{r: r, x: scan{rules: r}}
	j.id(&o.Extension, "extension")
	j.put(&o.ExtVersion, modeVersion, fixed("ext_version"))
	j.put(&o.Host, modeText, fixed("host"))
	j.put(&o.HostVersion, modeVersion, fixed("host_version"))
	ch := string(o.Channel)
	j.put(&ch, modeText, fixed("channel"))
	o.Channel = eco.Channel(ch)
	j.put(&o.OS, modeText, fixed("os"))
	j.put(&o.OSVersion, modeVersion, fixed("os_version"))
	j.put(&o.Arch, modeText, fixed("arch"))
	j.put(&o.Runtime, modeVersion, fixed("runtime"))
	j.put(&o.Environment, modeText, fixed("environment"))
	j.put(&o.SDK, modeVersion, fixed("sdk"))
	if c := o.Country; c != "" && (len(c) != 2 || !isAlpha(c[0]) || !isAlpha(c[1])) {
		o.Country = ""
		j.note(ruleForm, "country", 1)
	}
	return j.outs
}

// Envelope scrubs whatever an envelope holds, its origin and the client's id,
// and appends what it removed to Removed. clean is an origin of which nothing was
// removed before: the records of a request mostly share theirs.
func (r *Rules) Envelope(e *eco.Envelope, clean *eco.Origin) []eco.Removal {
	var outs []eco.Removal
	if e.Origin != *clean {
		outs = r.Origin(&e.Origin)
	}
	for i := range outs {
		outs[i].Place = "origin." + outs[i].Place
	}
	j := job{r: r, x: scan{rules: r}}
	if !guidLike(e.ClientID) {
		j.put(&e.ClientID, modeText, fixed("client_id"))
	}
	outs = append(outs, j.outs...)
	if e.Crash != nil {
		outs = append(outs, r.Crash(e.Crash)...)
	}
	if e.Session != nil {
		outs = append(outs, r.Session(e.Session)...)
	}
	if e.Event != nil {
		outs = append(outs, r.Event(e.Event)...)
	}
	if e.Feedback != nil {
		outs = append(outs, r.Feedback(e.Feedback)...)
	}
	e.Removed = append(e.Removed, outs...)
	return outs
}

// fields scrubs a map in place: a sensitive name loses its value whatever it
// is, other values and the names themselves are scrubbed as text.
func (j *job) fields(m map[string]string, of string, md mode) {
	var renamed []string
	for k, v := range m {
		if md != modeVersion && j.r.SensitiveKey(k) {
			if v != "" && v != removed {
				m[k] = removed
				j.note(ruleKey, place{in: of, key: k}.String(), 1)
			}
		} else {
			w := v
			j.put(&w, md, place{in: of, key: k})
			if w != v {
				m[k] = w
			}
		}
		if len(k) >= 3 {
			n := k
			j.put(&n, modeText, place{in: of})
			if n != k {
				renamed = append(renamed, k)
			}
		}
	}
	sort.Strings(renamed) // two names may become one: the last in order stays
	for _, k := range renamed {
		v := m[k]
		delete(m, k)
		n, _ := j.r.Text(k)
		m[n] = v
	}
	if len(j.outs) < 2 {
		return
	}
	sort.Slice(j.outs, func(a, b int) bool { // maps have no order, removals have
		if j.outs[a].Place != j.outs[b].Place {
			return j.outs[a].Place < j.outs[b].Place
		}
		return j.outs[a].Rule < j.outs[b].Rule
	})
}

// fieldName returns a name that may stand in a removal: short, and a word.
func fieldName(k string) string {
	if len(k) > 40 {
		return ""
	}
	for i := range len(k) {
		if c := k[i]; !isAlpha(c) && c != '_' && c != '.' && c != '-' {
			return ""
		}
	}
	return k
}

// id clears an extension id that is not one.
func (j *job) id(id *eco.ExtensionID, place string) {
	if *id != "" && !j.publicID(string(*id)) {
		*id = ""
		j.note(ruleActive, place, 1)
	}
}

// publicID: well-formed, and nothing that a rule would take out of a text.
func (j *job) publicID(s string) bool {
	id, err := eco.ParseExtensionID(s)
	if err != nil || string(id) != s {
		return false
	}
	j.x.known(s, modeVersion)
	return !j.x.any
}

// active keeps well-formed public ids, each once, at most MaxActive, with short versions.
func (j *job) active(list []eco.Active) []eco.Active {
	if len(list) == 0 {
		return list
	}
	kept, bad := list[:0], 0
	seen := make(map[eco.ExtensionID]bool, min(len(list), MaxActive))
	for _, a := range list {
		id := eco.ExtensionID(strings.ToLower(strings.TrimSpace(string(a.ID))))
		if len(kept) == MaxActive || seen[id] || !j.publicID(string(id)) {
			bad++
			continue
		}
		seen[id] = true
		a.ID = id
		if !versionLike(a.Version) {
			a.Version = ""
			j.note(ruleForm, "active[].version", 1)
		}
		kept = append(kept, a)
	}
	for i := len(kept); i < len(list); i++ {
		list[i] = eco.Active{} // what was dropped must not live on behind the slice
	}
	if bad > 0 {
		j.note(ruleActive, "active[]", bad)
	}
	return kept
}
