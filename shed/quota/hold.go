package quota

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	// holdMost is for how long a refusal is repeated without asking again. What others give back meanwhile is not seen.
	holdMost  = 100 * time.Millisecond
	holdPlace = 4096
)

// holds remembers whom the store refused a moment ago. One who hammers thus costs it ten questions a second and not as many as
// he likes: else he could make it late for everybody, and profit from what is allowed while it is away. Two keys that meet in
// one place displace each other, which costs no more than a question. It is safe for concurrent use.
type holds struct {
	from   time.Time // what the places' times count from
	mu     sync.Mutex
	places [holdPlace]hold
}

type hold struct {
	key        id
	due, until time.Duration
}

func (h *holds) place(k id) *hold { return &h.places[maphash.Comparable(seedPlace, k)%holdPlace] }

// wait returns how long k, who was refused, has to wait; 0 where the store is to be asked.
func (h *holds) wait(k id) time.Duration {
	now := time.Since(h.from)
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.place(k); p.key == k && now < p.until {
		return p.due - now
	}
	return 0
}

// refused notes that the store told k to wait.
func (h *holds) refused(k id, wait time.Duration) {
	now := time.Since(h.from)
	h.mu.Lock()
	defer h.mu.Unlock()
	due := now + wait
	if due < now {
		due = 1<<63 - 1
	}
	*h.place(k) = hold{k, due, now + min(wait, holdMost)}
}

// forget has the store asked about k again.
func (h *holds) forget(k id) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.place(k); p.key == k {
		p.until = 0
	}
}
