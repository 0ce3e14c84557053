package sockets

import (
	"net"
	"net/netip"
)

// match returns the socket that was handed down for that address and is not in use; nil: none. One that fits by the word goes
// before one that fits by what it means, and that before one that fits as every address of the machine does.
func match(all []*handed, network, address string) *handed {
	var best *handed
	most := unfit
	for _, h := range all {
		if h.used {
			continue
		}
		if f := h.fits(network, address); f > most {
			best, most = h, f
		}
	}
	return best
}

// fit is how well a socket fits an address.
type fit int

const (
	unfit fit = iota
	everywhere
	same
	named
)

// fits tells how well a socket does for an address as the operator's file writes it.
func (h *handed) fits(network, address string) fit {
	if h.bound.Network() != network {
		return unfit
	}
	switch bound := h.bound.(type) {
	case *net.UnixAddr:
		if bound.Name == address {
			return same
		}
	case *net.TCPAddr:
		if h.asked == address {
			return named
		}
		wanted, err := net.ResolveTCPAddr("tcp", address)
		if err != nil || wanted.Port == 0 || wanted.Port != bound.Port {
			return unfit
		}
		is, want := ip(bound), ip(wanted)
		switch {
		case is == want:
			return same
		// Only the service manager's: which of the forms it is, a unit's author decided. The process before has what its own file
		// said, and a change of that is meant.
		case h.manager && is.IsUnspecified() && (!want.IsValid() || want.IsUnspecified()):
			return everywhere
		}
	}
	return unfit
}

// ip returns an address's own; the zero value where it names none.
func ip(a *net.TCPAddr) netip.Addr {
	return a.AddrPort().Addr().Unmap()
}
