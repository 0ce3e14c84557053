package routing

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// pattern is one entry of Rule.Paths.
type pattern struct {
	source string
	deep   bool // "/oauth/*": and everything below
	form        // without the final slash or "/*"
	// others holds the forms under the readings that change the pattern itself; none where none does, which is the rule.
	others []reform
}

// reform is what some readings make of a pattern.
type reform struct {
	readings
	form
}

// form is a pattern under one reading, as it is and with letter case folded.
type form struct{ text, folded string }

func newForm(text string) form {
	text = strings.TrimSuffix(text, "/")
	return form{text, foldString(text)}
}

func newPattern(source string) (*pattern, error) {
	text, deep := strings.CutSuffix(source, "/*")
	if deep && text == "" {
		text = "/"
	}
	switch {
	case strings.Contains(text, "*"):
		return nil, errors.New(`a * stands at the end, for whole segments; want "/name" or "/name/*"`)
	case strings.ContainsAny(text, "?#"):
		return nil, errors.New("a path has neither query nor fragment; want them out, or the key for queries")
	case !utf8.ValidString(text):
		return nil, errors.New("it is not valid UTF-8")
	}
	canonical, err := Canonical(text)
	if err != nil {
		return nil, err
	}
	if canonical != text {
		if deep {
			canonical = strings.TrimSuffix(canonical, "/") + "/*"
		}
		return nil, fmt.Errorf("no path is read so; want %q", canonical)
	}
	p := &pattern{source: source, deep: deep, form: newForm(text)}
	if shapeOf(text).crooked {
		var room []byte
		for how := Reading(0); how < CaseIgnored; how++ {
			if how&decodings != decodings {
				room = how.append(room[:0], text)
				p.reread(room, how)
			}
		}
	}
	return p, nil
}

// reread notes what a reading makes of the pattern.
func (p *pattern) reread(made []byte, how Reading) {
	made = bytes.TrimSuffix(made, []byte("/"))
	if string(made) == p.text {
		return
	}
	for i := range p.others {
		if o := &p.others[i]; o.text == string(made) {
			o.readings = o.with(how)
			return
		}
	}
	p.others = append(p.others, reform{readings{}.with(how), newForm(string(made) + "/")})
}

// formOf returns what the reading makes of the pattern.
func (p *pattern) formOf(how Reading) *form {
	for i := range p.others {
		if o := &p.others[i]; o.has(how) {
			return &o.form
		}
	}
	return &p.form
}

// matches reports whether a path that was read like that is one of the pattern's.
func (p *pattern) matches(path string, how Reading) bool {
	f := p.formOf(how)
	n := len(f.text)
	if how&CaseIgnored != 0 {
		var ok bool
		if n, ok = foldPrefix(path, f.folded); !ok {
			return false
		}
	} else if !strings.HasPrefix(path, f.text) {
		return false
	}
	switch {
	case n == len(path):
		return true
	case path[n] != '/':
		return false
	}
	return p.deep || n+1 == len(path)
}

// all reports whether the pattern is "/*", which every reading of every path matches.
func (p *pattern) all() bool { return p.deep && p.text == "" }

// cased reports whether a path without capitals may match only when case is ignored.
func (p *pattern) cased() bool { return p.text != p.folded }

// expression is one entry of Rule.PathRegexps.
type expression struct {
	source string
	forms  [6]*regexp.Regexp // decoded 0, 1, 2 times; then the same with case ignored
	cased  bool              // see pattern.cased
	// openings holds every reading once.
	openings []opening
}

// opening is what paths must begin with that are read in some ways, see literals.
type opening struct {
	readings
	texts []string
}

// maxExpression bounds the source of an expression, in bytes.
const maxExpression = 2 << 10

// caseless is what an expression may consist of to be known to match the same paths without capitals whether case is
// ignored or not.
var caseless = regexp.MustCompile(`^(?:[a-z0-9/_.*+?()|^$,{}~-]|\\[.dw/-]|\[\^?(?:[a-z]-[a-z]|[0-9]-[0-9]|[a-z0-9_.~])+-?\])*$`)

func newExpression(source string) (*expression, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("it has %d bytes; want at most %d", len(source), maxExpression)
	}
	if source == "" {
		return nil, errors.New("it is empty; want an RE2 expression for the whole path")
	}
	e := &expression{source: source, cased: !caseless.MatchString(source)}
	for level := range 3 {
		if level > 0 {
			// The two escapes that the canonical reading keeps are read like the path's own.
			decoded := strings.ReplaceAll(strings.ReplaceAll(source, "%2F", "/"), "%25", "%")
			if decoded == source {
				e.forms[level], e.forms[level+3] = e.forms[level-1], e.forms[level+2]
				last := &e.openings[len(e.openings)-1]
				last.readings = last.union(readingsAt(level))
				continue
			}
			source = decoded
		}
		// Read by itself first: "a)(b" would be well formed within the anchors.
		tree, err := syntax.Parse(source, syntax.Perl)
		if err != nil {
			return nil, err
		}
		e.openings = append(e.openings, opening{readingsAt(level), literals(tree)})
		if e.forms[level], err = regexp.Compile(`(?s)\A(?:` + source + `)\z`); err != nil {
			return nil, err
		}
		if e.forms[level+3], err = regexp.Compile(`(?is)\A(?:` + source + `)\z`); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *expression) matches(path string, how Reading) bool {
	i := how.level()
	if how&CaseIgnored != 0 {
		i += 3
	}
	return e.forms[i].MatchString(path)
}
