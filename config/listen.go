package config

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// bound is an address to listen on and where it stands.
type bound struct {
	value
	address Address
}

// listen reads the listeners for visitors. It returns where each of them stands, and their addresses.
func (v value) listen(to *[]Listen) (places []mapping, all []bound) {
	for _, item := range v.items("listeners, such as {address: \":8080\"},") {
		l := Listen{Health: "/.gatehouse/ready"}
		m := item.fields(
			field{name: "address", read: func(v value) {
				v.listenAddress(&l.Address)
				all = append(all, bound{v, l.Address})
			}},
			field{name: "health", read: func(v value) { v.health(&l.Health) }},
			field{name: "tls", read: func(v value) {
				l.TLS = &ListenTLS{MinVersion: "1.2"}
				v.listenTLS(l.TLS)
			}},
			field{name: "http2", read: func(v value) { v.http2(&l.HTTP2) }},
			field{name: "proxy_protocol", read: func(v value) { v.announced(&l.ProxyProtocol) }},
			field{name: "redirect", read: func(v value) { v.redirect(&l.Redirect) }},
		)
		m.need("address", "an address such as :8080")
		m.speak(&l)
		*to, places = append(*to, l), append(places, m)
	}
	v.some("listener")
	return places, all
}

// speak fills what hangs on whether a listener has TLS, and reports keys that contradict each other.
func (m mapping) speak(l *Listen) {
	_, secure := m.has["tls"]
	switch {
	case l.HTTP2 == "" && secure:
		l.HTTP2 = "on"
	case l.HTTP2 == "":
		l.HTTP2 = "off"
	case l.HTTP2 == "on" && !secure && m.has != nil:
		m.at("http2").fail("HTTP/2 is offered during the TLS handshake, and there is none; tls, or http2: cleartext, is wanted")
	case l.HTTP2 == "cleartext" && secure:
		m.at("http2").fail("cleartext where all is in TLS; http2: true, or no tls, is wanted")
	}
	if l.Redirect != "" && secure {
		m.at("redirect").fail("a redirect from TLS to TLS, which never ends; redirect is wanted only on a listener without tls")
	}
	if len(l.ProxyProtocol) > 0 && l.Address.Network == "unix" {
		m.at("proxy_protocol").fail("connections to a Unix socket come from no address, so none would begin with a PROXY header; address: IP:PORT, or no proxy_protocol, is wanted")
		l.ProxyProtocol = nil
	}
}

// http2 reads whether HTTP/2 is spoken, and how it is known to be meant.
func (v value) http2(to *string) {
	word := ""
	v.word(&word, "true", "false", "cleartext")
	*to = map[string]string{"true": "on", "false": "off", "cleartext": "cleartext"}[word]
}

// redirect reads where a plain listener sends its visitors.
func (v value) redirect(to *string) {
	const wanted = "https, or https:PORT,"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	scheme, port, said := strings.Cut(s, ":")
	n, good := portNumber(port)
	switch {
	case scheme != "https" || said && (!good || n == 0):
		v.fail("%s; %s is wanted", v.shown(), wanted)
	case said && n != 443:
		*to = "https:" + strconv.Itoa(n)
	default:
		*to = "https"
	}
}

// announced reads who must say of each connection whose it is.
func (v value) announced(to *[]netip.Prefix) {
	for _, item := range v.networks(to) {
		item.warn("everybody must begin with a PROXY header, and is believed about who they are; the networks of the proxies in front are wanted")
	}
}

// leadNowhere warns of listeners that send visitors to where none is served. The places are those of the listeners.
func (c *Config) leadNowhere(places []mapping) {
	if slices.ContainsFunc(c.Listen, func(l Listen) bool { return l.TLS != nil }) {
		return
	}
	for i, l := range c.Listen {
		if l.Redirect != "" {
			places[i].at("redirect").warn("no listener has TLS, so visitors are sent to where none of them serves; a listener with tls is wanted")
		}
	}
}

// unfenced warns of listeners that ask for a certificate, and of another by which the same routes are reached without one. The places
// are those of the listeners.
func (c *Config) unfenced(places []mapping) {
	asks := func(l Listen) bool { return l.TLS != nil && l.TLS.Clients != nil && l.TLS.Clients.Require }
	for i, l := range c.Listen {
		if !asks(l) {
			continue
		}
		if j := slices.IndexFunc(c.Listen, func(o Listen) bool { return !asks(o) && o.Redirect == "" }); j >= 0 {
			places[i].at("tls").warn("visitors without a certificate reach the same routes by listen[%d]; every listener with clients, or a Gatehouse of its own for those who have one, is wanted", j)
		}
	}
}

// health reads the path that answers the load balancer in front, or "off".
func (v value) health(to *string) {
	if v.node.Value == "off" {
		*to = ""
		return
	}
	if v.local(to); strings.Contains(*to, "?") {
		v.fail("%s holds a query; a path alone, or off, is wanted", v.shown())
	}
}

// collisions reports listeners that cannot all be listened on.
func collisions(all []bound) {
	for i, b := range all {
		j := slices.IndexFunc(all[:i], func(a bound) bool { return a.address.Network != "" && a.address.collides(b.address) })
		if j < 0 {
			continue
		}
		if all[j].node.Line == 0 { // the default of the admin listener, which stands nowhere in the file
			b.fail("the same address as admin has unless told otherwise; another port is wanted")
			continue
		}
		b.fail("the same address as %s in line %d; each is wanted once", all[j].where, all[j].node.Line)
	}
}

// proxies reads the networks whose word about the visitor is believed.
func (v value) proxies(to *[]netip.Prefix) {
	for _, item := range v.networks(to) {
		item.warn("everybody is believed about who they are; the networks of the proxies in front are wanted")
	}
}

// networks reads a list of networks. It returns the items that take in everybody.
func (v value) networks(to *[]netip.Prefix) (everybody []value) {
	const wanted = "a network such as 10.0.0.0/8, or an address,"
	for _, item := range v.items("networks such as 10.0.0.0/8") {
		s, ok := item.text(wanted)
		if !ok {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if ip, is := netip.ParseAddr(s); is == nil && ip.Zone() == "" {
			ip = ip.Unmap()
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		switch {
		case err != nil || p.Addr().Is4In6():
			item.fail("%s; %s is wanted", item.shown(), wanted)
		case p != p.Masked():
			item.fail("%s is an address within a network; %s is wanted", item.shown(), p.Masked())
		case slices.Contains(*to, p):
			item.fail("%s is in the list already; once is wanted", item.shown())
		default:
			if p.Bits() == 0 {
				everybody = append(everybody, item)
			}
			*to = append(*to, p)
		}
	}
	return everybody
}
