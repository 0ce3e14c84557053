package record

import "sync/atomic"

// roll keeps one thing for each name of the operator's file. Finding one waits for nobody and allocates nothing; call replaces
// all of them at a reload. The zero value has none. It is safe for concurrent use, but for call, which takes one caller at a
// time.
type roll[T any] struct {
	live atomic.Pointer[map[string]*T] // replaced, never changed in place
}

// find returns what is kept for a name; nil where the name was not in the last call.
func (r *roll[T]) find(name string) *T {
	if live := r.live.Load(); live != nil {
		return (*live)[label(name)]
	}
	return nil
}

// call names all there is from now on. What was there stays as it is; what is new is made, and what is gone is dropped, each
// by its label. Whoever found the dropped one before may still use it, to no effect that shows.
func (r *roll[T]) call(names []string, added func(label string) *T, dropped func(label string)) {
	next := make(map[string]*T, len(names))
	was := map[string]*T{}
	if live := r.live.Load(); live != nil {
		was = *live
	}
	for _, name := range names {
		name = label(name)
		if next[name] != nil {
			continue
		}
		if next[name] = was[name]; next[name] == nil {
			next[name] = added(name)
		}
	}
	r.live.Store(&next)
	for name := range was {
		if next[name] == nil {
			dropped(name)
		}
	}
}
