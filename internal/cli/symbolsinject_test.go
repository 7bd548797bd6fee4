package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/symbol"
)

// TestInject: after an id was written into a script and its map, every place of the
// script still leads where it led, one line further down.
func TestInject(t *testing.T) {
	for name, before := range map[string]string{"plain": "", "strict": `"use strict";`, "program": "#!/usr/bin/env node\n"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			script, mapFile := filepath.Join(dir, "a.js"), filepath.Join(dir, "a.js.map")
			data, err := os.ReadFile("../symbol/testdata/app.min.js.map")
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(before, "#!") { // the map of a program begins in its second line
				data = []byte(strings.Replace(string(data), `"mappings":"`, `"mappings":";`, 1))
			}
			old, err := symbol.ParseMap(data)
			if err != nil {
				t.Fatal(err)
			}
			id := newDebugID(data)
			for p, body := range map[string]string{script: before + "x()\n//# sourceMappingURL=a.js.map", mapFile: string(data)} {
				if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := injectInto(script, mapFile, id); err != nil {
				t.Fatal(err)
			}
			code, _ := os.ReadFile(script)
			if got, m := symbol.ScriptID(code); got != id || m != "a.js.map" {
				t.Errorf("%q, %q", got, m)
			}
			if before != "" && !strings.HasPrefix(string(code), strings.TrimSuffix(before, ";")) {
				t.Errorf("it begins with %.40q", code)
			}
			moved, _ := os.ReadFile(mapFile)
			now, err := symbol.ParseMap(moved)
			if err != nil || now.DebugID != id {
				t.Fatalf("%v, %q", err, now.DebugID)
			}
			line := 1 + strings.Count(before, "\n")
			for col := 1; col < 4000; col += 7 {
				a, okA := old.Find(line, col)
				b, okB := now.Find(line+1, col)
				if a != b || okA != okB {
					t.Fatalf("column %d: %+v, then %+v", col, a, b)
				}
			}
		})
	}
}
