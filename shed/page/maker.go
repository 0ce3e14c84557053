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
	// numbers spare an allocation for each of an answer's numbers.
	numbers [600]string
}

// New prepares every answer. It fails where the template cannot be parsed, cannot give one of the answers, or holds what the
// answers' Content-Security-Policy would block.
func New(s Settings) (*Maker, error) {
	m := &Maker{policy: policy(styleSource(style)), backlog: Backlog{Min: s.MinWait, Max: s.MaxWait}}
	for k := range kinds {
		for i, l := range catalogue {
			for f := range forms {
				m.sheets[k][i][f] = compose(k, l, f)
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
	if a.Kind >= kinds {
		a.Kind = Internal
	}
	t := a.Kind.traits()
	if a.Status == 0 {
		a.Status = t.status
	}
	seconds := a.seconds()
	a.Outcome, a.Reason = word(a.Outcome, t.outcome), word(a.Reason, "")
	lines := make([]Line, 0, 14)
	if ct := grpcType(a.ContentType); ct != "" {
		lines = append(lines, Line{"Content-Type", ct}, Line{"grpc-status", code(&a, t)}, Line{"grpc-message", t.message})
		if seconds > 0 {
			lines = append(lines, Line{"grpc-retry-pushback-ms", strconv.Itoa(seconds * 1000)})
		}
		return Answer{Status: 200, Lines: m.common(lines, &a, seconds)}
	}
	i, f := language(a.Language), negotiate(a.Accept)
	v := new(values)
	m.fill(v, &a, t, seconds, catalogue[i])
	lines = append(lines, Line{"Content-Type", contentType(f, a.Status)}, Line{"Content-Language", catalogue[i].tag})
	s := m.sheets[a.Kind][i][f]
	answer := Answer{Status: a.Status}
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
	switch {
	case body == nil && a.Head:
		answer.Length = s.size(v)
	case body == nil:
		body = s.render(v)
		fallthrough
	default:
		answer.Length = len(body)
	}
	if !a.Head {
		answer.Body = body
	}
	answer.Lines = m.common(lines, &a, seconds)
	return answer
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
func (m *Maker) common(lines []Line, a *Ask, seconds int) []Line {
	if seconds > 0 {
		lines = append(lines, Line{"Retry-After", m.number(seconds)})
	}
	outcome := a.Outcome
	if a.Reason != "" {
		outcome += "; reason=" + a.Reason
	}
	return append(lines,
		Line{"Gatehouse-Outcome", outcome},
		Line{"Cache-Control", "no-store"},
		Line{"CDN-Cache-Control", "no-store"},
		Line{"Vary", "Accept, Accept-Language"},
		Line{"X-Content-Type-Options", "nosniff"},
		Line{"Referrer-Policy", "no-referrer"},
		Line{"X-Robots-Tag", "noindex"})
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

// code is gRPC's. A page that is one too many for its client says what the page would have: a service is one client, and its calls are to
// come again.
func code(a *Ask, t *traits) string {
	if a.Kind == Limited && a.Reason == "page_rate" {
		return Degraded.traits().grpc
	}
	return t.grpc
}
