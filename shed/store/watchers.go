package store

import (
	"math/rand/v2"
	"sync"

	"gatehouse/shed"
)

// Hearer wants to know when a store closes. StoreClosed must return at once (cancel something, signal somebody), and may begin to watch
// again, also with the same Watcher, to hear of the next closing.
type Hearer interface{ StoreClosed(v shed.Verdict) }

// Watcher is a Hearer's place among those who are told when a store closes. The zero value is ready; it must not be copied once it
// watches. It watches one store at a time, and its owner's calls of Watch and Stop must not run at the same time, those by StoreClosed
// among them. Its memory is its owner's, so that watching allocates nothing.
type Watcher struct {
	shard *shard

	// The rest is under the shard's lock.
	hearer     Hearer
	round      uint64 // of the shard when it came
	prev, next *Watcher
	listed     bool
}

// Stop ends watching, and reports whether the Hearer was not told and will not be: then nobody has the Watcher any more. Where it reports
// false, StoreClosed has been called, and may still be running; or it did not watch.
func (w *Watcher) Stop() bool {
	if w.shard == nil {
		return false
	}
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	if !w.listed {
		return false
	}
	w.shard.remove(w)
	return true
}

// watchers are those who want to know when the store closes: one for each request in flight, so they are kept in shards,
// and coming and going costs the same however many there are. The zero value is empty.
type watchers struct {
	shards [32]shard
}

// shard is a list, the latest first.
type shard struct {
	mu         sync.Mutex
	head, tail *Watcher
	round      uint64   // goes up with each closing
	_          [32]byte // a cache line each
}

func (sh *shard) remove(w *Watcher) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		sh.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		sh.tail = w.prev
	}
	w.prev, w.next, w.listed = nil, nil, false
}

// Watch has h told once when the state becomes impaired, or worsens from read-only to down, by the checks or by an override, unless w
// is stopped before. It is told in the Monitor's own goroutine, or in that of who set the override. Since the store may close at any
// moment, watch first and look at Current afterwards. w must not be watching.
func (m *Monitor) Watch(w *Watcher, h Hearer) { m.watch.put(w, h) }

func (ws *watchers) put(w *Watcher, h Hearer) {
	sh := &ws.shards[rand.Uint32()%uint32(len(ws.shards))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	w.hearer, w.shard, w.round, w.listed = h, sh, sh.round, true
	w.prev, w.next = nil, sh.head
	if sh.head != nil {
		sh.head.prev = w
	} else {
		sh.tail = w
	}
	sh.head = w
}

// fire tells everybody who is registered now. Those who register meanwhile wait for the next time.
func (ws *watchers) fire(v shed.Verdict) {
	var rounds [len(ws.shards)]uint64
	for i := range ws.shards {
		sh := &ws.shards[i]
		sh.mu.Lock()
		sh.round++
		rounds[i] = sh.round
		sh.mu.Unlock()
	}
	for i := range ws.shards {
		for {
			h := ws.shards[i].take(rounds[i])
			if h == nil {
				break
			}
			h.StoreClosed(v)
		}
	}
}

// take takes out the one who came first, if that was before this round. One after the other, since who has stopped may use his Watcher
// for something else while others are told.
func (sh *shard) take(before uint64) Hearer {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	w := sh.tail
	if w == nil || w.round >= before {
		return nil
	}
	sh.remove(w)
	return w.hearer
}
