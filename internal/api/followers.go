package api

import (
	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/alert/follow"
	"github.com/bellwether-project/bellwether/internal/crash/answers"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/notify/hook"
)

type followBody struct {
	Mail string             `json:"mail,omitempty" maxLength:"254" doc:"An address. It gets one mail with a link, and nothing more before the link was followed."`
	Push *hook.Subscription `json:"push,omitempty" doc:"A browser's PushSubscription, made with the push_key."`
}

type tokenBody struct {
	Token string `json:"token" minLength:"1" maxLength:"300" doc:"Of the link in the mail."`
}

type followed struct {
	follow.Ways
	Told follow.Followed `json:"told" doc:"How many are told of this report."`
}

func (c *call) reporters() (*follow.Service, error) {
	if c.s.o.Alerts == nil || c.s.o.Alerts.Reporters() == nil {
		return nil, absent("api.followers")
	}
	return c.s.o.Alerts.Reporters(), nil
}

// followers is who is told of a report.
func (c *call) followers(id string) (*follow.Service, answers.View, error) {
	f, err := c.reporters()
	if err != nil {
		return nil, answers.View{}, err
	}
	d, err := c.answers()
	if err != nil {
		return nil, answers.View{}, err
	}
	v, err := d.Receipt(c.ctx, id)
	return f, v, err
}

func (c *call) told(f *follow.Service, v *answers.View) (out followed, err error) {
	out.Ways = f.Ways()
	out.Told, err = f.Followed(c.ctx, v)
	return out, err
}

func (s *Server) followerRoutes() {
	add(s, op{Method: "GET", Path: "/receipts/{id}/followers", ID: "receipts.followers", Action: account.PublicRead, Doc: "How one can be told of a report, and how many are."}, server[ByReceipt]("public"),
		func(c *call, in *ByReceipt) (followed, error) {
			f, v, err := c.followers(in.ID)
			if err != nil {
				return followed{}, err
			}
			return c.told(f, &v)
		})
	type ask struct {
		ByReceipt
		Body followBody
	}
	add(s, op{Method: "POST", Path: "/receipts/{id}/followers", ID: "receipts.follow", Action: account.PublicSubmit, Doc: "Asks to be told when something changes about a report: by mail, once the address said yes, or by web push. Six times an hour from one network.", Status: 202}, server[ask]("public"),
		func(c *call, in *ask) (followed, error) {
			f, v, err := c.followers(in.ID)
			if err != nil {
				return followed{}, err
			}
			switch {
			case (in.Body.Mail == "") == (in.Body.Push == nil):
				err = fault.E("api.followers", fault.Invalid, "mail, push: One of them.", nil)
			case in.Body.Push != nil:
				err = f.ByPush(c.ctx, &v, *in.Body.Push, ipOf(c.ctx))
			default:
				err = f.ByMail(c.ctx, &v, in.Body.Mail, ipOf(c.ctx))
			}
			if err != nil {
				return followed{}, err
			}
			return c.told(f, &v)
		})
	addNone(s, op{Method: "DELETE", Path: "/receipts/{id}/followers", ID: "receipts.unfollow", Action: account.PublicSubmit, Doc: "Forgets everybody who is told of a report."}, server[ByReceipt]("public"),
		func(c *call, in *ByReceipt) error {
			f, v, err := c.followers(in.ID)
			if err != nil {
				return err
			}
			return f.StopAll(c.ctx, &v)
		})
	type link struct{ Body tokenBody }
	add(s, op{Method: "POST", Path: "/followers/confirm", ID: "followers.confirm", Action: account.PublicSubmit, Doc: "Says yes, for the address of a link in a mail."}, server[link]("public"),
		func(c *call, in *link) (answers.View, error) {
			f, err := c.reporters()
			if err != nil {
				return answers.View{}, err
			}
			v, err := f.Confirm(c.ctx, in.Body.Token)
			return c.s.absolute(v), err
		})
	addNone(s, op{Method: "POST", Path: "/followers/stop", ID: "followers.stop", Action: account.PublicSubmit, Doc: "Forgets the address of a link in a mail. One that never said yes is not asked again for a year."}, server[link]("public"),
		func(c *call, in *link) error {
			f, err := c.reporters()
			if err != nil {
				return err
			}
			return f.Stop(c.ctx, in.Body.Token)
		})
}
