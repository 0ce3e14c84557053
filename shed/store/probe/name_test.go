package probe

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
)

// book says where store.test leads, and can be rewritten.
type book struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	asked int
}

func (b *book) write(err error, addrs ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addrs, b.err = nil, err
	for _, a := range addrs {
		b.addrs = append(b.addrs, netip.MustParseAddr(a))
	}
}

func (b *book) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked++; host != "store.test" {
		return nil, errors.New("another name")
	}
	return slices.Clone(b.addrs), b.err
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// at is where the idle link leads.
func (p *prober) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		return ""
	}
	return p.idle.peer.String()
}

// Facts, row 26: the name leads to another node, and the old one still answers and takes writes.
func TestAFlippedNameIsFollowed(t *testing.T) {
	old := serve(t)
	other := serveAt(t, "127.0.0.2", old.port)
	var b book
	b.write(nil, "127.0.0.1")
	p := probing(t, Settings{Address: "store.test:" + old.port, Resolve: b.resolve})
	p.writable()
	if p.at() != "127.0.0.1" {
		t.Fatalf("at %s", p.at())
	}

	// A name that fails to resolve, or has no address for now, is no news about a link that works.
	for _, err := range []error{errors.New("no resolver"), nil} {
		b.write(err)
		asked := b.count()
		old.eventually("asked twice", func() bool { p.writable(); return b.count() >= asked+2 })
	}

	// Nor is one whose new node does not answer.
	b.write(nil, "127.0.0.3")
	var told error
	old.eventually("the renewal that failed", func() bool {
		e := p.probe(64)
		if e.State != shed.Writable || e.Lost {
			t.Fatalf("%+v", e)
		}
		told = e.Err
		return told != nil
	})
	if !errors.Is(told, errRenewal) || p.at() != "127.0.0.1" {
		t.Errorf("%v, at %s", told, p.at())
	}

	b.write(nil, "127.0.0.2", "127.0.0.9")
	lost := false
	old.eventually("the other node", func() bool {
		e := p.writable()
		lost = lost || e.Lost
		return p.at() == "127.0.0.2"
	})
	lost = lost || p.writable().Lost
	if !lost {
		t.Error("the other node has none of this one's sessions")
	}
	old.kill()
	for range 20 {
		p.writable()
	}
	other.eventually("one of its addresses is enough", func() bool { p.writable(); return p.at() == "127.0.0.2" })
}

func TestANameIsAskedOnceASecond(t *testing.T) {
	s := serve(t)
	var b book
	b.write(nil, "127.0.0.1")
	p := probing(t, Settings{Address: "store.test:" + s.port, Resolve: b.resolve})
	from := time.Now()
	for b.count() < 3 {
		p.writable()
	}
	if took := time.Since(from); took < lookGap*3/2 {
		t.Errorf("asked three times in %v", took)
	}
	p.mu.Lock()
	born := p.idle.born
	p.mu.Unlock()
	if born.After(from.Add(time.Second)) {
		t.Error("the link was renewed though the name did not change")
	}
}

func TestOneAddressOfSeveralIsEnough(t *testing.T) {
	s := serve(t)
	var b book
	b.write(nil, "127.0.0.3", "::ffff:127.0.0.1")
	p := probing(t, Settings{Address: "store.test:" + s.port, Resolve: b.resolve})
	p.writable()
	b.write(nil, "127.0.0.3", "127.0.0.4")
	nobody := probing(t, Settings{Address: "store.test:" + s.port, Resolve: b.resolve})
	nobody.want(shed.Down, shed.CauseRefused, true, false)
	b.write(errors.New("no resolver"))
	nobody.want(shed.Down, shed.CauseDNS, false, false)
	b.write(nil)
	nobody.want(shed.Down, shed.CauseDNS, false, false)
}

func TestABlackHoleAmongTheAddresses(t *testing.T) {
	port := blackHole(t)
	serveAt(t, "127.0.0.2", port)
	var b book
	b.write(nil, "127.0.0.1", "127.0.0.2")
	p := probing(t, Settings{Address: "store.test:" + port, Resolve: b.resolve})
	p.timeout = 5 * time.Second
	p.writable()
	if p.at() != "127.0.0.2" {
		t.Errorf("at %s", p.at())
	}
}

func TestASlowResolver(t *testing.T) {
	s := serve(t)
	p := probing(t, Settings{Address: "store.test:" + s.port,
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { <-ctx.Done(); return nil, ctx.Err() }})
	p.timeout = 50 * time.Millisecond
	p.want(shed.Down, shed.CauseDNS, false, false)
}

func TestOnlyNamesAreResolved(t *testing.T) {
	for _, row := range []struct {
		network, address string
		named            bool
	}{
		{"tcp", "store.test:6379", true}, {"tcp", "localhost:6379", true}, {"tcp", "127.0.0.1:6379", false},
		{"tcp", "[::1]:6379", false}, {"tcp", "[fe80::1%eth0]:6379", false}, {"tcp", ":6379", false},
		{"tcp", "nonsense", false}, {"unix", "/run/store.test:6379", false},
	} {
		if n := named(row.network, row.address, nil); (n.host != "") != row.named || row.named && n.lookup == nil {
			t.Errorf("%s %s: %+v", row.network, row.address, n)
		}
	}
	p := serve(t).probing()
	p.Redis.name.lookup = func(context.Context, string) ([]netip.Addr, error) { panic("resolved") }
	p.writable()
}

func TestTheSystemResolves(t *testing.T) {
	s := serve(t)
	p := probing(t, Settings{Address: "localhost:" + s.port})
	p.writable()
	if p.at() != "127.0.0.1" {
		t.Errorf("at %s", p.at())
	}
}
