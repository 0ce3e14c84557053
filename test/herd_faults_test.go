//go:build faults

package test

import (
	"testing"
	"time"
)

// TestFaultsHerd kills the store under 330 who sign in. The same without a ramp is seen to let them all in at once, which is what
// the ramp is for.
func TestFaultsHerd(t *testing.T) {
	with := herd{
		name: "ramp", people: 300, hammers: 30, gates: 1, kill: true, outage: 10 * time.Second, from: 5, to: 40, over: 10 * time.Second,
	}
	with.judge(t, with.run(t))

	without := with
	without.name, without.off = "no ramp", true
	if most, allowed := without.judge(t, without.run(t)); float64(most) < allowed*1.25+3 {
		t.Errorf("without a ramp %d came in the worst second, where the ramp would have had %.1f: this proves nothing", most, allowed)
	}
}

// TestFaultsHerdAtTwoGates is the same at two Gatehouses with one key, after a closure that is longer than what is promised of the order.
func TestFaultsHerdAtTwoGates(t *testing.T) {
	h := herd{
		name: "two gates", people: 240, hammers: 24, gates: 2, outage: 15 * time.Second, from: 2.5, to: 20, over: 10 * time.Second,
	}
	h.judge(t, h.run(t))
}
