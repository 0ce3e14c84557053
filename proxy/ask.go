package proxy

import (
	"context"
	"errors"
	"io"
	"slices"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/upstream"
)

// ask sends the request to a backend and returns the head of its final answer. A backend that could not be reached was sent
// nothing, so the next one is tried, in the overflow pool too.
func (x *exchange) ask() (*upstream.Answer, error) {
	request := x.outgoing()
	watch := x.watch()
	defer watch.stop()
	request.Sending = watch.sending
	var tried upstream.Tried
	var last error
	for {
		if x.asks && x.entry.Attempts > 0 { // time went by
			if err := x.obey(x.rt.Store.Current()); err != nil {
				return nil, err
			}
		}
		claim, err := x.pool.Backends.Claim(&tried)
		if err != nil {
			if x.borrow() {
				continue
			}
			if last != nil {
				err = last
			}
			return nil, err
		}
		x.claim = claim
		x.entry.Backend = claim.Backend()
		x.entry.Attempts++
		x.entry.At.Claimed = x.since()
		answer, err := claim.Send(x.ctx, request)
		x.sent = watch.wasSent()
		if err == nil {
			x.entry.At.Head = x.since()
			return answer, nil
		}
		x.claim.End(upstream.Result{Err: err})
		if cause := context.Cause(x.ctx); cause != nil {
			return nil, cause
		}
		if !errors.Is(err, upstream.ErrConnect) || x.body.n > 0 {
			return nil, err
		}
		last = err
	}
}

func (x *exchange) outgoing() *upstream.Request {
	head := slices.Clone(*x.head) // the request's own is still looked at
	intake.Origin{Peer: x.peer, Trusted: x.trusted, Secure: x.v.Secure(), Host: x.v.Host(), ID: x.id}.Tell(&head)
	if x.facts.Trailers {
		head.Add("TE", "trailers")
	}
	r := &upstream.Request{
		Method: x.v.Method(), Target: x.target.Origin(), Host: x.v.Host(), Head: head,
		Length: x.v.Length(), Trailer: x.trailer,
		Inform: func(status int, head h1.Head) {
			intake.CleanAnswer(&head)
			x.holdAside(&head)
			_ = x.v.Inform(status, head) // who is gone will be noticed at the head
		},
	}
	if r.Length != 0 {
		r.Body = &x.body
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

// meter counts what is read of a body. One goroutine reads it, and another looks only after that one is done.
type meter struct {
	from io.Reader
	n    int64
}

// Interrupt ends a Read that is under way, where the front end can.
func (m *meter) Interrupt() {
	if in, ok := m.from.(interface{ Interrupt() }); ok {
		in.Interrupt()
	}
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.n += int64(n)
	return n, err
}
