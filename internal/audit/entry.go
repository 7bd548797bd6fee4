package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
)

// line is the form of an entry that is hashed. A change of it is a new version;
// old lines stay as they are.
type line struct {
	V      int     `json:"v"`
	N      int64   `json:"n"`
	At     int64   `json:"at"`
	Actor  string  `json:"actor"`
	Action string  `json:"action"`
	Ref    eco.Ref `json:"ref"`
	Note   string  `json:"note,omitempty"`
}

func encode(r Record) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Strings and integers cannot fail to encode.
	_ = e.Encode(line{1, r.N, r.At.UnixMilli(), r.Actor, r.Action, r.Ref, r.Note})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func decode(body []byte) (Record, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Record{}, err
	}
	if l.V != 1 {
		return Record{}, errors.New("unknown version of an entry")
	}
	r := Record{N: l.N, At: time.UnixMilli(l.At).UTC(), Entry: Entry{l.Actor, l.Action, l.Ref, l.Note}}
	if !bytes.Equal(encode(r), body) {
		return Record{}, errors.New("entry is not in its canonical form")
	}
	return r, nil
}
