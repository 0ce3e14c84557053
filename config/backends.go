package config

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// backends reads the servers of a pool.
func (v value) backends(to *[]Backend) {
	for _, item := range v.items("URLs such as \"http://10.0.0.1:8080\"") {
		b, ok := item.backend()
		if !ok {
			continue
		}
		if slices.Contains(*to, b) {
			item.fail("%s is in this pool already; each backend is wanted once", b.URL)
			continue
		}
		*to = append(*to, b)
	}
	v.some("backend")
}

// backend reads one URL and makes it canonical, so that a reload and a second mention recognise it.
func (v value) backend() (b Backend, ok bool) {
	const wanted = "a URL such as http://10.0.0.1:8080"
	s, ok := v.text(wanted)
	if !ok {
		return b, false
	}
	if path, is := strings.CutPrefix(s, "unix:"); is {
		var a Address
		v.unix(&a, path)
		return Backend{"unix:" + a.Address, "unix", "unix", a.Address}, a.Address != ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Opaque != "" {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return b, false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	bracketed := host
	if strings.Contains(host, ":") {
		bracketed = "[" + host + "]"
	}
	usual := map[string]string{"http": "80", "h2c": "80", "https": "443", "h2": "443"}[u.Scheme]
	if port == "" {
		port = cmp.Or(usual, "80")
	}
	n, good := portNumber(port)
	switch {
	case usual == "":
		v.fail("the scheme of %s; http, https, h2c or h2, as in http://10.0.0.1:8080, or unix:/run/app.sock is wanted", v.shown())
	case u.User != nil:
		v.fail("a user or password in the URL; scheme, host and port alone are wanted")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		v.fail("%s holds more than a backend's address; scheme, host and port alone are wanted", v.shown())
	case !good || n == 0 || strings.HasSuffix(u.Host, ":"):
		v.fail("the port of %s; 1 to 65535 is wanted", v.shown())
	case !isDialName(bracketed):
		v.fail("the host of %s; a name or an IP address is wanted", v.shown())
	default:
		address := net.JoinHostPort(host, strconv.Itoa(n))
		return Backend{u.Scheme + "://" + address, u.Scheme, "tcp", address}, true
	}
	return b, false
}

// reach reports what a pool says of how its backends are spoken to and none, or not all, of them can. Known says that all of the
// backends were understood.
func (m mapping) reach(p *Pool, known bool) {
	if !known {
		return
	}
	if secure := func(b Backend) bool { return b.Scheme == "https" || b.Scheme == "h2" }; p.TLS != nil && !slices.ContainsFunc(p.Backends, secure) {
		m.at("tls").fail("no backend of this pool speaks TLS; one with https:// or h2://, or no tls, is wanted")
	}
	shared := slices.IndexFunc(p.Backends, func(b Backend) bool { return b.Scheme == "h2c" || b.Scheme == "h2" })
	if p.ProxyProtocol != "" && shared >= 0 {
		m.at("proxy_protocol").fail("a PROXY header tells of one visitor, and a connection to %s carries those of many; http, https or unix backends, or no proxy_protocol, are wanted",
			p.Backends[shared].URL)
	}
}

// poolTLS reads how https and h2 backends prove who they are, and Gatehouse to them.
func (v value) poolTLS(to *TLS) {
	v.some("key of ca_file, server_name, cert_file and key_file")
	v.fields(
		field{name: "ca_file", read: func(v value) { v.present(&to.CAFile, "a file with certificates of authorities, in PEM,") }},
		field{name: "server_name", read: func(v value) { v.serverName(&to.ServerName) }},
		field{name: "cert_file", read: func(v value) { v.present(&to.CertFile, "a file with a certificate, in PEM,") }},
		field{name: "key_file", read: func(v value) { v.privateKey(&to.KeyFile) }},
	).certified()
}

// poolStore reads which member of the session store a pool's app uses.
func (v value) poolStore(to *string, session mapping, store *Store) {
	var names []string
	if store != nil {
		for _, m := range store.Members {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		if session.lacksMembers() {
			v.fail("the session store has no members of which a pool could use one; session.store.members, or no store here, is wanted")
		}
		return
	}
	if s, ok := v.text("the name of a member of session.store"); ok && v.known(s, "member", names) {
		*to = s
	}
}

// lacksMembers reports whether the file, where it can be read, says nothing of members of the session store. The mapping is that of
// session.
func (m mapping) lacksMembers() bool {
	store, said := m.has["store"]
	if !said {
		return m.r == nil || m.has != nil
	}
	_, some := store.under("members")
	return !some && store.node.Kind == yaml.MappingNode
}

// retries reads how many requests may be sent to a second backend.
func (v value) retries(to *Retries) {
	v.fields(field{name: "budget", read: func(v value) { v.share(&to.Budget, 0) }})
}

func defaultEject() *Eject { return &Eject{Failures: 5, For: 10 * time.Second, Most: 0.50} }

// eject reads when a backend that keeps failing is left alone, or off.
func (v value) eject(to **Eject) {
	if v.node.Value == "off" {
		*to = nil
		return
	}
	switch v.node.Value {
	case "on", "true", "yes":
		v.fail("%s is what it is without this key; no eject, or eject: {failures: 5, for: 10s, most: 0.50}, is wanted", v.shown())
		return
	}
	if v.node.Kind == yaml.ScalarNode {
		v.fail("%s; off, or a mapping with keys of failures, for, most is wanted", v.shown())
		return
	}
	e := *to
	v.fields(
		field{name: "failures", read: func(v value) { v.number(&e.Failures, 1, 1000) }},
		field{name: "for", read: func(v value) { v.duration(&e.For, 100*time.Millisecond, time.Hour) }},
		field{name: "most", read: func(v value) { v.share(&e.Most, 0.01) }},
	)
}
