package config

import (
	"net"
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
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Opaque != "" {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return b, false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	bracketed := host
	if strings.Contains(host, ":") {
		bracketed = "[" + host + "]"
	}
	if port == "" {
		port = "80"
	}
	n, good := portNumber(port)
	switch {
	case u.Scheme == "https":
		v.fail("https backends are not built yet; %s is wanted", wanted)
	case u.Scheme != "http":
		v.fail("the scheme of %s; %s is wanted", v.shown(), wanted)
	case u.User != nil:
		v.fail("a user or password in the URL; scheme, host and port alone are wanted")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		v.fail("%s holds more than a backend's address; scheme, host and port alone are wanted", v.shown())
	case !good || n == 0 || strings.HasSuffix(u.Host, ":"):
		v.fail("the port of %s; 1 to 65535 is wanted", v.shown())
	case !isDialName(bracketed):
		v.fail("the host of %s; a name or an IP address is wanted", v.shown())
	default:
		b.Address = net.JoinHostPort(host, strconv.Itoa(n))
		b.Scheme, b.Network, b.URL = "http", "tcp", "http://"+b.Address
		return b, true
	}
	return b, false
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
