//go:build linux

package main

import (
	"fmt"
	"slices"
)

func traefik(program, dir string, at places) (plan, error) {
	file, err := write(dir, "routes.yaml", fmt.Sprintf(`http:
  routers:
    page: {rule: "Path(`+"`/page`"+`)", priority: 100, entryPoints: [visitors], service: nobody}
    app: {rule: "PathPrefix(`+"`/`"+`)", priority: 1, entryPoints: [visitors], service: app}
  services:
    nobody: {loadBalancer: {servers: []}}
    app: {loadBalancer: {servers: [{url: "http://%s"}]}}
`, at.app))
	argv := slices.Concat([]string{program, "--log.level=ERROR", "--global.checknewversion=false", "--global.sendanonymoususage=false"},
		[]string{"--entrypoints.visitors.address=" + at.open, "--providers.file.filename=" + file},
		[]string{"--accesslog.filepath=" + dir + "/access.log", "--serverstransport.maxidleconnsperhost=128"})
	return plan{argv: argv, log: dir + "/access.log"}, err
}
