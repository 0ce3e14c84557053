package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

const (
	staleFor   = 30 * time.Second       // after the majority moved, what the nodes say of themselves counts
	roleGap    = 150 * time.Millisecond // between two questions to one node
	graceGap   = 10 * time.Millisecond  // the same, at first, where there is a grace
	roleWithin = 300 * time.Millisecond // a node that has not answered by then is mute
	watchMost  = 8                      // nodes that are asked at a time
)

// role is what a node says that it is.
type role uint8

const (
	unasked role = iota // there was no time to
	mute                // it does not answer, or does not say
	primary
	replica
)

// claim is what a node says that it is, so long after the majority moved: to it, or away from it.
type claim struct {
	role  role
	since time.Duration
}

// decide is what an evidence of the node that the majority names counts for, by what that node says of itself and what the nodes
// say that the majority named before it.
//
// After a failover the node before goes on as a primary for about ten seconds, until the Sentinels demote it; apps that hold a
// connection to it write there, and what they write is thrown away. So as long as one of the nodes before says that it is a
// primary, or has not had the time to say anything, nothing is to be written. One that does not answer, or is a replica, does no
// harm; when it is back as a primary, it does again. Neither may anything be written before the new node says that it is a
// primary and takes the canary; where it does not say what it is, the canary alone decides.
//
// That ends staleFor after the majority moved, whatever the nodes say: a node that lives on as a primary out of the Sentinels'
// reach would otherwise keep sign-ins closed for good, and apps that ask Sentinels have left it by then.
func decide(e store.Evidence, current claim, former []claim) store.Evidence {
	why := error(nil)
	if current.since < staleFor && (current.role == unasked || current.role == replica) {
		why = errUnsettled
	}
	for _, f := range former {
		if f.since < staleFor && (f.role == unasked || f.role == primary) {
			why = errStale
		}
	}
	if why == nil || e.State == shed.Down {
		return e
	}
	if e.Err != nil {
		why = fmt.Errorf("%w; of the new one: %w", why, e.Err)
	}
	e.State, e.Cause, e.Definite, e.Reached, e.Err = shed.ReadOnly, shed.CauseStalePrimary, true, true, why
	return e
}

// watch asks one node what it is, for a while after the majority moved. What may change is under the prober's lock; a nil watch
// is that of a node that nobody doubts.
type watch struct {
	address string
	moved   time.Time // the majority: to the node, or away from it
	fresh   bool      // to it: once it is a primary it is not asked again
	end     context.CancelFunc

	role    role
	pending time.Time // when the question was asked that is not answered; zero: there is none
	refused error     // why it does not say what it is, though it answers
	peer    string    // where its connection leads
}

// claim is what the node is to be taken for.
func (w *watch) claim(now time.Time) claim {
	switch {
	case w == nil:
		return claim{role: primary}
	case !w.pending.IsZero() && now.Sub(w.pending) >= roleWithin:
		return claim{mute, now.Sub(w.moved)}
	}
	return claim{w.role, now.Sub(w.moved)}
}

// succession is the nodes that a majority named one after the other, and what they say of themselves. Everything of it is under
// the lock, which is the prober's; so are its methods to be called, but for look.
type succession struct {
	lock sync.Locker
	ctx  context.Context // ends with the prober
	work *sync.WaitGroup
	node func(address string) Settings // how a node is reached
	ask  func(context.Context, *link) (role, error)
	// grace is how long after a move the nodes are asked at short intervals: for where they hear of it by themselves within moments.
	grace time.Duration

	current *watch   // of the node, since the majority moved to it; nil before it ever did
	former  []*watch // of the nodes before it
}

// end ends every watch.
func (s *succession) end() {
	for _, w := range append(slices.Clip(s.former), s.current) {
		if w != nil {
			w.end()
		}
	}
}

// claims is what the nodes before are to be taken for. The one that is probed at the moment is none of them, nor is one that
// turns out to be the node itself, by another name.
func (s *succession) claims(now time.Time, probed string) []claim {
	var all []claim
	for _, w := range s.former {
		if w.address == probed {
			continue
		}
		if w.peer == "" || s.current == nil || w.peer != s.current.peer {
			all = append(all, w.claim(now))
		}
	}
	return all
}

