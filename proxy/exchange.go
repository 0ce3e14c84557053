package proxy

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
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

	life  edge.Life // ends with the visitor, and at finish
	watch watch     // of what is asked of backends
	asked upstream.Request

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
	store   *Store         // of the pool's app; nil: every need is met
	monitor Monitor        // of store, or of the part of it that keeps the session; nil without
	kept    Monitor        // of the part that keeps the session which a sign-in gave; nil: not known, or none
	carries bool           // the request carries a session
	session string         // its id
	asks    bool           // the route's need touches the store for this request
	verdict shed.Verdict
	trial   store.Trial // goes on although the prober says that the store is down
	trying  bool        // that is so
	signIn  signIn

	known     bool // it went to the overflow pool since its session is known to be kept there
	remembers bool // the request carries a remember-me cookie

	own       h1.Head    // the lines in which Gatehouse's own cookies came
	class     shed.Class // how much the request matters
	proved    bool       // it proves its session,
	renew     bool       // and the proof gets old
	took      bool       // it took a place in the line,
	goes      bool       // or may go on all the same
	admission uint64     // of a sign-in that was let in before, which it goes on with; 0: none

	holding   sync.Mutex
	permit    shed.Permit // under holding, as the next two
	holder    *holder     // who has it, while it may be recalled
	over      bool        // it was given back for good
	claim     upstream.Claim
	outcome   upstream.Result // of the claim, as far as it is known
	charges   []quota.Charge  // in few, while there is room
	few       [2]quota.Charge
	body      meter
	reader    reader
	sent      bool // something went to a backend
	committed bool // the visitor has been given a head
	entry     record.Entry
}

func (x *exchange) begin() {
	x.life.Begin(x.v.Context())
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
		Arrived: x.v.Arrived(), RequestID: x.id, Method: x.v.Method(), Scheme: scheme(x.v.Secure()), Proto: x.v.Proto(), Host: x.v.Host(),
		Target: x.v.Target(), Client: x.request.Client, Peer: x.v.Peer(),
		UserAgent: x.head.Get("User-Agent"), Referer: x.head.Get("Referer"),
	}
	if t := x.v.TLS(); t != nil {
		x.entry.TLS = &record.TLS{
			Version: strings.TrimPrefix(tls.VersionName(t.Version), "TLS "), Cipher: tls.CipherSuiteName(t.Cipher),
			ServerName: t.ServerName, Client: t.Client,
		}
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
	if err := x.useAdmission(); err != nil {
		return err
	}
	answer, err := x.ask()
	x.learn(answer, err)
	if answer, err = x.judge(answer, err); err != nil {
		return err
	}
	return x.deliver(answer)
}

// finish gives everything back and writes the exchange down.
func (x *exchange) finish() {
	x.claim.End(x.outcome)
	x.leavePool()
	x.trial.Forget()
	x.tellSignIn()
	if !x.sent {
		x.refund()
	}
	x.life.End(nil)
	x.entry.BytesIn = x.body.n.Load()
	x.entry.At.Done = x.since()
	x.handler.Record.Exchange(x.series, &x.entry)
	x.rt.release()
}

func (x *exchange) since() time.Duration { return time.Since(x.entry.Arrived) }

// headCame is when the head of the answer was there, or when the request came where none was yet.
func (x *exchange) headCame() time.Time { return x.entry.Arrived.Add(x.entry.At.Head) }

func (x *exchange) intake() error {
	var err error
	if x.target, err = intake.ReadTarget(x.v.Method(), x.v.Target(), x.v.Host()); err != nil {
		return err
	}
	x.takeOwn()
	// What the visitor sent decides about sessions, before anything else is stripped.
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
	x.settle(x.route.Store)
	x.classify()
	x.asks = x.monitor != nil && !intake.Preflight(x.request.Method, *x.head) && !x.route.Need.Met(x.carries, shed.Down)
	return nil
}

