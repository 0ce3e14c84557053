//go:build faults

package test

import (
	"testing"
	"time"
)

// TestFaultsSlowClients has a thousand come, to a pool without a limit and to one with few places.
func TestFaultsSlowClients(t *testing.T) {
	asShipped(t)
	for _, how := range []slowness{slowHeads, slowBodies, slowReaders} {
		t.Run(how.name+"/no limit", func(t *testing.T) { slowly(t, how, noLimit, 1000, 15*time.Second) })
		t.Run(how.name+"/few places", func(t *testing.T) { slowly(t, how, few, 1000, 15*time.Second) })
	}
}
