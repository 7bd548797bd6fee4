package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"

	"github.com/bellwether-project/bellwether/internal/app"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// settings are the server's options as flags, environment variables
// (BELLWETHER_DATA …) and a YAML file. A flag wins over the environment, the
// environment over the file, the file over the default. An empty variable is one
// that is not set.
type settings struct {
	Config      string `help:"A YAML file with any of these options." env:"BELLWETHER_CONFIG"`
	app.Options `embed:"" group:"The server's options:"`
}

// resolve fills in what the command line left at its default.
func (s *settings) resolve(k *kong.Context) (app.Options, error) {
	given := map[string]bool{}
	for _, p := range k.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = true
		}
	}
	file, err := readConfig(s.Config)
	if err != nil {
		return app.Options{}, err
	}
	flags := map[string]*kong.Flag{}
	for _, f := range k.Flags() {
		flags[f.Name] = f
	}
	var mistakes []string
	for key := range file {
		if f := flags[key]; f == nil || key == "config" || key == "help" {
			mistakes = append(mistakes, fmt.Sprintf("%s: no such option", key))
		}
	}
	for name, f := range flags {
		if given[name] || name == "config" || name == "help" {
			continue
		}
		value := os.Getenv("BELLWETHER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
		if value == "" {
			var ok bool
			if value, ok = file[name]; !ok {
				continue
			}
		}
		if err := f.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value}), f.Target); err != nil {
			mistakes = append(mistakes, name+": "+strings.TrimPrefix(err.Error(), "--"+name+": "))
		}
	}
	o := s.Options
	if err := o.Check(); err != nil {
		mistakes = append(mistakes, strings.Split(err.Error(), "\n")...)
	}
	if len(mistakes) > 0 {
		slices.Sort(mistakes)
		return o, fault.E("config", fault.Invalid, "The configuration has mistakes:\n  "+strings.Join(mistakes, "\n  "), nil)
	}
	return o, nil
}

// readConfig reads the file as text values by key; lists become comma-separated.
func readConfig(name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.E("config", fault.Invalid, "The configuration file cannot be read.", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(b, &raw); err != nil {
		return nil, fault.E("config", fault.Invalid, "The configuration file is not valid YAML.", err)
	}
	out := make(map[string]string, len(raw))
	for k, v := range raw {
		switch v := v.(type) {
		case []any:
			parts := make([]string, len(v))
			for i, p := range v {
				parts[i] = fmt.Sprint(p)
			}
			out[k] = strings.Join(parts, ",")
		case map[string]any:
			return nil, fault.E("config", fault.Invalid, "Option "+k+" takes a value or a list.", nil)
		default:
			out[k] = fmt.Sprint(v)
		}
	}
	return out, nil
}

type checkConfigCmd struct{ settings }

func (s *checkConfigCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	o, err := s.resolve(k)
	if err != nil {
		return err
	}
	if ok, err := o.CheckMail(ctx); err != nil {
		return err
	} else if ok {
		fmt.Fprintln(c.out, "The mail server answers and lets us in.")
	}
	fmt.Fprintln(c.out, "The configuration is good. Options in force:")
	return yaml.NewEncoder(c.out).Encode(optionsAsMap(k, o))
}

// optionsAsMap lists every option with its value, by its flag's name. An address
// with a password shows none.
func optionsAsMap(k *kong.Context, o app.Options) map[string]any {
	out := map[string]any{}
	for _, f := range k.Flags() {
		if f.Name != "help" && f.Name != "config" {
			out[f.Name] = f.Target.Interface()
		}
	}
	out["keyring"] = o.Keyring
	out["records"] = hidePassword(o.Records)
	out["stream-url"] = hidePassword(o.StreamURL)
	out["mail-url"] = hidePassword(o.MailURL)
	if o.MailPassword != "" {
		out["mail-password"] = "…"
	}
	return out
}

func hidePassword(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	rest, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "…" + rest[at:]
	}
	if query != "" { // libpq takes a password there as well
		rest += "?…"
	}
	return scheme + "://" + rest
}
