package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"time"

	"gatehouse/proxy/h1"
)

// TLSFacts is what is known of a visitor's TLS connection.
type TLSFacts struct {
	Version, Cipher uint16 // as package crypto/tls numbers them
	Protocol        string // agreed on by ALPN; "" where the visitor offered none
	ServerName      string // whom the visitor asked for; "" for nobody in particular
	Resumed         bool   // the handshake went on where an earlier one had ended
	Client          string // the subject of the client certificate, where one was asked for and verified (RFC 2253); "" none
}

// errPlain is HTTP where TLS is spoken. It is only read.
var errPlain = &h1.Refusal{Status: 400, Reason: "plain_http"}

// begin does what comes before the first request: a PROXY header, and the handshake, which share HeadTimeout. It reports whether
// requests may follow.
func (c *conn) begin() bool {
	header := c.live.wantsHeader(c.peer.Addr())
	switch {
	case !header && c.tls == nil:
		return true
	case c.server.draining.Load():
		return false
	}
	by := time.Now().Add(c.server.limits.HeadTimeout)
	_ = c.below.SetDeadline(by)
	if header {
		if err := c.readHeader(); err != nil {
			c.server.log.Debug("a PROXY header was not taken", "peer", c.peer.String(), "err", err)
			return false
		}
	}
	if c.tls != nil && !c.shakeHands(by) {
		return false
	}
	_ = c.below.SetDeadline(time.Time{})
	return true
}

// shakeHands reports whether requests may follow.
func (c *conn) shakeHands(by time.Time) bool {
	ctx, cancel := context.WithDeadline(c.ctx, by)
	err := c.tls.HandshakeContext(ctx)
	cancel()
	if err != nil {
		c.server.failed.Add(1)
		c.server.log.Debug("a TLS handshake failed", "peer", c.peer.String(), "err", err)
		if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && looksLikeHTTP(e.RecordHeader) {
			c.refusePlain(e.Conn)
		}
		return false
	}
	state := c.tls.ConnectionState()
	c.facts = &TLSFacts{
		Version: state.Version, Cipher: state.CipherSuite, Protocol: state.NegotiatedProtocol, ServerName: state.ServerName, Resumed: state.DidResume,
	}
	if len(state.VerifiedChains) > 0 {
		c.facts.Client = state.VerifiedChains[0][0].Subject.String()
	}
	return state.NegotiatedProtocol != protoACME
}

// looksLikeHTTP reports whether what came in the place of a record is the beginning of a request.
func looksLikeHTTP(header [5]byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO", "CONNE", "TRACE", "PRI *"}, string(header[:]))
}

// refusePlain tells somebody who speaks HTTP that TLS is spoken here, in HTTP.
func (c *conn) refusePlain(to net.Conn) {
	if !c.state.CompareAndSwap(reading, busy) {
		return
	}
	const text = "400 Bad Request\nThis port speaks TLS: https, not http.\n"
	told := Refused{At: time.Now(), Status: errPlain.Status, Reason: errPlain.Reason, BytesOut: int64(len(text))}
	if out, err := c.appendRefusal(nil, errPlain.Status, errPlain.Reason, "", len(text)); err == nil {
		c.spent.Store(true)
		_ = to.SetWriteDeadline(time.Now().Add(c.server.limits.WriteTimeout))
		_, _ = to.Write(append(out, text...))
	}
	c.tell(told)
}
