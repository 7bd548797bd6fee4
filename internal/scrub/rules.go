package scrub

// Rule is a line of the public description.
type Rule struct {
	ID      string // what removals name
	Token   string // what stands in the place of what was taken out
	What    string // what it takes out, for people
	Example string // an invented text
	After   string // the same, scrubbed
}

type ruleID int

const (
	rulePEM ruleID = iota
	ruleUserAgent
	ruleSecret
	ruleHeader
	ruleIdentity
	ruleURLUser
	ruleQuery
	ruleToken
	ruleEncoded
	ruleEmail
	ruleUserPath
	ruleHost
	ruleIP
	ruleMAC
	ruleCard
	ruleNational
	rulePhone
	ruleSID
	ruleInstallURL
	ruleData
	ruleKey
	ruleActive
	ruleForm
	ruleRow
	ruleCount
)

// rules is the table behind Describe; the scanners name its lines by id.
var rules = [ruleCount]Rule{
	rulePEM:        {"private-key", "<private-key>", "PEM blocks: private keys and certificates", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "<private-key>"},
	ruleUserAgent:  {"user-agent", "<user-agent>", "user agents of browsers", "sent by Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "sent by <user-agent>"},
	ruleSecret:     {"secret", "<secret>", "values of names such as password, token, api_key, secret, in URLs, JSON, connection strings, command lines and headers", "login failed, password=hunter2", "login failed, password=<secret>"},
	ruleHeader:     {"header", "<secret>", "whole values of Authorization, Cookie and other headers that identify", "Cookie: sid=31d4d96e407aad42; theme=dark", "Cookie: <secret>"},
	ruleIdentity:   {"identity", "<id>", "values of names such as machineId, userName, hostname", `{"machineId":"5f1c0c0e9b7a"}`, `{"machineId":"<id>"}`},
	ruleURLUser:    {"url-user", "<credentials>", "user and password in the address part of a URL", "postgres://bob:pw@db.example.org/x", "postgres://<credentials>@db.example.org/x"},
	ruleQuery:      {"url-query", "<query>", "queries and fragments of URLs", "GET https://example.org/find?name=bob#top", "GET https://example.org/find?<query>"},
	ruleToken:      {"token", "<token>", "keys and tokens by their form (JWT, AWS, GitHub, GitLab, Slack, Stripe, npm, PyPI, Google, Azure and others), long random strings beside words such as key or token, and strings so random that they are no name", "using ghp_0123456789abcdefghijABCDEFGHIJ012345", "using <token>"},
	ruleEncoded:    {"encoded", "<encoded>", "base64 in which another rule finds something, and text wrapped in more than four layers of escapes", "", ""},
	ruleEmail:      {"email", "<email>", "e-mail addresses and user@host names", "no mail for jo@example.org", "no mail for <email>"},
	ruleUserPath:   {"user-path", "<user>", "user names in paths of Windows, macOS, Linux and WSL, in homes of groups, in files and folders named after paths or users, organisations in OneDrive and Dropbox folders, per-user temporary folders", `open C:\Users\jo\x.txt`, `open C:\Users\<user>\x.txt`},
	ruleHost:       {"host", "<host>", "names of devices, also those called after people, of hosts in private networks and in lines of system logs, servers of UNC paths", "cannot reach jos-macbook.local", "cannot reach <host>"},
	ruleIP:         {"ip", "<ip>", "IP addresses, version 4 and 6", "connect to 192.0.2.7:5432", "connect to <ip>:5432"},
	ruleMAC:        {"mac", "<mac>", "hardware addresses", "eth0 00:1a:2b:3c:4d:5e", "eth0 <mac>"},
	ruleCard:       {"card", "<card>", "numbers of payment cards (by their check digit)", "paid with 4111 1111 1111 1111", "paid with <card>"},
	ruleNational:   {"national-id", "<national-id>", "numbers in the form of a US social security number, and IBANs", "ssn 219-09-9999", "ssn <national-id>"},
	rulePhone:      {"phone", "<phone>", "telephone numbers in an international or North American form, and any behind a word that says so", "call +44 20 7946 0958", "call <phone>"},
	ruleSID:        {"sid", "<sid>", "Windows security identifiers", "owner S-1-5-21-1004336348-1177238915-682003330-512", "owner <sid>"},
	ruleInstallURL: {"install-url", "<id>", "the per-installation address of a Firefox extension", "moz-extension://0b5d4e5c-6a2f-4c7e-9f53-5f0f3d6c2a11/a.js", "moz-extension://<id>/a.js"},
	ruleData:       {"data-url", "<data>", "contents of data: URLs", "data:text/plain;base64,aGVsbG8=", "data:<data>"},
	ruleKey:        {"sensitive-key", "<removed>", "values of fields whose name is sensitive, whatever they are", "", ""},
	ruleActive:     {"active-id", "", "extension ids that are not well-formed public ids, and more than 512 of them", "", ""},
	ruleRow:        {"row", "<row>", "values that databases repeat in their errors", "Duplicate entry 'jo' for key 'users.name'", "Duplicate entry '<row>' for key 'users.name'"},
	ruleForm:       {"form", "", "fields that do not have the form they must have", "", ""},
}

// ourTokens are all replacements; nothing is ever found inside one.
var ourTokens = func() map[string]bool {
	m := map[string]bool{"<org>": true, "<volume>": true, "<fragment>": true, "<user>": true}
	for _, r := range rules {
		if r.Token != "" {
			m[r.Token] = true
		}
	}
	return m
}()

// Describe returns the rules in the order they run, for the public page.
func Describe() []Rule { return append([]Rule(nil), rules[:]...) }
