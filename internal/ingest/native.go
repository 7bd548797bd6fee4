package ingest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/consent"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/native"
	"github.com/bellwether-project/bellwether/internal/pipeline"
)

var nativeCORS = door.CORS{Methods: "POST", Headers: "content-type, content-encoding, authorization, x-bellwether-key", Expose: "retry-after, x-request-id"}

// Answer is the answer of our own intake: what became of each item, in order.
type Answer struct {
	Kept    int        `json:"kept"`
	Dropped int        `json:"dropped"`
	Items   []ItemNote `json:"items"`
	Stop    []string   `json:"stop,omitempty"` // tiers that are not wanted from this key, or from this sender: stop sending them
}

// ItemNote is what became of one item.
type ItemNote struct {
	ID       string `json:"id,omitempty"`        // ours, of a kept item
	ClientID string `json:"client_id,omitempty"` // the client's own
	Outcome  string `json:"outcome"`             // kept, dropped
	Reason   string `json:"reason,omitempty"`    // of a drop
	// Answer is what is known of a kept crash: whether it is new, where a fix is, its receipt.
	Answer *Told `json:"answer,omitempty"`
	// Detail says in words why a crash of which only the signature came was dropped.
	Detail string `json:"detail,omitempty"`
}

// details are the drops of a count in words: its client has to send something else.
var details = map[string]string{
	pipeline.Unknown:   "No crash with this signature is known here, so there is nothing to count: send the full report.",
	"schema:signature": "signature: sig/1: and 16 hexadecimal digits, as answers give it. A crash without one needs exceptions, a text or a message.",
}

// native serves one of /api/v1/intake/{crashes,sessions,events}.
func (s *Server) native(list string) http.Handler {
	return door.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if nativeCORS.Preflight(w, r) {
			return nil
		}
		nativeCORS.Set(w, r)
		g, err := s.nativeGate(w, r)
		if err != nil {
			return err
		}
		b, err := s.read(w, r, door.Limit{Compressed: MaxNative, Decompressed: MaxNative})
		if err != nil {
			return err
		}
		defer b.release()
		if err := b.unfold(); err != nil {
			return err
		}
		items, err := native.Read(b.bytes, list, MaxBatch, g.now.UnixMilli())
		if err != nil {
			return err
		}
		return s.nativeAnswer(w, r, g, items)
	})
}

// nativeGate lets a request of our own protocol in.
func (s *Server) nativeGate(w http.ResponseWriter, r *http.Request) (g gate, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		return g, door.WithStatus(fault.E("ingest.native", fault.Invalid, "This address takes POST requests.", nil), http.StatusMethodNotAllowed)
	}
	key, err := headerKey(r.Header)
	if err != nil {
		return g, err
	}
	if err := s.full(); err != nil {
		return g, err
	}
	if g, err = s.open(r, native.Protocol, key, 0); err != nil {
		return g, err
	}
	return g, s.take(&g)
}

// nativeAnswer decides about each item, stores what is kept, and says so.
func (s *Server) nativeAnswer(w http.ResponseWriter, r *http.Request, g gate, items []item.Item) error {
	batch := s.newBatch(g)
	batch.answers = true
	appended := false
	defer func() { batch.done(appended) }()
	a := Answer{Items: make([]ItemNote, len(items))}
	for i := range items {
		it := &items[i]
		out := batch.add(it)
		note := ItemNote{ClientID: it.ClientID, Outcome: "kept"}
		if r.URL.Path == reportPath {
			note.ClientID = "" // the only item; an address is not repeated
		}
		if out.Kept {
			note.ID, note.Answer = out.ID.String(), out.Answer
		} else {
			note.Outcome, note.Reason, note.Answer, note.Detail = "dropped", out.Reason, out.Answer, details[out.Reason]
			if strings.HasPrefix(out.Reason, "consent:") || strings.HasPrefix(out.Reason, "optout:") {
				if tier := string(consent.TierOf(native.Protocol, it.Name)); !slices.Contains(a.Stop, tier) {
					a.Stop = append(a.Stop, tier)
				}
			}
		}
		a.Items[i] = note
	}
	a.Kept, a.Dropped = batch.kept, batch.dropped
	door.InfoOf(r.Context()).SetItems(len(items))
	if err := batch.flush(r.Context()); err != nil {
		return err
	}
	appended = true
	body, err := json.Marshal(a)
	if err != nil {
		return fault.E("ingest.native", fault.Internal, "", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if len(items) == 1 && items[0].Drop == native.Unread && r.URL.Path == reportPath {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_, _ = w.Write(body)
	return nil
}
