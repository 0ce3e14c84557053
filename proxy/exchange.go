package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
	"gatehouse/shed/store"
)

// exchange is one request on its way and all that must be given back at its end. It belongs to one goroutine.
type exchange struct {
	handler *Handler
	rt      *Runtime
	v       edge.Visitor

	ctx    context.Context // ends with the visitor, and at finish
	cancel context.CancelCauseFunc

	head    *h1.Head // the request's, cleaned
	target  intake.Target
	facts   intake.Facts
	peer    netip.Addr
	trusted bool
	request routing.Request
	id      string

	route   *Route
	pool    *Pool
	series  *record.Series // nil before there is a route
	carries bool           // the request carries a session
	session string         // its id
	asks    bool           // the route's need touches the store for this request
	verdict shed.Verdict
	trial   store.Trial // goes on although the prober says that the store is down
	trying  bool        // that is so
	signIn  signIn

	remembers bool // the request carries a remember-me cookie

	permit    shed.Permit
	claim     upstream.Claim
	charges   []quota.Charge
	body      meter
	sent      bool // something went to a backend
	committed bool // the visitor has been given a head
	entry     record.Entry
}

func (x *exchange) begin() {
	x.ctx, x.cancel = context.WithCancelCause(x.v.Context())
	x.head = x.v.Head()
	x.peer = x.v.Peer().Addr().Unmap().WithZone("")
	x.trusted = x.rt.Trusted.Trusts(x.peer)
	x.request.Client = x.rt.Trusted.Client(x.peer, *x.head)
	if x.trusted {
		x.id = intake.RequestID(*x.head)
	}
	if x.id == "" {
		x.id = newID()
	}
	x.body.from = x.v.Body()
	x.entry = record.Entry{
		Arrived: x.v.Arrived(), RequestID: x.id, Method: x.v.Method(), Scheme: "http", Proto: x.v.Proto(), Host: x.v.Host(),
		Target: x.v.Target(), Client: x.request.Client, Peer: x.v.Peer(),
		UserAgent: x.head.Get("User-Agent"), Referer: x.head.Get("Referer"),
	}
	if x.v.Secure() {
		x.entry.Scheme = "https"
	}
}

// run is the way of a request that nothing stops.
func (x *exchange) run() error {
	if err := x.intake(); err != nil {
		return err
	}
	if err := x.match(); err != nil {
		return err
	}
	if err := x.decide(); err != nil {
		return err
	}
	if err := x.charge(); err != nil {
		return err
	}
	if err := x.lineUp(); err != nil {
		return err
	}
	if err := x.enter(); err != nil {
		return err
	}
	answer, err := x.judge(x.ask())
	if err != nil {
		return err
	}
	return x.deliver(answer)
}

// finish gives everything back and writes the exchange down.
func (x *exchange) finish() {
	x.claim.End(upstream.Result{})
	x.permit.Done()
	x.trial.Forget()
	x.tellSignIn()
	if !x.sent {
		x.refund()
	}
	if x.cancel != nil {
		x.cancel(nil)
	}
	x.entry.BytesIn = x.body.n
	x.entry.At.Done = x.since()
	x.handler.Record.Exchange(x.series, &x.entry)
	x.rt.release()
}

func (x *exchange) since() time.Duration { return time.Since(x.entry.Arrived) }

func (x *exchange) intake() error {
	var err error
	if x.target, err = intake.ReadTarget(x.v.Method(), x.v.Target(), x.v.Host()); err != nil {
		return err
	}
	// What the visitor sent decides about sessions, before anything is stripped.
	x.recognise()
	x.refuse()
	if x.facts, err = intake.Clean(x.head, x.trusted, nil); err != nil {
		return err
	}
	path, err := routing.Canonical(x.target.RawPath)
	if err != nil {
		return intake.ErrPath
	}
	x.request.Method, x.request.Host, x.request.Query = x.v.Method(), x.target.Host, x.target.Query
	x.request.RawPath, x.request.Path, x.request.Fields = x.target.RawPath, path, x.head
	return nil
}

// recognise notes what the request carries of a session.
func (x *exchange) recognise() {
	x.session, x.carries = x.rt.Session.Carried(x.head)
	x.remembers = x.rt.Session.Remembered(x.head)
}

