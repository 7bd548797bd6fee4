package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/eco"
)

// ByCrash names a crash in the path.
type ByCrash struct {
	ID string `path:"id" maxLength:"128" doc:"Our id, or the id its client gave it."`
}

// document is a crash without what would let its reader follow one person.
func document(d crash.Document) crash.Document {
	d.Origin.Install = 0
	d.Crash.SessionID = ""
	return d
}

func (s *Server) crashRoutes() {
	type search struct {
		During
		Paging
		Extension string `query:"extension" maxLength:"128" doc:"The extension it is attributed to, else the project's."`
		Release   string `query:"release" maxLength:"64"`
		Family    string `query:"family" maxLength:"128"`
		Signature string `query:"signature" maxLength:"64"`
		Q         string `query:"q" maxLength:"400" doc:"A search, as in GET /search/keys; without the keys that count families."`
	}
	add(s, op{Method: "GET", Path: "/crashes", ID: "crashes.list", Action: account.CrashRead, Doc: "Crashes, newest first."}, listed[search]("crash"),
		func(c *call, in *search) (list[crash.Row], error) {
			p, err := s.o.Desk.Crashes(c.ctx, c.scope(), crash.CrashFilter{Period: in.period(), Family: in.Family, Signature: in.Signature,
				Extension: eco.ExtensionID(in.Extension), Release: in.Release, Query: in.Q, Cursor: in.Cursor, Limit: in.Limit})
			return listOf(p.Crashes, p.Next), err
		})
	add(s, op{Method: "GET", Path: "/crashes/{id}", ID: "crashes.get", Action: account.CrashRead, Doc: "One crash with what was decided about it, and why. What belongs to other extensions is taken out."}, listed[ByCrash]("crash"),
		func(c *call, in *ByCrash) (crash.Document, error) {
			d, err := s.o.Desk.Crash(c.ctx, c.scope(), in.ID)
			return document(d), err
		})
	add(s, op{Method: "GET", Path: "/crashes/{id}/together", ID: "crashes.together", Action: account.CrashRead, Doc: "What a crash shares with the representative of its family."}, listed[ByCrash]("crash"),
		func(c *call, in *ByCrash) (crash.Together, error) {
			return s.o.Desk.Together(c.ctx, c.scope(), in.ID)
		})
}
