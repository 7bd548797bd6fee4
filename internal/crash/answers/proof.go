package answers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/receipt"
)

// MaxProof bounds a saved proof, in bytes.
const MaxProof = 256 << 10

// ReadProof reads a proof as it was saved: what GET /api/v1/fixed/{id} answered, or
// its log alone.
func ReadProof(body []byte) (Proof, error) {
	const op = "answers.ReadProof"
	if len(body) > MaxProof {
		return Proof{}, fault.E(op, fault.TooLarge, "That is larger than a proof.", nil)
	}
	var whole struct {
		Log *Proof `json:"log"`
		Proof
	}
	if err := json.Unmarshal(body, &whole); err != nil {
		return Proof{}, fault.E(op, fault.Invalid, "This is no entry of the public log as JSON.", nil)
	}
	p := whole.Proof
	if whole.Log != nil {
		p = *whole.Log
	}
	if p.Content == "" || p.Record == "" || p.Root == "" {
		return Proof{}, fault.E(op, fault.Invalid, "There is no proof in this; save what /api/v1/fixed/… answers.", nil)
	}
	return p, nil
}

// Check proves, without us, that what was published stands in the log of the root:
// the content has the hash in the record, the record is the leaf, the path leads from
// it to the root, and the root is that of the signed head, by a verifier key that one
// has reason to trust ("" = the head is not looked at). fault.Conflict: it does not hold.
func (p Proof) Check(verifier string) (Fix, error) {
	const op = "answers.Proof.Check"
	wrong := func(text string, err error) (Fix, error) { return Fix{}, fault.E(op, fault.Conflict, text, err) }
	var fix Fix
	if err := json.Unmarshal([]byte(p.Content), &fix); err != nil {
		return wrong("The content is no entry of the public log.", nil)
	}
	var record struct {
		N      int64   `json:"n"`
		Actor  string  `json:"actor"`
		Action string  `json:"action"`
		Ref    eco.Ref `json:"ref"`
		Note   string  `json:"note"`
	}
	if err := json.Unmarshal([]byte(p.Record), &record); err != nil {
		return wrong("The record is no line of the audit log.", nil)
	}
	sum := sha256.Sum256([]byte(p.Content))
	if record.Actor != LogActor || record.Action != "public.publish" || record.N != p.Index || record.Ref != (eco.Ref{Kind: "fixed", ID: fix.ID}) {
		return wrong("The record is about something else.", nil)
	}
	if record.Note != fmt.Sprintf("revision %d sha256:%s", fix.Revision, hex.EncodeToString(sum[:])) {
		return wrong("The content was changed: it has not the hash that the log has.", nil)
	}
	leaf := audit.Leaf([]byte(p.Record))
	a := audit.Proof{N: p.Index, Body: []byte(p.Record), Checkpoint: audit.Checkpoint{Size: p.Size}}
	if base64.StdEncoding.EncodeToString(leaf[:]) != p.Leaf || !hash(p.Root, &a.Checkpoint.Root) || p.Index < 0 || p.Index >= p.Size {
		return wrong("The leaf is not the record's, or the root is no hash.", nil)
	}
	for _, s := range p.Path {
		var h [32]byte
		if !hash(s, &h) {
			return wrong("A step of the path is no hash.", nil)
		}
		a.Path = append(a.Path, h)
	}
	if err := a.Check(); err != nil {
		return wrong("The path does not lead from the entry to the root: it is not in that log.", err)
	}
	if verifier == "" {
		return fix, nil
	}
	text, err := receipt.Open(p.Head, verifier)
	if err != nil {
		return Fix{}, err
	}
	head, err := audit.ParseCheckpoint(text)
	if err != nil || head != a.Checkpoint {
		return wrong("The signed head is that of another log.", err)
	}
	return fix, nil
}

// hash reads a hash in base64; false when it is none.
func hash(s string, h *[32]byte) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return false
	}
	copy(h[:], b)
	return true
}
