package quota

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	shards      = 16
	spills      = 16 // spill buckets a shard
	defaultSize = 65536
	// glance is how many remembered keys a new one looks at for a place to take. It bounds the work that a stranger causes
	// under a lock.
	glance = 8
)

// table holds this process's buckets. The zero value allows everything. It is safe for concurrent use.
type table struct {
	shards [shards]shard
}

func (t *table) set(r rate.Limit, burst, size int) {
	for i := range t.shards {
		t.shards[i].set(r, burst, (size-1)/shards+1)
	}
}

// take counts one event. A zero duration means that it was counted; the event is none where there is no limit.
func (t *table) take(k id) (event, time.Duration) {
	p := k.place()
	s := &t.shards[p%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate == rate.Inf || s.rate == 0 {
		return event{}, 0
	}
	// The clock is read under the lock: a bucket that sees time run backwards fills twice.
	now := s.now()
	b := s.find(k, p/shards, now)
	if b.AllowN(now, 1) {
		return event{s, b}, 0
	}
	missing := 1 - b.TokensAt(now)
	wait := math.Ceil(missing / float64(s.rate) * float64(time.Second))
	if wait >= math.MaxInt64 {
		return event{}, math.MaxInt64
	}
	return event{}, max(time.Duration(wait), 1)
}

func (t *table) len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.places)
		s.mu.Unlock()
	}
	return n
}

// event is one that a bucket counted. The zero value is none.
type event struct {
	shard  *shard
	bucket *rate.Limiter
}

func (e event) undo() {
	if e.bucket == nil {
		return
	}
	e.shard.mu.Lock()
	defer e.shard.mu.Unlock()
	// Taking minus one event adds one; a bucket holds no more than its burst. Reservation.Cancel would not do: it gives
	// nothing back once the time of the event has passed.
	e.bucket.AllowN(time.Now(), -1)
}

// shard is one part of the table. Its slots are walked by a hand, as in a clock.
type shard struct {
	mu     sync.Mutex
	from   time.Time // when it was set first
	rate   rate.Limit
	burst  int
	size   int
	places map[id]int // of slots
	slots  []slot
	hand   int
	spill  [spills]*rate.Limiter // made when needed
}

// now is time.Now for half the cost: only how long ago something was is asked of it, never the time of day. It is called under
// the lock.
func (s *shard) now() time.Time { return s.from.Add(time.Since(s.from)) }

type slot struct {
	key    id
	bucket *rate.Limiter
}

// find returns the bucket to charge for k, making room for a new key where it can.
func (s *shard) find(k id, spread uint64, now time.Time) *rate.Limiter {
	if i, ok := s.places[k]; ok {
		return s.slots[i].bucket
	}
	i := len(s.slots)
	if i >= s.size {
		if i = s.idle(now); i < 0 {
			return s.spilled(spread)
		}
		delete(s.places, s.slots[i].key)
	} else {
		s.slots = append(s.slots, slot{})
	}
	// The old bucket is not used again: a charge may still hold it.
	s.slots[i] = slot{k, rate.NewLimiter(s.rate, s.burst)}
	s.places[k] = i
	return s.slots[i].bucket
}

// idle returns a slot whose bucket is full, or -1 if a glance finds none.
func (s *shard) idle(now time.Time) int {
	for range min(glance, len(s.slots)) {
		s.hand = (s.hand + 1) % len(s.slots)
		if s.full(s.hand, now) {
			return s.hand
		}
	}
	return -1
}

func (s *shard) full(i int, now time.Time) bool {
	return s.slots[i].bucket.TokensAt(now) >= float64(s.burst)
}

func (s *shard) spilled(spread uint64) *rate.Limiter {
	b := &s.spill[spread%spills]
	if *b == nil {
		*b = rate.NewLimiter(s.rate, s.burst)
	}
	return *b
}

func (s *shard) set(r rate.Limit, burst, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.from.IsZero() {
		s.from = now
	}
	if s.places == nil || r == rate.Inf {
		s.places, s.slots, s.hand, s.spill = make(map[id]int), nil, 0, [spills]*rate.Limiter{}
	}
	// Full buckets start anew under the new settings; only those with a debt are carried over.
	s.sweep(now)
	s.rate, s.burst, s.size = r, burst, size
	for _, t := range s.slots {
		t.bucket.SetLimitAt(now, r)
		t.bucket.SetBurstAt(now, burst)
	}
	for _, b := range s.spill {
		if b != nil {
			b.SetLimitAt(now, r)
			b.SetBurstAt(now, burst)
		}
	}
}

// sweep drops every idle slot.
func (s *shard) sweep(now time.Time) {
	kept := s.slots[:0]
	for i, t := range s.slots {
		if s.full(i, now) {
			delete(s.places, t.key)
			continue
		}
		s.places[t.key] = len(kept)
		kept = append(kept, t)
	}
	clear(s.slots[len(kept):])
	s.slots, s.hand = kept, 0
}
