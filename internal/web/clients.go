package web

import (
	"strconv"
	"strings"

	"github.com/bellwether-project/bellwether/internal/registry"
)

// client is a way to send, with what a developer pastes.
type client struct {
	Key, Name string
	write     func(f registry.Forms, k registry.Key, base string) snippet
}

// snippet is what to install, what to paste and how to send a first event.
type snippet struct {
	Install string
	Code    string
	Test    string // sends one event by hand; "" when Code does
	Note    string
}

var clients = []client{
	{"sentry-js", "Browser JS", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Install: "npm install @sentry/browser",
			Code:    "import * as Sentry from \"@sentry/browser\";\n\nSentry.init({\n  dsn: \"" + f.DSN + "\",\n  release: \"1.0.0\", // your extension's version\n  sendDefaultPii: false,\n});",
			Test:    "Sentry.captureException(new Error(\"Hello from the set-up\"));",
			Note:    "Allow the origins your code runs on, or leave the list of origins empty.",
		}
	}},
	{"sentry-node", "Node", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Install: "npm install @sentry/node",
			Code:    "const Sentry = require(\"@sentry/node\");\n\nSentry.init({\n  dsn: \"" + f.DSN + "\",\n  release: require(\"./package.json\").version,\n});",
			Test:    "Sentry.captureException(new Error(\"Hello from the set-up\"));",
		}
	}},
	{"vscode", "VS Code", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Install: "npm install @vscode/extension-telemetry",
			Code:    "import TelemetryReporter from \"@vscode/extension-telemetry\";\n\nconst reporter = new TelemetryReporter(\n  \"" + f.ConnectionString + "\"\n);\ncontext.subscriptions.push(reporter);",
			Test:    "reporter.sendTelemetryErrorEvent(\"hello\", { from: \"the set-up\" });",
			Note:    "The reporter follows the user's telemetry setting by itself.",
		}
	}},
	{"sentry-python", "Python", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Install: "pip install sentry-sdk",
			Code:    "import sentry_sdk\n\nsentry_sdk.init(\n    dsn=\"" + f.DSN + "\",\n    release=\"1.0.0\",\n    send_default_pii=False,\n)",
			Test:    "sentry_sdk.capture_exception(RuntimeError(\"Hello from the set-up\"))",
		}
	}},
	{"sentry-go", "Go", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Install: "go get github.com/getsentry/sentry-go",
			Code:    "err := sentry.Init(sentry.ClientOptions{\n\tDsn:     \"" + f.DSN + "\",\n\tRelease: \"1.0.0\",\n})\ndefer sentry.Flush(2 * time.Second)",
			Test:    "sentry.CaptureException(errors.New(\"hello from the set-up\"))",
		}
	}},
	{"otlp", "OpenTelemetry", func(f registry.Forms, _ registry.Key, _ string) snippet {
		return snippet{
			Code: "export OTEL_EXPORTER_OTLP_ENDPOINT=\"" + f.OTLPEndpoint + "\"\nexport OTEL_EXPORTER_OTLP_HEADERS=\"" + f.OTLPHeaders + "\"\nexport OTEL_EXPORTER_OTLP_PROTOCOL=\"http/protobuf\"\nexport OTEL_RESOURCE_ATTRIBUTES=\"service.name=my-extension,service.version=1.0.0\"",
			Test: "curl -sS '" + f.OTLPEndpoint + "/v1/logs' \\\n  -H 'Content-Type: application/json' -H '" + strings.NewReplacer("=", ": ", "%20", " ").Replace(f.OTLPHeaders) + "' \\\n  -d '{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"severityNumber\":17,\"body\":{\"stringValue\":\"Hello from the set-up\"},\"attributes\":[{\"key\":\"exception.type\",\"value\":{\"stringValue\":\"SetupCheck\"}},{\"key\":\"exception.message\",\"value\":{\"stringValue\":\"Hello\"}}]}]}]}]}'",
			Note: "gRPC works too: set the protocol to grpc.",
		}
	}},
	{"reporting", "Browser reports", func(f registry.Forms, _ registry.Key, base string) snippet {
		return snippet{
			Code: "Reporting-Endpoints: default=\"" + f.Reporting + "\", csp=\"" + f.Reporting + "\", crash-reporting=\"" + f.Reporting + "\"\nContent-Security-Policy-Report-Only: default-src 'self'; report-to csp; report-uri " + f.Reporting,
			Test: "curl -sS -i '" + f.Reporting + "?release=1.0.0' \\\n  -H 'Content-Type: application/reports+json' \\\n  -d '[{\"type\":\"crash\",\"url\":\"https://example.org/\",\"body\":{\"reason\":\"oom\"}}]'",
			Note: "Two headers of your pages; no code. The browser then reports crashed, hanging and out-of-memory pages and broken policies by itself, over https only. When the key ends, browsers are told to forget the address.",
		}
	}},
	{"report", "Whole reports", func(_ registry.Forms, k registry.Key, base string) snippet {
		return snippet{
			Install: "node --report-uncaught-exception --report-on-fatalerror app.js\njava -XX:ErrorFile=/tmp/hs_err_%p.log -jar app.jar\npython -X faulthandler app.py 2> crash.txt",
			Code:    "curl -sS '" + base + "/api/v1/intake/report?extension_version=1.0.0' \\\n  -H 'Content-Type: text/plain' -H 'X-Bellwether-Key: " + k.Public + "' \\\n  --data-binary @report.json",
			Test:    "printf 'panic: hello from the set-up\\n\\ngoroutine 1 [running]:\\nmain.main()\\n\\t/app/main.go:7 +0x1\\n' | \\\n  curl -sS '" + base + "/api/v1/intake/report' -H 'X-Bellwether-Key: " + k.Public + "' --data-binary @-",
			Note:    "Any of: Node.js diagnostic report, hs_err_pid.log, macOS .ips or .crash, Python faulthandler, Go panic with all goroutines, .cpuprofile of a hang, plain traces. It is read in memory; environments, command lines and registers are never kept.",
		}
	}},
	{"curl", "curl", func(_ registry.Forms, k registry.Key, base string) snippet {
		id := strconv.FormatInt(k.Project, 10)
		return snippet{
			Code: "curl -sS '" + base + "/api/" + id + "/store/' \\\n  -H 'Content-Type: application/json' \\\n  -H 'X-Sentry-Auth: Sentry sentry_version=7, sentry_key=" + k.Public + "' \\\n  -d '{\"level\":\"error\",\"platform\":\"other\",\"release\":\"1.0.0\",\"exception\":{\"values\":[{\"type\":\"SetupCheck\",\"value\":\"Hello from the set-up\"}]}}'",
			Note: "The answer carries the id of the event.",
		}
	}},
}

func defaultClient(kind registry.ExtKind) string {
	switch kind {
	case registry.VSCode:
		return "vscode"
	case registry.Obsidian, registry.Browser, registry.Grafana:
		return "sentry-js"
	case registry.Blender, registry.QGIS:
		return "sentry-python"
	}
	return "curl"
}
