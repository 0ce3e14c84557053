package upstream

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// introduction returns the PROXY header, of version 1 or 2, that tells a backend whose connection it is
// (haproxy.org/download/3.4/doc/proxy-protocol.txt). Where peer or local is not known, it says so: UNKNOWN, or LOCAL.
func introduction(version int, peer, local netip.AddrPort) ([]byte, error) {
	var from, to net.Addr
	if peer.IsValid() && local.IsValid() {
		from, to = net.TCPAddrFromAddrPort(peer), net.TCPAddrFromAddrPort(local)
	}
	return proxyproto.HeaderProxyFromAddrs(byte(version), from, to).Format()
}
