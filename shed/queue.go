package shed

import (
	"sync/atomic"
	"time"
)

// queue is who waits of one class, in the order of coming. The zero value is empty. Its gate's lock guards it.
//
// In calm the first goes first. Under overload the newest does: then whoever is let in has hardly waited and is still there to
// be helped, where first come, first served would let everybody in just before, or just after, he gives up. The rule for telling
// one from the other is CoDel's (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012), and what follows
// from it is Facebook's (Maurer, "Fail at Scale", ACM Queue 13(8), 2015: controlled delay, and adaptive last-in, first-out):
//
//   - A queue is well at a moment when it is empty in calm, or when it lets somebody in who waited less than a quarter of its timeout
//     (CoDel's target). A burst that is worked off keeps it well.
//   - It is overloaded once it has not been well for as long as its timeout (CoDel's interval). Then the newest goes first, and
//     nobody waits longer than the target: older ones sit there in vain.
//   - The overload ends when the queue is empty and stays so for as long as the target. While the newest goes first, that one is
//     let in quickly says nothing, and neither does a queue that empties: it does so because its old ones gave up. To call that
//     calm would turn the order round again and again, and let everybody wait long for whom it was just turned.
//
// Each class has a queue of its own, so that a flood of one neither turns the order of another round nor shortens its patience.
type queue struct {
	first, last *place
	n           int
	well        time.Time // when it was well last
	turned      time.Time // when the newest went first last
}

// place is where a waiter stands in a queue.
type place struct {
	waiter     *waiter
	prev, next *place
	in         *queue // nil: in none
}

// waiter is one who queues: at one gate, and perhaps as a guest at another. Whoever settles his fate owes him the outcome.
type waiter struct {
	class      Class
	came       time.Time
	timeout    time.Duration
	queued     func(Class) // see GateSettings
	settled    atomic.Bool
	result     chan outcome // of one outcome, so that no gate ever waits for a waiter
	own, guest place
}

type outcome struct {
	permit Permit
	err    error
}

func newWaiter(c Class, now time.Time, timeout time.Duration) *waiter {
	w := &waiter{class: c, came: now, timeout: timeout, result: make(chan outcome, 1)}
	w.own.waiter, w.guest.waiter = w, w
	return w
}

// settle reports whether the fate of w is the caller's to decide. It is so once.
func (w *waiter) settle() bool { return w.settled.CompareAndSwap(false, true) }

// target is how long one may wait in a queue that is well, and the longest wait in one that is overloaded.
func (w *waiter) target() time.Duration { return w.timeout / 4 }

func (q *queue) push(p *place, now time.Time) {
	if q.n == 0 && now.Sub(q.turned) >= p.waiter.target() {
		q.well = now
	}
	p.in, p.prev, p.next = q, q.last, nil
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
	q.n++
}

// remove takes p out and reports whether it was in.
func (q *queue) remove(p *place) bool {
	if p.in != q {
		return false
	}
	if p.prev == nil {
		q.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.in, p.prev, p.next = nil, nil, nil
	q.n--
	return true
}

func (q *queue) overloaded(now time.Time) bool {
	return q.n > 0 && now.Sub(q.well) >= q.first.waiter.timeout
}

// serve takes out whose turn it is. The queue must not be empty.
func (q *queue) serve(now time.Time) *waiter {
	p := q.first
	if q.overloaded(now) {
		p = q.last
		q.turned = now
	} else if now.Sub(p.waiter.came) < p.waiter.target() {
		q.well = now
	}
	q.remove(p)
	return p.waiter
}

// lastInTurn returns who would be served last: the newest in calm, the oldest under overload. The queue must not be empty.
func (q *queue) lastInTurn(now time.Time) *place {
	if q.overloaded(now) {
		return q.first
	}
	return q.last
}

// deadline is how long w, who is in the queue, may wait as things stand. Only later does it ever become, and never later than
// w's timeout after he came.
func (q *queue) deadline(w *waiter) time.Time {
	late, soonest, overload := w.came.Add(w.timeout), w.came.Add(w.target()), q.well.Add(w.timeout)
	switch {
	case overload.After(late):
		return late
	case overload.Before(soonest):
		return soonest
	default:
		return overload
	}
}
