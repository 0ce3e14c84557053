package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// listenTLS reads how a listener proves who it is.
func (v value) listenTLS(to *ListenTLS) {
	m := v.fields(
		field{name: "domains", read: func(v value) { v.domains(&to.Domains) }},
		field{name: "certificates", read: func(v value) { v.certificates(&to.Certificates) }},
		field{name: "clients", read: func(v value) {
			to.Clients = &Clients{Require: true}
			v.clients(to.Clients)
		}},
		field{name: "min_version", read: func(v value) { v.word(&to.MinVersion, "1.2", "1.3") }},
		field{name: "hsts", read: func(v value) {
			to.HSTS = &HSTS{}
			v.hsts(to.HSTS)
		}},
	)
	some := func(key string) bool {
		list, said := m.has[key]
		return said && (list.node.Kind != yaml.SequenceNode || len(list.node.Content) > 0)
	}
	if m.has != nil && !some("domains") && !some("certificates") {
		m.fail("nothing to prove by who this is; domains, certificates or both are wanted")
	}
}

// domains reads the names for which certificates are asked of an authority.
func (v value) domains(to *[]string) {
	const wanted = "a name such as www.example.com"
	for _, item := range v.items("names such as www.example.com") {
		s, ok := item.text(wanted)
		if !ok {
			continue
		}
		s = strings.ToLower(s)
		_, notAddress := netip.ParseAddr(strings.Trim(s, "[]"))
		switch {
		case strings.Contains(s, "*"):
			item.fail("%s takes a DNS challenge, which is not built; each name by itself, or a certificate under certificates, is wanted", item.shown())
		case notAddress == nil:
			item.fail("%s is an address; a name, or a certificate under certificates, is wanted", item.shown())
		case strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 }):
			item.fail("%s has letters that DNS has not; the name in punycode, such as xn--bcher-kva.example, is wanted", item.shown())
		case !isDomain(s):
			item.fail("%s is no host's name; %s is wanted", item.shown(), wanted)
		default:
			*to = item.once(*to, s)
		}
	}
}

// isDomain reports whether s, in lower case, is a name that a certificate can be for.
func isDomain(s string) bool {
	const label = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
	return len(s) <= 253 && regexp.MustCompile(`^`+label+`(\.`+label+`)*$`).MatchString(s)
}

// certificates reads certificates that are files.
func (v value) certificates(to *[]Certificate) {
	for _, item := range v.items("certificates, such as {cert_file: ./example.pem, key_file: ./example.key},") {
		var c Certificate
		m := item.fields(
			field{name: "cert_file", read: func(v value) { v.present(&c.CertFile, "a file with a certificate, in PEM,") }},
			field{name: "key_file", read: func(v value) { v.privateKey(&c.KeyFile) }},
		)
		m.need("cert_file", "the path of the certificate, with those between it and its authority,")
		m.need("key_file", "the path of the certificate's key")
		if c.CertFile != "" && slices.ContainsFunc(*to, func(d Certificate) bool { return d.CertFile == c.CertFile }) {
			m.at("cert_file").fail("%s is in the list already; once is wanted", m.at("cert_file").shown())
			continue
		}
		*to = append(*to, c)
	}
}

// clients reads whose certificates visitors show.
func (v value) clients(to *Clients) {
	v.fields(
		field{name: "ca_file", read: func(v value) { v.present(&to.CAFile, "a file with certificates of authorities, in PEM,") }},
		field{name: "require", read: func(v value) { v.flag(&to.Require) }},
	).need("ca_file", "the path of the authorities that issue visitors' certificates")
}

// hsts reads what browsers are told to remember.
func (v value) hsts(to *HSTS) {
	const year = 365 * 24 * time.Hour
	before := len(v.r.problems)
	m := v.fields(
		field{name: "max_age", read: func(v value) { v.duration(&to.MaxAge, 0, 10*year) }},
		field{name: "include_subdomains", read: func(v value) { v.flag(&to.IncludeSubdomains) }},
		field{name: "preload", read: func(v value) { v.flag(&to.Preload) }},
	)
	m.need("max_age", "how long browsers remember it, such as max_age: 8760h,")
	switch {
	case len(v.r.problems) > before:
	case to.MaxAge%time.Second != 0:
		m.at("max_age").fail("%s is not a number of whole seconds; a duration such as 1h is wanted", m.at("max_age").shown())
	case to.Preload && (!to.IncludeSubdomains || to.MaxAge < year):
		m.at("preload").fail("no list of browsers takes a site so; include_subdomains: true and a max_age of at least %s are wanted beside it", short(year))
	}
}
