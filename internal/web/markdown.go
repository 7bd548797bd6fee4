package web

import (
	"bytes"
	"html/template"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// markdown renders what an owner wrote for everybody: paragraphs, lists, emphasis,
// code, quotes, tables and links; no image, no markup of its own, no address but
// http, https and mailto. Links tell the other side nothing of the page.
func markdown(text string) (template.HTML, error) {
	if text == "" {
		return "", nil
	}
	m := markdowns()
	var buf bytes.Buffer
	if err := m.parse.Convert([]byte(text), &buf); err != nil {
		return "", err
	}
	return template.HTML(m.policy.SanitizeBytes(buf.Bytes())), nil
}

type markdownRules struct {
	parse  goldmark.Markdown
	policy *bluemonday.Policy
}

var markdowns = sync.OnceValue(func() markdownRules {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return markdownRules{goldmark.New(goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)), extension.Strikethrough, extension.Linkify)), p}
})
