package store

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"gatehouse/shed"
)

// watchers are those who want to know when the store closes: one for each request in flight, so they are kept in shards,
// and coming and going costs the same however many there are. The zero value is empty.
type watchers struct {
	shards [32]shard
}

type shard struct {
	mu   sync.Mutex
	head *watcher
	_    [48]byte // a cache line each
}

type watcher struct {
	tell       func(shed.Verdict)
	shard      *shard
	done       atomic.Bool // told, or stopped
	prev, next *watcher
	out        bool // no longer in the list; under the shard's lock
}

// OnClose calls f once when the state becomes impaired, or worsens from read-only to down, by the checks or by an override. f runs
// in the Monitor's own goroutine, or in that of who set the override: it must return at once (cancel something, signal somebody) and may call OnClose again to hear of the next
// closing. Since the store may close at any moment, register first and look at Current afterwards.
//
// stop is idempotent and cheap. Once it has returned f will not begin any more, though one that began may still be running.
func (m *Monitor) OnClose(f func(shed.Verdict)) (stop func()) { return m.watch.add(f) }

func (ws *watchers) add(f func(shed.Verdict)) (stop func()) {
	sh := &ws.shards[rand.Uint32()%uint32(len(ws.shards))]
	w := &watcher{tell: f, shard: sh}
	sh.mu.Lock()
	if w.next = sh.head; w.next != nil {
		w.next.prev = w
	}
	sh.head = w
	sh.mu.Unlock()
	return w.stop
}

func (w *watcher) stop() {
	if !w.done.CompareAndSwap(false, true) {
		return
	}
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	if w.out {
		return
	}
	w.out = true
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		w.shard.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
}

// fire tells everybody who is registered now. Those who register meanwhile wait for the next time.
func (ws *watchers) fire(v shed.Verdict) {
	var lists [len(ws.shards)]*watcher
	for i := range ws.shards {
		sh := &ws.shards[i]
		sh.mu.Lock()
		lists[i], sh.head = sh.head, nil
		for w := lists[i]; w != nil; w = w.next {
			w.out = true
		}
		sh.mu.Unlock()
	}
	for _, w := range lists {
		for ; w != nil; w = w.next {
			if w.done.CompareAndSwap(false, true) {
				w.tell(v)
			}
		}
	}
}
