package test

import (
	"fmt"
	"strings"
	"testing"
)

// TestEveryWayInAndEveryWayOut has whatever streams pass between every pair of protocols, the session store well and impaired.
func TestEveryWayInAndEveryWayOut(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"writable", "read-only"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			s, store := &streams{t: t}, startRedis(t)
			x := startCrossing(t, s, store.address(), "")
			if state != "writable" {
				store.do("REPLICAOF", "127.0.0.1", "9")
			}
			eventually(t, patience, "the store is "+state, func() bool { return x.storeState(t) == state })
			for _, f := range x.fronts {
				for kind := range x.backends {
					t.Run(f.name+" to "+kind, func(t *testing.T) { streaming(t, f, "/"+kind, s) })
				}
			}
		})
	}
}

// TestWhatABackendIsToldOfTheWayIn: the scheme and the host that the visitor used, whatever the protocols on either side.
func TestWhatABackendIsToldOfTheWayIn(t *testing.T) {
	t.Parallel()
	s := &streams{t: t}
	x := startCrossing(t, s, "", "")
	for _, f := range x.fronts {
		scheme, _, _ := strings.Cut(f.url, ":")
		for kind := range x.backends {
			name := strings.ReplaceAll(f.name+"/"+kind, " ", "-")
			c, path := s.talk(name), "/"+kind+"/a%2Fb//c;d/seen?"+name
			r := f.request(t, "GET", path, nil, "X-Forwarded-Proto: gopher", "X-Forwarded-For: 203.0.113.1")
			r.Host = visited
			res := f.do(t, r)
			if res == nil {
				continue
			}
			_ = res.Body.Close()
			for _, want := range []string{"GET " + visited + " " + path, "127.0.0.1", scheme, visited, "", ""} {
				if got := c.await(t); got != want {
					t.Errorf("%s to %s: the backend was told %q; want %q", f.name, kind, got, want)
				}
			}
		}
	}
}

// TestWebSocketOverTLS: what an HTTP/1.1 visitor does with a WebSocket he does over TLS, before any backend that speaks HTTP/1.1.
func TestWebSocketOverTLS(t *testing.T) {
	t.Parallel()
	x := startCrossing(t, sockets(t, "one"), "", "")
	for _, f := range x.fronts {
		if f.major != 1 {
			continue
		}
		for _, kind := range []string{"http", "https", "unix"} {
			t.Run(f.name+" to "+kind, func(t *testing.T) {
				t.Parallel()
				socketTalk(t, f, "/"+kind+"/", "one")
			})
		}
	}
}

// TestATunnelOverTLSPassesAnyBytes: the end of one way is TLS's own (RFC 8446 section 6.1), and the other goes on; a reload that
// takes the certificate and the backend away is nothing to a tunnel.
func TestATunnelOverTLSPassesAnyBytes(t *testing.T) {
	t.Parallel()
	server, ends := upgrading(t)
	other, _ := saying(t, "other")
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	ca.certificate(t, "next", visited)
	address := loopback(t)
	file := func(backend, certificate string) string {
		return fmt.Sprintf(`
listen: [{address: %q, tls: {certificates: [{%s}]}}]
admin: {address: "127.0.0.1:0"}
pools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
`, address, ca.files(certificate), backend)
	}
	g := startGatehouse(t, file(server.URL, "site"))
	for _, visitorFirst := range []bool{true, false} {
		visitor, backend := openTunnel(t, tlsHalves(t, address, ca.believed(visited)), "/", ends)
		g.write(file(other.URL, "next"))
		g.reload(t)
		anyBytes(t, visitor, backend, visitorFirst)
		g.write(file(server.URL, "site"))
		g.reload(t)
	}
}
