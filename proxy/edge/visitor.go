package edge

import (
	"context"
	"io"
	"net"
	"net/netip"
	"time"

	"gatehouse/proxy/h1"
)

// Visitor is one request and the means to answer it: the same view whichever front end read it.
//
// Everything it returns is valid until Handler.Serve returns. Its methods are not safe for concurrent use, except that Body
// may be read by one goroutine while another writes the answer. An answer is: any number of Inform, then one Answer, then
// Write and Flush, then at most one SendTrailer; or one Upgrade and nothing else. After Serve returns the front end ends the
// message.
type Visitor interface {
	// Context ends when the visitor has gone away or the front end is closed for good; the end of the exchange does not end it.
	// On HTTP/1 leaving, or only ending one's own way, is noticed a moment after the body was read to its end, and by writing;
	// not after reading ended by Interrupt or for being too slow.
	Context() context.Context
	// Arrived is when the request's head had been read.
	Arrived() time.Time

	Method() string
	// Target is the request target exactly as it came (RFC 9112 section 3.2): origin form, absolute form or "*".
	Target() string
	// Host is the Host field, or :authority, exactly as it came. Whether a target in absolute form agrees is not looked at; on
	// HTTP/1.0, where there need be no Host field, that target's authority stands in for it.
	Host() string
	// Head holds the request's field lines, in their order and as they were written, without Host, and without the lines that
	// frame the message (Content-Length, Transfer-Encoding, Trailer). It is the exchange's to change.
	Head() *h1.Head
	// Proto is "HTTP/1.0", "HTTP/1.1" or "HTTP/2.0".
	Proto() string
	// Peer is the address at the other end of the connection, or the one that a PROXY header there said; invalid for a Unix
	// socket.
	Peer() netip.AddrPort
	// Local is the address that the visitor came to; where a PROXY header told of him, the one that it says. Invalid for a Unix
	// socket.
	Local() netip.AddrPort
	// Secure reports whether the visitor's connection to us is TLS.
	Secure() bool
	// TLS is what is known of that; nil without. It is only read.
	TLS() *TLSFacts

	// Length is the body's length in bytes, 0 when there is none, -1 when it is not known beforehand.
	Length() int64
	// Body reads the body; it returns io.EOF at its end, and is never nil. Reading it may send 100 Continue.
	// A method Interrupt() of it ends a Read that is under way, from any goroutine; the rest is lost then.
	Body() io.Reader
	// Announced is the list of the names that the request's Trailer field announces (RFC 9110 section 6.6.2); "" where there is none.
	Announced() string
	// Trailer returns the request's trailer lines; only after Body returned io.EOF.
	Trailer() h1.Head

	// Inform sends an interim answer (102 to 199); a visitor of HTTP/1.0 gets none.
	Inform(status int, head h1.Head) error
	// Answer commits the final status (200 to 999) and head. length is the body's length, or -1 when it is not known. trailers
	// says that SendTrailer may follow. Lines in head that frame the message or concern the connection (Content-Length,
	// Transfer-Encoding, Trailer, Connection, Keep-Alive) are left out: those are the front end's.
	Answer(status int, head h1.Head, length int64, trailers bool) error
	io.Writer
	// Flush sends what has been written and is still buffered.
	Flush() error
	// SendTrailer ends the body with trailer lines. Where Answer did not announce them, or the visitor cannot take them, they
	// are dropped.
	SendTrailer(trailer h1.Head) error
	// Upgrade answers 101 with head and hands over the connection, which the caller then owns and closes. The reader may hold
	// bytes that came early. It returns ErrNoUpgrade where the protocol cannot (HTTP/2) or the body was not read to its end.
	// Context does not end then when the visitor leaves: reading and writing tell. When Serve returns the connection is closed.
	Upgrade(head h1.Head) (net.Conn, io.Reader, error)
	// CloseAfter says that the connection must not be used for another request.
	CloseAfter()
	// Abort ends the message so that the visitor can tell it is broken: the connection or stream is reset.
	Abort()
}

// Handler is what every front end hands its visitors to. Serve returns when the exchange has ended.
type Handler interface{ Serve(v Visitor) }
