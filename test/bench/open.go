//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// open has requests come at a mean rate a second, with gaps that the seed determines, whatever becomes of the earlier ones. When
// no visitor is free they wait, and that is part of their time. What is not answered at the end counts with the time it has waited.
func open(p *process, w wish, length time.Duration, rate float64, seed uint64) (run, error) {
	l := &load{pid: p.pid()}
	clock, err := newAlarm()
	if err != nil {
		return run{}, err
	}
	defer clock.close()
	due := make(chan time.Duration, int(2*rate*(length+warmUp+time.Second).Seconds())) // all that can come
	visitors := make([]visit, connections)
	took := make([][]time.Duration, connections)
	for i := range visitors {
		visitors[i] = w.begin(p, i)
		defer visitors[i].close()
		if err := visitors[i].dial(); err != nil {
			return run{}, err
		}
		took[i] = make([]time.Duration, 0, cap(due)/8)
	}
	begun := time.Now()
	var stopped atomic.Bool
	var wg sync.WaitGroup
	for i, v := range visitors {
		wg.Go(func() {
			for at := range due {
				if !stopped.Load() {
					if err := v.ask(); err != nil {
						l.fail(err)
						continue
					}
					l.done.Add(1)
				}
				if at >= warmUp {
					took[i] = append(took[i], time.Since(begun)-at)
				}
			}
		})
	}
	wg.Go(func() {
		defer close(due)
		random := rand.New(rand.NewPCG(seed, 0))
		for at := time.Duration(0); !stopped.Load(); at += time.Duration(random.ExpFloat64() / rate * float64(time.Second)) {
			clock.wait(at - time.Since(begun))
			select {
			case due <- at:
			default: // more came than can: the mean rate is kept for long enough
			}
		}
	})
	r, err := l.watch(length, func() {
		stopped.Store(true)
		wg.Wait()
	})
	if err != nil {
		return r, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	r.p50, r.p99 = quantile(all, 0.50), quantile(all, 0.99)
	return r, l.finish(&r)
}

// quantile returns the value below which that part of sorted values lies, 0 where there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// alarm wakes a goroutine to the microsecond: the runtime's own timers wake an idle program up to a millisecond late. It is the
// kernel's timerfd, which the runtime waits for as for a socket. Its owner must close it. It is not safe for concurrent use.
type alarm struct {
	fd   uintptr
	file *os.File
	buf  [8]byte
}

func newAlarm() (*alarm, error) {
	const monotonic = 1
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("timerfd_create", errno)
	}
	return &alarm{fd: fd, file: os.NewFile(fd, "timerfd")}, nil
}

// wait returns after that long, at once where it is not positive.
func (a *alarm) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	spec := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(d))} // no repetition, once after d
	_, _, errno := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, a.fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		time.Sleep(d)
		return
	}
	_, _ = a.file.Read(a.buf[:]) // it cannot fail but by being closed
}

func (a *alarm) close() { _ = a.file.Close() }
