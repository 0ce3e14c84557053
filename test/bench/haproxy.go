//go:build linux

package main

import "fmt"

func haproxy(program, dir string, at places) (plan, error) {
	file, err := write(dir, "haproxy.cfg", fmt.Sprintf(`global
	nbthread %d
	maxconn 4000
	log stdout format raw local0
	ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
	ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
	mode http
	log global
	option httplog
	option forwardfor
	http-reuse always
	timeout connect 5s
	timeout client 300s
	timeout server 60s
	timeout tunnel 300s
frontend visitors
	bind %s backlog 4096
	bind %s backlog 4096 ssl crt %s alpn h2,http/1.1
	http-request deny deny_status 503 if { path /page }
	use_backend calls if { path_beg /bench.Echo/ }
	default_backend app
backend app
	server app %s
backend calls
	server calls %s proto h2
`, workers, at.open, at.secret, at.both, at.app, at.calls))
	return plan{argv: []string{program, "-db", "-f", file}}, err
}
