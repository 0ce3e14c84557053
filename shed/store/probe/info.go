package probe

import (
	"context"
	"strings"
	"time"

	"gatehouse/shed/store"
)

const (
	askGap   = 2 * time.Second // between two questions to the server about itself
	askAgain = time.Minute     // to one that does not answer them
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
	r.mu.Unlock()

	said, bare, err := l.ask(a.ctx, bare)

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
