package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options is the whole configuration. The tags are the documentation: flags,
// environment variables (BELLWETHER_ + upper case) and the keys of the
// configuration file all come from them.
type Options struct {
	Data               string   `help:"Folder of everything the server keeps." default:"./data"`
	Keyring            string   `help:"Folder of the keys; never inside the data folder. Default: beside it, with .keyring added."`
	Listen             string   `help:"Address of pages, API and doors." default:"127.0.0.1:8080"`
	GRPC               string   `help:"A second address for OTLP over gRPC, such as 127.0.0.1:4317. OTLP also works on the main one." name:"grpc"`
	URL                string   `help:"Address under which people and clients reach the server, such as https://bellwether.example.org; needed behind a proxy. With https cookies are sent over TLS only. Default: from --listen." name:"url"`
	TLSCert            string   `help:"Certificate file (PEM); with --tls-key the server speaks TLS itself." name:"tls-cert"`
	TLSKey             string   `help:"Key file (PEM) of the certificate." name:"tls-key"`
	TrustedProxies     []string `help:"Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8. Set --url, too: it says whether people come by TLS." name:"trusted-proxies"`
	CountryHeader      string   `help:"Header in which a trusted proxy gives the client's country (ISO 3166-1). Unset: no country is ever looked up." name:"country-header"`
	Roles              []string `help:"What this process does: ingest, worker, web, jobs. The embedded engines need all of them." default:"ingest,worker,web,jobs"`
	Records            string   `help:"Where records live: empty for SQLite in the data folder, or a postgres:// address."`
	StreamURL          string   `help:"A NATS cluster for the stream instead of the embedded one." name:"stream-url"`
	StreamReplicas     int      `help:"Copies of the stream in a NATS cluster." name:"stream-replicas" default:"3"`
	StreamMax          int64    `help:"Most bytes the stream may hold before the doors answer \"later\"." name:"stream-max" default:"2147483648"`
	MinFree            int64    `help:"Free bytes on the data disk below which the doors answer \"later\"." name:"min-free" default:"536870912"`
	MailURL            string   `help:"Mail server, such as smtp://user@mail.example.org:587 (STARTTLS) or smtps://user@mail.example.org:465. Unset: no mail is sent." name:"mail-url"`
	MailFrom           string   `help:"Sender of mails, such as Bellwether <bellwether@example.org>." name:"mail-from"`
	MailPassword       string   `help:"Password of the mail server; better by the environment or a file." name:"mail-password"`
	MailPasswordFile   string   `help:"File that holds the password of the mail server." name:"mail-password-file"`
	NotifyAllowPrivate []string `help:"Private networks that channels may lead to, also by plain http, such as 10.1.0.0/16. Unset: public addresses, by https." name:"notify-allow-private"`
	LogLevel           string   `help:"Least level that is logged: debug, info, warn, error." name:"log-level" default:"info" enum:"debug,info,warn,error"`

	Stackwalk        string   `help:"The program minidump-stackwalk: auto looks for it in PATH, off never uses it, else its path. Linux only; without it stacks of minidumps are unwound here." name:"stackwalk" default:"auto"`
	StackwalkSymbols []string `help:"Folders of Breakpad symbols that minidump-stackwalk is given." name:"stackwalk-symbols"`

	// Demo lets the demo world set the day of receipt. Only the demo command sets it.
	Demo bool `kong:"-"`
}

// roles are the parts a process can play.
var roles = []string{"ingest", "worker", "web", "jobs"}

// Check reports every mistake at once and fills in what follows from the rest.
func (o *Options) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Data == "" {
		bad("data: a folder is needed")
	}
	o.Data = filepath.Clean(o.Data)
	if o.Keyring == "" {
		o.Keyring = o.Data + ".keyring"
	}
	data, _ := filepath.Abs(o.Data)
	keys, _ := filepath.Abs(o.Keyring)
	if rel, err := filepath.Rel(data, keys); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		bad("keyring: it lies inside the data folder; keys and data must be kept apart")
	}
	for name, addr := range map[string]string{"listen": o.Listen, "grpc": o.GRPC} {
		if _, _, err := net.SplitHostPort(addr); err != nil && (addr != "" || name == "listen") {
			bad("%s: an address has the form host:port", name)
		}
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		bad("tls-cert, tls-key: both or neither")
	}
	for name, file := range map[string]string{"tls-cert": o.TLSCert, "tls-key": o.TLSKey} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			bad("%s: the file cannot be read: %w", name, err)
		}
	}
	if o.URL != "" {
		if u, err := url.Parse(o.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad("url: an address has the form https://host")
		}
		o.URL = strings.TrimRight(o.URL, "/")
	}
	if _, err := o.proxies(); err != nil {
		bad("trusted-proxies: %w", err)
	}
	if _, _, err := o.mailServer(); err != nil {
		bad("%s", mistake(err))
	}
	if _, err := o.outgoing(); err != nil {
		bad("notify-allow-private: %w", err)
	}
	if o.CountryHeader != "" && len(o.TrustedProxies) == 0 {
		bad("country-header: only a trusted proxy may give a country; set trusted-proxies")
	}
	for _, r := range o.Roles {
		if !slices.Contains(roles, r) {
			bad("roles: %q is none of %s", r, strings.Join(roles, ", "))
		}
	}
	if len(o.Roles) < len(roles) {
		bad("roles: the embedded engines need all of them (%s); roles apart need the cluster engines, which this version does not have", strings.Join(roles, ","))
	}
	if o.Records != "" && !strings.HasPrefix(o.Records, "postgres://") && !strings.HasPrefix(o.Records, "postgresql://") {
		bad("records: empty, or a postgres:// address")
	}
	if o.StreamMax < 64<<20 {
		bad("stream-max: at least 67108864 (64 MiB)")
	}
	if o.MinFree < 0 {
		bad("min-free: not negative")
	}
	return errors.Join(errs...)
}

func (o *Options) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range o.TrustedProxies {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no network", s)
		}
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out, nil
}

// base is the address given to people and clients.
func (o *Options) base(bound net.Addr) string {
	if o.URL != "" {
		return o.URL
	}
	return o.baseOf(bound.String())
}

// consoleBase is the address where a server with these options would be reached.
func (o *Options) consoleBase() string {
	if o.URL != "" {
		return o.URL
	}
	return o.baseOf(o.Listen)
}

func (o *Options) baseOf(listen string) string {
	scheme := "http"
	if o.TLSCert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// drainTime bounds how long a stop waits for requests and the flow.
const drainTime = 30 * time.Second
