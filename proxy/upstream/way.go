package upstream

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// way is how to connect to a backend. It is not changed once made: connections made another way than the present one are not used
// again.
type way struct {
	scheme  string // "http", "https", "h2c", "h2" or "unix"
	network string // "tcp" or "unix"
	address string
	host    string // what a request without a host is for
	timeout time.Duration
	proxy   int    // the version of the PROXY header that each connection begins with; 0: none
	trust   *trust // nil: plain
}

// streams reports whether it leads to HTTP/2.
func (w *way) streams() bool { return w.scheme == "h2c" || w.scheme == "h2" }

// reach puts settings in place. What they leave as it was leaves the connections.
func (b *backend) reach(bs BackendSettings, s *Settings) {
	b.renewing.Lock()
	defer b.renewing.Unlock()
	scheme, rest, _ := strings.Cut(bs.URL, ":")
	w := &way{scheme: scheme, network: bs.Network, address: bs.Address, host: strings.TrimPrefix(rest, "//"), timeout: s.DialTimeout}
	if w.network == "" {
		w.network = "tcp"
	}
	if w.network == "unix" {
		w.host = "localhost"
	}
	if !w.streams() {
		w.proxy = s.ProxyProtocol
	}
	old := b.way.Load()
	if scheme == "https" || scheme == "h2" {
		files := TLS{}
		if s.TLS != nil {
			files = *s.TLS
		}
		if files.ServerName == "" {
			files.ServerName = hostOf(w.address)
		}
		if old != nil && old.trust != nil && old.trust.files == files {
			w.trust = old.trust
		} else {
			w.trust = newTrust(files, w.streams())
		}
	}
	if old == nil || *old != *w {
		b.way.Store(w)
	}
}

// renewed is w with what its files say now, if it is still the way: they are looked at once a second at the most. Where they cannot
// be used, what was read last is, and the error shows.
func (b *backend) renewed(w *way) *way {
	b.renewing.Lock()
	defer b.renewing.Unlock()
	present := b.way.Load()
	if !present.like(w) {
		return w
	}
	now := time.Now()
	if now.Sub(b.looked) < time.Second {
		return present
	}
	b.looked = now
	next, err := present.trust.renew()
	if err != nil {
		b.pool.mu.Lock()
		b.failed(fmt.Errorf("tls: %w", err))
		b.pool.mu.Unlock()
	}
	if next == present.trust {
		return present
	}
	other := *present
	other.trust = next
	b.way.Store(&other)
	return &other
}

// like reports whether two ways differ at most in what their files said.
func (w *way) like(o *way) bool {
	if w.trust == nil || o.trust == nil || w.trust.files != o.trust.files {
		return false
	}
	same := *w
	same.trust = o.trust
	return same == *o
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
