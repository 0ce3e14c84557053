package probe

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// How far an attempt has come.
const (
	resolving int32 = iota
	connecting
	securing // the TLS handshake
	connected
)

// attempt is one probe, while it is under way. What follows before is under the prober's lock.
type attempt struct {
	number uint64
	ctx    context.Context // ends when the attempt is cut
	cut    context.CancelFunc
	stage  atomic.Int32
	link   atomic.Pointer[link]
	done   chan struct{}

	canary canary  // as it was when the attempt began
	before *report // what the server had said of itself by then; nil where it had said nothing

	found     store.Evidence
	told      bool // found is there; what the server says of itself may be to come
	missing   bool // the canary was, and it is not decided yet whether it is lost
	concluded bool // the probe has returned
	ended     bool
}

// run makes the attempt, over l or, where that is nil or turns out to be dead, over a new link.
func (r *Redis) run(a *attempt, l *link, payload int) {
	for used := l != nil; ; used = false {
		if l == nil {
			var err error
			if l, err = r.connect(a); err != nil {
				r.end(a, undialled(err, r.shook.Load()), nil, false)
				return
			}
		} else {
			a.stage.Store(connected)
			l.mark()
		}
		a.link.Store(l)
		unbind := context.AfterFunc(a.ctx, l.wire.cut)
		x := r.exchange(a, l, payload)
		whole := !x.broken()
		if !whole && used && unbind() && a.ctx.Err() == nil {
			// The server closed an idle connection, or is a new one: that is news about the connection only.
			l.close()
			l = nil
			continue
		}
		found := x.judge(l)
		if whole {
			whole = r.tell(a, l, x, found)
		}
		whole = unbind() && whole
		r.end(a, found, l, whole && x.reusable())
		return
	}
}

// exchange is what was asked over a link, and answered. err is the whole pipeline's.
type exchange struct {
	get, back *redis.StringCmd
	set       *redis.StatusCmd
	plant     *redis.StatusCmd // nil where the canary stands
	sent      string
	took      time.Duration
	err       error
	ready     bool // the handshake came to its end
}

func (r *Redis) exchange(a *attempt, l *link, payload int) *exchange {
	x := &exchange{sent: filled(r.id, a.number, payload)}
	pipe := l.client.Pipeline()
	x.get = pipe.Get(a.ctx, r.canaryKey())
	x.set = pipe.Set(a.ctx, r.probeKey(), x.sent, probeLives)
	x.back = pipe.Get(a.ctx, r.probeKey())
	x.plant = a.canary.tend(a.ctx, pipe, r.canaryKey())
	_, x.err = pipe.Exec(a.ctx)
	x.ready = l.ready.Load()
	x.took = time.Since(l.asked)
	return x
}

// broken reports whether the connection failed: an answer that is an error is still an answer.
func (x *exchange) broken() bool {
	if !x.ready {
		return word(x.err) == ""
	}
	for _, err := range []error{x.get.Err(), x.set.Err(), x.back.Err()} {
		if err != nil && word(err) == "" {
			return true
		}
	}
	return false
}

// read reports whether the canary's key could be read, be it there or not.
func (x *exchange) read() bool { return x.ready && (x.get.Err() == nil || word(x.get.Err()) == "nil") }

// reusable reports whether the link may serve again: one that is not signed in, or that go-redis closes by itself, may not.
func (x *exchange) reusable() bool {
	if !x.ready {
		return false
	}
	switch word(x.get.Err()) {
	case "NOAUTH", "WRONGPASS", "READONLY", "MOVED", "ASK":
		return false
	}
	return true
}

// filled returns a value of about size bytes that no other probe writes.
func filled(id string, number uint64, size int) string {
	head := id + "." + strconv.FormatUint(number, 36) + "."
	return head + strings.Repeat("x", max(0, size-len(head)))
}

// word returns the first word of an answer that is an error, "nil" for one that is an absent key, and "" for what is no
// answer.
func word(err error) string {
	if errors.Is(err, redis.Nil) {
		return "nil"
	}
	var answer redis.Error
	if !errors.As(err, &answer) {
		return ""
	}
	first, _, _ := strings.Cut(answer.Error(), " ")
	return first
}

// overdue says what is known of an attempt whose deadline has passed. slow: the last such attempt was answered in the end;
// shook: a TLS handshake with this store has succeeded before, so that one which hangs says nothing about TLS.
func (a *attempt) overdue(slow, shook bool) store.Evidence {
	e := store.Evidence{State: shed.Down, Cause: shed.CauseHung, Err: context.DeadlineExceeded}
	switch a.stage.Load() {
	case resolving:
		e.Cause = shed.CauseDNS
		return e
	case connecting:
		return e
	case securing:
		if !shook {
			e.Cause = shed.CauseTLS
			return e
		}
	}
	if slow {
		e.Cause, e.Reached = shed.CauseSlow, true
	}
	l := a.link.Load()
	if l == nil || !l.ready.Load() {
		return e
	}
	heard, _ := l.wire.since()
	if heard == "" {
		return e
	}
	said := answers(heard)
	switch {
	case len(said) == 0:
		e.Reached = true
		return e
	case said[0][0] != '-' && len(said) == 1:
		return store.Evidence{State: shed.ReadOnly, Cause: shed.CausePaused, Reached: true, Err: e.Err}
	case said[0][0] == '-':
		return refusedRead(firstWord(said[0][1:]), answered(said[0][1:]))
	case said[1][0] == '-':
		return refusedWrite(firstWord(said[1][1:]), answered(said[1][1:]))
	}
	e.Cause, e.Reached = shed.CauseSlow, true
	return e
}
