package edge

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Life is the context of a connection, or of one exchange on it. It is a context.Context that costs little to begin, to watch and to
// end, since there is one for every request: without anybody who waits on Done it needs no memory of its own.
//
// It gives up two things for that. Its Err is what it ended with, where that was said, rather than context.Canceled: errors.Is finds
// both in it, and context.Cause returns the same. And it has no deadline and carries no values, not even its parent's.
//
// Begin must be called before anything else, and End must be called in the end. It is safe for concurrent use, and must not be copied
// or begun again.
type Life struct {
	parent *Life       // nil: another kind of context, or none left to hear of
	leave  func() bool // ends the watch on that other kind; nil: none

	over atomic.Pointer[ended] // how it ended; nil: it goes on

	mu    sync.Mutex
	done  chan struct{} // nil until somebody waits
	told  []telling     // who is told of the end
	turn  uint64        // of the latest of them
	first [1]telling    // room for told

	child       *Life // the first of those that end with it
	prev, after *Life // its parent's other children, under the parent's lock
	among       bool  // it is one of them, likewise
}

// telling is somebody who is told of an end; without f it is room for another one.
type telling struct {
	f    func()
	turn uint64
}

// ended is what a Life ended with.
type ended struct{ cause error }

func (e *ended) Error() string   { return e.cause.Error() }
func (e *ended) Unwrap() []error { return []error{e.cause, context.Canceled} }

// Begin has l go on until parent ends, or End is called.
func (l *Life) Begin(parent context.Context) {
	p, ok := parent.(*Life)
	if !ok {
		l.leave = context.AfterFunc(parent, func() { l.end(context.Cause(parent)) })
		return
	}
	p.mu.Lock()
	over := p.over.Load()
	if over == nil {
		l.parent, l.among, l.after = p, true, p.child
		if p.child != nil {
			p.child.prev = l
		}
		p.child = l
	}
	p.mu.Unlock()
	if over != nil {
		l.end(over)
	}
}

// End ends l and what began under it; nil means context.Canceled. Only the first end counts.
func (l *Life) End(cause error) {
	if l.leave != nil {
		l.leave()
	}
	if l.parent != nil {
		l.parent.forget(l)
	}
	l.end(cause)
}

func (l *Life) end(cause error) {
	if l.over.Load() != nil {
		return
	}
	over, ok := cause.(*ended)
	if cause == nil {
		over = canceled
	} else if !ok {
		over = &ended{cause}
	}
	l.mu.Lock()
	if !l.over.CompareAndSwap(nil, over) {
		l.mu.Unlock()
		return
	}
	if l.done != nil {
		close(l.done)
	}
	told := l.told
	l.told = nil
	var children []*Life
	for c := l.child; c != nil; c = c.after {
		c.among = false
		children = append(children, c)
	}
	l.child = nil
	l.mu.Unlock()
	for _, t := range told {
		if t.f != nil {
			go t.f()
		}
	}
	for _, c := range children {
		c.end(over)
	}
}

// canceled is the end of a Life of which nothing was said.
var canceled = &ended{context.Canceled}

// forget lets go of a child that ends by itself.
func (l *Life) forget(c *Life) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.among {
		return
	}
	c.among = false
	if c.prev != nil {
		c.prev.after = c.after
	} else {
		l.child = c.after
	}
	if c.after != nil {
		c.after.prev = c.prev
	}
	c.prev, c.after = nil, nil
}

// AfterFunc is what context.AfterFunc is: f runs in a goroutine of its own once l has ended; stop reports whether it kept f from that.
func (l *Life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	if l.over.Load() != nil {
		l.mu.Unlock()
		go f()
		return func() bool { return false }
	}
	l.turn++
	at, t := 0, telling{f, l.turn}
	for at < len(l.told) && l.told[at].f != nil {
		at++
	}
	switch {
	case at < len(l.told):
		l.told[at] = t
	case at == 0:
		l.told = append(l.first[:0], t)
	default:
		l.told = append(l.told, t)
	}
	l.mu.Unlock()
	return func() bool { return l.untell(at, t.turn) }
}

func (l *Life) untell(at int, turn uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at >= len(l.told) || l.told[at].turn != turn || l.told[at].f == nil {
		return false
	}
	l.told[at].f = nil
	return true
}

// Done is closed when l has ended.
func (l *Life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.over.Load() != nil {
			close(l.done)
		}
	}
	return l.done
}

// Err is what l ended with, nil while it goes on.
func (l *Life) Err() error {
	switch over := l.over.Load(); over {
	case nil:
		return nil
	case canceled:
		return context.Canceled
	default:
		return over
	}
}

// Deadline reports that there is none.
func (l *Life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value is always nil.
func (l *Life) Value(any) any { return nil }