// decide asks for a verdict that is fresh enough for the route, and stops what the store cannot give.
func (x *exchange) decide() error {
	defer func() { x.entry.At.Decided = x.since() }()
	if !x.asks {
		return nil
	}
	err := x.obey(x.permission(&x.life))
	switch {
	case err == nil:
		known := x.isElsewhere()
		if (known || x.isLost() || x.endsOver()) && x.goOver() {
			x.known = known
			return nil
		}
		x.sample()
		return nil
	case errors.Is(err, errGone):
		return err
	case x.goOver():
		return nil
	case x.try():
		return nil
	default:
		return x.hope(err)
	}
}

// permission is a verdict that is fresh enough for the route. A sign-in does not wait to be told that it is held back.
func (x *exchange) permission(ctx context.Context) shed.Verdict {
	if x.route.SignIn {
		if v := x.monitor.Current(); v.State.Impaired() {
			return v
		}
	}
	return x.monitor.Verdict(ctx, x.route.MaxAge)
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
func (x *exchange) concern(v shed.Verdict) shed.Verdict { return concern(v, x.route.SignIn) }

// concern is what a verdict says for a sign-in, or for another request.
func concern(v shed.Verdict, signIn bool) shed.Verdict {
	if signIn {
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
	for i := range x.route.Quotas {
		q := &x.route.Quotas[i]
		var charge quota.Charge
		var wait time.Duration
		if x.route.SignIn {
			charge, wait = q.Limiter.TakeStrictly(&x.life, x.quotaKey(q))
		} else {
			charge, wait = q.Limiter.Take(&x.life, x.quotaKey(q))
		}
		x.countQuota(q, wait > 0)
		if wait > 0 && !q.DryRun {
			return &Error{Outcome: record.Limited, Reason: reasonQuota, Wait: wait}
		}
		if x.charges == nil {
			x.charges = x.few[:0]
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

func (x *exchange) quotaKey(q *Quota) quota.Key {
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

// enter gets a permit: of the route's own pool if one is free, else of the overflow pool, else by queueing. Time went by in the
// queue, so the store is looked at again, without waiting.
func (x *exchange) enter() error {
	defer func() { x.entry.At.Queued = x.since() }()
	own, over := x.pool, (*shed.Gate)(nil)
	if x.route.Overflow != nil && own != x.route.Overflow && x.mayLend() {
		over = &x.route.Overflow.Gate
	}
	var err error
	x.permit, err = shed.Enter(&x.life, &own.Gate, over, x.class)
	if errors.Is(err, shed.ErrFull) && own.recall(x.class) { // where there is no queue to be recalled from
		x.permit, err = shed.Enter(&x.life, &own.Gate, over, x.class)
	}
	if err != nil {
		x.shed(err)
		if x.took {
			x.tellCuts(x.store.Line.Crowded(time.Now()))
		}
		return err
	}
	if over != nil && x.permit.Of() == over {
		x.moveOver()
	}
	moved := x.pool != own && x.apart()
	if err = x.again(moved); err == nil || !moved || errors.Is(err, errGone) {
		return err
	}
	// The other's store could give it after all not: it queues at its own, which could.
	x.permit.Done()
	x.moveBack()
	if x.permit, err = own.Gate.Acquire(&x.life, x.class); err != nil {
		x.shed(err)
		return err
	}
	return x.again(false)
}

// learn has everybody learn from what a backend answered, or failed to. What an app does while its store is in doubt tells nothing of
// how busy its pool is, and neither does an error that is made in no time, or a body that the visitor has not sent yet.
func (x *exchange) learn(answer *upstream.Answer, err error) {
	if x.entry.At.Claimed == 0 {
		return
	}
	x.outcome = x.result(answer, err)
	x.quickly()
	took, whole := x.body.since(x.entry.Arrived.Add(x.entry.At.Claimed), x.v.Length())
	late := errors.Is(err, upstream.ErrLate)
	if !x.outcome.Excused && (late && whole || err == nil && answer.Status < 500) {
		x.permit.Sample(took, late)
	}
	x.report(answer, err, took, whole)
}

// safe reports whether the method only looks (RFC 9110 section 9.2.1), as far as a visitor may be sent back to do it again.
func (x *exchange) safe() bool { return x.v.Method() == "GET" || x.v.Method() == "HEAD" }

// newID returns 128 random bits in hex. They name a request, and need not be a secret.
func newID() string {
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], b[:])
	return string(text[:])
}
