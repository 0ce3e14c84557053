package config

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

func defaultSession() Session {
	return Session{SignInAt: []string{"/login"}, Guard: true, MaxAge: 720 * time.Hour}
}

// session reads how a session is recognised and kept. What speaks of pools is handed on: they are read later.
func (v value) session(to *Session, reports *value) mapping {
	m := v.fields(
		field{name: "cookies", read: func(v value) { v.sessionCookies(&to.Cookies) }},
		field{name: "headers", read: func(v value) { v.sessionHeaders(&to.Headers) }},
		field{name: "remember_cookies", read: func(v value) { v.rememberCookies(&to.Remember, to.Cookies) }},
		field{name: "sign_in_at", read: func(v value) { v.signInAt(&to.SignInAt) }},
		field{name: "guard", read: func(v value) { v.flag(&to.Guard) }},
		field{name: "max_age", read: func(v value) { v.duration(&to.MaxAge, time.Minute, 8760*time.Hour) }},
		field{name: "key_file", read: func(v value) { v.keyFile(&to.KeyFile) }},
		field{name: "store", read: func(v value) {
			to.Store = defaultStore()
			v.store(to.Store)
		}},
		field{name: "reports", read: func(v value) { *reports = v }},
	)
	if store, there := m.has["store"]; there && len(to.Cookies)+len(to.Headers) == 0 {
		store.warn("no request is seen to carry a session, so needs: read protects nobody; session.cookies or session.headers is wanted")
	}
	return m
}

// keyFile reads the path of the file with the keys of Gatehouse's own cookies. Whether they can be used is not for the file to
// say, and it is not opened: who asks a running Gatehouse how it stands reads this file too, and need not be one who may sign.
func (v value) keyFile(to *string) {
	v.file(to)
	if *to == "" {
		return
	}
	switch about, err := os.Stat(*to); {
	case err != nil:
		v.fail("%s cannot be read: %s; a file with a key is wanted, which head -c 32 /dev/urandom | base64 makes", v.shown(), cause(err))
	case !about.Mode().IsRegular():
		v.fail("%s is no file; a file with a key is wanted", v.shown())
	case about.Mode().Perm()&0o004 != 0:
		v.warn("anybody on this machine can read it, and with it make proofs; mode 0600 is wanted")
	}
}

// sessionCookies reads names of cookies; a trailing * stands for any end.
func (v value) sessionCookies(to *[]string) {
	for _, item := range v.items("cookie names") {
		if s, ok := item.cookiePattern("carry a session"); ok {
			*to = item.once(*to, s)
		}
	}
}

// cookiePattern reads the name of a cookie that would do something, or the beginning of one and *.
func (v value) cookiePattern(do string) (string, bool) {
	s, ok := v.text("a cookie's name")
	if !ok {
		return "", false
	}
	if s == "*" {
		v.fail("every cookie would %s; a name, or the beginning of one and *, is wanted", do)
		return "", false
	}
	_, ok = v.cookieName(strings.TrimSuffix(s, "*"))
	return s, ok && v.notOwn(s)
}

// rememberCookies reads the names of remember-me cookies. No cookie can be one and carry the session, too: a new session's id
// is held back while the store is impaired, a new remember-me value never.
func (v value) rememberCookies(to *[]string, cookies []string) {
	for _, item := range v.items("cookie names") {
		s, ok := item.cookiePattern("remember somebody")
		if !ok {
			continue
		}
		if i := slices.IndexFunc(cookies, func(c string) bool { return patternsMeet(c, s) }); i >= 0 {
			item.fail("%s is a session's cookie by %s under session.cookies; one of them is wanted", item.shown(), quote(cookies[i]))
			continue
		}
		*to = item.once(*to, s)
	}
}

// patternsMeet reports whether one cookie can have a name of both patterns.
func patternsMeet(a, b string) bool {
	stemA, anyA := strings.CutSuffix(a, "*")
	stemB, anyB := strings.CutSuffix(b, "*")
	return stemA == stemB || anyA && strings.HasPrefix(stemB, stemA) || anyB && strings.HasPrefix(stemA, stemB)
}

