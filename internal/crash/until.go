package crash

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Until is what an ignored family waits for: whatever comes true first opens it.
// The zero Until waits for nothing. Crashes and installs count from the decision on.
type Until struct {
	Release  string    `json:"release,omitempty" maxLength:"128" doc:"Seen in a release later than this one."`
	Crashes  int64     `json:"crashes,omitempty" minimum:"0" maximum:"1000000000" doc:"So many more crashes."`
	Installs int64     `json:"installs,omitempty" minimum:"0" maximum:"1000000000" doc:"Crashes in so many distinct installs."`
	Time     time.Time `json:"time,omitzero" doc:"This moment."`
}

// Progress is what happened to a family since it was ignored.
type Progress struct {
	Now      time.Time `json:"now"`
	Releases []string  `json:"releases,omitempty"` // that it was seen in
	Crashes  int64     `json:"crashes"`
	Installs int64     `json:"installs"`
}

// IsZero reports whether nothing is waited for.
func (u Until) IsZero() bool { return u == Until{} }

// Over reports whether what was waited for has come, and says what. It is pure.
func (u Until) Over(o Order, p Progress) (why string, over bool) {
	if u.Release != "" {
		var later []string
		for _, r := range p.Releases {
			if r != "" && o.Compare(r, u.Release) > 0 {
				later = append(later, r)
			}
		}
		if r := o.Newest(later); r != "" {
			return "Ignored until a release after " + u.Release + ": seen in " + r + ".", true
		}
	}
	if u.Crashes > 0 && p.Crashes >= u.Crashes {
		return fmt.Sprintf("Ignored until %d more crashes: %d since.", u.Crashes, p.Crashes), true
	}
	if u.Installs > 0 && p.Installs >= u.Installs {
		return fmt.Sprintf("Ignored until it hit %d installs: %d since.", u.Installs, p.Installs), true
	}
	if !u.Time.IsZero() && !p.Now.Before(u.Time) {
		return "Ignored until " + u.Time.UTC().Format("2006-01-02 15:04") + " UTC.", true
	}
	return "", false
}

// String says what is waited for, for people.
func (u Until) String() string {
	var parts []string
	if u.Release != "" {
		parts = append(parts, "a release after "+u.Release)
	}
	if u.Crashes > 0 {
		parts = append(parts, fmt.Sprintf("%d more crashes", u.Crashes))
	}
	if u.Installs > 0 {
		parts = append(parts, fmt.Sprintf("crashes in %d installs", u.Installs))
	}
	if !u.Time.IsZero() {
		parts = append(parts, u.Time.UTC().Format("2006-01-02 15:04")+" UTC")
	}
	return strings.Join(parts, " or ")
}

// maxWait bounds the time that a family is ignored for.
const maxWait = 5 * 366 * 24 * time.Hour

func (u Until) check(now time.Time) error {
	const op = "crash.SetState"
	switch {
	case u.Crashes < 0 || u.Installs < 0 || u.Crashes > 1e9 || u.Installs > 1e9:
		return fault.E(op, fault.Invalid, "Crashes and installs to wait for are between 1 and 1,000,000,000.", nil)
	case !u.Time.IsZero() && !u.Time.After(now):
		return fault.E(op, fault.Invalid, "The time to wait for lies in the past.", nil)
	case u.Time.After(now.Add(maxWait)):
		return fault.E(op, fault.Invalid, "The time to wait for lies more than five years ahead.", nil)
	}
	return nil
}

// text is how an Until is kept.
func (u Until) text() string {
	if u.IsZero() {
		return ""
	}
	b, _ := json.Marshal(u)
	return string(b)
}

// untilOf reads what text wrote; what cannot be read waits for nothing.
func untilOf(s string) (u Until) {
	if s != "" && json.Unmarshal([]byte(s), &u) != nil {
		return Until{}
	}
	return u
}

func (u Until) clean() Until {
	u.Release = eco.Clean(strings.TrimSpace(u.Release), 128)
	if !u.Time.IsZero() {
		u.Time = u.Time.UTC().Truncate(time.Second)
	}
	return u
}
