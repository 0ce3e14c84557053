package upstream

import "time"

const (
	fullWeight = 1000
	coldWeight = fullWeight / 10
)

// warmth is the weight of a backend that has been in use for so long, of slow: from a tenth to the whole, evenly.
func warmth(used, slow time.Duration) int {
	switch {
	case used >= slow:
		return fullWeight
	case used <= 0:
		return coldWeight
	}
	return coldWeight + int((fullWeight-coldWeight)*int64(used/time.Microsecond)/max(1, int64(slow/time.Microsecond)))
}

// weight is called under the pool's lock.
func (b *backend) weight(now time.Time) int {
	if b.warmFrom.IsZero() {
		return fullWeight
	}
	w := warmth(now.Sub(b.warmFrom), b.pool.settings.SlowStart)
	if w == fullWeight {
		b.warmFrom = time.Time{}
	}
	return w
}
