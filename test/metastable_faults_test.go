//go:build faults

package test

import (
	"testing"
	"time"
)

// TestFaultsMetastable is a longer outage, and long enough a look at what follows that everybody who was turned away is in again.
func TestFaultsMetastable(t *testing.T) {
	o := outage{capacity: 40, rate: 20, calm: 3 * time.Second, outage: 10 * time.Second, further: 40 * time.Second, impatience: time.Second}
	with, _ := o.prove(t)
	if most := 3 * o.rate; with.left > most {
		t.Errorf("%d were not signed in at the end; want at most those of the last seconds, %d", with.left, most)
	}
}
