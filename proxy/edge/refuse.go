package edge

import (
	"net/netip"
	"strconv"
	"time"

	"gatehouse/proxy/h1"
)

// Refused is a head that was refused before it became a Visitor. Its strings may hold whatever was sent, and stay valid.
type Refused struct {
	Peer           netip.AddrPort
	At             time.Time
	Status         int
	Reason         string
	Method, Target string // as far as they could be read
	BytesOut       int64  // of the answer's body
}

// errHeadTimeout is a head that did not come in time. It is only read.
var errHeadTimeout = &h1.Refusal{Status: 408, Reason: "head_timeout"}

// refuse tells a visitor, in a few bytes, that his head is not read any further, and why. Where the next request would begin is
// not known, so the connection ends. HTTP/2 is not told anything: it would not be understood.
func (c *conn) refuse(err error) {
	refusal, ok := err.(*h1.Refusal)
	if !ok {
		return
	}
	told := Refused{Peer: c.peer, At: time.Now(), Status: refusal.Status, Reason: refusal.Reason, Method: c.v.req.Method, Target: c.v.req.Target}
	if c.server.refused != nil {
		defer func() { c.server.refused(told) }()
	}
	if refusal == h1.ErrPreface {
		told.Status = 0
		return
	}
	if !c.state.CompareAndSwap(reading, busy) {
		return
	}
	v := c.v
	text := strconv.Itoa(refusal.Status) + " " + h1.Reason(refusal.Status) + "\n"
	out, err := h1.AppendAnswer(v.out, refusal.Status, h1.Head{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Gatehouse-Outcome", Value: "rejected; reason=" + refusal.Reason},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "CDN-Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}, h1.Framing{Kind: h1.ByLength, Length: int64(len(text))}, h1.Close)
	if err != nil {
		return
	}
	out = c.server.clock.appendDate(out)
	if v.req.Method != "HEAD" {
		out = append(out, text...)
		told.BytesOut = int64(len(text))
	}
	c.spent = true
	_ = c.send(out)
}
