package edge

import (
	"strconv"

	"gatehouse/proxy/h1"
)

// errHeadTimeout is a head that did not come in time. It is only read.
var errHeadTimeout = &h1.Refusal{Status: 408, Reason: "head_timeout"}

// refuse tells a visitor, in a few bytes, that his head is not read any further, and why. Where the next request would begin is
// not known, so the connection ends. HTTP/2 is not told anything: it would not be understood.
func (c *conn) refuse(err error) {
	refusal, ok := err.(*h1.Refusal)
	if !ok || refusal == h1.ErrPreface {
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
	}
	c.spent = true
	_ = c.send(out)
}
