package proxy

import (
	"slices"
	"sync"
	"sync/atomic"

	"gatehouse/shed"
)

// Slow is who holds a permit of a pool because of his own pace: he sends his body, or reads his answer, more slowly than the pool
// works. Twenty such visitors would fill a pool for as long as they like, so they give way to whoever has more right to the place.
// It is state, safe for concurrent use; the zero value is ready.
type Slow struct {
	n      atomic.Int64 // so that asking costs nothing while there is nobody
	mu     sync.Mutex
	shares shed.Shares
	all    []*holder // who came first is first
}

// set says what each class is sure of.
func (s *Slow) set(shares shed.Shares) {
	s.mu.Lock()
	s.shares = shares
	s.mu.Unlock()
}

// holder has the permit of one slow exchange, and gives it back once: at the exchange's end, or when it is recalled.
type holder struct {
	pool   *Pool
	class  shed.Class
	permit shed.Permit
	cut    func() // ends the exchange
	gone   bool   // under Slow.mu
}

// add takes a permit over. The caller owes the holder an end, and uses the permit no more.
func (s *Slow) add(p *Pool, c shed.Class, permit shed.Permit, cut func()) *holder {
	h := &holder{pool: p, class: c, permit: permit, cut: cut}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, h)
	s.n.Add(1)
	return h
}

// leave takes the holder out, and reports whether it still was in. It is called under the lock.
func (s *Slow) leave(h *holder) bool {
	if h.gone {
		return false
	}
	h.gone = true
	s.all = slices.DeleteFunc(s.all, func(o *holder) bool { return o == h })
	s.n.Add(-1)
	return true
}

// end takes the permit back from the holder, if it has it still: the zero Permit if it was recalled.
func (s *Slow) end(h *holder) shed.Permit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leave(h) {
		return shed.Permit{}
	}
	return h.permit
}

// recall has one of the slow give way to a request of class c, where the pool is full and one of them must: of the least class, the
// one that has been slow for longest. It reports whether one did.
func (p *Pool) recall(c shed.Class) bool {
	s := &p.Slow
	if s.n.Load() == 0 {
		return false
	}
	load := p.Gate.Load()
	if load.Limit == 0 || load.InFlight < load.Limit {
		return false
	}
	var held [shed.NumClasses]int
	for i, l := range load.Classes {
		held[i] = l.InFlight
	}
	h := s.choose(c, held, load.Limit)
	if h == nil {
		return false
	}
	h.permit.Done()
	h.cut()
	return true
}

// recallForQueue has one of the slow give way to whoever matters most of those who queue: they were there before he was slow.
func (p *Pool) recallForQueue() {
	load := p.Gate.Load()
	for _, c := range shed.Classes {
		if load.Classes[c].Queued > 0 && p.recall(c) {
			return
		}
	}
}

// Set changes the pool's bounds in place: those of its gate, and who gives way to whom.
func (p *Pool) Set(s shed.GateSettings) {
	s.Queued = func(c shed.Class) { p.recall(c) } // he is in the queue by then, so the place is his if nobody goes before him
	p.Gate.Set(s)
	p.Slow.set(s.Shares)
}

func (s *Slow) choose(c shed.Class, held [shed.NumClasses]int, limit int) *holder {
	s.mu.Lock()
	defer s.mu.Unlock()
	var least *holder
	for _, h := range s.all {
		if (least == nil || h.class > least.class) && shed.GivesWay(h.class, c, held, limit, s.shares) {
			least = h
		}
	}
	if least != nil {
		s.leave(least)
	}
	return least
}
