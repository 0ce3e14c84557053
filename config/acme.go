package config

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// acme reads who issues certificates, and where they are kept. Challenges stays nil where the file does not say: what it is then
// hangs on the listeners.
func (v value) acme(to *ACME) mapping {
	*to = ACME{
		Directory: "https://acme-v02.api.letsencrypt.org/directory",
		Folder:    v.r.beside("acme"),
		KeyPrefix: "gatehouse:acme:",
	}
	m := v.fields(
		field{name: "email", read: func(v value) { v.email(&to.Email) }},
		field{name: "directory", read: func(v value) { v.directory(&to.Directory) }},
		field{name: "ca_file", read: func(v value) { v.present(&to.CAFile, "a file with certificates of authorities, in PEM,") }},
		field{name: "folder", read: func(v value) { v.folder(&to.Folder) }},
		field{name: "redis", read: func(v value) {
			to.Folder, to.Redis = "", &Redis{}
			v.redis(to.Redis)
		}},
		field{name: "key_prefix", read: func(v value) { v.keyPrefix(&to.KeyPrefix) }},
		field{name: "challenges", read: func(v value) { v.challenges(&to.Challenges) }},
	)
	m.oneOf("folder", "redis")
	if prefix, said := m.has["key_prefix"]; said && len(m.said("redis")) == 0 {
		prefix.fail("the beginning of keys in no Redis; redis is wanted beside it")
	}
	if ca, said := m.has["ca_file"]; said && len(m.said("directory")) == 0 {
		ca.fail("the authority of Let's Encrypt's directory is a public one; directory is wanted beside it")
	}
	return m
}

// email reads whom the authority tells what its subscribers must know.
func (v value) email(to *string) {
	const wanted = "an address such as ops@example.com"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	name, host, _ := strings.Cut(s, "@")
	odd := strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`<>()[],;:\"`, c) })
	if name == "" || odd || len(s) > 254 || !isDomain(strings.ToLower(host)) {
		v.fail("%s is no one's mail; %s is wanted", v.shown(), wanted)
		return
	}
	*to = s
}

// directory reads where an authority says how it is spoken to (RFC 8555 section 7.1.1).
func (v value) directory(to *string) {
	const wanted = "the https URL of an ACME directory"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || !isDialURL(u) {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	*to = s
}

// isDialURL reports whether a URL's host can be connected to.
func isDialURL(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	n, good := portNumber(u.Port())
	return isDialName(host) && (good && n > 0 || u.Port() == "" && !strings.HasSuffix(u.Host, ":"))
}

// challenges reads by what it is proved whose a name is.
func (v value) challenges(to *[]string) {
	for _, item := range v.items("http-01 and tls-alpn-01") {
		s := ""
		if item.word(&s, "http-01", "tls-alpn-01"); s != "" {
			*to = item.once(*to, s)
		}
	}
	v.some("challenge")
}

// issue reports names whose certificates nobody issues, an authority that nobody asks, and one that cannot see whose the names are.
// The mapping is that of the whole file, listeners are where those stand, and acme is that of acme.
func (m mapping) issue(c *Config, listeners []mapping, acme mapping) {
	_, said := m.has["acme"]
	asked := false
	for i, l := range c.Listen {
		domains, some := listeners[i].at("tls").under("domains")
		if l.TLS == nil || !some || domains.node.Kind != yaml.SequenceNode || len(domains.node.Content) == 0 {
			continue
		}
		if asked = true; !said && m.has != nil {
			domains.fail("nobody is named who issues certificates for them; acme: {}, for Let's Encrypt, is wanted")
		}
	}
	switch {
	case c.ACME == nil:
	case !asked:
		acme.warn("no listener has tls.domains, so nobody is asked for certificates; domains there, or no acme, is wanted")
		c.ACME.choose(c.Listen)
	default:
		acme.provable(c)
	}
	if c.ACME != nil && c.ACME.Redis != nil && c.Session.Store.at(c.ACME.Redis.Address) {
		acme.at("redis").warn("the session store's own node, which may throw away what it has no room for; a Redis of its own is wanted")
	}
}

// choose fills the challenges that the file does not name: all that the listeners can answer.
func (a *ACME) choose(listeners []Listen) {
	if a.Challenges != nil {
		return
	}
	if slices.ContainsFunc(listeners, func(l Listen) bool { return l.TLS == nil }) {
		a.Challenges = append(a.Challenges, "http-01")
	}
	a.Challenges = append(a.Challenges, "tls-alpn-01")
}

// provable reports challenges that no listener answers, and warns where the authority reaches none that would. Whoever is in front of
// a Unix socket may hand any port on to it.
func (m mapping) provable(c *Config) {
	c.ACME.choose(c.Listen)
	plain, at80, at443 := false, false, false
	for _, l := range c.Listen {
		_, port, _ := net.SplitHostPort(l.Address.Address)
		unix := l.Address.Network == "unix"
		plain = plain || l.TLS == nil
		at80 = at80 || l.TLS == nil && (unix || port == "80")
		at443 = at443 || l.TLS != nil && (unix || port == "443")
	}
	http, alpn := slices.Contains(c.ACME.Challenges, "http-01"), slices.Contains(c.ACME.Challenges, "tls-alpn-01")
	switch {
	case http && !plain:
		m.at("challenges").fail("http-01 is answered without TLS, and every listener has it; a listener without tls, or tls-alpn-01 alone, is wanted")
	case http && at80 || alpn && at443:
	case http && alpn:
		m.warn("the authority comes to port 80 without TLS or to port 443 with it, and no listener is at either; such a one, or what hands a port on to one, is wanted")
	case http:
		m.warn("the authority comes to port 80 without TLS, and no listener is there; such a one, or what hands the port on to one, is wanted")
	default:
		m.warn("the authority comes to port 443 with TLS, and no listener is there; such a one, or what hands the port on to one, is wanted")
	}
}
