package dump

import (
	"bytes"
	"mime"
	"net/textproto"
	"strings"
)

// The bounds of a form. What is past one is an error, or not read.
const (
	MaxParts  = 512     // parts of a form; more is refused
	maxHeader = 8 << 10 // bytes of the headers of a part
	maxField  = 8 << 10 // bytes of a field that is read, but for events
	MaxEvent  = 1 << 20 // bytes of an event beside a dump
	maxFields = 512
)

// Form is one upload, as views of its body. Fields are in the order of the form.
type Form struct {
	Dump   []byte // as it was sent: perhaps packed
	Fields []Field
	Event  []byte   // Sentry's event in MessagePack
	Crumbs [][]byte // its breadcrumbs in MessagePack
	Extra  []byte   // Mozilla's extra.json
}

// Field is one string of a form.
type Field struct {
	Name  string
	Value []byte
}

// Read takes an upload apart: a form of the content type, or a bare dump.
func Read(contentType string, body []byte) (Form, error) {
	typ, params, err := mime.ParseMediaType(contentType)
	if err == nil && strings.HasPrefix(typ, "multipart/") && params["boundary"] != "" && len(params["boundary"]) <= 200 {
		var f Form
		return f, f.multipart(body, params["boundary"], true)
	}
	if b, ok := firstBoundary(body); ok { // a form whose type was lost on the way
		var f Form
		return f, f.multipart(body, b, true)
	}
	if len(body) == 0 {
		return Form{}, invalid("The upload is empty.", nil)
	}
	return Form{Dump: body}, nil
}

// firstBoundary reads the boundary off the first line of a form.
func firstBoundary(b []byte) (string, bool) {
	if !bytes.HasPrefix(b, []byte("--")) {
		return "", false
	}
	line, _, ok := bytes.Cut(b[:min(len(b), 256)], []byte("\r\n"))
	return string(line[2:]), ok && len(line) > 2
}

// multipart reads the parts. Old Electron on Linux put a whole form into the part
// of the dump: then that is read, too, once.
func (f *Form) multipart(body []byte, boundary string, nest bool) error {
	mark := []byte("\r\n--" + boundary)
	i := 0
	if bytes.HasPrefix(body, mark[2:]) {
		body = body[len(mark)-2:]
	} else if i = bytes.Index(body, mark); i >= 0 {
		body = body[i+len(mark):]
	} else {
		return invalid("The form has no parts.", nil)
	}
	for n := 0; !bytes.HasPrefix(body, []byte("--")); n++ {
		if n == MaxParts {
			return invalid("The form has too many parts.", nil)
		}
		_, rest, ok := bytes.Cut(body[:min(len(body), 256)], []byte("\r\n")) // white space may stand behind a boundary
		if !ok {
			return invalid("The form is cut short.", nil)
		}
		body = body[len(body[:min(len(body), 256)])-len(rest):]
		at := 0
		if !bytes.HasPrefix(body, []byte("\r\n")) {
			if at = bytes.Index(body[:min(len(body), maxHeader)], []byte("\r\n\r\n")); at < 0 {
				return invalid("A part of the form has no end to its headers.", nil)
			}
			at += 2
		}
		end := bytes.Index(body[at:], mark)
		if end < 0 {
			return invalid("The form is cut short.", nil)
		}
		content := body[at:][min(2, end):end]
		if err := f.part(body[:at], content, nest); err != nil {
			return err
		}
		body = body[at+end+len(mark):]
	}
	if f.Dump == nil && nest {
		return invalid("The form has no part upload_file_minidump.", nil)
	}
	return nil
}

// part takes over one part; what is none of ours is passed over.
func (f *Form) part(header, content []byte, nest bool) error {
	name, file := disposition(header)
	switch name {
	case "upload_file_minidump":
		if b, ok := firstBoundary(content); ok && nest {
			return f.multipart(content, b, false)
		}
		if f.Dump == nil {
			f.Dump = content
		}
	case "__sentry-event":
		if len(content) <= MaxEvent {
			f.Event = content
		}
	case "__sentry-breadcrumb1", "__sentry-breadcrumb2":
		if len(content) <= MaxEvent {
			f.Crumbs = append(f.Crumbs, content)
		}
	case "extra":
		if len(content) <= MaxEvent {
			f.Extra = content
		}
	default: // attachments, logs, memory reports: never read
		most := maxField
		if name == "sentry" || strings.HasPrefix(name, "sentry__") {
			most = MaxEvent
		}
		if file || name == "" || len(name) > 128 || len(content) > most || len(f.Fields) == maxFields {
			return nil
		}
		f.Fields = append(f.Fields, Field{name, content})
	}
	return nil
}

// disposition reads the name of a part, and whether it is a file.
func disposition(header []byte) (name string, file bool) {
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		k, v, ok := bytes.Cut(line, []byte{':'})
		if !ok || textproto.CanonicalMIMEHeaderKey(string(bytes.TrimSpace(k))) != "Content-Disposition" {
			continue
		}
		_, params, err := mime.ParseMediaType(string(bytes.TrimSpace(v)))
		if err != nil {
			return "", false
		}
		_, file = params["filename"]
		return params["name"], file
	}
	return "", false
}

// Mozilla reports whether the client is Mozilla's, which reads another answer.
func (f *Form) Mozilla() bool {
	for _, x := range f.Fields {
		if x.Name == "ServerURL" || x.Name == "ProductID" {
			return true
		}
	}
	return f.Extra != nil
}
