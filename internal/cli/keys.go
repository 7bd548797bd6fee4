package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

type extensionKeysCmd struct {
	Show   extensionKeysShowCmd `cmd:"" default:"withargs" help:"Show the projects and keys of an extension, in every form clients take."`
	Add    extensionKeysAddCmd  `cmd:"" help:"Make a key."`
	Set    keySetCmd            `cmd:"" help:"Change a key's label, origins, limits or end."`
	Rotate keyRotateCmd         `cmd:"" help:"Make a new key like an old one, which ends later."`
	Revoke keyRevokeCmd         `cmd:"" help:"End a key at once and for ever."`
}

type hostKeysCmd struct {
	Show   hostKeysShowCmd `cmd:"" default:"withargs" help:"Show the projects and keys of a host, in every form clients take."`
	Add    hostKeysAddCmd  `cmd:"" help:"Make a key."`
	Set    keySetCmd       `cmd:"" help:"Change a key's label, origins, limits or end."`
	Rotate keyRotateCmd    `cmd:"" help:"Make a new key like an old one, which ends later."`
	Revoke keyRevokeCmd    `cmd:"" help:"End a key at once and for ever."`
}

type extensionKeysShowCmd struct {
	keysOf
	ID string `arg:"" help:"The extension's id."`
}

func (e *extensionKeysShowCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return e.show(ctx, k, c, "extension", e.ID)
}

type hostKeysShowCmd struct {
	keysOf
	ID string `arg:"" help:"The host's id."`
}

func (h *hostKeysShowCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return h.show(ctx, k, c, "host", h.ID)
}

// keysOf shows keys, and makes the project that holds the first.
type keysOf struct {
	target
	Tiers []string `help:"Make a project with a key when there is none yet, its users asked for these: crash, performance, usage, support."`
	Text  string   `help:"With --tiers: the text the users are shown when they are asked."`
}

func (o *keysOf) show(ctx context.Context, k *kong.Context, c *console, kind, id string) error {
	return o.with(ctx, k, c, func(cl *client) error {
		if err := cl.quiet().call(ctx, http.MethodGet, "/"+kind+"s/"+url.PathEscape(id), nil, nil); err != nil {
			return err
		}
		if len(o.Tiers) > 0 {
			list, err := every[registry.Project](ctx, cl.quiet(), "/projects?"+kind+"="+url.QueryEscape(id))
			if err != nil {
				return err
			}
			if len(list) > 0 {
				return fault.E("cli", fault.Conflict, "There is a project already; its consent policy is changed on its page.", nil)
			}
			if err := newProject(ctx, cl, kind, id, id, policy{Tiers: o.Tiers, Text: o.Text}.over(kind, id)); err != nil {
				return err
			}
		}
		return showKeys(ctx, cl, kind, id)
	})
}

// keyForms is a key as the API shows it.
type keyForms struct {
	Public string         `json:"public"`
	Label  string         `json:"label"`
	Status string         `json:"status"`
	Forms  registry.Forms `json:"forms"`

	Origins []string  `json:"origins"`
	Rate    int       `json:"rate_per_minute"`
	Burst   int       `json:"burst"`
	Quota   int64     `json:"daily_quota"`
	Expires time.Time `json:"expires"`
}

func showKeys(ctx context.Context, cl *client, kind, id string) error {
	projects, err := every[registry.Project](ctx, cl, "/projects?"+kind+"="+url.QueryEscape(id))
	if err != nil {
		return err
	}
	if len(projects) == 0 {
		cl.say("No project yet. `bellwether %s keys %s --tiers crash` makes one.", kind, id)
	}
	for _, p := range projects {
		cl.say("\nProject %d, %s; consent: %s", p.ID, p.Name, tiers(p.Policy.Tiers))
		keys, err := every[keyForms](ctx, cl, fmt.Sprintf("/projects/%d/keys", p.ID))
		if err != nil {
			return err
		}
		for _, x := range keys {
			cl.sayKey(x)
		}
	}
	return nil
}

func (c *client) sayKey(x keyForms) {
	how := fmt.Sprintf("%d requests a minute, %d at once", x.Rate, x.Burst)
	if x.Quota > 0 {
		how += fmt.Sprintf("; %d items a day", x.Quota)
	}
	if len(x.Origins) > 0 {
		how += "; browsers from " + strings.Join(x.Origins, ", ")
	}
	if !x.Expires.IsZero() {
		how += "; ends " + x.Expires.UTC().Format(time.RFC3339)
	}
	c.say("  key %s (%s) %s\n    Sentry DSN            %s\n    OpenTelemetry         OTEL_EXPORTER_OTLP_ENDPOINT=%s OTEL_EXPORTER_OTLP_HEADERS=%s\n    Application Insights  %s\n    Limits                %s",
		x.Public, x.Status, x.Label, x.Forms.DSN, x.Forms.OTLPEndpoint, x.Forms.OTLPHeaders, x.Forms.ConnectionString, how)
}

// limits are what a key may be given; what is not named stays as it is.
type limits struct {
	Label     *string  `help:"What it is for."`
	Origins   []string `help:"Browsers may send from these only, such as https://*.example.org."`
	AnyOrigin bool     `help:"Browsers may send from anywhere." name:"any-origin"`
	Rate      *int     `help:"Requests a minute; 0 = 6,000."`
	Burst     *int     `help:"Requests at once; 0 = a tenth of the rate."`
	Quota     *int64   `help:"Items a UTC day; 0 = no quota."`
	Expires   *string  `help:"When it ends, RFC 3339 or a day; never = it does not."`
}

