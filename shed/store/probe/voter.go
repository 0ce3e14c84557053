package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	voteGap     = time.Second           // between two questions to a Sentinel
	voteSoonest = 50 * time.Millisecond // and between two that are hastened
	listenGap   = time.Second           // between two subscriptions to a Sentinel
	voteWithin  = time.Second           // a Sentinel's answer
	dividedFor  = 5 * time.Second       // without a majority until that is told
)

// subscribe is SUBSCRIBE +switch-master. It is written as it is: nothing else is ever said over that connection, and of what
// comes over it only that something came is of interest.
const subscribe = "*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n"

var (
	errNotKnown = errors.New("it does not know a primary by that name")
	errNowhere  = errors.New("what it names is no address")
)

// voter is one Sentinel. vote, asked and err are under the prober's lock.
type voter struct {
	address string
	node    *Redis        // connects, and never probes
	kick    chan struct{} // ask now; holds one

	vote  string // what it names now; empty: nothing, or it does not answer
	asked bool   // a question has ended, somehow
	err   error  // of the last question
}

// poll asks a Sentinel again and again where the primary is. One that hangs holds up nobody else.
func (p *Sentinel) poll(v *voter) {
	var l *link
	defer func() { l.close() }()
	for {
		from := time.Now()
		var vote string
		var err error
		l, vote, err = p.ask(v, l)
		p.mu.Lock()
		if v.vote, v.err, v.asked = vote, err, true; !p.closed {
			p.count(time.Now())
		}
		p.mu.Unlock()
		if !pause(p.ctx, voteSoonest) {
			return
		}
		due := time.NewTimer(time.Until(from.Add(p.gap)))
		select {
		case <-due.C:
		case <-v.kick:
		case <-p.ctx.Done():
		}
		due.Stop()
	}
}

// ask asks a Sentinel where the primary is, over l or, where that is nil, too old or turns out to be dead, over a new link. It
// returns the link for the next question, or nil.
func (p *Sentinel) ask(v *voter, l *link) (*link, string, error) {
	ctx, cut := context.WithTimeout(p.ctx, voteWithin)
	defer cut()
	var vote string
	l, err := v.node.converse(&attempt{ctx: ctx}, l, func(l *link) (err error) {
		vote, err = l.primary(ctx, p.set.Master)
		return err
	})
	return l, vote, err
}

// converse has one exchange over l or, where that is nil, too old or turns out to be dead, over a new link. It returns the link
// for the next exchange: nil, where this one failed. a, of which only the context is given, learns how far a connection came.
func (r *Redis) converse(a *attempt, l *link, exchange func(*link) error) (*link, error) {
	ctx := a.ctx
	if l != nil && time.Since(l.born) > l.life {
		l.close()
		l = nil
	}
	for used := l != nil; ; used = false {
		if l == nil {
			var err error
			if l, err = r.connect(a); err != nil {
				return nil, err
			}
		}
		unbind := context.AfterFunc(ctx, l.wire.cut)
		err := unread(func() error { return exchange(l) })
		switch whole := unbind(); {
		case !whole:
			err = ctx.Err()
		case err == nil:
			return l, nil
		case errors.Is(err, os.ErrDeadlineExceeded): // the connection's deadline, which is the context's
			err = context.DeadlineExceeded
		}
		l.close()
		if l = nil; !used || word(err) != "" || ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
	}
}

// primary asks a Sentinel for the address of the primary.
func (l *link) primary(ctx context.Context, master string) (string, error) {
	said, err := l.client.Do(ctx, "sentinel", "get-master-addr-by-name", master).StringSlice()
	switch {
	case errors.Is(err, redis.Nil):
		return "", errNotKnown
	case err != nil:
		return "", err
	case len(said) != 2:
		return "", errNowhere
	}
	return spelled(said[0], said[1])
}

// listen subscribes to a Sentinel's news of another primary, for as long as the prober is open. Whatever is heard has all
// Sentinels asked at once; where nothing can be heard, asking them once a second is what is left.
func (p *Sentinel) listen(v *voter) {
	for {
		p.hear(v)
		if !pause(p.ctx, listenGap) {
			return
		}
	}
}

// hear subscribes once. The link ends by its age, too, so that a name that leads elsewhere is followed.
func (p *Sentinel) hear(v *voter) {
	ctx, cut := context.WithTimeout(p.ctx, lateFor)
	defer cut()
	l, err := v.node.converse(&attempt{ctx: ctx}, nil, func(l *link) error { return l.greet(ctx) })
	if err != nil {
		return
	}
	defer l.close()
	defer context.AfterFunc(p.ctx, l.wire.cut)()
	if l.wire.SetDeadline(l.born.Add(l.life)) != nil {
		return
	}
	if _, err := l.wire.Write([]byte(subscribe)); err != nil {
		return
	}
	for b := make([]byte, heardMost); ; {
		if _, err := l.wire.Read(b); err != nil {
			return
		}
		for _, v := range p.voters {
			select {
			case v.kick <- struct{}{}:
			default:
			}
		}
	}
}

// complaints is what the Sentinels' last answers were that named nothing. It is called under the lock.
func (p *Sentinel) complaints() error {
	var all []error
	for _, v := range p.voters {
		if v.err != nil {
			all = append(all, fmt.Errorf("%s: %w", v.address, v.err))
		}
	}
	if all == nil {
		return errDivided
	}
	return errors.Join(all...)
}

// elect returns what more than half of the votes name, and whether there is such a thing. An empty vote names nothing, and counts.
func elect(votes []string) (string, bool) {
	for i, v := range votes {
		n := 0
		for _, w := range votes[i:] {
			if v == w {
				n++
			}
		}
		if v != "" && n > len(votes)/2 {
			return v, true
		}
	}
	return "", false
}

// count moves to what the majority of all Sentinels names. Without one everything stays; only while nothing is known is one
// Sentinel's word enough, when the others have been heard or had the time to be. It is called under the lock.
func (p *Sentinel) count(now time.Time) {
	votes := make([]string, len(p.voters))
	some, all := "", true
	for i, v := range p.voters {
		votes[i] = v.vote
		all = all && v.asked
		if some == "" {
			some = v.vote
		}
	}
	to, ok := elect(votes)
	if ok {
		p.agreed = now
	}
	switch {
	case ok && to == p.at:
		p.elected = true
		return
	case ok:
		if p.elected { // and not just believed
			p.nodes.shift(p.at, to, now)
		}
		p.elected = true
	case p.at == "" && some != "" && (all || now.Sub(p.begun) >= firstOf):
		to = some
	default:
		return
	}
	p.at = to
	p.leave()
	p.stay, p.leave = context.WithCancel(p.ctx)
}

// spelled is an address in the one spelling in which votes are compared.
func spelled(host, port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	if err != nil || n == 0 || host == "" || len(host) > 253 || strings.ContainsFunc(host, odd) {
		return "", errNowhere
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.Unmap().String()
	} else {
		host = strings.ToLower(host)
	}
	at := net.JoinHostPort(host, strconv.FormatUint(n, 10))
	if again, _, err := net.SplitHostPort(at); err != nil || again != host {
		return "", errNowhere
	}
	return at, nil
}
