package web

import "html/template"

// icons are drawn by us on a 16 by 16 grid, as paths without fill; .icon in the
// style sheet gives them size and stroke.
var icons = map[string]string{
	"overview":   `<path d="M2 13.5h12M3.5 11V8M6.5 11V4.5M9.5 11V6.5M12.5 11V3"/>`,
	"extensions": `<path d="M6 2.5h4v2.3a1.6 1.6 0 1 0 0 .1h3.5v4h-2.3a1.6 1.6 0 1 0 0 .1h2.3v4.5h-11v-11H6Z"/>`,
	"crashes":    `<path d="M9 1.5 3 9h4.5L6.5 14.5 13 6.5H8.5Z"/>`,
	"intake":     `<path d="M2 9.5V13h12V9.5M2 9.5 4 3h8l2 6.5M2 9.5h3.5l1 1.5h3l1-1.5H14"/>`,
	"settings":   `<path d="M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7"/><circle cx="10.5" cy="4.5" r="1.5"/><circle cx="5.5" cy="11.5" r="1.5"/>`,
	"search":     `<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3"/>`,
	"menu":       `<path d="M2 4.5h12M2 8h12M2 11.5h12"/>`,
	"close":      `<path d="m3.5 3.5 9 9M12.5 3.5l-9 9"/>`,
	"out":        `<path d="M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6"/>`,
	"check":      `<path d="m3 8.5 3.5 3.5L13 4.5"/>`,
	"warn":       `<path d="M8 2 1.5 13.5h13ZM8 6.5v3M8 11.5v.1"/>`,
	"info":       `<circle cx="8" cy="8" r="6"/><path d="M8 7.5V11M8 5v.1"/>`,
	"error":      `<circle cx="8" cy="8" r="6"/><path d="M8 4.8v3.7M8 11v.1"/>`,
	"up":         `<path d="M4 10l4-4 4 4"/>`,
	"down":       `<path d="M4 6l4 4 4-4"/>`,
	"right":      `<path d="M6 4l4 4-4 4"/>`,
	"left":       `<path d="M10 4 6 8l4 4"/>`,
	"plus":       `<path d="M8 3v10M3 8h10"/>`,
	"key":        `<circle cx="5" cy="11" r="2.5"/><path d="m7 9 6.5-6.5M11 5l2 2"/>`,
	"lock":       `<path d="M3.5 7.5h9v6h-9ZM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5"/>`,
	"person":     `<circle cx="8" cy="5" r="2.5"/><path d="M3 13.5a5 5 0 0 1 10 0"/>`,
	"clock":      `<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>`,
	"mail":       `<path d="M2 3.5h12v9H2Zm0 .5 6 5 6-5"/>`,
	"send":       `<path d="M14 2 7 9M14 2 9.5 14 7 9 2 6.5Z"/>`,
	"release":    `<path d="M2.5 2.5h5l6 6-5 5-6-6Z"/><path d="M5.3 5.3v.1"/>`,
	"undo":       `<path d="M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6"/>`,
}

func icon(name string) template.HTML {
	p, ok := icons[name]
	if !ok {
		panic("web: no icon " + name) // a mistake in a template; the test of templates finds it
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">` + p + `</svg>`)
}

// mark is the house's bell.
func mark() template.HTML {
	return `<svg viewBox="0 0 24 24" aria-hidden="true"><rect class="mark-bg" width="24" height="24" rx="6"/><path class="mark-line" d="M12 5.2a4.6 4.6 0 0 0-4.6 4.6c0 3.6-.9 5-1.9 6h13c-1-1-1.9-2.4-1.9-6A4.6 4.6 0 0 0 12 5.2ZM12 3.6v1.6M10.2 18.6a1.9 1.9 0 0 0 3.6 0"/></svg>`
}
