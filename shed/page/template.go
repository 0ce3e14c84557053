package page

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// View is what an operator's template sees. Every field is safe to show where html/template can escape it.
type View struct {
	Kind     string // degraded, lined_up, shed, rejected, not_found, failed, internal, signed_out
	Status   int    // 503
	Reason   string // the word of metrics and log, such as read_only; "" for none
	Language string // of the words below: en, de, fr, es, pt, it, nl, pl, ja, zh

	Title string // what happened, in a few words
	Lead  string // the same in one or two sentences
	Body  string // that the session stands, the place in the line, that a form may be lost, when to come again; may be ""
	Label string // of the link that leads to Restart

	Seconds   int    // until Restart should be tried again; 0: not said
	Restart   string // a path of this host
	Refresh   bool   // the page should load Restart after Seconds by itself; false where what was sent may have arrived
	Carries   bool   // the request carried a session
	RequestID string // "" for none

	InLine bool // the visitor has a place in the line; only of degraded and lined_up
	Ahead  int  // about how many stand before him, to two digits; -1 where nobody can tell, and of every kind but lined_up
	Waited int  // seconds since he was first turned away
}

// maxPage bounds what a template may make of a View.
const maxPage = 64 << 10

// ErrTemplate is the root of every error about an operator's template.
var ErrTemplate = errors.New("page template")

// operators is an operator's template, proved.
type operators struct {
	template *template.Template
	policy   string
}

// parse proves a template: it is executed for every Kind, language and kind of visitor, and what comes out is looked through
// for what the policy would block, because during an incident is a bad time to find out.
func parse(text string) (*operators, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrTemplate)
	}
	// A browser hashes a style as it reads it: with the line ends that HTML knows.
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\ufeff"))
	t, err := template.New("page").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	o := &operators{template: t}
	var sources []string
	for round, visitor := range proofs {
		for k := range kinds {
			if k == Limited {
				continue
			}
			a := visitor
			a.Kind, a.Status = k, cmp.Or(a.Status, k.traits().status)
			for _, l := range catalogue {
				found, err := o.prove(&a, l)
				if err != nil {
					return nil, fmt.Errorf("%w: for %s in %s: %w", ErrTemplate, k, l.tag, err)
				}
				for _, css := range found {
					switch source := styleSource(css); {
					case slices.Contains(sources, source):
					case round == len(proofs)-1:
						return nil, fmt.Errorf("%w: <style> must not depend on a field that differs from visitor to visitor", ErrTemplate)
					default:
						sources = append(sources, source)
					}
				}
			}
		}
	}
	if len(sources) > maxStyles {
		return nil, fmt.Errorf("%w: %d different <style> elements; at most %d are possible", ErrTemplate, len(sources), maxStyles)
	}
	o.policy = policy(strings.Join(sources, " ")) + "; font-src data:"
	return o, nil
}

// maxStyles bounds the length of the policy's line.
const maxStyles = 16

// proofs are the visitors for whom a template is proved. The last differs from the one before only in values, so that a style
// which depends on them shows.
var proofs = [...]Ask{
	{Restart: "/"},
	{Restart: "/a/b", Wait: 5 * time.Second, InLine: true},
	{Restart: "/a/b", Wait: 5 * time.Second, InLine: true, Ahead: -1, Waited: time.Second},
	{Restart: "/a/b", Wait: 5 * time.Second, Refresh: true, Carries: true, Reason: "read_only", RequestID: "0a1b", InLine: true, Ahead: 7, Waited: time.Minute},
	{Restart: "/c", Wait: 77 * time.Second, Refresh: true, Carries: true, Reason: "full", RequestID: "9z", Status: 599, InLine: true, Ahead: 12345, Waited: time.Hour},
}

func (o *operators) prove(a *Ask, l *words) ([]string, error) {
	var out bounded
	v := view(a, l)
	if err := o.template.Execute(&out, v); err != nil {
		return nil, err
	}
	return inspect(out.String())
}

// render returns the page, or nil if the template fails after all.
func (o *operators) render(a *Ask, l *words) []byte {
	var out bounded
	if o.template.Execute(&out, view(a, l)) != nil {
		return nil
	}
	return out.Bytes()
}

// view returns what a template sees of a.
func view(a *Ask, l *words) *View {
	t := a.Kind.traits()
	v := &View{
		Kind: t.word, Status: a.Status, Reason: word(a.Reason, ""), Language: l.tag,
		Title: l.title[a.Kind], Lead: l.lead[a.Kind], Label: l.label(a.Kind),
		Seconds: a.seconds(), Restart: "/", Carries: a.Carries, RequestID: identifier(a.RequestID),
		InLine: a.placed(), Ahead: a.ahead(), Waited: a.waited(),
	}
	if t.again || t.onward {
		v.Restart = restart(a.Restart)
		v.Refresh = t.again && a.Refresh && v.Seconds > 0
	}
	var said []string
	if a.stands() {
		said = append(said, l.signedIn)
	}
	said = append(said, l.standing(a)...)
	if t.again && !a.Refresh {
		said = append(said, l.unsure)
	}
	if v.Seconds > 0 {
		when := l.yourself
		if v.Refresh {
			when = l.itself
		}
		n, unit := l.told(v.Seconds)
		said = append(said, strings.Replace(when, "{n}", strconv.Itoa(n)+unit, 1))
	}
	v.Body = strings.Join(said, l.gap)
	return v
}

// bounded is a buffer that refuses to grow beyond maxPage.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPage {
		return 0, fmt.Errorf("the page is larger than %d KiB", maxPage>>10)
	}
	return b.Buffer.Write(p)
}
