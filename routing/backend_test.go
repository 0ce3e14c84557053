package routing

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// What backends make of a raw path: written apart from the package, each as simply as it can be said, so that the package
// is held against something else than itself.

var (
	slashes = regexp.MustCompile(`/+`)
	params  = regexp.MustCompile(`;[^/]*`)
	trails  = regexp.MustCompile(`([^/. ])[. ]+(/|$)`)
	spaces  = regexp.MustCompile(`(/\.\.?) +(/|$)`)
)

func decode(p string) string {
	d, err := url.PathUnescape(p)
	if err != nil {
		return p
	}
	return d
}

func merge(p string) string    { return slashes.ReplaceAllString(p, "/") }
func noParams(p string) string { return params.ReplaceAllString(p, "") }
func turn(p string) string     { return strings.ReplaceAll(p, `\`, "/") }
func trim(p string) string {
	return spaces.ReplaceAllString(trails.ReplaceAllString(p, "$1$2"), "$1$2")
}
func untilNUL(p string) string   { p, _, _ = strings.Cut(p, "\x00"); return p }
func firstLine(p string) string  { p, _, _ = strings.Cut(p, "\n"); return p }
func lower(p string) string      { return strings.ToLower(p) }
func clean(p string) string      { return path.Clean("/" + p) }
func leaveAlone(p string) string { return p }

// dots resolves dot segments and leaves everything else, two slashes included.
func dots(p string) string {
	var kept []string
	parts := strings.Split(p, "/")[1:]
	for i, part := range parts {
		last := i == len(parts)-1
		switch part {
		case ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept, last = append(kept, part), false
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

func chain(steps ...func(string) string) func(string) string {
	return func(p string) string {
		for _, step := range steps {
			p = step(p)
		}
		return p
	}
}

var (
	nginx  = chain(decode, merge, dots)
	tomcat = chain(noParams, decode, merge, dots)
	iis    = chain(decode, turn, merge, dots, trim, lower)
)

var backends = []struct {
	name string
	read func(string) string
}{
	{"as it came", leaveAlone},
	{"decoded once", decode},
	{"decoded twice", chain(decode, decode)},
	{"decoded twice, C", chain(decode, decode, untilNUL)},
	{"decoded twice, line by line", chain(decode, decode, firstLine)},
	{"RFC 3986, no decoding", dots},
	{"RFC 3986, then decoded", chain(dots, decode)},
	{"decoded, then RFC 3986", chain(decode, dots)},
	{"merged only", merge},
	{"merged after dots", chain(decode, dots, merge)},
	{"merged, then decoded", chain(merge, decode)},
	{"path.Clean of the raw", clean},
	{"path.Clean", chain(decode, clean)},
	{"path.Clean of the raw, then decoded", chain(clean, decode)},
	{"nginx", nginx},
	{"Tomcat", tomcat},
	{"Tomcat, backslashes allowed", chain(noParams, decode, turn, merge, dots)},
	{"Tomcat, loose", chain(decode, noParams, merge, dots)},
	{"Jetty", chain(noParams, dots, decode)},
	{"parameters only", noParams},
	{"Express", lower},
	{"Express, decoding", chain(decode, lower)},
	{"IIS", iis},
	{"IIS without case", chain(decode, turn, merge, dots, trim)},
	{"Windows files", chain(decode, turn, trim, merge, dots, lower)},
	{"backslashes as they came", turn},
	{"backslashes, parameters", chain(decode, turn, noParams, merge, dots)},
	{"WHATWG URL", chain(turn, dots)},
	{"nginx before nginx", chain(nginx, nginx)},
	{"nginx before Tomcat", chain(nginx, tomcat)},
	{"nginx before Express", chain(nginx, lower)},
	{"nginx before IIS", chain(nginx, iis)},
	{"Tomcat before Tomcat", chain(tomcat, tomcat)},
	{"Tomcat before IIS", chain(tomcat, iis)},
	{"path.Clean before IIS", chain(clean, iis)},
	{"Tomcat before path.Clean", chain(tomcat, decode, clean)},
	{"the lot", chain(noParams, decode, turn, noParams, trim, merge, dots, decode, turn, noParams, trim, merge, dots, lower)},
}

// hostile is what was seen to pass a proxy whose sign-in route compares with == "/login", and more of the kind.
var hostile = []string{
	"/LOGIN", "//login", "///login", "/./login", "/x/../login", "/%2e%2e/login", "/a/..%2flogin", "/a%2f..%2flogin",
	"/%2flogin", `/\login`, "/login;x=y", "/x/..;/login", "/;/login", "/login%00", "/login%0a", "/login%20", "/login.",
	"/%252e%252e/login", "/%6cogin", "/log%69n/x",
	"/login/", "/login//", "/login/.", "/login/x/..", "/login%2f", "/login%5c", `/login\`, "/Login%2F", "/login%3bx",
	"/%256cogin", "/%5clogin", "/%5CLOGIN", "/%255clogin", "/x%5c..%5clogin", `/x\..\login`, "/x/..%3b/login", "/x/..%253b/login",
	"/x/..;a=b%2f/login", `/x/..;\login`, "/login%20.%20", "/login. /", "/.. /login", "/x/.. /login", "/.../login", "/x/../LOGIN.",
	"/a//../login", "/a/..//login", "/%2e/login", "/%2e%2f/login", "/a%252f..%252flogin", "/a%252fb/../login", "/login%2500", "/login%2500.png",
	"/login%250a", "/%25252flogin", "/logın", "/log%c4%b1n", "/LOG%C4%B0N", "/%4c%4fGIN", "/OAuth/x", "/oauth%2fx", "/oauth;x/y", "/x/..;/oauth/y",
	"/login/..;/x", "/oauth/../x", "/oauth/%2e%2e/x", "/oauth/..%2fx", "/assets/../login", "/assets/..%2flogin", "/assets/..%5cx",
	"/login?x", "/login%3fx", "/login#x", "/login.json", "/loginx", "/login/x", "/",
}
