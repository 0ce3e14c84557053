package edge

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gatehouse/proxy/h1"
)

// stream is a Visitor on HTTP/2.
type stream struct {
	s       *streams
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	leave   context.CancelFunc
	arrived time.Time
	head    h1.Head
	length  int64       // of the body; -1: not known
	body    *streamBody // nil: none, or an empty one

	answered bool
	left     int64 // bytes of the answer that are still to come; -1: it has no length
	bodiless bool  // the answer has no body whatever its head says
	trailers bool
	trailed  bool
	unsent   bool // something was written and may not have been sent
	failed   error
	aborted  bool
	due      due
}

func newStream(s *streams, w http.ResponseWriter, r *http.Request) *stream {
	v := &stream{s: s, w: w, r: r, arrived: time.Now()}
	v.ctx, v.leave = context.WithCancel(r.Context())
	v.due.cut = func() { _ = v.writer().SetWriteDeadline(time.Unix(1, 0)) }
	return v
}

// exchange takes the visit through, and reports whether the answer may stand: the stream must be reset otherwise.
func (v *stream) exchange() bool {
	defer v.leave()
	if refusal := v.read(); refusal != nil {
		v.refuse(refusal)
	} else {
		if v.length != 0 {
			v.body = newStreamBody(v)
			defer v.body.drop()
		}
		v.s.handle(v)
	}
	return v.end()
}

// refuse tells a visitor why nobody looked at his request.
func (v *stream) refuse(refusal *h1.Refusal) {
	told := Refused{
		Proto: v.Proto(), At: v.arrived, Status: refusal.Status, Reason: refusal.Reason, Method: v.r.Method, Target: v.r.RequestURI,
	}
	text := statusText(refusal.Status)
	if err := v.Answer(refusal.Status, refusalHead(refusal.Reason), int64(len(text)), false); err == nil && v.r.Method != "HEAD" {
		_, _ = v.Write([]byte(text))
		told.BytesOut = int64(len(text))
	}
	v.s.tell(told)
}

// end ends the message after the handler has, and reports whether it is whole.
func (v *stream) end() bool {
	switch {
	case v.aborted || !v.answered || v.failed != nil || v.left > 0 && !v.bodiless:
		return false
	case v.unsent: // the server does it when the handler has returned, and would wait for ever
		_ = v.writer().SetWriteDeadline(time.Now().Add(v.s.server.limits.WriteTimeout))
	}
	return true
}

func (v *stream) Context() context.Context { return v.ctx }
func (v *stream) Arrived() time.Time       { return v.arrived }
func (v *stream) Method() string           { return v.r.Method }
func (v *stream) Target() string           { return v.r.RequestURI }
func (v *stream) Host() string             { return v.r.Host }
func (v *stream) Head() *h1.Head           { return &v.head }
func (v *stream) Proto() string            { return "HTTP/2.0" }
func (v *stream) Peer() netip.AddrPort     { return v.s.peer }
func (v *stream) Local() netip.AddrPort    { return v.s.came() }
func (v *stream) Secure() bool             { return v.s.facts != nil }
func (v *stream) TLS() *TLSFacts           { return v.s.facts }
func (v *stream) Length() int64            { return v.length }
func (v *stream) CloseAfter()              {} // the others on the connection have nothing to do with it
func (v *stream) Abort()                   { v.aborted = true }

func (v *stream) Upgrade(h1.Head) (net.Conn, io.Reader, error) { return nil, nil, ErrNoUpgrade }

func (v *stream) Body() io.Reader {
	if v.body == nil {
		return empty{}
	}
	return v.body
}

func (v *stream) Announced() string { return strings.Join(slices.Sorted(maps.Keys(v.r.Trailer)), ", ") }

// Trailer has the lines that the request's head announced; the server drops the others.
func (v *stream) Trailer() h1.Head {
	if v.body == nil || !v.body.ended() {
		return nil
	}
	trailer, _ := linesOf(v.r.Trailer)
	trailer.DelFunc(func(l h1.Line) bool { return ofConnection(l.Name) || strings.EqualFold(l.Name, "Host") })
	return trailer
}
