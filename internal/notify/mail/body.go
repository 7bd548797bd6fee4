package mail

import (
	"html/template"
	"strings"

	"github.com/bellwether-project/bellwether/internal/notify"
)

// maxLine bounds a paragraph of a mail, maxItems what it tells of one by one.
const (
	maxLine  = 2000
	maxItems = 100
)

// page is the HTML of a mail: no image, no script, nothing loaded from anywhere.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;font:15px/1.5 system-ui,sans-serif;color:#1c2024;background:#ffffff">
<div style="max-width:600px">
<h1 style="font-size:18px;margin:0 0 16px">{{.Subject}}</h1>
{{range .Text}}<p style="margin:0 0 12px">{{.}}</p>
{{end}}{{range .Items}}<div style="margin:0 0 12px;padding:12px 16px;border-left:3px solid #b3551b;background:#f6f5f3">
{{if .Link}}<a href="{{.Link}}" style="font-weight:600;color:#8a3d0c">{{.Title}}</a>{{else}}<b>{{.Title}}</b>{{end}}
{{range .Facts}}<div style="color:#555b61">{{.}}</div>
{{end}}</div>
{{end}}{{if .More}}<p style="margin:0 0 12px">and {{.More}} more</p>
{{end}}{{if .Link}}<p style="margin:16px 0"><a href="{{.Link}}" style="display:inline-block;padding:8px 16px;border-radius:6px;background:#8a3d0c;color:#ffffff;text-decoration:none">{{or .LinkText "Open in Bellwether"}}</a></p>
{{end}}<div style="margin-top:24px;padding-top:12px;border-top:1px solid #dddddd;font-size:13px;color:#555b61">
{{range .Footer}}<p style="margin:0 0 6px">{{.}}</p>
{{end}}{{if .Unsubscribe}}<p style="margin:0"><a href="{{.Unsubscribe}}" style="color:#555b61">Get no more of these</a></p>{{end}}
</div></div></body></html>
`))

// bodies writes a message as text and as HTML.
func bodies(m notify.Message, subject string) (text, html string, err error) {
	p := struct {
		notify.Message
		More int
	}{Message: m}
	p.Subject = subject
	if p.More = len(m.Items) - maxItems; p.More > 0 {
		p.Items = m.Items[:maxItems]
	} else {
		p.More = 0
	}
	var b strings.Builder
	if err := page.Execute(&b, p); err != nil {
		return "", "", err
	}
	html = b.String()
	b.Reset()
	line := func(before, s string) {
		if s = notify.Line(s, maxLine); s != "" {
			b.WriteString(before + s + "\n")
		}
	}
	for _, t := range p.Text {
		line("", t)
		b.WriteString("\n")
	}
	for _, i := range p.Items {
		line("* ", i.Title)
		for _, f := range i.Facts {
			line("  ", f)
		}
		line("  ", i.Link)
		b.WriteString("\n")
	}
	if p.More > 0 {
		b.WriteString("and more; the page lists them all\n\n")
	}
	line("", p.Link)
	b.WriteString("\n-- \n")
	for _, t := range p.Footer {
		line("", t)
	}
	if p.Unsubscribe != "" {
		line("Get no more of these: ", p.Unsubscribe)
	}
	return b.String(), html, nil
}
