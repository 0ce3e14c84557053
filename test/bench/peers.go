//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peer is another proxy that may be on this machine.
type peer struct {
	name    string
	version []string // arguments that make it say its version
	// plan writes what the proxy needs into a folder.
	plan    func(program, dir string, at places) (plan, error)
	streams bool // plan has it speak TLS, HTTP/2, WebSocket and gRPC as well
}

// places are where a proxy listens, and what stands behind it.
type places struct {
	open, secret string // its addresses: in the clear, and with TLS
	app, calls   string // what is behind: the app, and for calls a gRPC server in the clear
	*credentials
}

// peers are tried in this order.
var peers = []peer{
	{"nginx", []string{"-v"}, nginx, true},
	{"haproxy", []string{"-v"}, haproxy, true},
	{"caddy", []string{"version"}, caddy, true},
	{"envoy", []string{"--version"}, envoy, false},
	{"traefik", []string{"version"}, traefik, false},
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