func (v value) sessionHeaders(to *[]string) {
	for _, item := range v.items("header names") {
		s, ok := item.text("a header's name")
		if !ok {
			continue
		}
		if s, ok = item.fieldName(s); !ok {
			continue
		}
		if !item.notOwn(s) {
			continue
		}
		if s == "Cookie" {
			item.fail("the header of every cookie; names of cookies under session.cookies are wanted")
			continue
		}
		*to = item.once(*to, s)
	}
}

// signInAt reads where the app sends those whom it takes for signed out. One item may stand without a list; an empty list is
// none.
func (v value) signInAt(to *[]string) {
	const wanted = "a path such as /login, or an address such as https://id.example.com/login,"
	list, items := []string{}, []value{v}
	if v.node.Kind != yaml.ScalarNode {
		items = v.items("paths such as /login, or addresses such as https://id.example.com/login,")
	}
	for _, item := range items {
		s, ok := item.text(wanted)
		if !ok {
			continue
		}
		if strings.HasPrefix(s, "/") {
			s, ok = item.pathPattern(s)
		} else {
			s, ok = item.elsewhere(s, wanted)
		}
		if ok && s == "/*" {
			item.fail("every redirect would count as one that signs somebody out; the path of the sign-in is wanted")
			continue
		}
		if ok {
			list = item.once(list, s)
		}
	}
	*to = list
}

// elsewhere accepts an address on another host: "https://host", which is everything there, or one with a path like those of
// match.path.
func (v value) elsewhere(s, wanted string) (string, bool) {
	scheme, rest, _ := strings.Cut(s, "://")
	authority, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	scheme = strings.ToLower(scheme)
	host, ok := webHost(scheme, authority)
	if !ok {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return "", false
	}
	if path == "" || path == "/" || path == "/*" {
		return scheme + "://" + host, true
	}
	path, ok = v.pathPattern(path)
	return scheme + "://" + host + path, ok
}

// webHost returns the host of a web address, and its port where that is not the scheme's own.
func webHost(scheme, authority string) (string, bool) {
	usual := map[string]int{"http": 80, "https": 443}[scheme]
	host, port := strings.ToLower(authority), usual
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		n, ok := portNumber(host[colon+1:])
		if !ok || n == 0 {
			return "", false
		}
		host, port = host[:colon], n
	}
	if usual == 0 || !isHostName(host) {
		return "", false
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	if port != usual {
		host += ":" + strconv.Itoa(port)
	}
	return host, true
}

// namesNone reports whether the file, where it can be read, says of no cookie and no header that it carries a session.
func (m mapping) namesNone() bool {
	for _, key := range []string{"cookies", "headers"} {
		if v, said := m.has[key]; said && (v.node.Kind != yaml.SequenceNode || len(v.node.Content) > 0) {
			return false
		}
	}
	return m.has != nil || m.r == nil
}

// missSignIn warns where the guard looks for redirects to the default place, and the routes say that nobody signs in there.
// Routes must have been read.
func (m mapping) missSignIn(c *Config) {
	s := &c.Session
	if _, said := m.has["sign_in_at"]; m.has == nil || said || !s.Guard || s.Store == nil || len(s.Cookies) == 0 {
		return
	}
	place := ""
	for _, r := range c.Routes {
		if !r.SignIn {
			continue
		}
		restart, _, _ := strings.Cut(r.Restart, "?")
		restart = strings.TrimSuffix(restart, "/")
		if r.Match.PathRegexp != nil || coversPaths(r.Match.Path, s.SignInAt) || coversPaths(s.SignInAt, []string{restart}) {
			return
		}
		for _, path := range append([]string{restart}, r.Match.Path...) {
			if place == "" && !strings.HasSuffix(path, "*") {
				place = path
			}
		}
	}
	if place != "" {
		m.warn("the guard looks for redirects to /login, where no route signs in; sign_in_at: [%s], or where the app sends the signed-out, is wanted",
			quote(place))
	}
}
