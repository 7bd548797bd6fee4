package pipeline

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/facts"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/signature"
)

// documents writes the documents of a batch, in parallel, in its order.
func (w *Worker) documents(items []item) []facts.Doc {
	now := w.o.Now().UnixMilli()
	var at []int
	for i := range items {
		if it := &items[i]; it.outcome == stored {
			switch it.env.Kind {
			case eco.KindCrash:
				it.step("store", "doc/1", "", now)
				at = append(at, i)
			case eco.KindSession, eco.KindFeedback:
				at = append(at, i)
			}
		}
	}
	docs := make([]facts.Doc, len(at))
	kept := make([]bool, len(at))
	inParallel(len(at), func(i int) {
		it := &items[at[i]]
		d, ok, err := document(it)
		if err != nil { // only a value that JSON cannot say; sound and finite leave none
			w.o.Log.Error("a document is not written", "crash", it.env.ID.String(), "err", err)
		}
		docs[i], kept[i] = d, ok && err == nil
	})
	out := docs[:0]
	for i, d := range docs {
		if kept[i] {
			out = append(out, d)
		}
	}
	return out
}

// document is what is kept beside the row of a crash, of a session that named
// the extensions that were active, and of feedback; ok is false for the rest.
func document(it *item) (_ facts.Doc, _ bool, err error) {
	defer func() {
		if p := recover(); p != nil { // a crash without its document rather than a flow that stands still
			err = panicked(p)
		}
	}()
	e := it.env
	var v any
	switch {
	case e.Kind == eco.KindCrash:
		d := &crash.Document{
			Version: crash.DocumentVersion, ID: e.ID, ClientID: e.ClientID, Received: e.Received, Time: e.Time, Protocol: e.Protocol,
			Weight: finite(e.Weight), Quarantined: e.Quarantined, Origin: e.Origin, Crash: *e.Crash,
			Signature: it.sig, Blame: it.blame, Placement: it.place, Removed: e.Removed, Steps: e.Steps,
		}
		if len(it.raw) > facts.MaxDoc/4 { // it might not fit once it is JSON: frames matter most
			d.Crash.Text, d.Crash.Breadcrumbs, d.Crash.Modules = "", nil, nil
		}
		v = d
	case e.Kind == eco.KindSession && len(e.Session.Active) > 0 && it.session.count > 0:
		v = sessionDocument{Active: e.Session.Active}
	case e.Kind == eco.KindFeedback:
		v = e.Feedback
	default:
		return facts.Doc{}, false, nil
	}
	body, err := encodeDocument(v)
	if err != nil {
		return facts.Doc{}, false, err
	}
	if len(body) > facts.MaxDoc {
		return facts.Doc{}, false, fault.E("pipeline.document", fault.TooLarge, "The document is too large to be kept.", nil)
	}
	return facts.Doc{ID: e.ID, Class: e.Class, Body: body}, true, nil
}

func encodeDocument(v any) ([]byte, error) {
	var body written
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // <anonymous> and a => b are common in frames
	if err := enc.Encode(v); err != nil {
		return nil, fault.E("pipeline.document", fault.Internal, "The document could not be written.", err)
	}
	return bytes.TrimSuffix(body, []byte("\n")), nil
}

// written takes what an encoder writes, which is all of a document at once.
type written []byte

func (w *written) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// sessionDocument is evidence for blame by correlation: which extensions a
// healthy session had. It is no column, so no export of rows holds it.
type sessionDocument struct {
	Active []eco.Active `json:"active"`
}

// searchText is what full text finds a signature by: title and message templates,
// at most 4 KB, and names of frames, each once, at most 16 KB.
func searchText(sig *eco.Signature, c *eco.Crash) (message, frames string) {
	m, f := words{most: 4 << 10}, words{most: 16 << 10, once: map[string]bool{}}
	m.add(sig.Title)
	m.add(sig.Key)
	m.add(signature.Template(c.Message))
	for i := range c.Exceptions {
		x := &c.Exceptions[i]
		m.add(x.Type)
		m.add(signature.Template(x.Value))
		for j := range x.Frames {
			f.add(x.Frames[j].Function)
			f.add(x.Frames[j].Module)
			f.add(base(x.Frames[j].File))
		}
	}
	return m.String(), f.String()
}

// words is text up to a bound; what does not fit is left out.
type words struct {
	strings.Builder
	most int
	once map[string]bool // nil: repetitions stay
}

func (w *words) add(s string) {
	if s == "" || w.once[s] || w.Len()+len(s) >= w.most {
		return
	}
	if w.once != nil {
		w.once[s] = true
	}
	w.WriteString(s)
	w.WriteByte(' ')
}

// base is the last part of a path of any system.
func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
