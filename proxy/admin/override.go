package admin

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// Override asks that the store is taken to be in a state for a while, whatever the checks say. They go on, and so does
// everything that looks at a backend's answer.
type Override struct {
	State string        // a state's word, or OverrideOff
	For   time.Duration // from LeastOverride to MostOverride; 0 where State is OverrideOff
	By    string        // who asks: never empty, at most 80 printable characters
}

// OverrideOff is the State of an Override that ends the one in force.
const OverrideOff = "off"

// How long an override may last.
const (
	LeastOverride = time.Second
	MostOverride  = store.MaxOverride
)

// OverrideWords are what may be asked for, in the order a person wants to read it.
func OverrideWords() []string {
	var words []string
	for _, s := range shed.States {
		words = append(words, s.String())
	}
	return append(words, OverrideOff)
}

// overridden is what POST /store/override answers in JSON.
type overridden struct {
	OK       bool           `json:"ok"`
	Override *OverrideState `json:"override,omitempty"` // in force now
	Mistakes []string       `json:"mistakes,omitempty"`
}

// overrideBytes bounds the body of what asks for an override.
const overrideBytes = 4 << 10

// override sets a store's state by hand, or gives it back to the checks: 400 for what cannot be understood, 409 for what the
// Source cannot do.
func (h *handler) override(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, overrideBytes)
	o, mistakes := readOverride(r)
	code := http.StatusBadRequest
	if len(mistakes) == 0 {
		code = http.StatusOK
		if err := h.set.Source.Override(o); err != nil {
			code, mistakes = http.StatusConflict, lines(err.Error())
		}
	}
	out := overridden{OK: code == http.StatusOK, Mistakes: mistakes}
	for _, s := range h.set.Source.Status().Stores {
		out.Override = cmp.Or(out.Override, s.Override)
	}
	switch {
	case !wantsText(r):
		answerJSON(w, code, out)
	case !out.OK:
		say(w, code, "The state was not set.\n"+strings.Join(out.Mistakes, "\n"))
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		// A form without a script: what came of it stands first on the page.
		w.Header().Set("Location", "/")
		say(w, http.StatusSeeOther, inForce(out.Override))
	default:
		say(w, code, inForce(out.Override))
	}
}

// inForce says which override is in force, if any.
func inForce(o *OverrideState) string {
	if o == nil {
		return "No override is in force: the checks say what the store can do."
	}
	return fmt.Sprintf("The store is taken to be %s until %s, set by %s.", o.State, o.Until.UTC().Format("2006-01-02 15:04:05 UTC"), o.By)
}

// readOverride reads what is asked for from a form or the query, and names everything that is wrong with it and what is wanted.
func readOverride(r *http.Request) (Override, []string) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "" &&
		!strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return Override{}, []string{fmt.Sprintf("Content-Type: %.40q cannot be read; a form (application/x-www-form-urlencoded) or the query is wanted", kind)}
	}
	if err := r.ParseForm(); err != nil {
		return Override{}, []string{"the form cannot be read: " + err.Error()}
	}
	o, mistakes := overrideOf(r.Form)
	if o.By == "" {
		o.By = peer(r)
	}
	return o, mistakes
}

// overrideOf reads the values of a form. Where there are mistakes, the Override means nothing.
func overrideOf(form url.Values) (Override, []string) {
	var mistakes []string
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(form)) {
		switch {
		case name != "state" && name != "for" && name != "by":
			wrong("%.40q is not known; state, for and by are wanted", name)
		case len(form[name]) > 1:
			wrong("%s: it is given %d times; one is wanted", name, len(form[name]))
		}
	}
	o := Override{State: strings.TrimSpace(form.Get("state")), By: printable(form.Get("by"))}
	if words := OverrideWords(); o.State == "" {
		wrong("state: it is missing; one of %s is wanted", strings.Join(words, ", "))
	} else if !slices.Contains(words, o.State) {
		wrong("state: %.40q is none; one of %s is wanted", o.State, strings.Join(words, ", "))
	}
	if o.State == OverrideOff {
		return o, mistakes
	}
	text := strings.TrimSpace(form.Get("for"))
	d, err := time.ParseDuration(text)
	const wanted = "a time from 1s to 4h, such as 10m, is wanted"
	switch {
	case text == "":
		wrong("for: it is missing; " + wanted)
	case err != nil:
		wrong("for: %.40q is no time; "+wanted, text)
	case d < LeastOverride:
		wrong("for: %.40s is too short; "+wanted, text)
	case d > MostOverride:
		wrong("for: %.40s is too long; "+wanted, text)
	}
	o.For = d
	return o, mistakes
}

// printable returns a name as it can be shown anywhere: on one line, without what cannot be seen, at most 80 characters.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > 80 {
		name = strings.TrimSpace(string(runes[:80]))
	}
	return name
}

// peer names who asks where nobody gave a name.
func peer(r *http.Request) string {
	if isUnix(r) {
		return "unix socket"
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "an unknown address"
	}
	return "admin page at " + host
}
