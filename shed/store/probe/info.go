package probe

import (
	"context"
	"strings"
	"time"

	"gatehouse/shed/store"
)

const (
	longWay  = 20 * time.Millisecond // there and back
	askGap   = 2 * time.Second       // between two questions to the server about itself
	askAgain = time.Minute           // to one that does not answer them
	askGrace = 20 * time.Millisecond // how long a probe whose canary has been answered waits for it, beyond what the canary took twice
)

// sections are what is read of INFO. One question for several is answered from Redis 7.0 on.
var sections = [...]string{"server", "memory", "clients", "stats", "persistence", "replication", "keyspace"}

// inquiry is how the server is asked about itself, and what it said. It is under the prober's lock.
type inquiry struct {
	next   time.Time
	asking bool
	absent bool // it did not answer the last question
	late   int  // answers in a row that came after their probe had returned
	bare   bool // it answers only to a question that names no sections
	last   *report
	fresh  *store.Vitals // what no evidence has carried yet
}

// tell publishes what a's canary found and then, where it is time or the canary is missing, asks the server about itself. It
// returns whether the link is still whole.
func (r *Redis) tell(a *attempt, l *link, x *exchange, found store.Evidence) bool {
	now := time.Now()
	r.mu.Lock()
	a.found, a.told = found, true
	a.missing = r.compare(a, x)
	q := &r.inquiry
	ask := x.read() && x.reusable() && (!q.asking && !now.Before(q.next) || a.missing && !q.absent)
	if !ask {
		r.replace(a, false)
		r.mu.Unlock()
		return true
	}
	q.asking = true
	bare := q.bare
	if found.Latency > longWay && !a.missing {
		r.mu.Unlock()
		r.work.Go(func() { r.askAside(now, bare) })
		return true
	}
	if !a.missing {
		a.grace = askGrace + 2*found.Latency
		close(a.settled)
	}
	r.mu.Unlock()

	var said *report
	err := unread(func() (err error) { said, bare, err = l.ask(a.ctx, bare); return err })

	r.mu.Lock()
	defer r.mu.Unlock()
	q.asking, q.absent, q.next = false, err != nil, now.Add(askGap)
	if q.late++; !a.concluded {
		q.late = 0
	}
	if q.absent || q.late > 1 { // a late answer holds the link, and may have been a stall of our own
		q.next = now.Add(askAgain)
	}
	if err != nil {
		r.replace(a, false)
		return word(err) != ""
	}
	r.replace(a, evicted(a.before, said))
	q.bare, q.last, q.fresh = bare, said, said.vitals
	return true
}

// askAside asks over a link of its own, where the way to the server is long: the next probe must not find the link taken.
func (r *Redis) askAside(now time.Time, bare bool) {
	a := &attempt{}
	a.ctx, a.cut = context.WithTimeout(r.ctx, lateFor)
	defer a.cut()
	var said *report
	l, err := r.connect(a)
	if err == nil {
		defer context.AfterFunc(a.ctx, l.wire.cut)()
		err = unread(func() (err error) { said, bare, err = l.ask(a.ctx, bare); return err })
	}
	l.close()

	r.mu.Lock()
	defer r.mu.Unlock()
	q := &r.inquiry
	q.asking, q.absent, q.next = false, err != nil, now.Add(askGap)
	if err != nil {
		q.next = now.Add(askAgain)
		return
	}
	q.late, q.bare, q.last, q.fresh = 0, bare, said, said.vitals
}

// ask asks a server about itself. Where it does not take several sections at once it is asked for all it has to say, which is
// the bare question; which of the two it answered is returned.
func (l *link) ask(ctx context.Context, bare bool) (*report, bool, error) {
	if !bare {
		info, err := l.client.Info(ctx, sections[:]...).Result()
		if err == nil {
			said := reported(info)
			return &said, false, nil
		}
		if word(err) != "ERR" || strings.Contains(err.Error(), "unknown command") {
			return nil, false, err
		}
	}
	info, err := l.client.Info(ctx).Result()
	if err != nil {
		return nil, bare, err
	}
	said := reported(info)
	return &said, true, nil
}
