package config

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// bound is an address to listen on and where it stands.
type bound struct {
	value
	address Address
}

// listen reads the listeners for visitors.
func (v value) listen(to *[]Listen) (all []bound) {
	for _, item := range v.items("listeners, such as {address: \":8080\"},") {
		l := Listen{Health: "/.gatehouse/ready", HTTP2: "off"}
		item.fields(
			field{name: "address", read: func(v value) {
				v.listenAddress(&l.Address)
				all = append(all, bound{v, l.Address})
			}},
			field{name: "health", read: func(v value) { v.health(&l.Health) }},
		).need("address", "an address such as :8080")
		*to = append(*to, l)
	}
	v.some("listener")
	return all
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

// admin reads the admin listener.
func (v value) admin(to *Admin) (all []bound) {
	if v.node.Value == "off" {
		*to = Admin{}
		return nil
	}
	from, off := v, false
	v.fields(
		field{name: "address", read: func(v value) {
			if from, off = v, v.node.Value == "off"; !off {
				v.listenAddress(&to.Address)
			}
		}},
		field{name: "token_file", read: func(v value) { v.file(&to.TokenFile) }},
		field{name: "hosts", read: func(v value) { v.hosts(&to.Hosts) }},
		field{name: "pprof", read: func(v value) { v.flag(&to.Pprof) }},
		field{name: "token", refusal: "a secret does not belong in this file: token_file is wanted"},
	)
	if off {
		*to = Admin{}
		return nil
	}
	if !to.Address.loopback() && to.TokenFile == "" {
		from.fail("%s can be reached from other machines; a loopback address, a unix: socket, or token_file is wanted", from.shown())
	}
	return []bound{{from, to.Address}}
}

// hosts reads further names of the admin listener.
func (v value) hosts(to *[]string) {
	for _, item := range v.items("host names") {
		s, ok := item.text("a host name")
		if s = strings.ToLower(s); !ok {
			continue
		}
		if !isHostName(s) {
			item.fail("%s is no host's name; a name without port, such as gatehouse.internal, is wanted", item.shown())
			continue
		}
		*to = item.once(*to, s)
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
				item.warn("everybody is believed about who they are; the networks of the proxies in front are wanted")
			}
			*to = append(*to, p)
		}
	}
}

// access reads where the access log goes.
func (v value) access(to *string) {
	switch s, ok := v.text("stdout, stderr, off or the path of a file"); {
	case !ok:
	case s == "stdout" || s == "stderr" || s == "off":
		*to = s
	case !strings.Contains(s, "/"):
		v.fail("%s; stdout, stderr, off, or a path with a / in it, such as ./access.log, is wanted", v.shown())
	default:
		v.file(to)
	}
}

// log reads where the logs go.
func (v value) log(to *Log) {
	v.fields(
		field{name: "access", read: func(v value) { v.access(&to.Access) }},
		field{name: "level", read: func(v value) { v.word(&to.Level, "debug", "info", "warn", "error") }},
	)
}

// defaultAdmin is the admin listener of a file that does not speak of one.
func defaultAdmin() Admin {
	return Admin{Address: Address{"tcp", net.JoinHostPort("127.0.0.1", "9901")}}
}
