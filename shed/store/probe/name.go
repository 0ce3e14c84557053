package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	lookGap  = time.Second            // a name is resolved anew so often, to hear that it leads elsewhere
	patience = 300 * time.Millisecond // with an address that is not the last, as the standard library's dialer has it
)

var (
	errName    = errors.New("the name does not resolve")
	errNobody  = errors.New("it has no address")
	errRenewal = errors.New("the connection cannot be renewed")
)

// name is the host name of a store and where it leads. Its zero value is that of a store without one: a socket, an IP address.
// answers and the times are under the prober's lock.
type name struct {
	host, port string
	lookup     func(context.Context, string) ([]netip.Addr, error)

	answers []netip.Addr // the last that came
	looked  time.Time    // when that was last asked
	looking bool         // in the background
}

// named returns the name in a network and an address.
func named(network, address string, lookup func(context.Context, string) ([]netip.Addr, error)) name {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || network == "unix" {
		return name{}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return name{}
	}
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return name{host: host, port: port, lookup: lookup}
}

// resolve asks where the name leads, and notes it. A failure leaves what is known.
func (r *Redis) resolve(ctx context.Context) ([]netip.Addr, error) {
	r.mu.Lock()
	r.name.looked = time.Now()
	r.mu.Unlock()
	found, err := r.name.lookup(ctx, r.name.host)
	if err == nil && len(found) == 0 {
		err = errNobody
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errName, err)
	}
	addrs := make([]netip.Addr, len(found))
	for i, a := range found {
		addrs[i] = a.Unmap()
	}
	r.mu.Lock()
	r.name.answers = addrs
	r.mu.Unlock()
	return addrs, nil
}

// dial connects to the store, to one address of its name after the other, on behalf of a.
func (r *Redis) dial(a *attempt) (net.Conn, error) {
	var d net.Dialer
	if r.name.host == "" {
		a.stage.Store(connecting)
		return d.DialContext(a.ctx, r.set.Network, r.set.Address)
	}
	a.stage.Store(resolving)
	addrs, err := r.resolve(a.ctx)
	if err != nil {
		return nil, err
	}
	a.stage.Store(connecting)
	var first error
	for i, addr := range addrs {
		ctx, cancel := share(a.ctx, len(addrs)-i)
		conn, err := d.DialContext(ctx, r.set.Network, net.JoinHostPort(addr.String(), r.name.port))
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// share is how long one of n addresses that are left is tried: the last for as long as there is time, one before it no longer
// than makes sense where another may be near.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || n == 1 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, min(time.Until(deadline)/time.Duration(n), patience))
}

// look resolves the name anew, in the background, if it is time. It is called under the prober's lock.
func (r *Redis) look() {
	if r.name.host == "" || r.name.looking || r.idle == nil || r.closed || time.Since(r.name.looked) < lookGap {
		return
	}
	r.name.looking = true
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, lateFor)
		defer cancel()
		_, err := r.resolve(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.name.looking = false
		if err == nil {
			r.renew(false)
		}
	})
}

// elsewhere reports whether the name leads to other addresses than the link's. It is called under the prober's lock.
func (r *Redis) elsewhere(l *link) bool {
	same := func(a netip.Addr) bool { return a.WithZone("") == l.peer }
	return len(r.name.answers) > 0 && l.peer.IsValid() && !slices.ContainsFunc(r.name.answers, same)
}

// peer is the address at the other end; the zero Addr for a socket.
func peer(conn net.Conn) netip.Addr {
	if to, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return to.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
