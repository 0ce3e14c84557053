package page

import (
	"strconv"
	"time"
)

// Settings are how answers look and what range of time visitors are told to stay away for. The zero value is the built-in
// page and the surface's default range, 5 s to 60 s.
type Settings struct {
	// Template is the text of an html/template that replaces the HTML form of every Kind but Limited. It is executed with a
	// View. "" means the built-in page.
	Template         string
	MinWait, MaxWait time.Duration
}

// Maker makes answers. It is safe for concurrent use.
type Maker struct {
	sheets  [kinds][languages][forms]sheet
	policy  string
	own     *operators // nil: the built-in page
	backlog Backlog

	sayings  [kinds]sayings
	language *memo[int]  // of Accept-Language
	form     *memo[form] // of Accept

	// numbers spare an allocation for each of an answer's numbers.
	numbers [600]string
}

// New prepares every answer. It fails where the template cannot be parsed, cannot give one of the answers, or holds what the
// answers' Content-Security-Policy would block.
func New(s Settings) (*Maker, error) {
	m := &Maker{
		policy: policy(styleSource(style)), backlog: Backlog{Min: s.MinWait, Max: s.MaxWait},
		language: newMemo(language), form: newMemo(negotiate),
	}
	for k := range kinds {
		for i, l := range catalogue {
			for f := range forms {
				m.sheets[k][i][f].compose(compose(k, l, f))
			}
		}
	}
	for i := range m.numbers {
		m.numbers[i] = strconv.Itoa(i)
	}
	if s.Template != "" {
		own, err := parse(s.Template)
		if err != nil {
			return nil, err
		}
		m.own = own
	}
	return m, nil
}

// Wait returns how long one more visitor is told to stay away, given how many a second can be served when they come back. It
// counts the visitor as turned away. See Backlog.
func (m *Maker) Wait(now time.Time, perSecond float64) time.Duration {
	return m.backlog.Wait(now, perSecond)
}

// Make returns the answer to a.
func (m *Maker) Make(a Ask) Answer {
	made := Answer{Lines: make([]Line, 0, 14)}
	m.MakeInto(&made, a)
	return made
}

// MakeInto makes the answer to a in made. What was there before is overwritten, its Lines and the memory of its Body too: nobody may
// hold those any more. With an Answer that was used before it allocates nothing, an operator's template and large numbers apart.
func (m *Maker) MakeInto(made *Answer, a Ask) {
	if a.Kind >= kinds {
		a.Kind = Internal
	}
	t := a.Kind.traits()
	if a.Status == 0 {
		a.Status = t.status
	}
	seconds := a.seconds()
	said := m.sayings[a.Kind].of(a.Outcome, a.Reason, t.outcome)
	a.Outcome, a.Reason = said.outcome, said.reason
	lines := made.Lines[:0]
	made.Status, made.Body, made.Length = a.Status, nil, 0
	if ct := grpcType(a.ContentType); ct != "" {
		made.Status = 200
		lines = append(lines, Line{"Content-Type", ct}, Line{"grpc-status", code(&a, t)}, Line{"grpc-message", t.message})
		if seconds > 0 {
			lines = append(lines, Line{"grpc-retry-pushback-ms", strconv.Itoa(seconds * 1000)})
		}
		made.Lines = m.common(lines, said.line, seconds)
		return
	}
	i, f := m.language.of(a.Language), m.form.of(a.Accept)
	lines = append(lines, Line{"Content-Type", contentType(f, a.Status)}, Line{"Content-Language", catalogue[i].tag})
	var body []byte
	if f == formHTML {
		csp := m.policy
		if m.own != nil && a.Kind != Limited {
			if body = m.own.render(&a, catalogue[i]); body != nil {
				csp = m.own.policy
			}
		}
		lines = append(lines, Line{"Content-Security-Policy", csp})
	}
	made.Lines = m.common(lines, said.line, seconds)
	if body == nil {
		var v values
		m.fill(&v, &a, t, seconds, catalogue[i])
		s := m.sheets[a.Kind][i][f].press(v.facts)
		if a.Head {
			made.Length = s.size(&v)
			return
		}
		made.room = s.appendTo(made.room[:0], &v)
		body = made.room
	}
	made.Length = len(body)
	if !a.Head {
		made.Body = body
	}
}

var contentTypes = [forms]string{
	formHTML: "text/html; charset=utf-8", formProblem: "application/problem+json", formText: "text/plain; charset=utf-8",
}

// contentType returns the media type of an answer. What went well is no problem (RFC 9457 section 1), though it has the same
// members.
func contentType(f form, status int) string {
	if f == formProblem && status < 400 {
		return "application/json"
	}
	return contentTypes[f]
}

// common appends the lines that every answer carries.
func (m *Maker) common(lines []Line, outcome string, seconds int) []Line {
	if seconds > 0 {
		lines = append(lines, Line{"Retry-After", m.number(seconds)})
	}
	return append(append(lines, Line{"Gatehouse-Outcome", outcome}), always[:]...)
}

// always are the lines that depend on nothing.
var always = [...]Line{
	{"Cache-Control", "no-store"},
	{"CDN-Cache-Control", "no-store"},
	{"Vary", "Accept, Accept-Language"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Robots-Tag", "noindex"},
}

// fill sets v, which is zero and stays with the caller, so that it costs no allocation.
func (m *Maker) fill(v *values, a *Ask, t *traits, seconds int, l *words) {
	v.text[holeStatus] = m.number(a.Status)
	v.text[holePhrase] = phrase(a.Status)
	v.text[holeOutcome] = a.Outcome
	v.text[holeRestart] = attribute(restart(a.Restart))
	if seconds > 0 {
		v.text[holeSeconds], v.text[holeUnit] = m.number(seconds), l.inSeconds(seconds)
		n, unit := l.told(seconds)
		v.text[holeTime], v.text[holeTimeUnit] = m.number(n), unit
		v.facts |= waits | manual
		if a.Refresh && t.again {
			v.facts ^= reloads | manual
		}
	}
	if a.Reason != "" {
		v.text[holeReason], v.facts = a.Reason, v.facts|reasoned
	}
	if id := identifier(a.RequestID); id != "" {
		v.text[holeID], v.facts = id, v.facts|named
	}
	if a.stands() {
		v.facts |= stands
	}
	if !a.Refresh {
		v.facts |= uncertain
	}
	m.place(v, a, l)
}

// place sets what is said of a visitor's place in the line.
func (m *Maker) place(v *values, a *Ask, l *words) {
	if !a.placed() {
		return
	}
	v.facts |= placed
	v.text[holeWaited] = m.number(a.waited())
	n := a.ahead()
	if n < 0 {
		return
	}
	v.facts |= counted
	v.text[holeQueue] = m.number(n)
	switch n {
	case 0:
		v.facts |= first
	case 1:
		v.facts |= second
	default:
		v.facts |= later
		if v.text[holeAhead] = v.text[holeQueue]; n > 9999 {
			v.text[holeAhead] = l.grouped(n)
		}
	}
}

func (m *Maker) number(n int) string {
	if n >= 0 && n < len(m.numbers) {
		return m.numbers[n]
	}
	return strconv.Itoa(n)
}

// code is gRPC's: DEADLINE_EXCEEDED where the time that the client gave the call is over. A page that is one too many for its client says what the page would have: a service is one client, and its calls are to
// come again.
func code(a *Ask, t *traits) string {
	switch {
	case a.Kind == Limited && a.Reason == "page_rate":
		return Degraded.traits().grpc
	case a.Kind == Failed && a.Reason == "call_deadline":
		return "4"
	}
	return t.grpc
}
