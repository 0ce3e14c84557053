package quota

import (
	"context"
	"testing"
)

func BenchmarkTakeShared(b *testing.B) {
	n := serve(b)
	l, ctx := New(Settings{Name: "q", Rate: 1e9, Burst: 1e9, Shared: n.sharing(patient)}), context.Background()
	k := TextKey("0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		l.Take(ctx, k)
	}
}

func BenchmarkTakeSharedByMany(b *testing.B) {
	n := serve(b)
	l, ctx := New(Settings{Name: "q", Rate: 1e9, Burst: 1e9, Shared: n.sharing(patient)}), context.Background()
	k := TextKey("0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			l.Take(ctx, k)
		}
	})
}

// The store is away, and known to be.
func BenchmarkTakeAway(b *testing.B) {
	s := NewShared(SharedSettings{Address: "127.0.0.1:1"})
	defer s.Close()
	l, ctx := New(Settings{Name: "q", Rate: 1e9, Burst: 1e9, Shared: s}), context.Background()
	k := TextKey("0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		l.Take(ctx, k)
	}
}

func BenchmarkTakeStrictlyAway(b *testing.B) {
	s := NewShared(SharedSettings{Address: "127.0.0.1:1"})
	defer s.Close()
	l, ctx := New(Settings{Name: "q", Rate: 1e9, Burst: 1e9, Shared: s}), context.Background()
	k := TextKey("0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		l.TakeStrictly(ctx, k)
	}
}

func BenchmarkSharedKey(b *testing.B) {
	k := TextKey("0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		k.shared("gatehouse:quota:", "sign-in-per-client")
	}
}
