package test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// handshake returns what was agreed with a TLS listener, and ends the connection. Where a visitor's certificate is wanted the
// refusal comes with the first bytes after the handshake, so it asks for something, too.
func handshake(address string, c *tls.Config) (tls.ConnectionState, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", address, c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: " + visited + "\r\nConnection: close\r\n\r\n"))
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState(), err
}

// secured is the file of one backend behind listeners, a line each.
func secured(backend string, listeners ...string) string {
	return fmt.Sprintf(`
listen:
  - %s
admin: {address: "127.0.0.1:0"}
pools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
`, strings.Join(listeners, "\n  - "), backend)
}

// TestTLSByFiles: versions, protocols and certificates are those that the file says and the visitor asks for.
func TestTLSByFiles(t *testing.T) {
	t.Parallel()
	backend, _ := saying(t, "well")
	ca := newAuthority(t, "ca")
	ca.certificate(t, "first", visited, "*.wild.example")
	ca.certificate(t, "second", "second.example")
	both := fmt.Sprintf("certificates: [{%s}, {%s}]", ca.files("first"), ca.files("second"))
	usual, strict, old := loopback(t), loopback(t), loopback(t)
	startGatehouse(t, secured(backend.URL,
		fmt.Sprintf("{address: %q, tls: {%s}}", usual, both),
		fmt.Sprintf(`{address: %q, tls: {%s, min_version: "1.3"}}`, strict, both),
		fmt.Sprintf("{address: %q, tls: {%s}, http2: false}", old, both)))
	believed := func(name string, change func(*tls.Config)) *tls.Config {
		c := ca.believed(name)
		c.NextProtos = []string{"http/1.1"}
		if change != nil {
			change(c)
		}
		return c
	}
	for _, c := range []struct {
		what, address string
		config        *tls.Config
		version       uint16 // 0: no handshake
		protocol, by  string
	}{
		{"the newest", usual, believed(visited, nil), tls.VersionTLS13, "http/1.1", "first"},
		{"HTTP/2", usual, believed(visited, func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }), tls.VersionTLS13, "h2", "first"},
		{"no protocol", usual, believed(visited, func(c *tls.Config) { c.NextProtos = nil }), tls.VersionTLS13, "", "first"},
		{"HTTP/2 off", old, believed(visited, func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }), tls.VersionTLS13, "http/1.1", "first"},
		{"a wildcard", usual, believed("a.wild.example", nil), tls.VersionTLS13, "http/1.1", "first"},
		{"another name", usual, believed("second.example", nil), tls.VersionTLS13, "http/1.1", "second"},
		{"1.2", usual, believed(visited, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), tls.VersionTLS12, "http/1.1", "first"},
		{"1.1", usual, believed(visited, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), 0, "", ""},
		{"1.2 where 1.3 is wanted", strict, believed(visited, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), 0, "", ""},
		{"1.3 where it is wanted", strict, believed(visited, nil), tls.VersionTLS13, "http/1.1", "first"},
	} {
		seen, err := handshake(c.address, c.config)
		switch {
		case c.version == 0:
			if err == nil {
				t.Errorf("%s: agreed on %s", c.what, tls.VersionName(seen.Version))
			}
		case err != nil:
			t.Errorf("%s: %v", c.what, err)
		case seen.Version != c.version || seen.NegotiatedProtocol != c.protocol || seen.PeerCertificates[0].Subject.CommonName != c.by:
			t.Errorf("%s: %s, %q, by %s; want %s, %q, by %s", c.what, tls.VersionName(seen.Version), seen.NegotiatedProtocol,
				seen.PeerCertificates[0].Subject.CommonName, tls.VersionName(c.version), c.protocol, c.by)
		}
	}
	// Plain HTTP to a port that speaks TLS is no request of anybody's.
	res, err := client.Get("http://" + usual)
	if err == nil {
		if _ = res.Body.Close(); res.StatusCode < 400 {
			t.Errorf("plain HTTP to the TLS listener: %d", res.StatusCode)
		}
	}
}

// TestTLSClients: a visitor's certificate is asked for where the file says so, and told in the log.
func TestTLSClients(t *testing.T) {
	t.Parallel()
	backend, _ := saying(t, "well")
	ca, clients, strangers := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "strangers")
	ca.certificate(t, "site", visited)
	clients.certificate(t, "ada")
	strangers.certificate(t, "mallory")
	site := "certificates: [{" + ca.files("site") + "}]"
	must, may := loopback(t), loopback(t)
	g := startGatehouse(t, secured(backend.URL,
		fmt.Sprintf("{address: %q, tls: {%s, clients: {ca_file: %q}}}", must, site, clients.file("clients.crt")),
		fmt.Sprintf("{address: %q, tls: {%s, clients: {ca_file: %q, require: false}}}", may, site, clients.file("clients.crt"))))
	for _, c := range []struct {
		address string
		who     *tls.Certificate
		ok      bool
	}{
		{must, nil, false}, {must, new(clients.pair(t, "ada")), true}, {must, new(strangers.pair(t, "mallory")), false},
		{may, nil, true}, {may, new(clients.pair(t, "ada")), true}, {may, new(strangers.pair(t, "mallory")), false},
	} {
		config := ca.believed(visited)
		if c.who != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.who, nil }
		}
		if _, err := handshake(c.address, config); (err == nil) != c.ok {
			name := "nobody"
			if c.who != nil {
				name = c.who.Leaf.Subject.CommonName
			}
			t.Errorf("required %v, by %s: %v", c.address == must, name, err)
		}
	}
	eventually(t, patience, "two lines name the client's certificate, and one does not", func() bool {
		lines := strings.Join(g.accessLines(), "\n")
		return strings.Count(lines, `"client_certificate":`) == 2 && strings.Count(lines, "CN=ada") == 2 && len(g.accessLines()) == 3
	})
}

// TestTLSInTheLog: each line tells what was agreed on.
func TestTLSInTheLog(t *testing.T) {
	t.Parallel()
	s := &streams{t: t}
	x := startCrossing(t, s, "", "")
	for i, f := range x.fronts {
		_, _ = f.ask(t, "GET", fmt.Sprintf("/http/%d", i), nil)
	}
	found := map[string]map[string]any{}
	eventually(t, patience, "all lines are there", func() bool {
		for _, line := range x.accessLines() {
			var e map[string]any
			if json.Unmarshal([]byte(line), &e) == nil {
				found[fmt.Sprint(e["path"])] = e
			}
		}
		return len(found) == len(x.fronts)
	})
	for i, f := range x.fronts {
		e, secret := found[fmt.Sprintf("/http/%d", i)], strings.HasPrefix(f.url, "https")
		if proto := fmt.Sprint(e["proto"]); !strings.HasPrefix(proto, fmt.Sprintf("HTTP/%d", f.major)) {
			t.Errorf("%s: the line says %s", f.name, proto)
		}
		if scheme, _, _ := strings.Cut(f.url, ":"); e["scheme"] != scheme {
			t.Errorf("%s: the line says the scheme is %v", f.name, e["scheme"])
		}
		for key, want := range map[string]string{"tls_version": "1.3", "tls_cipher": "TLS_AES_", "server_name": visited} {
			if v, ok := e[key]; ok != secret || ok && !strings.Contains(fmt.Sprint(v), want) {
				t.Errorf("%s: %s is %v", f.name, key, v)
			}
		}
	}
}
