package edge

import (
	"net/netip"
	"strconv"
	"time"

	"gatehouse/proxy/h1"
)

// Refused is a request that was refused before it became a Visitor of the handler. Its strings may hold whatever was sent, and stay
// valid.
type Refused struct {
	Peer           netip.AddrPort
	Secure         bool   // the connection is TLS
	Proto          string // "HTTP/2.0", or "" where that was not made sure of
	At             time.Time
	Status         int // 0: nothing was said
	Reason         string
	Method, Target string // as far as they could be read
	BytesOut       int64  // of the answer's body
}

// errHeadTimeout is a head that did not come in time. It is only read.
var errHeadTimeout = &h1.Refusal{Status: 408, Reason: "head_timeout"}

// tell tells whoever wants to know.
func (c *conn) tell(r Refused) {
	r.Peer, r.Secure = c.peer, c.facts != nil
	if c.server.refused != nil {
		c.server.refused(r)
	}
}

// refuse tells a visitor, in a few bytes, that his head is not read any further, and why. Where the next request would begin is
// not known, so the connection ends. HTTP/2 is not told anything: it would not be understood.
func (c *conn) refuse(err error) {
	refusal, ok := err.(*h1.Refusal)
	if !ok {
		return
	}
	told := Refused{At: time.Now(), Status: refusal.Status, Reason: refusal.Reason, Method: c.v.req.Method, Target: c.v.req.Target}
	defer func() { c.tell(told) }()
	if refusal == h1.ErrPreface {
		told.Status = 0
		return
	}
	if !c.state.CompareAndSwap(reading, busy) {
		return
	}
	v := c.v
	text := statusText(refusal.Status)
	out, err := c.appendRefusal(v.out, refusal.Status, refusal.Reason, c.hsts(), len(text))
	if err != nil {
		return
	}
	if v.req.Method != "HEAD" {
		out = append(out, text...)
		told.BytesOut = int64(len(text))
	}
	c.spent.Store(true)
	_ = c.send(out)
}

func statusText(status int) string { return strconv.Itoa(status) + " " + h1.Reason(status) + "\n" }

// appendRefusal appends the head of an answer that refuses a request, and ends the connection.
func (c *conn) appendRefusal(out []byte, status int, reason, hsts string, length int) ([]byte, error) {
	out, err := h1.AppendAnswer(out, status, refusalHead(reason), h1.Framing{Kind: h1.ByLength, Length: int64(length)}, h1.Close)
	if err != nil {
		return nil, err
	}
	return appendHSTS(c.server.clock.appendDate(out), hsts), nil
}

// refusalHead is what a refusal says of itself, on any protocol.
func refusalHead(reason string) h1.Head {
	return h1.Head{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Gatehouse-Outcome", Value: "rejected; reason=" + reason},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "CDN-Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
}

// hsts is what an answer on this connection says of Strict-Transport-Security; "" for nothing.
func (c *conn) hsts() string {
	if c.facts == nil {
		return ""
	}
	return c.server.live.Load().HSTS
}

const hstsName = "Strict-Transport-Security"

// appendHSTS puts the line at the end of a head that is complete, and completes it again.
func appendHSTS(head []byte, value string) []byte {
	if value == "" {
		return head
	}
	head = append(head[:len(head)-len("\r\n")], hstsName+": "...)
	return append(append(head, value...), "\r\n\r\n"...)
}