func (x *exchange) match() error {
	m := x.rt.Table.Match(&x.request)
	if m.Ambiguous && m.Policy != routing.AsMatched {
		x.reportAmbiguous(m)
		if m.Policy == routing.Refuse {
			return errAmbiguous
		}
	}
	if !m.Found {
		return errNoRoute
	}
	x.route, x.pool, x.series = m.Value, m.Value.Pool, m.Value.Series
	x.asks = x.rt.Store != nil && !intake.Preflight(x.request.Method, *x.head) && !x.route.Need.Met(x.carries, shed.Down)
	return nil
}

// decide asks for a verdict that is fresh enough for the route, and stops what the store cannot give.
func (x *exchange) decide() error {
	defer func() { x.entry.At.Decided = x.since() }()
	if !x.asks {
		return nil
	}
	err := x.obey(x.permission(x.ctx))
	switch {
	case err == nil:
		x.sample()
		return nil
	case errors.Is(err, errGone):
		return err
	case x.try():
		return nil
	default:
		return x.hope(err)
	}
}

// permission is a verdict that is fresh enough for the route. A sign-in does not wait to be told that it is held back.
func (x *exchange) permission(ctx context.Context) shed.Verdict {
	if x.route.SignIn {
		if v := x.rt.Store.Current(); v.State.Impaired() {
			return v
		}
	}
	return x.rt.Store.Verdict(ctx, x.route.MaxAge)
}

func (x *exchange) obey(v shed.Verdict) error {
	if x.v.Context().Err() != nil {
		return errGone
	}
	if x.trying {
		return nil
	}
	x.verdict = v
	x.see(v)
	if d := shed.Decide(x.route.Need, x.carries, x.concern(v)); d.Action == shed.Degrade {
		return &Error{Outcome: record.Degraded, Reason: d.Reason}
	}
	return nil
}

// concern is what a verdict says for this request's route.
func (x *exchange) concern(v shed.Verdict) shed.Verdict {
	if x.route.SignIn {
		return v
	}
	return v.Unheld()
}

// see notes what is known of the store in the exchange's line.
func (x *exchange) see(v shed.Verdict) {
	x.entry.State, x.entry.Cause, x.entry.Observed = v.State, v.Cause, v.Observed
}

// charge counts the request against the route's quotas. What was counted is given back when one of them says no.
func (x *exchange) charge() error {
	for _, q := range x.route.Quotas {
		charge, wait := q.Limiter.Take(x.ctx, x.quotaKey(q))
		if wait > 0 {
			return &Error{Outcome: record.Limited, Reason: reasonQuota, Wait: wait}
		}
		x.charges = append(x.charges, charge)
	}
	return nil
}

func (x *exchange) refund() {
	for i := range x.charges {
		x.charges[i].Refund()
	}
	x.charges = nil
}

func (x *exchange) quotaKey(q Quota) quota.Key {
	switch q.Kind {
	case ByRoute:
		return quota.TextKey(x.route.Name)
	case ByCookie:
		if v, ok := session.Cookie(x.head, q.Field); ok {
			return quota.TextKey(v)
		}
	case ByHeader:
		if v := x.head.Get(q.Field); v != "" {
			return quota.TextKey(v)
		}
	}
	return quota.AddrKey(x.request.Client)
}

// enter gets a permit: of the route's own pool if one is free, else of the overflow pool, else by queueing at its own. Time
// went by in the queue, so the store is looked at again, without waiting.
func (x *exchange) enter() error {
	defer func() { x.entry.At.Queued = x.since() }()
	var ok bool
	if x.permit, ok = x.route.Pool.Gate.Try(); ok {
		return nil
	}
	if x.borrow() {
		return nil
	}
	var err error
	if x.permit, err = x.route.Pool.Gate.Acquire(x.ctx); err != nil {
		return err
	}
	if x.asks {
		return x.obey(x.rt.Store.Current())
	}
	return nil
}

// borrow moves the exchange to the overflow pool if that has a free place, and reports whether it did.
func (x *exchange) borrow() bool {
	over := x.route.Overflow
	if over == nil || x.pool == over {
		return false
	}
	permit, ok := over.Gate.Try()
	if !ok {
		return false
	}
	x.permit.Done()
	x.permit, x.pool, x.series = permit, over, x.route.OverflowSeries
	return true
}

// safe reports whether the method only looks (RFC 9110 section 9.2.1), as far as a visitor may be sent back to do it again.
func (x *exchange) safe() bool { return x.v.Method() == "GET" || x.v.Method() == "HEAD" }

// newID returns 128 random bits in hex.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: the program ends if the system has no randomness
	return hex.EncodeToString(b[:])
}
