package proxy

import (
	"errors"
	"net/netip"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
)

// ask sends the request to a backend and returns the head of its final answer. Where that is safe, and within the pool's budget,
// it is sent to another one; where none is left or may be tried, to one of the overflow pool.
func (x *exchange) ask() (*upstream.Answer, error) {
	request := x.outgoing()
	watch := x.beginWatch(&x.watch)
	defer watch.stop()
	request.Sending = watch.sending
	if request.Body != nil {
		length := x.v.Length() // the visitor's methods are the exchange's own
		late := time.AfterFunc(slowAfter, func() { x.bodyLate(length) })
		defer late.Stop()
	}
	var tried upstream.Tried
	claim, err := x.pool.Backends.Claim(&tried)
	if err != nil {
		var ok bool
		if claim, ok = x.borrow(&tried); !ok {
			return nil, err
		}
		watch.turnTo(x.monitor, x.several())
		if err := x.again(x.route.Store != x.store); err != nil {
			claim.End(unused)
			return nil, err
		}
	}
	return x.carry(request, watch, claim, &tried)
}

// carry sends the request to the backend that was claimed, and as ask says to others. It ends every claim but the last, which is
// the exchange's.
func (x *exchange) carry(request *upstream.Request, watch *watch, claim upstream.Claim, tried *upstream.Tried) (*upstream.Answer, error) {
	for {
		answer, err := x.send(request, watch, claim)
		if err != nil && x.life.Err() != nil || !x.mayAgain(request, answer, err) {
			return answer, err
		}
		was := x.store
		next, ok := x.another(tried)
		if !ok {
			return answer, err
		}
		x.claim.End(x.result(answer, err))
		if answer != nil {
			_ = answer.Body.Close()
			x.entry.At.Head = 0
		}
		claim = next
		watch.turnTo(x.monitor, x.several())
		if err := x.again(x.store != was); err != nil {
			claim.End(unused)
			return nil, err
		}
	}
}

// send sends the request to the backend that was claimed. Where the exchange has ended meanwhile, so has the claim.
func (x *exchange) send(request *upstream.Request, watch *watch, claim upstream.Claim) (*upstream.Answer, error) {
	x.claim = claim
	x.entry.Backend = claim.Backend()
	x.entry.Attempts++
	x.entry.At.Claimed = x.since()
	answer, err := claim.Send(&x.life, request)
	x.sent = x.sent || watch.wasSent()
	if err == nil {
		x.entry.At.Head = x.since()
		x.hear(answer)
	} else if cause := x.life.Err(); cause != nil {
		x.claim.End(x.result(nil, err))
		return nil, cause
	}
	return answer, err
}

// again looks at the store once more, since time went by: without waiting, or with a verdict that is fresh enough for the route where the
// exchange has moved to one of which nothing was asked yet.
func (x *exchange) again(moved bool) error {
	switch {
	case !x.asks:
		return nil
	case moved:
		return x.obey(x.permission(&x.life))
	}
	return x.obey(x.monitor.Current())
}

// unused is the result of a claim that nothing was asked of.
var unused = upstream.Result{Excused: true}

// another claims a backend that was not tried yet: of the pool, if its budget has a retry left, else of the overflow pool. Where
// something was sent already that one costs a retry, too; a pool that cannot be reached at all may always be left.
func (x *exchange) another(tried *upstream.Tried) (upstream.Claim, bool) {
	claim, err := x.pool.Backends.Claim(tried)
	if err != nil && (!x.sent || x.route.Overflow != nil && x.pool != x.route.Overflow && x.retry(x.pool)) {
		return x.borrow(tried)
	}
	if err != nil {
		return claim, false
	}
	if x.retry(x.pool) {
		return claim, true
	}
	claim.End(unused)
	if x.sent {
		return upstream.Claim{}, false
	}
	return x.borrow(tried)
}