// unheard reports whether what is to be heard soon is not yet: what a node is, or within the grace that one before has heard that
// it is no primary any more.
func (s *succession) unheard(now time.Time, probed string) bool {
	if c := s.current.claim(now); c.role == unasked && c.since < staleFor {
		return true
	}
	return slices.ContainsFunc(s.claims(now, probed), func(c claim) bool {
		return c.role == unasked && c.since < staleFor || c.role == primary && c.since < s.grace
	})
}

// reticent says which node does not say what it is though it answers; nil: none.
func (s *succession) reticent(now time.Time) error {
	for _, w := range append(slices.Clip(s.former), s.current) {
		if w != nil && w.refused != nil && now.Sub(w.moved) < staleFor {
			return fmt.Errorf("%s does not say whether it is a primary: %w", w.address, w.refused)
		}
	}
	return nil
}

// shift begins to watch the node that the majority left, and the one it moved to.
func (s *succession) shift(from, to string, now time.Time) {
	if s.current != nil {
		s.current.end()
	}
	s.former = slices.DeleteFunc(s.former, func(w *watch) bool {
		over := w.address == from || w.address == to || now.Sub(w.moved) >= staleFor
		if over {
			w.end()
		}
		return over
	})
	if len(s.former) == watchMost {
		s.former[0].end()
		s.former = slices.Delete(s.former, 0, 1)
	}
	s.current = s.watch(to, now, true)
	s.former = append(s.former, s.watch(from, now, false))
}

func (s *succession) watch(address string, now time.Time, fresh bool) *watch {
	w := &watch{address: address, moved: now, fresh: fresh, pending: now}
	ctx, end := context.WithTimeout(s.ctx, staleFor)
	w.end = end
	s.work.Go(func() {
		defer end()
		s.look(ctx, w)
	})
	return w
}

// look asks the node until ctx ends. A question that is not answered stays open for a while, on the same connection, so that a
// node which was frozen says what it is as soon as it goes on, and is not asked more often for being mute.
func (s *succession) look(ctx context.Context, w *watch) {
	node := New(s.node(w.address))
	defer func() { _ = node.Close() }()
	var l *link
	defer func() { l.close() }()
	for {
		within, cut := context.WithTimeout(ctx, lateFor)
		var is role
		var peer string
		var err error
		l, err = node.converse(&attempt{ctx: within}, l, func(l *link) (err error) {
			is, err = s.ask(within, l)
			peer = l.peer.String()
			return err
		})
		cut()
		if err != nil {
			is = mute
		}
		_, port, _ := net.SplitHostPort(w.address)
		s.lock.Lock()
		w.role, w.pending, w.refused = is, time.Time{}, nil
		if word(err) != "" {
			w.refused = err
		}
		if peer != "" {
			w.peer = net.JoinHostPort(peer, port)
		}
		s.lock.Unlock()
		gap := roleGap
		if time.Since(w.moved) < s.grace {
			gap = graceGap
		}
		if w.fresh && is == primary || !pause(ctx, gap) {
			return
		}
		s.lock.Lock()
		w.pending = time.Now()
		s.lock.Unlock()
	}
}

var errRole = errors.New("what it answers is no role")

// roleOfNode asks a node what it is: by ROLE or, where that is refused, by INFO.
func roleOfNode(ctx context.Context, l *link) (role, error) {
	said, err := l.client.Do(ctx, "role").Slice()
	if word(err) != "" {
		info, other := l.client.Info(ctx, "replication").Result()
		if other != nil {
			return mute, err
		}
		return roleIn(info)
	}
	if err != nil {
		return mute, err
	}
	if len(said) > 0 {
		if first, ok := said[0].(string); ok {
			return roleOf(first)
		}
	}
	return mute, errRole
}

// roleIn reads the role in what INFO answers.
func roleIn(info string) (role, error) {
	for line := range strings.Lines(info) {
		if is, ok := strings.CutPrefix(line, "role:"); ok {
			return roleOf(strings.TrimSpace(is))
		}
	}
	return mute, errRole
}

func roleOf(word string) (role, error) {
	switch word {
	case "master", "primary":
		return primary, nil
	case "slave", "replica":
		return replica, nil
	}
	return mute, errRole
}
