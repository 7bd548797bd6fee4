package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash"
	"github.com/bellwether-project/bellwether/internal/crash/triage"
)

// Worked narrows a list of families by what people did with them.
type Worked struct {
	Team   string `query:"team" maxLength:"64" doc:"Given to this team; \"none\": to no team."`
	Person string `query:"person" maxLength:"64" doc:"Given to this account."`
	Worn   string `query:"labelled" maxLength:"64" doc:"With this label, by its id."`
	Who    string `query:"who" enum:"mine,unassigned,watched" doc:"Given to the caller, to nobody, or watched by the caller."`
}

// among turns it into what the crash desk reads.
func (c *call) among(w Worked) ([]crash.Among, error) {
	q := triage.Query{Team: w.Team, Person: w.Person, Label: w.Worn, Mine: w.Who == "mine", Unassigned: w.Who == "unassigned", Watched: w.Who == "watched"}
	if q.IsZero() {
		return nil, nil
	}
	return c.s.o.Triage.Find(c.ctx, c.p, q)
}

type actBody struct {
	Families []string `json:"families" minItems:"1" maxItems:"200" doc:"Ids; all of them are changed, or none."`
	Team     string   `json:"team,omitempty" maxLength:"64" doc:"A team; \"none\" for no team, \"rules\" to give them back to the rules."`
	Person   string   `json:"person,omitempty" maxLength:"64" doc:"An account; \"none\" for nobody."`
	Label    []string `json:"label,omitempty" maxItems:"20" doc:"Ids of labels to put on."`
	Unlabel  []string `json:"unlabel,omitempty" maxItems:"20" doc:"Ids of labels to take off."`
	NewLabel string   `json:"new_label,omitempty" maxLength:"64" doc:"A word to put on, made when it is not there."`
	Watch    string   `json:"watch,omitempty" enum:"on,off" doc:"Whether the caller watches them."`
}

type batchBody struct {
	Batch string `json:"batch" minLength:"1" maxLength:"64"`
}

type commentBody struct {
	Text string `json:"text" minLength:"1" maxLength:"10000" doc:"Markdown; @name and @team tell people."`
	Team bool   `json:"team,omitempty" doc:"Hides it from authors of extensions; it stays so."`
}

type labelBody struct {
	ID     string `json:"id,omitempty" maxLength:"64" doc:"Of the label to change; absent: a new one."`
	Owner  string `json:"owner,omitempty" maxLength:"64" doc:"Of a new one: a publisher; absent: the ecosystem."`
	Name   string `json:"name" minLength:"1" maxLength:"64"`
	Colour int    `json:"colour,omitempty" minimum:"0" maximum:"7"`
	About  string `json:"about,omitempty" maxLength:"200"`
}

type filterBody struct {
	Name  string `json:"name" minLength:"1" maxLength:"60"`
	Query string `json:"query" maxLength:"2000" doc:"Of the list's page: state=open&who=mine."`
	Team  string `json:"team,omitempty" maxLength:"64" doc:"Shares it with a team of the caller's."`
}

// filters are saved filters with the teams they can be shared with.
type filters struct {
	Items []triage.Filter `json:"items"`
	Teams []string        `json:"teams"`
}

