package proxy

import (
	"iter"
	"sync/atomic"
	"time"

	"gatehouse/proxy/upstream"
	"gatehouse/shed/session"
)

// elsewhere is whose session is kept at another store than that of their route's pool, which was in trouble when it was made and may not
// have it yet. The zero value is ready, and empty. It is safe for concurrent use.
//
// It holds hashes, as many as a session.SignedOut, and forgets whom it was not told of for elsewhereTime, and the oldest where there
// are too many; they are found again by a second opinion. What it is told lives in this process alone.
type elsewhere struct {
	ids atomic.Pointer[session.SignedOut] // nil: none; each under the name of the store that has it
}

// elsewhereTime is how long somebody is known to be elsewhere after he was served there last: about as long as people leave a page alone.
const elsewhereTime = 30 * time.Minute

// empty reports whether there is nobody. It costs next to nothing.
func (e *elsewhere) empty() bool { return e.ids.Load() == nil }

// add notes that a session is kept at that store. What is too short to be anybody's is not noted: many may carry it.
func (e *elsewhere) add(store, id string, now time.Time) {
	ids := e.ids.Load()
	if ids == nil {
		ids = session.NewSignedOut()
		if !e.ids.CompareAndSwap(nil, ids) {
			ids = e.ids.Load()
		}
	}
	if ids != nil { // else all were forgotten in this moment, and he with them
		ids.Add(store, id, now.Add(elsewhereTime))
	}
}

// has reports whether a session is known to be kept at that store.
func (e *elsewhere) has(store, id string, now time.Time) bool {
	ids := e.ids.Load()
	return ids != nil && ids.Has(store, id, now)
}

// forget forgets all.
func (e *elsewhere) forget() { e.ids.Store(nil) }

// troubled reports whether a session that is made at another store may not be found in s: it cannot be written, was not until a moment
// ago, or members show too little of what the others hold.
func (s *Store) troubled() bool {
	v := s.Monitor.Current()
	return v.Impaired() || v.Recovering() || s.Apart != nil && s.Apart()
}

// isElsewhere reports whether the session that the request carries is known to be kept at the overflow pool's store and not at this one.
// Who goes there at once is sent nowhere twice, whatever he asks for. All that is forgotten when the store is itself again.
func (x *exchange) isElsewhere() bool {
	if x.store.elsewhere.empty() || !x.carries || x.route.SignIn || !x.apart() || x.route.OverflowStore == nil {
		return false
	}
	if !x.store.troubled() {
		x.store.elsewhere.forget()
		return false
	}
	return x.knownAt(x.route.OverflowStore, time.Now())
}

// isLost reports whether the session that the request carries is not kept at home, since that came back without what it held: then it is
// over there, if anywhere. Who has signed in at home since is known to be there.
func (x *exchange) isLost() bool {
	return x.carries && !x.route.SignIn && x.store.emptied() && (x.store.elsewhere.empty() || !x.knownAt(x.store, time.Now()))
}

// endsOver reports whether the request wishes to be signed out, and home cannot forget the session while the overflow pool's store can:
// what is ended there is ended, and not only refused by this process.
func (x *exchange) endsOver() bool {
	s := x.route.OverflowStore
	return x.apart() && s != nil && x.wish() && x.verdict.State.Impaired() && !s.Monitor.Current().State.Impaired()
}

// knownAt reports whether one of the ids that the request carries is known to be kept at that store.
func (x *exchange) knownAt(s *Store, now time.Time) bool {
	for id := range x.ids() {
		if x.route.Store.elsewhere.has(s.Name, id, now) {
			return true
		}
	}
	return false
}

// noteElsewhere notes what an answer of the overflow pool shows, if it may be unknown at home: the session that it gives is kept over
// there, and so, still, is that of somebody who was known to be there. While home has lost what it held, it notes what home gives: that
// is not over there yet. It is called with an answer that will be delivered.
func (x *exchange) noteElsewhere(answer *upstream.Answer) {
	home := x.route.Store
	if home == nil || x.store == nil || !x.apart() || answer.Status >= 400 || !home.troubled() || x.store == home && !home.emptied() {
		return
	}
	now := time.Now()
	if id, gives := x.rt.Session.Given(x.head, &answer.Head, now); gives {
		home.elsewhere.add(x.store.Name, id, now)
	} else if x.store != home && x.carries && !home.elsewhere.empty() && x.knownAt(x.store, now) {
		x.keepElsewhere()
	}
}

// keepElsewhere notes that what the request carries is kept at the store of the pool that serves it.
func (x *exchange) keepElsewhere() {
	for id := range x.ids() {
		x.route.Store.elsewhere.add(x.store.Name, id, time.Now())
	}
}

// ids are what the request could be known by, as many as are looked at.
func (x *exchange) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for _, id := range x.rt.Session.IDs(x.head) {
			if n++; n > mostTried || !yield(id) {
				return
			}
		}
	}
}
