package web

import (
	"cmp"
	"strings"
)

// reasonWord is a reason of the door in a few words.
func reasonWord(reason string) string {
	head, rest, _ := strings.Cut(reason, ":")
	switch head {
	case "consent":
		switch rest {
		case "never":
			return "never taken"
		case "unknown":
			return "unknown kind"
		}
		return "no consent for " + rest
	case "optout":
		return "the user opted out"
	case "key":
		return "key " + cmp.Or(rest, "not known")
	case "rate", "rate_limited", "ratelimit":
		return "too many requests"
	case "quota":
		return "quota used up"
	case "origin":
		return "origin not allowed"
	case "too_large", "size":
		return "too large"
	case "client":
		return "dropped by the client"
	case "catalog":
		return "not in the catalog"
	case "schema", "invalid", "malformed", "decode":
		return "not readable"
	case "sampled", "sampling":
		return "sampled out"
	case "full", "unavailable":
		return "queue full"
	case "not_kept":
		return "no error of a page"
	}
	return strings.NewReplacer("_", " ", ":", ": ").Replace(reason)
}

// protocolWord is a protocol's name as its makers write it.
func protocolWord(p string) string {
	switch p {
	case "sentry":
		return "Sentry"
	case "otlp":
		return "OpenTelemetry"
	case "appinsights":
		return "Application Insights"
	case "native":
		return "Bellwether"
	case "glean":
		return "Glean"
	case "reporting":
		return "Reporting API"
	}
	return p
}

// reasonHelp says what a reason for a drop means, and what to do.
func reasonHelp(reason string) string {
	head, rest, _ := strings.Cut(reason, ":")
	switch reason {
	case "schema:report":
		return "The report is of no form we read, or holds no stack. “bellwether crash explain FILE” says which it is."
	case "not_kept":
		return "Browsers report it, but it is no error of a page: deprecations, interventions, network errors."
	}
	switch head {
	case "consent":
		switch rest {
		case "never":
			return "Nobody can consent to this kind here (replays, profiles, request bodies, cookies). Switch it off in the client."
		case "unknown":
			return "The item's kind is not known here, so no consent can cover it."
		}
		return "The project's policy does not cover the tier " + rest + ". If your users are asked for it, say so under Consent on its set-up page."
	case "optout":
		return "The policy covers it, but this sender opted out (DNT or Sec-GPC)."
	case "key":
		switch rest {
		case "revoked":
			return "The key was revoked. Take another one from the set-up page."
		case "expired":
			return "The key has ended. Take another one from the set-up page."
		}
		return "The key is not known here."
	case "rate", "rate_limited", "ratelimit":
		return "More requests a minute than the key allows; the client was told to come back later."
	case "quota":
		return "The key's quota of the day is used up; it starts anew at midnight UTC."
	case "origin":
		return "The browser sent it from an origin that the key does not list."
	case "too_large", "size":
		return "It is larger than what is taken."
	case "client":
		return "The client itself dropped it and told us so (" + cmp.Or(rest, "no reason given") + ")."
	case "catalog":
		return "The catalog does not know this metric."
	case "invalid", "malformed", "decode":
		return "It could not be read. The client's own log says what it sent."
	case "sampled", "sampling":
		return "Left out by sampling, as the catalog says."
	case "full", "unavailable":
		return "The queue was full; the client was told to come back later."
	}
	return "Dropped by a rule of the door."
}
