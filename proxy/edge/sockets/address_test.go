package sockets

import (
	"net"
	"testing"
)

// TestFits covers which socket does for which address of the operator's file.
func TestFits(t *testing.T) {
	tcp := func(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
	before := func(asked string, bound net.Addr) *handed { return &handed{asked: asked, bound: bound} }
	managed := func(bound net.Addr) *handed { return &handed{manager: true, bound: bound} }
	for _, c := range []struct {
		socket           *handed
		network, address string
		want             fit
	}{
		{managed(tcp("::", 80)), "tcp", ":80", everywhere},
		{managed(tcp("::", 80)), "tcp", "0.0.0.0:80", everywhere},
		{managed(tcp("::", 80)), "tcp", "[::]:80", same},
		{managed(tcp("0.0.0.0", 80)), "tcp", "0.0.0.0:80", same},
		{managed(tcp("0.0.0.0", 80)), "tcp", ":80", everywhere},
		{managed(tcp("0.0.0.0", 80)), "tcp", "[::]:80", everywhere},
		{managed(tcp("::", 80)), "tcp", ":81", unfit},
		{managed(tcp("::", 80)), "tcp", "10.0.0.1:80", unfit},
		{managed(tcp("10.0.0.1", 80)), "tcp", ":80", unfit},
		{managed(tcp("10.0.0.1", 80)), "tcp", "10.0.0.1:80", same},
		{managed(tcp("10.0.0.1", 80)), "tcp", "10.0.0.1:http", same},
		{managed(tcp("::ffff:10.0.0.1", 80)), "tcp", "10.0.0.1:80", same},
		{managed(tcp("127.0.0.1", 80)), "tcp", "localhost:80", same},
		{managed(&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 80}), "tcp", "[fe80::1%eth1]:80", unfit},
		{managed(tcp("127.0.0.1", 40000)), "tcp", "127.0.0.1:0", unfit},
		{managed(tcp("127.0.0.1", 80)), "unix", "127.0.0.1:80", unfit},
		{managed(&net.UnixAddr{Name: "/run/a", Net: "unix"}), "unix", "/run/a", same},
		{managed(&net.UnixAddr{Name: "/run/a", Net: "unix"}), "unix", "/run/b", unfit},
		{managed(nothing("a datagram socket")), "tcp", ":80", unfit},
		{before("127.0.0.1:0", tcp("127.0.0.1", 40000)), "tcp", "127.0.0.1:0", named},
		{before(":80", tcp("::", 80)), "tcp", ":80", named},
		{before(":80", tcp("::", 80)), "tcp", "[::]:80", same},
		{before(":80", tcp("::", 80)), "tcp", "0.0.0.0:80", unfit}, // the file was changed, and that is meant
		{before("/run/a", &net.UnixAddr{Name: "/run/a", Net: "unix"}), "unix", "/run/a", same},
	} {
		if got := c.socket.fits(c.network, c.address); got != c.want {
			t.Errorf("%v (%q) for %s %s: %d; want %d", c.socket.bound, c.socket.asked, c.network, c.address, got, c.want)
		}
	}
}

func TestTheBestSocketIsTaken(t *testing.T) {
	wide := &handed{manager: true, bound: &net.TCPAddr{IP: net.IPv6zero, Port: 80}}
	exact := &handed{manager: true, bound: &net.TCPAddr{IP: net.IPv4zero, Port: 80}}
	all := []*handed{wide, exact}
	if got := match(all, "tcp", "0.0.0.0:80"); got != exact {
		t.Errorf("%v", got)
	}
	exact.used = true
	if got := match(all, "tcp", "0.0.0.0:80"); got != wide {
		t.Errorf("%v", got)
	}
	wide.used = true
	if got := match(all, "tcp", "0.0.0.0:80"); got != nil {
		t.Errorf("%v is in use", got)
	}
}
