package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwether-project/bellwether/internal/fault"
)

// newDebugID is an id made of a map's bytes: the same build gives the same id.
func newDebugID(data []byte) string {
	s := sha256.Sum256(data)
	s[6], s[8] = s[6]&0x0f|0x40, s[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", s[:4], s[4:6], s[6:8], s[8:10], s[10:16])
}

// snippet tells Sentry's SDKs the debug id of the script they run in.
const snippet = `;!function(){try{var e="undefined"!=typeof window?window:"undefined"!=typeof global?global:"undefined"!=typeof globalThis?globalThis:"undefined"!=typeof self?self:{},n=(new e.Error).stack;n&&(e._sentryDebugIds=e._sentryDebugIds||{},e._sentryDebugIds[n]="%s")}catch(e){}}();`

var strict = regexp.MustCompile(`^\s*("use strict"|'use strict')`)

// injectInto writes a debug id into a script and its map, as sentry-cli does: one
// line before the code that says the id while it runs, a comment behind it, and the
// map moved down by that line.
func injectInto(script, mapFile, id string) error {
	code, err := os.ReadFile(script)
	if err != nil {
		return fault.E("cli.symbols", fault.Invalid, "A script cannot be read.", err)
	}
	m, err := os.ReadFile(mapFile)
	if err != nil {
		return fault.E("cli.symbols", fault.Invalid, "A map cannot be read.", err)
	}
	code, at := injectScript(code, id)
	if m, err = injectMap(m, id, at); err != nil {
		return err
	}
	if err := replace(script, code); err != nil {
		return err
	}
	return replace(mapFile, m)
}

// injectScript returns the script with the id, and the line that was put in.
func injectScript(code []byte, id string) ([]byte, int) {
	var out bytes.Buffer
	line := 0
	if bytes.HasPrefix(code, []byte("#!")) {
		if i := bytes.IndexByte(code, '\n'); i >= 0 {
			out.Write(code[:i+1])
			code, line = code[i+1:], 1
		}
	}
	if strict.Match(code) { // a directive holds only where it stands first
		out.WriteString(`"use strict"`)
	}
	fmt.Fprintf(&out, snippet+"\n", id)
	out.Write(code)
	if !bytes.HasSuffix(code, []byte("\n")) {
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "//# debugId=%s\n", id)
	return out.Bytes(), line
}

// injectMap writes the id into a map and makes room for a line of the script.
func injectMap(data []byte, id string, line int) ([]byte, error) {
	const op = "cli.symbols"
	var m map[string]jsontext.Value
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fault.E(op, fault.Invalid, "A map cannot be read.", err)
	}
	m["debugId"], m["debug_id"] = jsontext.Value(`"`+id+`"`), jsontext.Value(`"`+id+`"`)
	if raw, ok := m["mappings"]; ok {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fault.E(op, fault.Invalid, "A map cannot be read.", err)
		}
		at := 0
		for n := line; n > 0 && at < len(s); at++ {
			if s[at] == ';' {
				n--
			}
		}
		moved, err := json.Marshal(s[:at] + ";" + s[at:])
		if err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		m["mappings"] = moved
	}
	if raw, ok := m["sections"]; ok {
		var list []map[string]jsontext.Value
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fault.E(op, fault.Invalid, "A map cannot be read.", err)
		}
		for _, s := range list {
			var o struct {
				Line   int `json:"line"`
				Column int `json:"column"`
			}
			if err := json.Unmarshal(s["offset"], &o); err != nil {
				return nil, fault.E(op, fault.Invalid, "A map cannot be read.", err)
			}
			if o.Line >= line {
				o.Line++
			}
			moved, err := json.Marshal(o)
			if err != nil {
				return nil, fault.E(op, fault.Internal, "", err)
			}
			s["offset"] = moved
		}
		moved, err := json.Marshal(list)
		if err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		m["sections"] = moved
	}
	out, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return out, nil
}

// replace writes a file beside the old one and puts it in its place.
func replace(path string, data []byte) error {
	st, err := os.Stat(path)
	if err != nil {
		return fault.E("cli.symbols", fault.Invalid, "A file is gone.", err)
	}
	tmp := path + ".bellwether"
	if err := os.WriteFile(tmp, data, st.Mode().Perm()); err != nil {
		return fault.E("cli.symbols", fault.Unavailable, "A file cannot be written.", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return fault.E("cli.symbols", fault.Unavailable, "A file cannot be written.", err)
	}
	return nil
}
