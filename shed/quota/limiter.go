package quota

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Settings are what a quota allows. Rate is in events a second for each key; zero or less, or +Inf, means no limit. Burst is
// how many may come at once after a pause; less than 1 means 1. Size bounds the keys that are remembered, 65536 where it is
// not positive; it is rounded up to a multiple of 16.
type Settings struct {
	Rate  float64
	Burst int
	Size  int
}

const (
	shards      = 16
	spills      = 16 // spill buckets a shard
	defaultSize = 65536
	// glance is how many remembered keys a new one looks at for a place to take. It bounds the work that a stranger causes
	// under a lock.
	glance = 8
)

// Limiter counts what each key takes. The zero value allows everything. It is safe for concurrent use, starts no goroutine,
// and a call costs no allocation for a key that is known.
type Limiter struct {
	shards [shards]shard
}

// New returns a Limiter with these settings.
func New(s Settings) *Limiter {
	l := new(Limiter)
	l.Set(s)
	return l
}

// Set changes the settings in place. What callers have taken stays taken, unless the limit is lifted: then nobody is
// remembered. Where Size shrinks, keys that still hold a debt are kept, and their places go to new keys once it is gone.
func (l *Limiter) Set(s Settings) {
	r := rate.Limit(s.Rate)
	if !(s.Rate > 0) || math.IsInf(s.Rate, 1) {
		r = rate.Inf
	}
	if s.Size <= 0 {
		s.Size = defaultSize
	}
	for i := range l.shards {
		l.shards[i].set(r, max(s.Burst, 1), (s.Size-1)/shards+1)
	}
}

// Take counts one event of k. A zero duration means: go on. Otherwise nothing was counted, the Charge is empty, and the
// duration, always positive, is when to come again at the earliest. It never blocks; ctx is for limiters that ask others.
func (l *Limiter) Take(_ context.Context, k Key) (Charge, time.Duration) {
	p := k.place()
	s := &l.shards[p%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate == rate.Inf || s.rate == 0 {
		return Charge{}, 0
	}
	// The clock is read under the lock: a bucket that sees time run backwards fills twice.
	now := time.Now()
	b := s.find(k, p/shards, now)
	if b.AllowN(now, 1) {
		return Charge{shard: s, bucket: b}, 0
	}
	missing := 1 - b.TokensAt(now)
	wait := math.Ceil(missing / float64(s.rate) * float64(time.Second))
	if wait >= math.MaxInt64 {
		return Charge{}, math.MaxInt64
	}
	return Charge{}, max(time.Duration(wait), 1)
}

// Len returns how many keys are remembered. Spill buckets do not count.
func (l *Limiter) Len() int {
	n := 0
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.places)
		s.mu.Unlock()
	}
	return n
}

// Charge is one event that was counted. The zero value is none. It belongs to one exchange: it is not safe for concurrent
// use, and only one copy of it may be refunded.
type Charge struct {
	shard  *shard
	bucket *rate.Limiter
}

// Refund gives the event back, as if it had not been taken. Calling it again, or on an empty Charge, does nothing.
func (c *Charge) Refund() {
	s, b := c.shard, c.bucket
	if b == nil {
		return
	}
	*c = Charge{}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Taking minus one event adds one; a bucket holds no more than its burst. Reservation.Cancel would not do: it gives
	// nothing back once the time of the event has passed.
	b.AllowN(time.Now(), -1)
}

// shard is one part of the table. Its slots are walked by a hand, as in a clock.
type shard struct {
	mu     sync.Mutex
	rate   rate.Limit
	burst  int
	size   int
	places map[Key]int // of slots
	slots  []slot
	hand   int
	spill  [spills]*rate.Limiter // made when needed
}

type slot struct {
	key    Key
	bucket *rate.Limiter
}

// find returns the bucket to charge for k, making room for a new key where it can.
func (s *shard) find(k Key, spread uint64, now time.Time) *rate.Limiter {
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
	if s.places == nil || r == rate.Inf {
		s.places, s.slots, s.hand, s.spill = make(map[Key]int), nil, 0, [spills]*rate.Limiter{}
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
