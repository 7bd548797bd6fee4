package api

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/audit"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

type entry struct {
	N      int64     `json:"n" doc:"Its place in the log."`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Ref    eco.Ref   `json:"ref"`
	Note   string    `json:"note,omitempty"`
}

func entryOf(r audit.Record) entry { return entry{r.N, r.At, r.Actor, r.Action, r.Ref, r.Note} }

type head struct {
	Size       int64  `json:"size"`
	Root       string `json:"root" doc:"Of the Merkle tree (RFC 6962), in hexadecimal."`
	Checkpoint string `json:"checkpoint" doc:"Keep it: it proves later that nothing before it was altered."`
}

type proof struct {
	N          int64    `json:"n"`
	Entry      string   `json:"entry" doc:"As it was hashed."`
	Path       []string `json:"path" doc:"Hashes of the tree, in hexadecimal."`
	Checkpoint string   `json:"checkpoint"`
}

type verdict struct {
	OK   bool     `json:"ok"`
	Size int64    `json:"size"`
	Root string   `json:"root"`
	Bad  []string `json:"bad,omitempty"`
}

func (s *Server) auditRoutes() {
	log := s.o.Audit
	add(s, op{Method: "GET", Path: "/audit", ID: "audit.list", Action: account.AuditRead, Doc: "The audit log, newest first."}, server[Paging]("audit"),
		func(c *call, in *Paging) (list[entry], error) {
			before := int64(0)
			if in.Cursor != "" {
				var err error
				if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || before < 0 {
					return list[entry]{}, fault.E("api.audit", fault.Invalid, "cursor: It is not one of ours.", nil)
				}
				if before == 0 {
					return listOf[entry](nil, ""), nil
				}
			}
			items, err := log.List(c.ctx, before, in.Limit)
			var out []entry
			next := ""
			for _, r := range items {
				out = append(out, entryOf(r))
			}
			if len(out) == in.Limit && out[len(out)-1].N > 0 {
				next = strconv.FormatInt(out[len(out)-1].N, 10)
			}
			return listOf(out, next), err
		})
	add(s, op{Method: "GET", Path: "/audit/head", ID: "audit.head", Action: account.AuditRead, Doc: "Size and root of the log."}, server[struct{}]("audit"),
		func(c *call, _ *struct{}) (head, error) {
			cp, err := log.Checkpoint(c.ctx)
			return head{cp.Size, hex.EncodeToString(cp.Root[:]), cp.String()}, err
		})
	type at struct {
		N int64 `path:"n" minimum:"0"`
	}
	add(s, op{Method: "GET", Path: "/audit/entries/{n}/proof", ID: "audit.proof", Action: account.AuditRead, Doc: "Proof that an entry is in the log."}, server[at]("audit"),
		func(c *call, in *at) (proof, error) {
			p, err := log.Prove(c.ctx, in.N)
			out := proof{N: p.N, Entry: string(p.Body), Path: []string{}}
			for _, h := range p.Path {
				out.Path = append(out.Path, hex.EncodeToString(h[:]))
			}
			if err == nil {
				out.Checkpoint = p.Checkpoint.String()
			}
			return out, err
		})
	add(s, op{Method: "GET", Path: "/audit/verify", ID: "audit.verify", Action: account.AuditRead, Doc: "Reads the whole log and recomputes its tree."}, server[struct{}]("audit"),
		func(c *call, _ *struct{}) (verdict, error) {
			r, err := log.Verify(c.ctx)
			v := verdict{OK: err == nil && r.OK(), Size: r.Size, Root: hex.EncodeToString(r.Root[:])}
			for _, b := range r.Bad {
				v.Bad = append(v.Bad, strconv.FormatInt(b.Entry, 10)+": "+b.What)
			}
			return v, err
		})
}