// retry takes one retry out of a pool's budget.
func (x *exchange) retry(p *Pool) bool {
	ok := p.Backends.Retry()
	result := record.RetryNoBudget
	if ok {
		result = record.RetrySent
	}
	x.handler.Record.Retry(p.Name, result)
	return ok
}

// borrow moves the exchange to the overflow pool, if that has a place to lend and a backend.
func (x *exchange) borrow(tried *upstream.Tried) (upstream.Claim, bool) {
	over := x.route.Overflow
	if over == nil || x.pool == over || !x.mayLend() {
		return upstream.Claim{}, false
	}
	permit, ok := over.Gate.Lend(x.class)
	if !ok {
		return upstream.Claim{}, false
	}
	claim, err := over.Backends.Claim(tried)
	if err != nil {
		permit.Done()
		return claim, false
	}
	x.holding.Lock()
	defer x.holding.Unlock()
	x.regain()
	x.permit.Done()
	x.permit = permit
	x.moveOver()
	return claim, true
}

// mayAgain reports whether the request may be sent to another backend. What a backend answers while the store is in doubt is not
// its own doing, and another's would be the same.
func (x *exchange) mayAgain(r *upstream.Request, answer *upstream.Answer, err error) bool {
	a := upstream.Attempt{Err: err, Sent: x.sent, HasBody: r.Body != nil, BodyRead: x.body.n.Load() > 0}
	if answer != nil {
		a.Status, a.RetryAfter = answer.Status, answer.Head.Has("Retry-After")
	}
	return upstream.Again(r.Method, a) && (errors.Is(err, upstream.ErrConnect) || !x.uncertain())
}

// result is what an answer, or the failure to get one, says of the backend: nothing, where the store that all share had failed.
func (x *exchange) result(answer *upstream.Answer, err error) upstream.Result {
	r := upstream.Result{Err: err, Excused: x.uncertain()}
	if answer != nil {
		r.Status, r.RetryAfter = answer.Status, answer.Head.Has("Retry-After")
	}
	return r
}

// visitor is who asks, for backends that want to know by a PROXY header: the other end of the connection, or whom a trusted proxy
// there names.
func (x *exchange) visitor() netip.AddrPort {
	if peer := x.v.Peer(); x.request.Client == peer.Addr().Unmap().WithZone("") {
		return peer
	}
	return netip.AddrPortFrom(x.request.Client, 0)
}

// told is how many lines are added to a request's head at most.
const told = 6

func (x *exchange) outgoing() *upstream.Request {
	head := append(make(h1.Head, 0, len(*x.head)+told), *x.head...) // the request's own is still looked at
	intake.Origin{Peer: x.peer, Trusted: x.trusted, Secure: x.v.Secure(), Host: x.v.Host(), ID: x.id}.Tell(&head)
	if x.facts.Trailers {
		head.Add("TE", "trailers")
	}
	r := &x.asked
	*r = upstream.Request{
		Method: x.v.Method(), Target: x.target.Origin(), Host: x.v.Host(), Head: head,
		Length: x.v.Length(), Announced: intake.Announced(x.v.Announced(), x.trusted), Peer: x.visitor(), Local: x.v.Local(),
		Inform: func(status int, head h1.Head) {
			intake.CleanAnswer(&head)
			dropOwn(&head)
			x.holdAside(&head)
			_ = x.v.Inform(status, head) // who is gone will be noticed at the head
		},
	}
	if r.Length != 0 {
		r.Body = &x.body
	}
	if r.Length < 0 {
		r.Trailer = x.trailer
	}
	// A handshake is a GET without a body over HTTP/1.1 (RFC 6455 section 4.1). Anything else goes on as the plain request that
	// it also is.
	if x.facts.Websocket && r.Method == "GET" && r.Length == 0 && x.v.Proto() == "HTTP/1.1" {
		r.Upgrade = "websocket"
	}
	return r
}

// trailer is the request's trailer, cleaned as its head was.
func (x *exchange) trailer() h1.Head {
	t := x.v.Trailer()
	intake.CleanTrailer(&t, x.trusted)
	return t
}
