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
	connected
)

// attempt is one probe, while it is under way. found and ended are under the prober's lock.
type attempt struct {
	number uint64
	ctx    context.Context // ends when the attempt is cut
	cut    context.CancelFunc
	stage  atomic.Int32
	link   atomic.Pointer[link]
	done   chan struct{}

	found store.Evidence
	ended bool
}

// run makes the attempt, over l or, where that is nil or turns out to be dead, over a new link.
func (r *Redis) run(a *attempt, l *link, payload int) {
	r.mu.Lock()
	c := r.canary
	r.mu.Unlock()
	for used := l != nil; ; used = false {
		if l == nil {
			var err error
			if l, err = r.connect(a); err != nil {
				r.end(a, undialled(err), nil, false)
				return
			}
		} else {
			a.stage.Store(connected)
			l.mark()
		}
		a.link.Store(l)
		unbind := context.AfterFunc(a.ctx, l.wire.cut)
		x := r.exchange(a, l, c, payload)
		whole := unbind() && !x.broken()
		if !whole && used && a.ctx.Err() == nil {
			// The server closed an idle connection, or is a new one: that is news about the connection only.
			l.close()
			l = nil
			continue
		}
		if whole {
			r.noteCanary(c, x)
		}
		r.end(a, x.judge(l), l, whole && x.reusable())
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

func (r *Redis) exchange(a *attempt, l *link, c canary, payload int) *exchange {
	x := &exchange{sent: filled(r.id, a.number, payload)}
	pipe := l.client.Pipeline()
	x.get = pipe.Get(a.ctx, r.canaryKey())
	x.set = pipe.Set(a.ctx, r.probeKey(), x.sent, probeLives)
	x.back = pipe.Get(a.ctx, r.probeKey())
	x.plant = c.tend(a.ctx, pipe, r.canaryKey())
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

// canary is the long-lived key, as far as this prober knows it. It is under the prober's lock.
type canary struct {
	value   string
	planted bool
	tended  time.Time // when its life was last renewed
	lost    bool      // it was gone, and no evidence has said so yet
}

const (
	canaryLives = 30 * 24 * time.Hour
	canaryTend  = time.Hour
)

// tend adds to the pipeline what the canary needs: nothing, mostly. Renewing its life never plants it.
func (c canary) tend(ctx context.Context, pipe redis.Pipeliner, key string) *redis.StatusCmd {
	switch {
	case !c.planted:
		return pipe.Set(ctx, key, c.value, canaryLives)
	case time.Since(c.tended) > canaryTend:
		return pipe.SetArgs(ctx, key, c.value, redis.SetArgs{Mode: "XX", TTL: canaryLives})
	default:
		return nil
	}
}

// noteCanary compares what a whole exchange saw with c, which is what it began with. Of several attempts that saw the same
// canary gone only the first counts.
func (r *Redis) noteCanary(c canary, x *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.canary.value != c.value || !x.ready {
		return
	}
	read := x.get.Err() == nil || word(x.get.Err()) == "nil"
	if c.planted && read && x.get.Val() != c.value {
		r.canary = canary{value: newValue(), lost: true}
		return
	}
	if x.plant != nil && x.plant.Err() == nil {
		r.canary.planted, r.canary.tended = true, time.Now()
	}
}

// overdue says what is known of an attempt whose deadline has passed.
func (a *attempt) overdue(slow bool) store.Evidence {
	e := store.Evidence{State: shed.Down, Cause: shed.CauseHung, Err: context.DeadlineExceeded}
	switch a.stage.Load() {
	case resolving:
		e.Cause = shed.CauseDNS
		return e
	case connecting:
		return e
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
