package cli

import (
	"bytes"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/ingest/item"
	"github.com/bellwether-project/bellwether/internal/ingest/reporting"
	"github.com/bellwether-project/bellwether/internal/stack"
)

// reportNames are what people call the whole reports that stack reads.
var reportNames = map[stack.Dialect]string{
	stack.NodeReport: "Node.js diagnostic report",
	stack.JVMFatal:   "JVM fatal error log (hs_err)",
	stack.AppleIPS:   "macOS crash report (.ips)",
	stack.AppleCrash: "macOS crash report (text)",
	stack.CPUProfile: "V8 CPU profile of a hang",
}

// wholeReport reads a report as its runtime or system wrote it; is says that it is
// one, read or not.
func wholeReport(b []byte) (c *eco.Crash, o eco.Origin, reader string, is bool, err error) {
	tr, ok := stack.Parse(string(b))
	if !tr.Private {
		return nil, o, "", false, nil
	}
	if !ok {
		return nil, o, "", true, fault.E("crash.sign", fault.Invalid, "This is no crash report we can read: "+tr.Why[len(tr.Why)-1].What+".", nil)
	}
	c = &eco.Crash{}
	stack.Adopt(c, tr)
	return c, tr.Origin, reportNames[tr.Dialect], true, nil
}

// browserReport reads a body of the Reporting API, or one report of it: the first
// that is a crash.
func browserReport(b []byte) (c *eco.Crash, o eco.Origin, reader string, is bool, err error) {
	if b[0] != '[' && !bytes.Contains(b, []byte(`"csp-report"`)) && !(bytes.Contains(b, []byte(`"body"`)) && bytes.Contains(b, []byte(`"type"`))) {
		return nil, o, "", false, nil
	}
	items, err := reporting.Read(b, "", 0)
	if err != nil { // a trace may begin with a bracket too: "[12:00:01] TypeError: …"
		list := b[0] == '[' && len(bytes.TrimSpace(b[1:])) > 0 && bytes.TrimSpace(b[1:])[0] == '{'
		return nil, o, "", list, fault.E("crash.sign", fault.Invalid, "The JSON is no list of browser reports.", err)
	}
	why := ""
	for i := range items {
		it := &items[i]
		if it.Crash != nil {
			item.Place(it, "", "")
			return it.Crash, it.Origin, "browser report: " + it.Name, true, nil
		}
		why = it.Name + " (" + it.Drop + ")"
	}
	if b[0] != '[' && why == "unknown (schema:type)" {
		return nil, o, "", false, nil
	}
	return nil, o, "", true, fault.E("crash.sign", fault.Invalid, "The reports hold no crash and no broken policy: "+why+".", nil)
}
