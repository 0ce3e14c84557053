//go:build linux

package main

import (
	"fmt"
	"net"
)

func caddy(program, dir string, at places) (plan, error) {
	host, open, err := net.SplitHostPort(at.open)
	if err != nil {
		return plan{}, err
	}
	_, secret, err := net.SplitHostPort(at.secret)
	if err != nil {
		return plan{}, err
	}
	file, err := write(dir, "Caddyfile", fmt.Sprintf(`{
	admin off
	auto_https off
	servers {
		protocols h1 h2
	}
}
(site) {
	bind %s
	log {
		output file %s/access.log {
			roll_disabled
		}
	}
	respond /page 503
	reverse_proxy /bench.Echo/* h2c://%s
	reverse_proxy %s {
		transport http {
			compression off
			keepalive_idle_conns_per_host 128
		}
	}
}
http://:%s {
	import site
}
https://:%s {
	tls %s %s {
		protocols tls1.3
	}
	import site
}
`, host, dir, at.calls, at.app, open, secret, at.cert, at.key))
	return plan{argv: []string{program, "run", "--config", file, "--adapter", "caddyfile"}, log: dir + "/access.log"}, err
}
