package proxy

import (
	"math"
	"sync/atomic"
	"time"

	"gatehouse/shed"
)

// slowAfter is how long a pool may be kept waiting by a visitor before he counts as slow.
const slowAfter = time.Second

// slowly notes that it is the visitor now who keeps the exchange waiting. It may be called from a timer; quickly and the end of the
// exchange are the exchange's own.
func (x *exchange) slowly() {
	if p := x.handOver(); p != nil {
		p.recallForQueue()
	}
}

// handOver leaves the permit to the pool's Slow, and returns the pool; nil where there is nothing to leave.
func (x *exchange) handOver() *Pool {
	x.holding.Lock()
	defer x.holding.Unlock()
	if gate := x.permit.Of(); x.holder != nil || x.over || gate == nil || gate.Load().Limit == 0 {
		return nil
	}
	x.holder = x.pool.Slow.add(x.pool, x.class, x.permit, func() { x.life.End(shed.ErrDisplaced) })
	x.permit = shed.Permit{}
	return x.pool
}

// quickly notes that it is the pool's turn again.
func (x *exchange) quickly() {
	x.holding.Lock()
	defer x.holding.Unlock()
	x.regain()
}

// regain takes the permit back from the holder. It is called under the lock.
func (x *exchange) regain() {
	if h := x.holder; h != nil {
		x.holder = nil
		x.permit = h.pool.Slow.end(h)
	}
}

// leavePool gives the permit back, whoever has it.
func (x *exchange) leavePool() {
	x.holding.Lock()
	defer x.holding.Unlock()
	x.regain()
	x.over = true
	x.permit.Done()
}

// bodyLate notes that a body of that length is late.
func (x *exchange) bodyLate(length int64) {
	if _, whole := x.body.since(time.Now(), length); !whole {
		x.slowly()
	}
}

// reader watches how long an answer waits for the visitor to read it. begin, end and stop belong to who writes, who owes it a stop.
type reader struct {
	x     *exchange
	begun atomic.Int64 // when the write began that is under way, in Unix nanoseconds; 0: none is
	spent time.Duration
	timer *time.Timer
	over  atomic.Bool // it was stopped; a look that had begun may be the last
}

func (r *reader) begin() {
	r.begun.Store(time.Now().UnixNano())
	// There is more than fits a buffer; on HTTP/2 even the first piece may wait for the visitor to open his window.
	if r.timer == nil && (r.x.entry.BytesOut > 0 || r.x.v.Proto() == "HTTP/2.0") {
		r.timer = time.AfterFunc(math.MaxInt64, r.look) // which resets it, so it must be there first
		r.timer.Reset(slowAfter)
	}
}

func (r *reader) end() {
	r.spent += time.Duration(time.Now().UnixNano() - r.begun.Swap(0))
	if r.spent >= slowAfter {
		r.x.slowly()
	}
}

// look finds a write that does not come back, which only the timer sees.
func (r *reader) look() {
	if begun := r.begun.Load(); begun != 0 && time.Since(time.Unix(0, begun)) >= slowAfter {
		r.x.slowly()
		return
	}
	if !r.over.Load() {
		r.timer.Reset(slowAfter / 2)
	}
}

func (r *reader) stop() {
	r.over.Store(true)
	if r.timer != nil {
		r.timer.Stop()
	}
}
