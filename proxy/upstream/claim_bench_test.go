package upstream

import (
	"fmt"
	"testing"
)

func BenchmarkClaim(b *testing.B) {
	for _, n := range []int{3, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprint("b", i))
			}
			p := NewPool(named(names...), nil)
			defer p.Close()
			b.ReportAllocs()
			for b.Loop() {
				var tried Tried
				c, err := p.Claim(&tried)
				if err != nil {
					b.Fatal(err)
				}
				c.End(Result{})
			}
		})
	}
}
