package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hidden reports the routes that can never match because earlier ones take all they would, and the single paths of which
// that is true. It claims only what it can prove from the patterns.
func hidden(rules []rule) {
	for j, u := range rules {
		if !u.complete {
			continue
		}
		if by := firstCover(rules[:j], u.route.Match); by >= 0 {
			u.never(&rules[by])
			continue
		}
		taken := make([]*rule, 0, len(u.paths))
		for _, path := range u.route.Match.Path {
			part := u.route.Match
			part.Path = []string{path}
			if by := firstCover(rules[:j], part); by >= 0 {
				taken = append(taken, &rules[by])
			} else {
				taken = append(taken, nil)
			}
		}
		if len(taken) > 0 && !slices.Contains(taken, nil) {
			u.never(taken...)
			continue
		}
		for i, by := range taken {
			if by != nil {
				u.paths[i].warn("%s never comes this far, %s takes it; once is wanted", u.paths[i].shown(), by.title())
			}
		}
	}
}

// title is how a message speaks of a route.
func (u *rule) title() string {
	return strings.TrimSuffix("routes["+strconv.Itoa(u.index)+"] "+u.name(), " ")
}

// name is the route's name, if it has one.
func (u *rule) name() string {
	if u.route.Name == "" {
		return ""
	}
	return quote(u.route.Name)
}

func (u *rule) never(by ...*rule) {
	var titles []string
	for _, b := range by {
		if title := b.title(); !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	verb := "takes"
	if len(titles) > 1 {
		verb = "take"
	}
	u.fail("%s: %s %s everything it would; put it first or leave it out",
		strings.TrimPrefix(u.name()+" can never match", " "), strings.Join(titles, " and "), verb)
}

// firstCover returns the index of the first rule that takes everything m would, or -1.
func firstCover(rules []rule, m Match) int {
	return slices.IndexFunc(rules, func(u rule) bool { return u.complete && covers(u.route.Match, m) })
}

// covers reports whether every request that b matches is one that a matches.
func covers(a, b Match) bool {
	return coversSet(a.Method, b.Method) && coversHosts(a.Host, b.Host) && coversPaths(a.Path, b.Path) &&
		coversExpressions(a.PathRegexp, b) && coversPairs(a.Header, b.Header) && coversPairs(a.Cookie, b.Cookie) &&
		coversPairs(a.Query, b.Query)
}

// coversSet is covers for lists whose items are just equal or not. An empty list demands nothing.
func coversSet(a, b []string) bool {
	if a == nil {
		return true
	}
	return b != nil && !slices.ContainsFunc(b, func(s string) bool { return !slices.Contains(a, s) })
}

// coversHosts: "*.example.com" is every name that ends so, with one or more labels in front.
func coversHosts(a, b []string) bool {
	if a == nil {
		return true
	}
	return b != nil && !slices.ContainsFunc(b, func(host string) bool {
		return !slices.ContainsFunc(a, func(pattern string) bool {
			parent, below := strings.CutPrefix(pattern, "*")
			return host == pattern || below && strings.HasSuffix(host, parent)
		})
	})
}

func coversPaths(a, b []string) bool {
	if a == nil || slices.Contains(a, "/*") {
		return true
	}
	return b != nil && !slices.ContainsFunc(b, func(path string) bool {
		return !slices.ContainsFunc(a, func(pattern string) bool { return coversPath(pattern, path) })
	})
}

func coversPath(a, b string) bool {
	base, below := strings.CutSuffix(a, "/*")
	if !below {
		return a == b
	}
	rest, ok := strings.CutPrefix(strings.TrimSuffix(b, "/*"), base)
	return ok && (rest == "" || rest[0] == '/')
}

// coversExpressions is covers for a's expressions: b must hold the same ones, or exact paths that they match.
func coversExpressions(a []string, b Match) bool {
	if a == nil || slices.Contains(a, ".*") || slices.Contains(a, "/.*") || b.PathRegexp != nil && coversSet(a, b.PathRegexp) {
		return true
	}
	matches := func(path string) bool {
		return slices.ContainsFunc(a, func(s string) bool {
			e, err := regexp.Compile(`\A(?:` + s + `)\z`)
			return err == nil && e.MatchString(path)
		})
	}
	return b.Path != nil && !slices.ContainsFunc(b.Path, func(path string) bool {
		return strings.HasSuffix(path, "/*") || !matches(path) || path != "/" && !matches(path+"/")
	})
}

// coversPairs is covers for names with values: each of a's must follow from one of b's, whichever of b's names came.
func coversPairs(a, b []Pair) bool {
	if a == nil {
		return true
	}
	implies := func(b, a Pair) bool {
		for _, name := range append([]string{b.Name}, b.Or...) {
			if !a.has(name) {
				return false
			}
		}
		return (a.Values == nil || b.Values != nil && coversSet(a.Values, b.Values))
	}
	return b != nil &&
		!slices.ContainsFunc(a, func(a Pair) bool { return !slices.ContainsFunc(b, func(b Pair) bool { return implies(b, a) }) }) &&
		!slices.ContainsFunc(b, func(b Pair) bool { return !slices.ContainsFunc(a, func(a Pair) bool { return implies(b, a) }) })
}
