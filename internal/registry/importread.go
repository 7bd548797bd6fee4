package registry

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readJSON reads an array of objects, or one object after the other. A syntax
// error ends the reading: what follows has no meaning.
func readJSON(src []byte, bad *mistakes) (rows []row) {
	dec := jsontext.NewDecoder(bytes.NewReader(src))
	counted, lines := 0, 1
	at := func() int { // the line of the next value; each byte is counted once
		from := int(dec.InputOffset())
		for from < len(src) && strings.IndexByte(" \t\r\n,:", src[from]) >= 0 {
			from++
		}
		if from > counted {
			lines += bytes.Count(src[counted:from], []byte("\n"))
			counted = from
		}
		return lines
	}
	syntax := func() []row {
		*bad = append(*bad, Mistake{Line: at(), Text: "This is not valid JSON."})
		return rows
	}
	array := dec.PeekKind() == '['
	if array {
		if _, err := dec.ReadToken(); err != nil {
			return syntax()
		}
	}
	for len(rows) <= MaxImportRows {
		if k := dec.PeekKind(); k == ']' && array {
			if _, err := dec.ReadToken(); err != nil {
				return syntax()
			}
			if _, err := dec.ReadToken(); err != io.EOF {
				return syntax()
			}
			return rows
		}
		line := at()
		v, err := dec.ReadValue()
		if err == io.EOF && !array {
			return rows
		}
		if err != nil {
			return syntax()
		}
		x := row{line: line}
		if err := json.Unmarshal(v, &x, json.RejectUnknownMembers(true)); err != nil {
			m := Mistake{Line: line, Text: "It is not of the right type."}
			if e, ok := errors.AsType[*json.SemanticError](err); ok {
				m.Line += bytes.Count(v[:min(int(e.ByteOffset), len(v))], []byte("\n"))
				m.Field, _, _ = strings.Cut(strings.TrimPrefix(string(e.JSONPointer), "/"), "/")
				if errors.Is(err, json.ErrUnknownName) {
					m.Field, m.Text = "", "It has a field that extensions do not have."
				}
			}
			*bad = append(*bad, m)
			continue
		}
		rows = append(rows, x)
	}
	return rows
}

// readCSV reads a header and the lines below it.
func readCSV(src []byte, bad *mistakes) (rows []row) {
	r := csv.NewReader(bytes.NewReader(src))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		if err != io.EOF {
			*bad = append(*bad, Mistake{Line: 1, Text: "This is not valid CSV."})
		}
		return nil
	}
	known := []string{"id", "kind", "name", "summary", "repository", "contact", "host", "locals", "prefixes", "shaded", "libraries", "owners"}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
		if !slices.Contains(known, head[i]) {
			*bad = append(*bad, Mistake{Line: 1, Text: fmt.Sprintf("Column %d is not a field of extensions: they are %s.", i+1, strings.Join(known, ", "))})
		} else if slices.Contains(head[:i], head[i]) {
			*bad = append(*bad, Mistake{Line: 1, Field: head[i], Text: "The column is there twice."})
		}
	}
	if !slices.Contains(head, "id") {
		*bad = append(*bad, Mistake{Line: 1, Field: "id", Text: "The column is missing."})
	}
	if len(*bad) > 0 { // without a header the lines have no meaning
		return nil
	}
	for len(rows) <= MaxImportRows {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			*bad = append(*bad, Mistake{Line: e.Line, Text: "This is not valid CSV."})
			break
		}
		line, _ := r.FieldPos(0)
		if len(fields) != len(head) {
			*bad = append(*bad, Mistake{Line: line, Text: fmt.Sprintf("It has %d columns, the header has %d.", len(fields), len(head))})
		}
		x := row{line: line}
		for i, f := range fields[:min(len(fields), len(head))] {
			x.set(head[i], f)
		}
		rows = append(rows, x)
	}
	return rows
}

// set puts a cell into its field.
func (x *row) set(column, cell string) {
	list := strings.Fields(cell)
	switch column {
	case "id":
		x.ID = &cell
	case "kind":
		k := ExtKind(strings.TrimSpace(cell))
		x.Kind = &k
	case "name":
		x.Name = &cell
	case "summary":
		x.Summary = &cell
	case "repository":
		x.Repository = &cell
	case "contact":
		x.Contact = &cell
	case "host":
		x.Host = &cell
	case "locals":
		x.Locals = &list
	case "prefixes":
		x.Prefixes = &list
	case "shaded":
		x.Shaded = &list
	case "libraries":
		x.Libraries = &list
	case "owners":
		x.Owners = &list
	}
}
