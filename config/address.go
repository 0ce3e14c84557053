package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// unix reads the part of an address after "unix:".
func (v value) unix(to *Address, path string) {
	const most = 107 // what the kernel's sockaddr_un holds
	switch {
	case !filepath.IsAbs(path) || strings.ContainsRune(path, 0):
		v.fail("%s; a whole path, as in unix:/run/gatehouse.sock, is wanted", v.shown())
	case len(path) > most:
		v.fail("a socket's path of %d bytes; at most %d are wanted", len(path), most)
	default:
		*to = Address{"unix", filepath.Clean(path)}
	}
}

// listenAddress reads where to listen: ":8080", "127.0.0.1:0", "[::1]:8080" or "unix:/run/x.sock". A host's name is refused:
// what it means is decided elsewhere and may change.
func (v value) listenAddress(to *Address) {
	const wanted = "an address such as :8080, 127.0.0.1:8080, [::1]:8080 or unix:/run/gatehouse.sock"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	if path, is := strings.CutPrefix(s, "unix:"); is {
		v.unix(to, path)
		return
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" && !strings.HasPrefix(s, ":") {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	n, good := portNumber(port)
	if !good {
		v.fail("%s has no port from 0 to 65535; %s is wanted", v.shown(), wanted)
		return
	}
	if host != "" {
		ip, err := netip.ParseAddr(host)
		if err != nil {
			v.fail("%s is not an address; an IP address such as 127.0.0.1, or none for all of them, is wanted", quote(host))
			return
		}
		host = ip.String()
	}
	*to = Address{"tcp", net.JoinHostPort(host, strconv.Itoa(n))}
}

// dialAddress reads where to connect: host:port or "unix:/run/x.sock".
func (v value) dialAddress(to *Address) {
	const wanted = "host:port or unix:/run/redis.sock"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	if path, is := strings.CutPrefix(s, "unix:"); is {
		v.unix(to, path)
		return
	}
	host, port, err := net.SplitHostPort(s)
	host = strings.ToLower(host)
	bracketed := host
	if strings.Contains(host, ":") {
		bracketed = "[" + host + "]"
	}
	n, good := portNumber(port)
	if err != nil || !good || n == 0 || !isDialName(bracketed) {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	*to = Address{"tcp", net.JoinHostPort(host, strconv.Itoa(n))}
}

// portNumber reads a port in decimal; names of services are not ports.
func portNumber(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// loopback reports whether only this machine can reach the address.
func (a Address) loopback() bool {
	if a.Network == "unix" {
		return true
	}
	ap, err := netip.ParseAddrPort(a.Address)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// collides reports whether both cannot be listened on at once. A listener on all addresses holds the port of each.
func (a Address) collides(b Address) bool {
	if a.Network != b.Network || a.Network == "unix" {
		return a == b
	}
	hostA, portA, _ := net.SplitHostPort(a.Address)
	hostB, portB, _ := net.SplitHostPort(b.Address)
	if portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everyHost(hostA, hostB) || everyHost(hostB, hostA)
}

// everyHost reports whether listening on all takes the port of one, too. Both IP versions share a listener on "" or "::".
func everyHost(all, one string) bool {
	return all == "" || all == "::" || all == "0.0.0.0" && (one == "" || one == "::" || !strings.Contains(one, ":"))
}