// keyBody is what the API takes.
type keyBody struct {
	Label   string     `json:"label,omitempty"`
	Origins []string   `json:"origins,omitempty"`
	Rate    int        `json:"rate_per_minute,omitempty"`
	Burst   int        `json:"burst,omitempty"`
	Quota   int64      `json:"daily_quota,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

func (l *limits) apply(b *keyBody) error {
	if l.Label != nil {
		b.Label = *l.Label
	}
	if l.AnyOrigin {
		b.Origins = nil
	}
	if len(l.Origins) > 0 {
		b.Origins = l.Origins
	}
	if l.Rate != nil {
		b.Rate = *l.Rate
		if l.Burst == nil {
			b.Burst = 0 // follows the rate
		}
	}
	if l.Burst != nil {
		b.Burst = *l.Burst
	}
	if l.Quota != nil {
		b.Quota = *l.Quota
	}
	if l.Expires != nil {
		at, err := endOf("--expires", *l.Expires)
		if err != nil {
			return err
		}
		if b.Expires = &at; at.IsZero() {
			b.Expires = nil
		}
	}
	return nil
}

// endOf reads the end of a key: a day is over at its end, in UTC.
func endOf(flag, text string) (time.Time, error) {
	if text == "never" || text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fault.E("cli", fault.Invalid, flag+" is a time such as 2027-03-31T00:00:00Z, a day such as 2027-03-31, or never.", nil)
	}
	return at, nil
}

// addKey makes a key of a subject's project.
type addKey struct {
	target
	limits
	Project int64 `help:"Number of the project, when there are several."`
}

type extensionKeysAddCmd struct {
	addKey
	ID string `arg:"" help:"The extension's id."`
}

func (a *extensionKeysAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return a.run(ctx, k, c, "extension", a.ID)
}

type hostKeysAddCmd struct {
	addKey
	ID string `arg:"" help:"The host's id."`
}

func (a *hostKeysAddCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return a.run(ctx, k, c, "host", a.ID)
}

func (a *addKey) run(ctx context.Context, k *kong.Context, c *console, kind, id string) error {
	var b keyBody
	if err := a.apply(&b); err != nil {
		return err
	}
	return a.with(ctx, k, c, func(cl *client) error {
		quiet := cl.quiet()
		if err := quiet.call(ctx, http.MethodGet, "/"+kind+"s/"+url.PathEscape(id), nil, nil); err != nil {
			return err
		}
		list, err := every[registry.Project](ctx, quiet, "/projects?"+kind+"="+url.QueryEscape(id))
		if err != nil {
			return err
		}
		if a.Project != 0 {
			list = slices.DeleteFunc(list, func(p registry.Project) bool { return p.ID != a.Project })
		}
		switch {
		case len(list) == 0:
			return fault.E("cli", fault.NotFound, "There is no such project. `bellwether "+kind+" keys "+id+" --tiers crash` makes the first.", nil)
		case len(list) > 1:
			return fault.E("cli", fault.Invalid, "There are several projects; name one with --project.", nil)
		}
		var made keyForms
		if err := cl.call(ctx, http.MethodPost, fmt.Sprintf("/projects/%d/keys", list[0].ID), b, &made); err != nil {
			return err
		}
		cl.say("Project %d has a new key.", list[0].ID)
		cl.sayKey(made)
		return nil
	})
}

// oneKey names a key.
type oneKey struct {
	target
	Key string `arg:"" help:"The key, 32 hexadecimal digits."`
}

func (o *oneKey) path() string { return "/keys/" + url.PathEscape(strings.ToLower(o.Key)) }

type keySetCmd struct {
	oneKey
	limits
}

func (s *keySetCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return s.with(ctx, k, c, func(cl *client) error {
		var now registry.Key
		if err := cl.quiet().call(ctx, http.MethodGet, s.path(), nil, &now); err != nil {
			return err
		}
		b := keyBody{Label: now.Label, Origins: now.Origins, Rate: now.RatePerMinute, Burst: now.Burst, Quota: now.DailyQuota}
		if !now.Expires.IsZero() {
			b.Expires = &now.Expires
		}
		if err := s.apply(&b); err != nil {
			return err
		}
		put := *cl
		put.match = fmt.Sprintf(`"v%d"`, now.Version)
		var x keyForms
		if err := put.call(ctx, http.MethodPut, s.path(), b, &x); err != nil {
			return err
		}
		cl.say("The key is changed.")
		cl.sayKey(x)
		return nil
	})
}

type keyRotateCmd struct {
	oneKey
	OldEnds string `help:"When the old key ends, RFC 3339 or a day; default: in 30 days." name:"old-ends"`
}

func (r *keyRotateCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	in := map[string]time.Time{}
	at, err := endOf("--old-ends", r.OldEnds)
	if err != nil {
		return err
	}
	if !at.IsZero() {
		in["old_ends"] = at
	}
	return r.with(ctx, k, c, func(cl *client) error {
		var x keyForms
		if err := cl.call(ctx, http.MethodPost, r.path()+"/rotate", in, &x); err != nil {
			return err
		}
		cl.say("There is a new key. The old one works until it ends.")
		cl.sayKey(x)
		return nil
	})
}

type keyRevokeCmd struct{ oneKey }

func (r *keyRevokeCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	return r.with(ctx, k, c, func(cl *client) error {
		if err := cl.call(ctx, http.MethodPost, r.path()+"/revoke", nil, nil); err != nil {
			return err
		}
		cl.say("The key is revoked; clients with it are refused from now on.")
		return nil
	})
}
