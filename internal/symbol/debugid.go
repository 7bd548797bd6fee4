package symbol

import "bytes"

// tail is how much of a script's end is looked at for its debug id and map.
const tail = 4096

// ScriptID returns the debug id that a generated script carries in a comment of
// its last lines ("//# debugId=…"), and the name of its map ("//# sourceMappingURL=…"),
// which is a hint for finding the pair in a folder and never an address to read.
func ScriptID(script []byte) (debugID, mapName string) {
	end := script[max(0, len(script)-tail):]
	for len(end) > 0 {
		var line []byte
		if i := bytes.LastIndexByte(end, '\n'); i >= 0 {
			line, end = end[i+1:], end[:i]
		} else {
			line, end = end, nil
		}
		line = bytes.TrimSpace(line)
		if i := bytes.LastIndex(line, []byte("//# ")); i > 0 { // behind minified code
			line = line[i:]
		}
		if v, ok := bytes.CutPrefix(line, []byte("//# debugId=")); ok && debugID == "" {
			debugID = DebugID(string(v))
		}
		if v, ok := bytes.CutPrefix(line, []byte("//# sourceMappingURL=")); ok && mapName == "" {
			mapName = clip(string(v))
		}
	}
	return debugID, mapName
}
