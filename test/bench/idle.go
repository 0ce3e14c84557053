//go:build linux

package main

import (
	"time"
)

// idlers is how many connections stand idle at once.
const idlers = 2000

// idle returns how much a proxy that was just started grows by for each connection that had an answer and now is idle, in bytes.
func idle(p *process) (float64, error) {
	ask := small()
	// A few at once first, so that what is made only once, such as the connections to the backend, is there.
	if _, err := closed(p, ask, 100*time.Millisecond); err != nil {
		return 0, err
	}
	time.Sleep(200 * time.Millisecond)
	before, err := memoryOf(p.pid(), "VmRSS")
	if err != nil {
		return 0, err
	}
	all := make([]*visitor, idlers)
	for i := range all {
		all[i] = newVisitor(p.address, i)
		defer all[i].close()
		if err := all[i].ask(ask); err != nil {
			return 0, err
		}
	}
	time.Sleep(2 * time.Second) // what is given back is given back by then, or it is kept
	after, err := memoryOf(p.pid(), "VmRSS")
	return float64(after-before) / idlers, err
}
