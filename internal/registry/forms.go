package registry

import (
	"net/url"
	"strconv"
	"strings"
)

// Forms are the ways clients are told a key: one each for the wires we speak.
type Forms struct {
	DSN              string `json:"dsn"`               // Sentry SDKs
	OTLPEndpoint     string `json:"otlp_endpoint"`     // OTEL_EXPORTER_OTLP_ENDPOINT
	OTLPHeaders      string `json:"otlp_headers"`      // OTEL_EXPORTER_OTLP_HEADERS
	ConnectionString string `json:"connection_string"` // Application Insights
	Glean            string `json:"glean"`             // server endpoint of Glean
	Reporting        string `json:"reporting"`         // Reporting-Endpoints
}

// FormsFor writes a key for a base address such as "https://bell.example.org/x".
func FormsFor(base *url.URL, k Key) Forms {
	b := strings.TrimSuffix(base.Scheme+"://"+base.Host+base.Path, "/")
	dsn := url.URL{Scheme: base.Scheme, User: url.User(k.Public), Host: base.Host,
		Path: strings.TrimSuffix(base.Path, "/") + "/" + strconv.FormatInt(k.Project, 10)}
	return Forms{
		DSN:              dsn.String(),
		OTLPEndpoint:     b,
		OTLPHeaders:      "Authorization=Bearer%20" + k.Public,
		ConnectionString: "InstrumentationKey=" + UUID(k.Public) + ";IngestionEndpoint=" + b + "/",
		Glean:            b + "/g/" + k.Public,
		Reporting:        b + "/r/" + k.Public,
	}
}

// UUID writes a key's 32 hex digits with the dashes of a UUID.
func UUID(public string) string {
	if len(public) != 32 {
		return public
	}
	return public[:8] + "-" + public[8:12] + "-" + public[12:16] + "-" + public[16:20] + "-" + public[20:]
}

// ParseKey reads a public key: 32 hex digits, with or without the dashes of a
// UUID, in either case. It allocates only when it must change something.
func ParseKey(s string) (string, bool) {
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 32 {
		return "", false
	}
	upper := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			upper = true
		default:
			return "", false
		}
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, true
}
