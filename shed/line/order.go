package line

import "time"

// bins is how many pieces the time since the closure began is told apart in.
const bins = 2048

// most is where the histogram stops counting, so that no flood can overflow it.
const most = 1 << 31

// order knows how many were first turned away before any moment of a closure, without knowing who. It is a histogram of first
// turn-aways of a fixed size: when a moment lies past its last bin, bins join in pairs and are twice as wide from then on.
// Within a bin people are taken to have come evenly. The counts are kept as a tree of partial sums (Fenwick), so that adding
// and asking take eleven steps each.
type order struct {
	width time.Duration // of a bin
	total float64       // how many were counted
	tree  [bins]uint32  // tree[i-1] is the sum of the bins (i - lowest bit of i, i]
}

// reset forgets everybody.
func (o *order) reset(width time.Duration) { *o = order{width: width} }

// fits says whether that moment lies within the bins, which widen makes so in the end.
func (o *order) fits(seen time.Duration) bool { return seen/o.width < bins }

// bin is the bin of a moment, the first or last of them where it lies outside.
func (o *order) bin(seen time.Duration) int { return int(min(max(seen/o.width, 0), bins-1)) }

// add counts somebody who was first turned away at that moment.
func (o *order) add(seen time.Duration) {
	if o.total >= most {
		return
	}
	o.total++
	for i := o.bin(seen) + 1; i <= bins; i += i & -i {
		o.tree[i-1]++
	}
}

// at is the bin of somebody with so many before him.
func (o *order) at(before float64) (bin int) {
	for step := bins / 2; step > 0; step /= 2 {
		if n := float64(o.tree[bin+step-1]); n <= before {
			bin += step
			before -= n
		}
	}
	return bin
}

// before is how many were first turned away before that moment.
func (o *order) before(seen time.Duration) float64 {
	if seen <= 0 {
		return 0
	}
	bin := int(min(seen/o.width, bins))
	if bin == bins {
		return o.total
	}
	low, next := o.sum(bin), o.sum(bin+1)
	part := float64(seen-time.Duration(bin)*o.width) / float64(o.width)
	return float64(low) + part*float64(next-low)
}

// sum is how many are in the first n bins.
func (o *order) sum(n int) (s uint32) {
	for ; n > 0; n &= n - 1 {
		s += o.tree[n-1]
	}
	return s
}

// widen makes every bin twice as wide. It turns the partial sums into counts and back, in place.
func (o *order) widen() {
	for i := bins; i > 0; i-- {
		if j := i + i&-i; j <= bins {
			o.tree[j-1] -= o.tree[i-1]
		}
	}
	for i := range bins / 2 {
		o.tree[i] = o.tree[2*i] + o.tree[2*i+1]
	}
	clear(o.tree[bins/2:])
	for i := 1; i <= bins; i++ {
		if j := i + i&-i; j <= bins {
			o.tree[j-1] += o.tree[i-1]
		}
	}
	o.width *= 2
}
