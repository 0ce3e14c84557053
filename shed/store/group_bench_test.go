package store

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/shed"
)

// What a Group costs for each check of each of its parts.
func BenchmarkRenewal(b *testing.B) {
	for _, n := range []int{3, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var parts []Part
			for i := range n {
				parts = append(parts, Part{Name: fmt.Sprint(i), Prober: &script{}})
			}
			g := NewGroup(Fixed(parts...), together(0), nil)
			defer g.Close()
			now := time.Now()
			for _, p := range g.roster.Load().list {
				p.monitor.at.Store(&standing{state: shed.Writable, cause: shed.OK, observed: shed.Writable, begun: now, over: time.Hour})
			}
			b.ReportAllocs()
			for b.Loop() {
				g.publish(now, nil)
			}
		})
	}
}