func (s *Server) triageRoutes() {
	type view struct {
		ByFamily
		Before string `query:"before" maxLength:"64" doc:"What the answer before gave as older."`
	}
	add(s, op{Method: "GET", Path: "/families/{id}/triage", ID: "families.triage", Action: account.FamilyRead, Doc: "Who looks at a family and why, its labels, watchers and activity."}, listed[view]("family"),
		func(c *call, in *view) (triage.View, error) {
			d, err := s.o.Desk.Family(c.ctx, c.scope(), in.ID, crash.Period{})
			if err != nil {
				return triage.View{}, err
			}
			return s.o.Triage.View(c.ctx, c.p, in.ID, d.History, in.Before)
		})
	type act struct{ Body actBody }
	add(s, op{Method: "POST", Path: "/families/triage", ID: "families.act", Action: account.FamilyComment, Doc: "Assigns, labels or watches families; what is more than watching needs the action family.edit on each."}, listed[act]("family"),
		func(c *call, in *act) (triage.Done, error) {
			b := in.Body
			return s.o.Triage.Do(c.ctx, c.p, triage.Act{Families: b.Families, Team: b.Team, Person: b.Person, Label: b.Label, Unlabel: b.Unlabel, NewLabel: b.NewLabel, Watch: b.Watch})
		})
	type batch struct{ Body batchBody }
	add(s, op{Method: "POST", Path: "/families/triage/undo", ID: "families.back", Action: account.FamilyComment, Doc: "Takes back what was done to families together."}, listed[batch]("family"),
		func(c *call, in *batch) (triage.Done, error) { return s.o.Triage.Undo(c.ctx, c.p, in.Body.Batch) })
	type write struct {
		ByFamily
		Body commentBody
	}
	add(s, op{Method: "POST", Path: "/families/{id}/comments", ID: "comments.create", Action: account.FamilyComment, Doc: "Comments on a family.", Status: 201},
		func(c *call, in *write) (account.Resource, error) { return c.ofFamily(in.ID) },
		func(c *call, in *write) (triage.Comment, error) {
			return s.o.Triage.Comment(c.ctx, c.p, in.ID, in.Body.Text, in.Body.Team)
		})
	type byComment struct {
		ID string `path:"id" maxLength:"64"`
	}
	type edit struct {
		byComment
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"10000"`
		}
	}
	add(s, op{Method: "PUT", Path: "/comments/{id}", ID: "comments.edit", Action: account.FamilyComment, Doc: "Changes one's own comment; the old text is kept."}, listed[edit]("family"),
		func(c *call, in *edit) (triage.Comment, error) {
			return s.o.Triage.EditComment(c.ctx, c.p, in.ID, in.Body.Text)
		})
	addNone(s, op{Method: "DELETE", Path: "/comments/{id}", ID: "comments.delete", Action: account.FamilyComment, Doc: "Deletes one's own comment with its earlier texts."}, listed[byComment]("family"),
		func(c *call, in *byComment) error { return s.o.Triage.DeleteComment(c.ctx, c.p, in.ID) })
	s.labelRoutes()
	s.filterRoutes()
}

func (s *Server) labelRoutes() {
	add(s, op{Method: "GET", Path: "/labels", ID: "labels.list", Action: account.FamilyRead, Doc: "Labels the caller may meet, with how many families wear those that the caller keeps."}, listed[struct{}]("family"),
		func(c *call, _ *struct{}) (list[triage.Word], error) {
			l, err := s.o.Triage.Vocabulary(c.ctx, c.p)
			return listOf(l, ""), err
		})
	type put struct{ Body labelBody }
	add(s, op{Method: "POST", Path: "/labels", ID: "labels.put", Action: account.FamilyEdit, Doc: "Makes or changes a label of a vocabulary that the caller keeps."}, listed[put]("family"),
		func(c *call, in *put) (triage.Label, error) {
			b := in.Body
			return s.o.Triage.PutLabel(c.ctx, c.p, triage.Label{ID: b.ID, Owner: b.Owner, Name: b.Name, Colour: b.Colour, About: b.About})
		})
	type byLabel struct {
		ID string `path:"id" maxLength:"64"`
	}
	addNone(s, op{Method: "DELETE", Path: "/labels/{id}", ID: "labels.delete", Action: account.FamilyEdit, Doc: "Takes a label off every family and out of its vocabulary."}, listed[byLabel]("family"),
		func(c *call, in *byLabel) error { return s.o.Triage.DeleteLabel(c.ctx, c.p, in.ID) })
	type into struct {
		byLabel
		Body struct {
			Into string `json:"into" minLength:"1" maxLength:"64" doc:"The label that stays."`
		}
	}
	addNone(s, op{Method: "POST", Path: "/labels/{id}/merge", ID: "labels.merge", Action: account.FamilyEdit, Doc: "Makes one label of two: families and filters with this one have the other instead."}, listed[into]("family"),
		func(c *call, in *into) error { return s.o.Triage.MergeLabels(c.ctx, c.p, in.ID, in.Body.Into) })
	add(s, op{Method: "GET", Path: "/labels/gone", ID: "labels.gone", Action: account.FamilyRead, Doc: "Labels that were deleted or merged within seven days, of vocabularies that the caller keeps."}, listed[struct{}]("family"),
		func(c *call, _ *struct{}) (list[triage.Gone], error) {
			l, err := s.o.Triage.GoneLabels(c.ctx, c.p)
			return listOf(l, ""), err
		})
	add(s, op{Method: "POST", Path: "/labels/{id}/restore", ID: "labels.restore", Action: account.FamilyEdit, Doc: "Brings a label that was deleted or merged back to where it was: families, history, saved filters. What was changed since stays."}, listed[byLabel]("family"),
		func(c *call, in *byLabel) (triage.Label, error) { return s.o.Triage.RestoreLabel(c.ctx, c.p, in.ID) })
}

func (s *Server) filterRoutes() {
	add(s, op{Method: "GET", Path: "/filters", ID: "filters.list", Action: account.FamilyRead, Doc: "Saved filters of the list of families: one's own, and those shared with one's teams."}, listed[struct{}]("family"),
		func(c *call, _ *struct{}) (filters, error) {
			l, teams, err := s.o.Triage.Filters(c.ctx, c.p)
			if teams == nil {
				teams = []string{}
			}
			return filters{l, teams}, err
		})
	type save struct{ Body filterBody }
	add(s, op{Method: "POST", Path: "/filters", ID: "filters.save", Action: account.FamilyComment, Doc: "Saves a filter; one of the same name is replaced.", Status: 201}, listed[save]("family"),
		func(c *call, in *save) (triage.Filter, error) {
			return s.o.Triage.SaveFilter(c.ctx, c.p, triage.Filter{Name: in.Body.Name, Query: in.Body.Query, Team: in.Body.Team})
		})
	type byFilter struct {
		ID string `path:"id" maxLength:"64"`
	}
	addNone(s, op{Method: "DELETE", Path: "/filters/{id}", ID: "filters.delete", Action: account.FamilyComment, Doc: "Deletes one's own filter."}, listed[byFilter]("family"),
		func(c *call, in *byFilter) error { return s.o.Triage.DeleteFilter(c.ctx, c.p, in.ID) })
}
