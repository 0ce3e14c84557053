package page

import (
	"errors"
	"fmt"
	"strings"
)

// blank is what HTML takes for white space.
const blank = " \t\n\f\r"

// inspect reads a page as far as its policy is concerned: it returns the contents of the style elements, and an error for what
// the policy would block without a word. It reads well-formed markup as browsers do; it is no defence against an operator who
// wants to be misread, since the policy still holds.
func inspect(page string) (styles []string, err error) {
	for {
		i := strings.IndexByte(page, '<')
		if i < 0 {
			return styles, nil
		}
		page = page[i+1:]
		if strings.HasPrefix(page, "!--") {
			_, page, _ = strings.Cut(page, "-->")
			continue
		}
		if page == "" || !letter(page[0]) {
			continue
		}
		var name string
		if name, page, err = inspectTag(page); err != nil {
			return nil, err
		}
		switch name {
		case "style", "title", "textarea":
			end := closing(page, name)
			if end < 0 {
				return nil, fmt.Errorf("<%s> is not closed", name)
			}
			if name == "style" {
				if err := allowedStyle(page[:end]); err != nil {
					return nil, err
				}
				styles = append(styles, page[:end])
			}
			page = page[end:]
		}
	}
}

// closing returns where the end tag of name begins, or -1.
func closing(page, name string) int {
	for i := 0; i+2+len(name) < len(page); i++ {
		end := i + 2 + len(name)
		if page[i] == '<' && page[i+1] == '/' && strings.EqualFold(page[i+2:end], name) && strings.IndexByte(blank+"/>", page[end]) >= 0 {
			return i
		}
	}
	return -1
}

// inspectTag reads a start tag from its name on, and returns the name in lower case and what follows the tag.
func inspectTag(page string) (name, rest string, err error) {
	i := strings.IndexAny(page, blank+"/>")
	if i < 0 {
		return "", "", fmt.Errorf("<%.20s is not closed", page)
	}
	name, rest = strings.ToLower(page[:i]), page[i:]
	switch name {
	case "script", "iframe", "frame", "object", "embed", "base", "form", "audio", "video":
		return "", "", fmt.Errorf("<%s> is blocked by the page's Content-Security-Policy; it must go", name)
	}
	var tag []attr
	for {
		rest = strings.TrimLeft(rest, blank+"/")
		if rest == "" {
			return "", "", fmt.Errorf("<%s is not closed", name)
		}
		if rest[0] == '>' {
			return name, rest[1:], allowed(name, tag)
		}
		var a attr
		a, rest = readAttr(rest)
		tag = append(tag, a)
	}
}

// attr is an attribute: its name in lower case, and its value with its character references.
type attr struct{ name, value string }

func readAttr(s string) (attr, string) {
	i := 1 + strings.IndexAny(s[1:], blank+"/>=")
	if i == 0 {
		i = len(s)
	}
	a := attr{name: strings.ToLower(s[:i])}
	s = strings.TrimLeft(s[i:], blank)
	if s == "" || s[0] != '=' {
		return a, s
	}
	s = strings.TrimLeft(s[1:], blank)
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		a.value, s, _ = strings.Cut(s[1:], s[:1])
		return a, s
	}
	if i = strings.IndexAny(s, blank+">"); i < 0 {
		i = len(s)
	}
	a.value = s[:i]
	return a, s[i:]
}

// allowed reports what the policy would block of a tag.
func allowed(name string, tag []attr) error {
	for _, a := range tag {
		switch {
		case name == "link" && a.name == "rel" && strings.Contains(strings.ToLower(a.value), "stylesheet"):
			return fmt.Errorf("<link rel=%q> is blocked by the page's Content-Security-Policy; put the style into <style>", a.value)
		case a.name == "style":
			return fmt.Errorf("<%s style=…> is blocked by the page's Content-Security-Policy; put it into <style>", name)
		case strings.HasPrefix(a.name, "on"):
			return fmt.Errorf("<%s %s=…> is blocked by the page's Content-Security-Policy; the page has no scripts", name, a.name)
		case a.name == "href" && strings.HasPrefix(strings.ToLower(strings.Trim(a.value, blank)), "javascript:"):
			return fmt.Errorf("<%s href=%.40q> is blocked by the page's Content-Security-Policy; the page has no scripts", name, a.value)
		case loads(name, a.name) && !inside(a.value):
			return fmt.Errorf("<%s %s=%.40q> loads from elsewhere; only data: is possible", name, a.name, a.value)
		}
	}
	return nil
}

// loads reports whether a browser fetches an attribute's value with the page.
func loads(tag, name string) bool {
	switch name {
	case "src", "srcset", "background":
		return true
	case "href", "xlink:href":
		return tag == "link" || tag == "image" || tag == "use" || tag == "feimage"
	}
	return false
}

// inside reports whether a reference leads to what the page itself holds.
func inside(reference string) bool {
	reference = strings.ToLower(strings.Trim(reference, blank))
	return strings.HasPrefix(reference, "data:") || strings.HasPrefix(reference, "#")
}

// allowedStyle reports what the policy would block of a style.
func allowedStyle(css string) error {
	css = strings.ToLower(css)
	if strings.Contains(css, "@import") {
		return errors.New("@import is blocked by the page's Content-Security-Policy; put the style into <style>")
	}
	for {
		_, after, found := strings.Cut(css, "url(")
		if !found {
			return nil
		}
		reference, rest, _ := strings.Cut(after, ")")
		if !inside(strings.Trim(reference, blank+`"'`)) {
			return fmt.Errorf("url(%.40s) loads from elsewhere; only data: is possible", reference)
		}
		css = rest
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
