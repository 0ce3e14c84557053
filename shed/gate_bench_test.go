package shed

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkTurn is what it costs to queue and be let in, at a gate of four permits that 64 goroutines want.
func BenchmarkTurn(b *testing.B) {
	var g Gate
	g.Set(GateSettings{Limit: 4, Length: 128, Timeout: time.Minute, Shares: usualShares})
	ctx := b.Context()
	b.ReportAllocs()
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	var kind atomic.Int32
	b.RunParallel(func(pb *testing.PB) {
		c := Classes[int(kind.Add(1))%NumClasses]
		for pb.Next() {
			p, err := g.Acquire(ctx, c)
			if err != nil {
				b.Error(err)
				return
			}
			runtime.Gosched() // so that others find the gate full
			p.Done()
		}
	})
}

// BenchmarkAdmission is what a request costs at a gate that has room: with 16 goroutines that do nothing else, on as many
// processors as -cpu says. To compare: go test -run '^$' -bench Admission -cpu 1,2 -count 10 ./shed | benchstat -col /gate -
func BenchmarkAdmission(b *testing.B) {
	const goroutines = 16
	for _, c := range []struct {
		name     string
		settings GateSettings
		sample   bool
	}{
		{"gate=open", GateSettings{}, false},
		{"gate=fixed", GateSettings{Limit: 64, Length: 128, Timeout: 2 * time.Second, Shares: usualShares, Reserve: 0.1}, false},
		{"gate=adaptive", GateSettings{Adaptive: &AdaptiveSettings{}, Length: 128, Timeout: 2 * time.Second, Shares: usualShares}, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			var own, over Gate
			own.Set(c.settings)
			ctx := b.Context()
			b.ReportAllocs()
			b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p, err := Enter(ctx, &own, &over, SignIn)
					if err != nil {
						b.Error(err)
						return
					}
					if c.sample {
						p.Sample(time.Millisecond, false)
					}
					p.Done()
				}
			})
		})
	}
}
