package quota

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := New(Settings{Rate: 1.0 / 3600, Burst: 5})
	for i := range 1_000_000 {
		passes(l, AddrKey(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})))
	}
	after := heap()
	t.Logf("1000000 keys came, %d are remembered, in %.1f MB", l.Len(), float64(after-before)/1e6)
	if l.Len() > defaultSize || l.Len() < defaultSize*9/10 {
		t.Errorf("%d keys remembered", l.Len())
	}
	if after > before+24<<20 {
		t.Errorf("the table takes %d bytes", after-before)
	}
	runtime.KeepAlive(l)
}

func TestConcurrency(t *testing.T) {
	const callers, each, burst = 8, 2000, 500
	l := New(Settings{Rate: 1e-6, Burst: burst, Size: 64})
	var passed atomic.Int64
	// A first event that stays taken keeps the key in the table, whatever else comes.
	if passes(l, TextKey("shared")) {
		passed.Add(1)
	}
	var wg sync.WaitGroup
	for w := range callers {
		wg.Go(func() {
			for i := range each {
				c, wait := l.Take(context.Background(), TextKey("shared"))
				if wait == 0 {
					if i%2 == 0 {
						c.Refund()
						c.Refund()
					} else {
						passed.Add(1)
					}
				}
				passes(l, TextKey(fmt.Sprint(w, i)))
				if i%500 == 0 {
					l.Set(Settings{Rate: 1e-6, Burst: burst, Size: 64})
					l.Len()
				}
			}
		})
	}
	wg.Wait()
	for passes(l, TextKey("shared")) {
		passed.Add(1)
	}
	if passed.Load() != burst {
		t.Errorf("%d events passed and were kept, want %d", passed.Load(), burst)
	}
}

func TestKnownKeyCostsNoAllocation(t *testing.T) {
	l := New(Settings{Rate: 100, Burst: 10})
	a := netip.MustParseAddr("2001:db8::1")
	ctx := context.Background()
	cookie := "0123456789abcdef0123456789abcdef"
	passes(l, AddrKey(a))
	passes(l, TextKey(cookie))
	if n := testing.AllocsPerRun(1000, func() {
		c, _ := l.Take(ctx, AddrKey(a))
		c.Refund()
		l.Take(ctx, TextKey(cookie))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTake(b *testing.B) {
	l := New(Settings{Rate: 1e9, Burst: 1e9})
	k := AddrKey(netip.MustParseAddr("192.0.2.1"))
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		l.Take(ctx, k)
	}
}

func BenchmarkTakeWhenFull(b *testing.B) {
	l := New(Settings{Rate: 1e-6, Burst: 1})
	for i := range 200_000 {
		passes(l, TextKey(fmt.Sprint(i)))
	}
	ctx := context.Background()
	i := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		i++
		l.Take(ctx, Key{id: id{kind: kindText, hi: i}})
	}
}
