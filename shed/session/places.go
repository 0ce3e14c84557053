package session

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// ErrPlace is the root of every error about a pattern of Places.
var ErrPlace = errors.New("a place to sign in")

// Places are where an app sends those whom it takes for signed out. The zero value is nowhere. Places are only read, so they
// are safe for concurrent use.
type Places struct{ all []place }

// place is one pattern.
type place struct {
	host  string // in lower case, without the port that goes without saying; "" for the request's own
	path  string // decoded, without a slash at the end, so that "" is the root
	below bool   // and every path below it
	any   bool   // every path
}

// NewPlaces reads patterns. A pattern is a path on the request's own host: /login is /login and /login/, and /oauth/* is
// /oauth and everything below it. Or it begins with http:// or https:// and names another host too, such as an identity
// provider's; the scheme makes no difference then, and no path means every path. The error names the first pattern that is none
// of these, and wraps ErrPlace.
func NewPlaces(patterns []string) (Places, error) {
	var p Places
	for _, pattern := range patterns {
		one, err := newPlace(pattern)
		if err != nil {
			return Places{}, fmt.Errorf("%w: %q: %w", ErrPlace, pattern, err)
		}
		p.all = append(p.all, one)
	}
	return p, nil
}

func newPlace(pattern string) (place, error) {
	u, err := url.Parse(pattern)
	switch {
	case err != nil:
		return place{}, errors.New("not a path and not a URL; want a path such as /login")
	case strings.ContainsAny(pattern, "?#"):
		return place{}, errors.New("a query and a fragment are never compared; leave them out")
	case strings.ContainsFunc(pattern, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return place{}, errors.New("spaces, control characters and backslashes have no place in a URL")
	}
	var p place
	if !strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "//") {
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return place{}, errors.New("want a path such as /login, or a URL such as https://id.example.com/authorize")
		}
		p.host = authority(u.Host)
		if p.any = u.Path == ""; p.any {
			return p, nil
		}
	}
	p.path, p.below = strings.CutSuffix(u.Path, "/*")
	switch {
	case strings.Contains(p.path, "*"):
		return place{}, errors.New("a * may only stand at the end, after a slash")
	case clean(p.path) != strings.TrimSuffix(p.path, "/"):
		want := clean(p.path) + "/"
		if p.below {
			want += "*"
		}
		return place{}, fmt.Errorf("no path is compared so; want %q", want)
	}
	p.path = clean(p.path)
	return p, nil
}

// Leads reports whether a Location leads to one of the places. It is resolved against the host and path of the request (RFC
// 3986 section 5.2), where a host that differs in its port alone is the same; query and fragment are ignored, and percent
// escapes are decoded once. A Location that cannot be read leads nowhere.
func (p Places) Leads(location, host, requestPath string) bool {
	if len(p.all) == 0 || location == "" {
		return false
	}
	to, err := url.Parse(location)
	if err != nil || to.Scheme != "" && !strings.EqualFold(to.Scheme, "http") && !strings.EqualFold(to.Scheme, "https") {
		return false
	}
	if to.Host == "" && (to.Scheme != "" || strings.HasPrefix(to.Path, "//")) {
		return false // not everybody reads http:/login and ///login alike
	}
	if !strings.HasPrefix(requestPath, "/") {
		requestPath = "/"
	}
	from, err := url.Parse("http://host" + requestPath)
	if err != nil {
		return false
	}
	at, there := authority(cmp.Or(to.Host, host)), clean(from.ResolveReference(to).Path)
	own := strings.EqualFold(hostname(at), hostname(host))
	for i := range p.all {
		if q := &p.all[i]; (q.host == at || q.host == "" && own) && q.has(there) {
			return true
		}
	}
	return false
}

// hostname returns a host without its port.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// has reports whether a clean path is the place's.
func (p *place) has(there string) bool {
	return p.any || there == p.path || p.below && strings.HasPrefix(there, p.path+"/")
}

// clean returns a decoded path without dot segments, double slashes and a slash at the end, so that the root is "".
func clean(there string) string {
	return strings.TrimSuffix(path.Clean("/"+there), "/")
}

// authority returns a host and port in lower case, without the port that a browser would add.
func authority(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":", ":80", ":443"} {
		if rest, found := strings.CutSuffix(host, port); found {
			return rest
		}
	}
	return host
}
