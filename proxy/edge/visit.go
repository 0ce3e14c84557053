package edge

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

const (
	inSize  = 16 << 10 // bytes that heads are read into; see visit.in
	inRoom  = 4 << 10  // of these, free at least before a request is read
	outSize = 4 << 10  // bytes of an answer that are gathered before they are sent
	lines   = 32       // of a head, before room is made for more
)

// visits are what connections with a request on its way have, and idle ones have not.
var visits = sync.Pool{New: func() any {
	v := &visit{in: make([]byte, inSize)}
	v.req.Head, v.out = v.lines[:0], v.room[:0]
	return v
}}

// visit is a Visitor on HTTP/1, and the buffers of its connection. It is used again: everything about a request is set by begin
// and forgotten by forget.
type visit struct {
	conn   *conn
	req    h1.RequestHead
	chunks h1.Chunks

	// in is what is read from the connection, as far as bodies do not go straight to their readers. Its bytes before base are
	// a head's, and never written again, though in itself is replaced when it is full; r and w bound what is not taken yet.
	// They belong to who reads: the connection's goroutine, the body's reader until its end, then watch until stop.
	in         []byte
	base, r, w int

	arrived   time.Time
	announced string // trailer lines
	body      *body  // nil: none, or an empty one
	watch     watch

	writing sync.Mutex // interim answers come from two goroutines: 100 from who reads the body. What follows is under it
	// until the answer is committed, and then the handler's.
	out        []byte // what is to be sent
	pieces     [3][]byte
	many       net.Buffers // of pieces, while they are sent
	answered   bool
	framing    h1.FramingKind // of the answer
	left       int64          // bytes of it that are still to come, where it has a length
	bodiless   bool           // the answer has no body whatever its head says
	trailers   bool
	trailed    bool // the last chunk was written
	failed     error
	closeAfter bool
	aborted    bool
	upgraded   bool

	lines [lines]h1.Line
	room  [outSize]byte // last, since it holds nothing that the collector need look at
}

// begin makes a visit of the head that was read.
func (v *visit) begin(now time.Time) {
	v.arrived = now
	v.announced = ""
	v.req.Head.DelFunc(func(l h1.Line) bool {
		if len(l.Name) != len("Trailer") || !strings.EqualFold(l.Name, "Trailer") {
			return false
		}
		v.announced = joined(v.announced, l.Value)
		return true
	})
	if f := v.req.Framing; f.Kind == h1.Chunked || f.Kind == h1.ByLength && f.Length > 0 {
		v.body = newBody(v, f)
	}
	if v.body == nil {
		v.watch.arm(v)
	}
	v.answered, v.framing, v.left, v.bodiless, v.trailers, v.trailed = false, h1.NoBody, 0, false, false, false
	v.failed, v.closeAfter, v.aborted, v.upgraded = nil, !v.req.Persistent, false, false
}

// forget drops what belongs to a request that has ended, and keeps what came behind it.
func (v *visit) forget() {
	v.req.Reset()
	clear(v.lines[:]) // the head may have outgrown them
	v.req.Head = v.lines[:0]
	if v.body != nil {
		v.body = nil
		if len(v.chunks.Trailer()) > 0 {
			v.chunks = h1.Chunks{} // its lines were handed out
		}
	}
	v.out = v.room[:0]
	if v.r == v.w {
		v.r, v.w = v.base, v.base
	}
}

// make makes room for at least n more bytes. What was handed out stays where it is.
func (v *visit) make(n int) {
	if len(v.in)-v.w >= n {
		return
	}
	rest := v.in[v.r:v.w]
	in := make([]byte, max(inSize, len(rest)+n))
	v.base, v.r, v.w, v.in = 0, 0, copy(in, rest), in
}

func (v *visit) Context() context.Context { return v.conn.ctx }
func (v *visit) Arrived() time.Time       { return v.arrived }
func (v *visit) Method() string           { return v.req.Method }
func (v *visit) Target() string           { return v.req.Target }
func (v *visit) Head() *h1.Head           { return &v.req.Head }
func (v *visit) Peer() netip.AddrPort     { return v.conn.peer }
func (v *visit) Local() netip.AddrPort    { return v.conn.came() }
func (v *visit) Announced() string        { return v.announced }
func (v *visit) Secure() bool             { return v.conn.facts != nil }
func (v *visit) TLS() *TLSFacts           { return v.conn.facts }
func (v *visit) Trailer() h1.Head         { return v.chunks.Trailer() }
func (v *visit) CloseAfter()              { v.closeAfter = true }
func (v *visit) Abort()                   { v.aborted = true }

func (v *visit) Host() string {
	if v.req.HostSeen {
		return v.req.Host
	}
	if v.req.Target[0] == '/' {
		return ""
	}
	_, rest, _ := strings.Cut(v.req.Target, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

func (v *visit) Proto() string {
	if v.req.Minor == 0 {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

func (v *visit) Length() int64 {
	if v.req.Framing.Kind == h1.Chunked {
		return -1
	}
	return v.req.Framing.Length
}

func (v *visit) Body() io.Reader {
	if v.body == nil {
		return empty{}
	}
	return v.body
}

// empty is the body of a request without one.
type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }
func (empty) Interrupt()               {}

// joined is a list with another at its end.
func joined(list, more string) string {
	if list == "" || more == "" {
		return list + more
	}
	return list + ", " + more
}
