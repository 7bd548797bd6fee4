package web

import (
	"html/template"
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/crash/triage"
)

// mentionMark stands for a mention while a text is made harmless: a letter that
// neither Markdown nor HTML knows. It is taken out of what people write.
const mentionMark = "\ue000"

// commentHTML is a comment as its readers see it: the names of those it mentions
// are put in after everything else was made harmless.
func commentHTML(c *triage.Comment) (template.HTML, error) {
	body := strings.ReplaceAll(c.Body, mentionMark, "")
	for i, x := range c.Mentions {
		body = strings.ReplaceAll(body, x.Token, mentionMark+strconv.Itoa(i)+mentionMark)
	}
	html, err := markdown(body)
	if err != nil {
		return "", err
	}
	out := string(html)
	for i, x := range c.Mentions {
		out = strings.ReplaceAll(out, mentionMark+strconv.Itoa(i)+mentionMark, `<span class="mention">@`+template.HTMLEscapeString(x.Name)+`</span>`)
	}
	return template.HTML(strings.ReplaceAll(out, "<pre>", `<pre class="code" tabindex="0">`)), nil
}
