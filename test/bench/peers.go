//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// peer is another proxy that may be on this machine.
type peer struct {
	name    string
	version []string // arguments that make it say its version
	// plan writes what the proxy needs into a folder.
	plan func(program, dir, address, backend string) (plan, error)
}

// peers are tried in this order.
var peers = []peer{
	{"nginx", []string{"-v"}, nginx},
	{"haproxy", []string{"-v"}, haproxy},
	{"caddy", []string{"version"}, caddy},
	{"envoy", []string{"--version"}, envoy},
	{"traefik", []string{"version"}, traefik},
}

// found returns the program of a peer, "" where there is none. Some distributions keep servers where only root looks.
func (p peer) found() string {
	for _, name := range []string{p.name, "/usr/sbin/" + p.name, "/usr/local/sbin/" + p.name} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// says returns the first line of what a program says of its version.
func says(program string, arguments ...string) string {
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return "version unknown"
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return "version unknown"
}

func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func nginx(program, dir, address, backend string) (plan, error) {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // whose memory we may look at, in a folder that is closed to others
	}
	file, err := write(dir, "nginx.conf", fmt.Sprintf(`%[4]s
daemon off;
worker_processes %[5]d;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
events { worker_connections 8192; }
http {
	access_log %[1]s/access.log combined buffer=64k flush=1s;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	keepalive_requests 100000000;
	keepalive_timeout 300s;
	client_body_buffer_size 16k;
	proxy_max_temp_file_size 0;
	upstream app { server %[3]s; keepalive 128; keepalive_requests 100000000; }
	server {
		listen %[2]s reuseport backlog=4096;
		location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }
		location = /page { return 503; }
	}
}
`, dir, address, backend, user, workers))
	return plan{argv: []string{program, "-e", dir + "/error.log", "-c", file}, log: dir + "/access.log"}, err
}

func haproxy(program, dir, address, backend string) (plan, error) {
	file, err := write(dir, "haproxy.cfg", fmt.Sprintf(`global
	nbthread %d
	maxconn 4000
	log stdout format raw local0
defaults
	mode http
	log global
	option httplog
	option forwardfor
	http-reuse always
	timeout connect 5s
	timeout client 300s
	timeout server 60s
frontend visitors
	bind %s backlog 4096
	http-request deny deny_status 503 if { path /page }
	default_backend app
backend app
	server app %s
`, workers, address, backend))
	return plan{argv: []string{program, "-db", "-f", file}}, err
}

func caddy(program, dir, address, backend string) (plan, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return plan{}, err
	}
	file, err := write(dir, "Caddyfile", fmt.Sprintf(`{
	admin off
	auto_https off
}
http://:%s {
	bind %s
	log {
		output file %s/access.log {
			roll_disabled
		}
	}
	respond /page 503
	reverse_proxy %s {
		transport http {
			compression off
			keepalive_idle_conns_per_host 128
		}
	}
}
`, port, host, dir, backend))
	return plan{argv: []string{program, "run", "--config", file, "--adapter", "caddyfile"}, log: dir + "/access.log"}, err
}

func envoy(program, dir, address, backend string) (plan, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return plan{}, err
	}
	appHost, appPort, err := net.SplitHostPort(backend)
	if err != nil {
		return plan{}, err
	}
	file, err := write(dir, "envoy.yaml", fmt.Sprintf(`static_resources:
  listeners:
  - address: {socket_address: {address: %s, port_value: %s}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: visitors
          access_log:
          - name: envoy.access_loggers.file
            typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: %s/access.log}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - {match: {path: /page}, route: {cluster: nobody}}
              - {match: {prefix: /}, route: {cluster: app}}
  clusters:
  - {name: nobody, type: STATIC, connect_timeout: 5s}
  - name: app
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: app
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
`, host, port, dir, appHost, appPort))
	argv := []string{program, "--concurrency", fmt.Sprint(workers), "--use-dynamic-base-id", "--log-level", "error", "-c", file}
	return plan{argv: argv, log: dir + "/access.log"}, err
}

func traefik(program, dir, address, backend string) (plan, error) {
	file, err := write(dir, "routes.yaml", fmt.Sprintf(`http:
  routers:
    page: {rule: "Path(`+"`/page`"+`)", priority: 100, entryPoints: [visitors], service: nobody}
    app: {rule: "PathPrefix(`+"`/`"+`)", priority: 1, entryPoints: [visitors], service: app}
  services:
    nobody: {loadBalancer: {servers: []}}
    app: {loadBalancer: {servers: [{url: "http://%s"}]}}
`, backend))
	argv := slices.Concat([]string{program, "--log.level=ERROR", "--global.checknewversion=false", "--global.sendanonymoususage=false"},
		[]string{"--entrypoints.visitors.address=" + address, "--providers.file.filename=" + file},
		[]string{"--accesslog.filepath=" + dir + "/access.log", "--serverstransport.maxidleconnsperhost=128"})
	return plan{argv: argv, log: dir + "/access.log"}, err
}
