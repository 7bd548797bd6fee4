package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/fault"
	"github.com/bellwether-project/bellwether/internal/registry"
)

// Origin, limits and end of a key are entered as text: an origin a line, numbers
// with or without commas, a day.

// Lines is the origins as the form shows them.
func (k keyRow) Lines() string { return strings.Join(k.Origins, "\n") }

// Until is the last day of the key as the form shows it; "" = it does not end.
func (k keyRow) Until() string {
	if k.Expires.IsZero() {
		return ""
	}
	return k.Expires.UTC().Add(-time.Millisecond).Format(time.DateOnly)
}

// keyOf reads what a form says of a key.
func keyOf(r *http.Request) (registry.Key, error) {
	k := registry.Key{Label: clip(r.PostFormValue("label"), 101)}
	for line := range strings.FieldsFuncSeq(clip(r.PostFormValue("origins"), 20_000), func(c rune) bool { return c == '\n' || c == '\r' || c == ',' || c == ' ' }) {
		k.Origins = append(k.Origins, line)
	}
	number := func(name, what string) (int64, error) {
		text := strings.NewReplacer(",", "", " ", "").Replace(r.PostFormValue(name))
		if text == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > registry.MaxDailyQuota {
			return 0, fault.E("web.keyOf", fault.Invalid, what+": a number, or nothing for the usual.", nil)
		}
		return n, nil
	}
	rate, err := number("rate", "Requests a minute")
	if err != nil {
		return k, err
	}
	burst, err := number("burst", "Requests at once")
	if err != nil {
		return k, err
	}
	if k.DailyQuota, err = number("quota", "Items a day"); err != nil {
		return k, err
	}
	k.RatePerMinute, k.Burst = int(min(rate, registry.MaxRate+1)), int(min(burst, registry.MaxRate+1))
	if day := r.PostFormValue("until"); day != "" {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return k, fault.E("web.keyOf", fault.Invalid, "Last day: a day such as 2027-03-31, or nothing.", nil)
		}
		k.Expires = at.AddDate(0, 0, 1) // the day is over then, in UTC
	}
	return k, nil
}

func (s *Server) addKey(w http.ResponseWriter, r *http.Request, v viewer) error {
	pr, err := s.projectOf(r, v, account.KeyEdit)
	if err != nil {
		return err
	}
	k, err := keyOf(r)
	if err == nil {
		k.Project = pr.ID
		_, err = s.o.Registry.CreateKey(r.Context(), v.p.Actor(), k)
	}
	if err != nil {
		return s.keyMistake(w, r, v, pr, err)
	}
	return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), "created"))
}

// rotateDays is how long an old key works beside its successor.
const rotateDays = 7

func (s *Server) changeKey(w http.ResponseWriter, r *http.Request, v viewer) error {
	pub, ok := registry.ParseKey(r.PathValue("key"))
	if !ok {
		return notFound("web.key", "There is no such key.")
	}
	k, err := s.o.Registry.Key(r.Context(), pub)
	if err != nil {
		return err
	}
	pr, err := s.o.Registry.Project(r.Context(), k.Project)
	if err != nil {
		return err
	}
	if err := s.check(v, account.KeyEdit, subjectResource("key", pub, pr.Subject)); err != nil {
		return err
	}
	code := "revoked"
	switch r.PostFormValue("do") {
	case "rotate":
		code = "rotated"
		_, err = s.o.Registry.RotateKey(r.Context(), v.p.Actor(), pub, v.now.AddDate(0, 0, rotateDays))
	case "edit":
		code = "saved"
		if k, err = keyOf(r); err == nil {
			k.Public = pub
			k.Version, _ = strconv.ParseInt(r.PostFormValue("version"), 10, 64)
			_, err = s.o.Registry.UpdateKey(r.Context(), v.p.Actor(), k)
		}
		if err != nil {
			return s.keyMistake(w, r, v, pr, err)
		}
	case "revoke":
		_, err = s.o.Registry.RevokeKey(r.Context(), v.p.Actor(), pub)
	default:
		err = fault.E("web.key", fault.Invalid, "Choose to change, to rotate or to revoke.", nil)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, withDone(setupPath(pr.Subject)+"?project="+strconv.FormatInt(pr.ID, 10), code))
}

// keyMistake shows the set-up again with what is wrong about a key.
func (s *Server) keyMistake(w http.ResponseWriter, r *http.Request, v viewer, pr registry.Project, err error) error {
	if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Conflict && code != fault.TooLarge {
		return err
	}
	q := r.URL.Query()
	q.Set("project", strconv.FormatInt(pr.ID, 10))
	r.URL.RawQuery = q.Encode()
	return s.showSetup(w, r, v, pr.Subject, projectForm{KeyErrors: []string{fault.TextOf(err)}}, http.StatusUnprocessableEntity)
}
