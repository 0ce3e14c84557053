package edge

import (
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"

	"gatehouse/proxy/h1"
)

// Live is what of a Server's settings can be changed while it serves. What concerns a connection as a whole (TLS, HTTP2,
// ProxyProtocol) stays for it as it was when it began; the rest is looked at with each request. Nobody changes what it points
// to. The zero value is plain HTTP/1, and nothing that the Server answers by itself.
type Live struct {
	Health string // the path that answers a load balancer in front; "" for none
	// TLS is what connections speak; nil: they are plain. Its NextProtos are the Server's to say, but "acme-tls/1" is kept where
	// it is there: such a connection ends with its handshake (RFC 8737). A Config that its GetConfigForClient returns is taken
	// as it is, NextProtos included.
	TLS *tls.Config
	// HTTP2 has it offered by ALPN (RFC 7301); without TLS whoever knows may begin with it (RFC 9113 section 3.3).
	HTTP2 bool
	// ProxyProtocol are the networks whose connections must begin with a PROXY header, version 1 or 2. Nobody else's is looked
	// for one.
	ProxyProtocol []netip.Prefix
	// Redirect is where a plain connection's requests are sent instead of to the handler: "https", or "https:8443" for another
	// port; "": nowhere.
	Redirect string
	// HSTS is the value of Strict-Transport-Security (RFC 6797) on every answer over TLS; "": none. A backend's own stands.
	HSTS string
	// Challenge knows the answers to ACME's HTTP-01 (RFC 8555 section 8.3), and is asked for everything that is got below
	// /.well-known/acme-challenge/. It is called from many goroutines. nil: there are none.
	Challenge func(host, path string) (answer string, ok bool)
}

const (
	protoHTTP1 = "http/1.1"
	protoHTTP2 = "h2"
	protoACME  = "acme-tls/1"
)

// live is a Live as connections use it. It is only read.
type live struct {
	Live
	tls      *tls.Config // a copy that says what is spoken here; nil: plain
	redirect bool
	port     string // behind the host of a redirect: "", or ":8443"
}

// prepare returns l for use. What before had of TLS is kept where nothing of it changes, and the keys of its session tickets with
// it.
func (l Live) prepare(before *live) *live {
	n := &live{Live: l}
	if !h1.ValidValue(l.HSTS) {
		n.HSTS = ""
	}
	if scheme, port, _ := strings.Cut(l.Redirect, ":"); scheme == "https" {
		if n.redirect = true; port != "" && port != "443" {
			n.port = ":" + port
		}
	}
	switch {
	case l.TLS == nil:
	case before != nil && before.TLS == l.TLS && before.HTTP2 == l.HTTP2:
		n.tls = before.tls
	default:
		n.tls = l.TLS.Clone()
		n.tls.NextProtos = nil
		if l.HTTP2 {
			n.tls.NextProtos = append(n.tls.NextProtos, protoHTTP2)
		}
		n.tls.NextProtos = append(n.tls.NextProtos, protoHTTP1)
		if slices.Contains(l.TLS.NextProtos, protoACME) {
			n.tls.NextProtos = append(n.tls.NextProtos, protoACME)
		}
	}
	return n
}

// wantsHeader reports whether a connection from there must begin with a PROXY header.
func (l *live) wantsHeader(peer netip.Addr) bool {
	peer = peer.WithZone("") // no prefix has one
	for _, p := range l.ProxyProtocol {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}
