package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/proxy/h1"
)

// stream is one exchange by HTTP/2. The protocol is net/http's; what is its own is what an exchange by HTTP/1 promises as well.
type stream struct {
	b      *backend
	caller context.Context
	ctx    context.Context // ends with the caller's, or with the stream
	cancel context.CancelFunc
	method string
	began  time.Time
	limit  time.Duration // the visitor's own, of a call by gRPC; 0: none
	body   *body         // nil: none
	whole  []byte        // all of a small one
	pump   *pump         // nil: the body can be interrupted
	sent   bool          // in an attempt before this one, and it may have been looked at

	own     bool  // the link is this stream's alone
	link    *link // nil: none yet
	try     *try
	unwatch func() bool // of the caller's context

	mu  sync.Mutex
	res *http.Response // nil: there is none yet
}

// try is one attempt at one link. What is not atomic belongs to the transport's reader.
type try struct {
	wrote    atomic.Bool // the head was written, at least in part
	reads    int64       // of the wire, before
	fresh    bool        // the link had brought no answer before
	alone    bool        // and carried nothing else
	informed int
	interim  chan interim
}

type interim struct {
	status int
	head   h1.Head
}

const (
	maxTries  = 3 // links that are tried where the request was not looked at on the one before
	replaying = 1 // times that a request is sent again because it may be
)

// stream carries r to the backend; where own is set over a connection that is closed afterwards.
func (b *backend) stream(ctx context.Context, r *Request, own bool) (*Answer, error) {
	w := b.way.Load()
	if err := r.checkStream(w); err != nil {
		return nil, err
	}
	s := &stream{b: b, caller: ctx, method: r.Method, own: own, began: time.Now(), limit: timeLimit(r.Head.Get("Grpc-Timeout"))}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if r.hasBody() {
		s.body = &body{from: r.Body, length: r.Length}
		if r.Length < 0 {
			s.body.lines = r.Trailer
		}
		if !s.body.interruptible() {
			s.pump = &pump{body: s.body}
		}
	}
	s.unwatch = afterFunc(ctx, s.cut)
	res, err := s.send(r, w)
	ttfb := time.Since(s.began)
	if err == nil {
		var a *Answer
		if a, err = s.answer(res, ttfb); err == nil {
			return a, nil
		}
	}
	err = s.classify(err)
	s.end()
	return nil, err
}

// send gets the head of the final answer. What was not looked at may be sent again over another connection.
func (s *stream) send(r *Request, w *way) (*http.Response, error) {
	if s.body != nil && s.body.length > 0 && s.body.length <= maxWhole && s.body.interruptible() {
		var err error
		if s.whole, err = s.body.gather(make([]byte, 0, s.body.length+1)); err != nil {
			return nil, err
		}
	}
	again := replaying
	for n := 1; ; n++ {
		if err := s.connect(w); err != nil {
			return nil, err
		}
		// The last moment in which the request can be called back.
		if r.Sending != nil {
			r.Sending()
		}
		if err := s.caller.Err(); err != nil { // s.ctx may end a moment later
			s.link.Release()
			return nil, err
		}
		res, err := s.roundTrip(r, w)
		if err == nil {
			s.link.used.Store(true)
			s.has(res)
			return res, nil
		}
		err = s.explain(err)
		switch {
		case s.ctx.Err() != nil || s.body.fault() != nil || errors.Is(err, ErrRequest) || !s.replayable():
			return nil, err
		case !s.try.wrote.Load() && n < maxTries:
		case errors.Is(err, ErrRefused) && again > 0:
			again--
		case errors.Is(err, ErrStale) && s.body == nil && idempotent(s.method) && again > 0:
			again--
			s.sent = true
		default:
			return nil, err
		}
		s.leave()
	}
}

func (s *stream) connect(w *way) (err error) {
	if !s.own {
		s.link, err = s.b.streams.take(s.ctx, s.b)
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, w.timeout)
	defer cancel()
	if s.link, err = s.b.streams.connect(ctx, s.b, w); err != nil {
		return err
	}
	return s.link.Reserve()
}

// roundTrip is one attempt. Interim answers are told from here, since whoever is told may take his time, and the transport's
// reader has none.
func (s *stream) roundTrip(r *Request, w *way) (*http.Response, error) {
	s.try = &try{reads: s.link.wire.reads.Load(), fresh: !s.link.used.Load(), alone: s.link.InFlight() <= 1,
		interim: make(chan interim, maxInterim)}
	out := s.request(r, w)
	type outcome struct {
		res *http.Response
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		res, err := s.link.RoundTrip(out)
		done <- outcome{res, err}
	}()
	tell := func(i interim) {
		if r.Inform != nil {
			r.Inform(i.status, i.head)
		}
	}
	for {
		select {
		case i := <-s.try.interim:
			tell(i)
		case o := <-done:
			for o.err == nil && len(s.try.interim) > 0 {
				tell(<-s.try.interim)
			}
			return o.res, o.err
		}
	}
}

// leave lets go of a link that did not do.
func (s *stream) leave() {
	if s.own && s.link != nil {
		_ = s.link.Close()
	}
	s.link, s.try = nil, nil
}

// end lets go of everything. What still goes on is cut, and the backend told.
func (s *stream) end() {
	s.unwatch()
	s.cut()
	if s.body != nil && !s.body.over() && s.try != nil && s.try.wrote.Load() {
		s.link.wake()
	}
	s.leave()
	s.body.stop()
}

// cut ends what is under way. The transport looks at a context between its steps only: a step that waits has to be ended.
func (s *stream) cut() {
	s.halt()
	s.cancel()
	s.mu.Lock()
	res := s.res
	s.mu.Unlock()
	if res != nil {
		_ = res.Body.Close()
	}
}

// has takes the answer in.
func (s *stream) has(res *http.Response) {
	s.mu.Lock()
	s.res = res
	s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = res.Body.Close()
	}
}

// halt ends the reading of the body. It does not wait.
func (s *stream) halt() {
	if s.body == nil {
		return
	}
	s.body.halt()
	if s.pump != nil {
		s.pump.stop()
	}
}
