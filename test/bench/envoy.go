//go:build linux

package main

import (
	"fmt"
	"net"
)

func envoy(program, dir string, at places) (plan, error) {
	host, port, err := net.SplitHostPort(at.open)
	if err != nil {
		return plan{}, err
	}
	appHost, appPort, err := net.SplitHostPort(at.app)
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
