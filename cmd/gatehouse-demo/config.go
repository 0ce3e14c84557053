package main

import (
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// gateText is the demo's gatehouse.yaml. It is written to a folder of its own, where a person can edit it while it runs.
const gateText = `# The demo's Gatehouse. Edit and save: it is read again at once. A mistake is shown on its own page, and the last good one stays.
listen:
  - address: "{{.Listen}}"
    health: /.gatehouse/ready
admin: {address: "{{.Admin}}"}
# The scripted visitors stand behind loopback and name their own addresses.
trusted_proxies: [127.0.0.0/8, "::1/128"]
log: {access: "{{.AccessLog}}"}

session:
  cookies: [sid]
  store:
    redis: {address: "{{.Store}}"}
    probe: {interval: 100ms, timeout: 200ms}
    recovery:
      rise: 3
      after: 500ms
      hold: {from: 0s}        # the buttons make it fail again and again; anywhere else that is a store not to be trusted yet
      ramp: {from: 20/s, to: 200/s, over: 5s}

pools:
  login:                      # reserved for signing in
    backends:{{range .Login}}
      - http://{{.}}{{end}}
    max_in_flight: 64
    queue: {length: 128, timeout: 2s}
    health: {path: /healthz, interval: 2s}
  app:
    backends:{{range .App}}
      - http://{{.}}{{end}}
    max_in_flight: 256
    queue: {length: 128, timeout: 2s}
    health: {path: /healthz, interval: 2s}

quotas:
  sign-in-per-client: {key: client_ip, rate: 600/m, burst: 60}

routes:                       # the first that matches wins
  - name: sign-in
    match: {path: /login}     # the form too: nobody should type a password that cannot be used
    pool: login
    overflow: app             # borrow from here when login is full
    needs: write              # a session is created
    restart: /login           # where the page leads back to
    quotas: [sign-in-per-client]
  - name: assets
    match: {path: "/assets/*"}
    pool: app
    needs: none
  - name: sign-out
    match: {path: /logout}
    pool: app
    sign_out: true            # honoured here where the app cannot
    restart: /
  - name: notes
    match: {path: /notes, method: POST}
    pool: app
    needs: write              # a session is changed
    sign_in: false            # and is no sign-in: no ramp, no line
    restart: /notes
  - name: home
    match: {path: /}
    pool: app
    needs: none
  - name: app
    pool: app
    needs: read               # a session is looked up

degrade:
  retry_after: {min: 5s, max: 60s}
`

// GateConfig is what the demo's gatehouse.yaml is about: addresses as host:port, and the access log's path.
type GateConfig struct {
	Listen, Admin, Store string
	Login, App           []string
	AccessLog            string
}

// Write puts gatehouse.yaml into dir and returns its path.
func (c GateConfig) Write(dir string) (string, error) {
	var text strings.Builder
	if err := template.Must(template.New("").Parse(gateText)).Execute(&text, c); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gatehouse.yaml")
	return path, os.WriteFile(path, []byte(text.String()), 0o600)
}
