package edge

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

// visit is a Visitor on net/http's server.
type visit struct {
	server  *Server
	conn    *conn
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	arrived time.Time
	peer    netip.AddrPort
	head    h1.Head
	body    body

	ctx     context.Context
	cancel  context.CancelFunc
	unwatch func() bool

	writing    sync.Mutex // interim answers come from two goroutines: 100 from who reads the body
	answered   bool       // under writing
	trailers   bool
	closeAfter bool
	aborted    bool
	upgraded   bool
}

func newVisit(s *Server, c *conn, w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{
		server: s, conn: c, w: w, r: r, control: http.NewResponseController(w), arrived: time.Now(), head: lines(r.Header),
	}
	// HTTP/1.0 knows no chunks, and net/http does not say whether it was sent some: whatever follows may be a body.
	v.closeAfter = !r.ProtoAtLeast(1, 1)
	v.peer, _ = netip.ParseAddrPort(r.RemoteAddr) // a Unix socket's has none
	v.body = body{from: r.Body, length: r.ContentLength, control: v.control, limits: s.limits, broke: v.broke}
	if r.Body == nil || r.Body == http.NoBody {
		v.body.done = io.EOF
	} else if r.Header.Get("Expect") != "" && r.ProtoAtLeast(1, 1) { // net/http lets nothing but 100-continue through
		v.body.invite = v.invite
	}
	// Otherwise net/http would throw away what the visitor sends while he is answered.
	_ = v.control.EnableFullDuplex()
	c.late.Store(false)
	v.ctx, v.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	v.unwatch = context.AfterFunc(r.Context(), v.left)
	return v
}

// left is called when net/http gives the visitor up, which it also does when a Read of ours ended by its deadline. Then he is
// still there.
func (v *visit) left() {
	if !v.conn.late.Load() {
		v.cancel()
		return
	}
	stop := context.AfterFunc(v.server.base, v.cancel)
	context.AfterFunc(v.ctx, func() { stop() })
}

// broke lets the Context end before the Read that failed for the visitor's leaving returns, so that whoever sees the one sees
// the other.
func (v *visit) broke() {
	if v.r.Context().Err() != nil && !v.conn.late.Load() {
		v.cancel()
	}
}

// lines returns a header as lines, by name, since net/http has forgotten their order. Those that frame the message are left out.
func lines(header http.Header) h1.Head {
	names := make([]string, 0, len(header))
	n := 0
	for name, values := range header {
		if !framing(name) {
			names = append(names, name)
			n += len(values)
		}
	}
	slices.Sort(names)
	head := make(h1.Head, 0, n+6) // room for what the proxy adds
	for _, name := range names {
		for _, value := range header[name] {
			head.Add(name, value)
		}
	}
	return head
}

// framing reports whether a line of that canonical name says how long a message is. Those are the front end's.
func framing(name string) bool {
	return name == "Content-Length" || name == "Transfer-Encoding" || name == "Trailer"
}

func (v *visit) Context() context.Context { return v.ctx }
func (v *visit) Arrived() time.Time       { return v.arrived }
func (v *visit) Method() string           { return v.r.Method }
func (v *visit) Target() string           { return v.r.RequestURI }
func (v *visit) Host() string             { return v.r.Host }
func (v *visit) Head() *h1.Head           { return &v.head }
func (v *visit) Peer() netip.AddrPort     { return v.peer }
func (v *visit) Secure() bool             { return v.r.TLS != nil }
func (v *visit) Length() int64            { return v.r.ContentLength }
func (v *visit) Body() io.Reader          { return &v.body }
func (v *visit) Trailer() h1.Head         { return lines(v.r.Trailer) }
func (v *visit) CloseAfter()              { v.closeAfter = true }
func (v *visit) Abort()                   { v.aborted = true }

func (v *visit) Proto() string {
	if v.r.ProtoAtLeast(1, 1) {
		return "HTTP/1.1"
	}
	return "HTTP/1.0"
}

// end ends the message after the handler has: a message that was aborted, or never answered, ends in a reset. Where part of
// the body is left, the connection is spent.
func (v *visit) end() {
	v.unwatch()
	v.cancel()
	switch {
	case v.upgraded:
		_ = v.conn.Close()
	case v.aborted || !v.answered:
		v.conn.reset()
		panic(http.ErrAbortHandler)
	case v.body.whole():
	case v.closeAfter || v.body.hopeless() || v.control.Flush() != nil || !v.body.finish():
		v.conn.spent.Store(true)
	}
}
