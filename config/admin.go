package config

import (
	"net"
	"strings"
)

// defaultAdmin is the admin listener of a file that does not speak of one.
func defaultAdmin() Admin {
	return Admin{Address: Address{"tcp", net.JoinHostPort("127.0.0.1", "9901")}}
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
