//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many visitors there are at once.
const connections = 64

// warmUp is how long a load runs before it is measured.
const warmUp = 400 * time.Millisecond

// reading is what was seen at one moment of a load.
type reading struct {
	at   time.Time
	cpu  time.Duration
	done int64
}

// run is what came of a load: what happened from the end of its warm-up to its end.
type run struct {
	cpu      time.Duration // the proxy's
	done     int           // answers
	took     time.Duration
	p50, p99 time.Duration // of an open load
	failed   int           // requests without the wanted answer, in the whole load
	why      error         // the first of those
	peak     int64         // the proxy's memory, in bytes
}

func (r run) rate() float64 { return float64(r.done) / r.took.Seconds() }

// each returns the proxy's CPU for one request.
func (r run) each() time.Duration { return r.cpu / time.Duration(max(1, r.done)) }

// load counts what comes of requests. It is safe for concurrent use.
type load struct {
	pid  int // the proxy's
	done atomic.Int64

	mu     sync.Mutex
	failed int
	why    error
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	l.why = cmp.Or(l.why, err)
}

func (l *load) read() (reading, error) {
	cpu, err := cpuOf(l.pid)
	return reading{at: time.Now(), cpu: cpu, done: l.done.Load()}, err
}

// watch reads after the warm-up and again after that long, and has the load end.
func (l *load) watch(length time.Duration, end func()) (run, error) {
	defer end()
	time.Sleep(warmUp)
	from, err := l.read()
	if err != nil {
		return run{}, err
	}
	time.Sleep(length)
	to, err := l.read()
	if err != nil {
		return run{}, err
	}
	peak, err := memoryOf(l.pid, "VmHWM")
	return run{cpu: to.cpu - from.cpu, done: int(to.done - from.done), took: to.at.Sub(from.at), peak: peak}, err
}

var errSlow = errors.New("no answer came in time")

// finish adds what is only known at the end.
func (l *load) finish(r *run) error {
	r.failed, r.why = l.failed, l.why
	if r.done == 0 {
		return fmt.Errorf("not one good answer: %w", cmp.Or(l.why, errSlow))
	}
	return nil
}

// closed has every visitor ask again as soon as there is an answer.
func closed(p *process, w wish, length time.Duration) (run, error) {
	l := &load{pid: p.pid()}
	var stopped atomic.Bool
	var wg sync.WaitGroup
	for i := range connections {
		v := w.begin(p, i)
		wg.Go(func() {
			defer v.close()
			for !stopped.Load() {
				if err := v.ask(); err != nil {
					l.fail(err)
					time.Sleep(10 * time.Millisecond) // not a storm of whoever cannot connect
					continue
				}
				l.done.Add(1)
			}
		})
	}
	r, err := l.watch(length, func() {
		stopped.Store(true)
		wg.Wait()
	})
	if err != nil {
		return r, err
	}
	return r, l.finish(&r)
}
